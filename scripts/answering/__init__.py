"""Whoever answers audit requests, and how they are asked.

- answerer: requests, replies, what an answerer has to offer, and asking in batches
- tensor_answerer: an auditor whose weights are here; media are decoded ahead, prompts shared, answers drafted
- session_answerer: the same for a notebook, where the clip of the last requests is likely to come again
- clip_distances: how far clips are from those that the auditor was trained on
"""
