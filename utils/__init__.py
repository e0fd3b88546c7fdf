"""The words of the task and its files. Needs no model.

- audit: an Audit (mask type, IoU, action), written as an answer's text and parsed from it
- mask_types: the mask types, with all that depends on a type
- mask_modes: the ways of showing a mask to the model
- splits: the parts of MQ-RAVSBench and their files
- tokens: the special tokens, in the order of their ids
- prediction: one answer beside the ground truth of its mask
- records: JSON lines of answers, read and written
- record_log: a log of results that lets an interrupted run continue
- run_record: settings, versions and data of a run (run.json)
- run_length: run-length codes and polygons, as COCO writes masks
- whole_files: files and folders that are never half written
- manifest: digests of the files of a folder, and the comparison with them
- formatting: numbers and lines as text
- scores/: from predictions to scores and tables
- reports/: pictures, and text for the terminal
"""
