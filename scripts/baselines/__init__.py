"""Other auditors: multimodal LLMs behind an API, asked about the same masks with the paper's prompt.

- question: one audit request as text, sound, video and pictures, in the paper's order
- message: a question as the body of a chat request
- transport: one HTTP request and all that comes back
- verdict: what a reply is: an answer of some kind, or an error that passes or stays
- pacing: waiting between tries, limits for a minute, requests under way
- costs: tokens and prices, estimated and paid
- client: asks until there is an answer or no hope of one
- kept: everything received, on disk
- probe: which media a server drops in silence
- api_answerer: a server as an answerer of audit requests
- ask_split: a test split asked, read and scored
"""
