"""The ground floor: the task's vocabulary and its measures.

- tokens: the special tokens that tie prompts, batches and the model together
- mask_modes: the ways of showing a mask to the model
- audit: an Audit (mask type, IoU, action), rendered as text and parsed back
- whole_files: files that appear whole or not at all
- records: predictions as JSON lines
- record_log: a log of results that an interrupted run goes on with
- counts, metrics, video_metrics, columns: RMSE and F2, per run, per video, per column of the paper's tables
- scoring, report: from records to the files of a run, and to text for the terminal
- benchmark_tables, distribution: what a benchmark consists of, counted, and its IoUs as a picture
- page, overlay: text, pictures and tinted masks on a page
- picture, sheet: one audit, and one instance with all its masks, as a picture to look at
- run_record: what was run, with which versions and data (run.json)
"""
