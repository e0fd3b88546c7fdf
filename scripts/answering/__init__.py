"""Whoever answers audit requests, how they are asked, and how answers are kept while they are asked for.

- answerer: requests, replies, what an answerer has to offer, and asking in batches
- tensor_answerer: an auditor whose weights are here; media are decoded ahead, prompts shared, answers drafted
- session_answerer: the same for a notebook, where the clip of the last requests is likely to come again
- clip_distances: how far clips are from those that the auditor was trained on
- audit_loop: asks for many answers with a progress bar, and logs every one at once
- records: the record of one answer, and what names its mask
- basis: what decides an answer, as digests
- stored_answers: which answers of an interrupted run still hold, and why others do not
- audit_result: an answer as it is given to people: the audit, how sure it is, and its text
"""
