"""Audits of many masks of one's own: the work of scripts.audit where there is more than one.

- masks: one mask with its clip, expression, and what is carried through
- sources: the masks that the command line names, one reader for each format
- sequences: the same for masks of frames, DAVIS palettes and mask folders of Ref-AVS systems
- auditing: asks about all of them, with a log from which an interrupted run goes on
- outputs: audits.jsonl and audits.csv
"""
