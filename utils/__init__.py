"""What every other package may use: the words of the task, files, scores and pictures.

The words of the task:
- tokens: the special tokens of prompts and answers
- words: what makes words from data no plain words
- mask_types: the mask types, with their order, colours and table columns
- splits: the parts of MQ-RAVSBench, with their protocols and file names
- mask_modes: the ways of showing a mask to the model
- thought: a Thought, which is Ref-Thinker's answer, written as text and read from text
- audit: an Audit (mask type, IoU, action), written as text and read from text
- prediction: a Prediction, which is one answer of an auditor beside what is true of its mask
- card: what an auditor was trained on, in its folder
- batches: the batch that a collator makes and a model reads, with named fields

Files:
- records: predictions as JSON lines, read and written; filters
- record_lines: their lines, each checked
- record_parts: large files of them, read by several processes
- answer_log: a log of answers, each with what it was made from
- repeats: records about a mask that was there before
- record_log: a log of other results, from which an interrupted run continues
- credentials: keys and tokens, which are left out of it
- run_record: run.json, which says what was run, with which versions and data
- text_files: text and JSON as they are read from files
- settings_files: settings as they are read from JSON files, compared with tables of what a key may hold
- tables: tables of comma-separated text as they are read from files
- yaml_files: settings as they are read from YAML files
- spelling: names of files in the spelling that the disk has
- whole_files: files and folders that are never half written
- locks: one program at a time in a folder
- finished: the file that tells, for each step, that it is finished
- manifest: folders of files that belong together, with sizes and digests
- run_length: masks as run-length codes
- brush_codes: masks as Label Studio's run-length codes
- formatting: values as text for a terminal, a table or a page

Packages:
- reading: replies of other auditors, read leniently
- certainty: how sure an auditor is, from the probabilities of its tokens
- scores: counts, metrics and tables, from predictions to numbers
- reports: numbers and masks as text and pictures
"""
