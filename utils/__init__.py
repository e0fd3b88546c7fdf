"""The ground floor: the task's vocabulary and its measures.

- tokens: the special tokens that tie prompts, batches and the model together
- mask_modes: the ways of showing a mask to the model
- audit: an Audit (mask type, IoU, action), rendered as text and parsed back
- records: predictions as JSON lines
- counts, metrics, video_metrics, columns: RMSE and F2, per run, per video, per column of the paper's tables
- scoring, report: from records to the files of a run, and to text for the terminal
- picture: one audit as a picture to look at
- run_record: what was run, with which versions and data (run.json)
"""
