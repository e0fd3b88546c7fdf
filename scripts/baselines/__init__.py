"""Other auditors: multimodal LLMs from local folders or behind an API, asked about the same masks.

- question: one audit request as text, sound, video and pictures, in the paper's order
- kept: everything received, on disk
- job: what is asked, and where it is kept
- ask_split: a test split asked, read and scored
- verdict: what a reply is: an answer of some kind, or an error that passes or stays

Servers:
- message: a question as the body of a chat request
- transport: one HTTP request and all that comes back
- pacing: waiting between tries, limits for a minute, requests under way
- costs: tokens and prices, estimated and paid
- client: asks until there is an answer or no hope of one
- probe: which media a server drops in silence
- api_answerer: a server as an answerer of audit requests
- ask_server: a job asked of a server

Models in this process:
- decoded: a question as arrays
- local_answerer: a model as an answerer of audit requests
- ask_model: a job asked of a model in a local folder
"""
