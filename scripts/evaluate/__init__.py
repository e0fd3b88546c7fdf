"""Programs that audit a benchmark, and that score, compare and show the audits.

- run: audits the masks of a test split and scores the audits
- split_audit: the work of `run`, imported after the command line is read
- results: the masks of a run, and what a finished run writes
- calibrate: temperatures and a threshold from held-out audits, stored with the auditor
- tell_unlike: how well clips that are unlike the training's are told
- baseline: asks another auditor, a local model or a server, about a test split
- read_reply: reads replies of any auditor, without scoring them
- sharing: several processes that share the masks of one run
- score: scores a file of answers again, without a model
- summarize: all runs of one auditor beside the baselines
- compare: finished runs of any auditors side by side
- compared_runs: the runs of a comparison, read and put in one order
- seeds: the same auditor trained with several seeds, with means and spreads
- sweep: trains, audits and compares a list of auditors
- show_audits: right and wrong audits as pictures
"""
