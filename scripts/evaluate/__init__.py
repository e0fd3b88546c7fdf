"""Audits of a test split, their scores, and comparisons of auditors.

- run: the program that audits a test split and scores the audits
- split_audit: its work
- audit_loop: all masks of a run, answered in batches as large as memory allows
- score: scores saved answers, without a model
- summarize: all runs of an auditor on one page, beside baselines
- seeds: means and standard deviations over several seeds
- sweep: trains, audits and tabulates a list of auditors
- show_audits: pictures of right and wrong audits
"""
