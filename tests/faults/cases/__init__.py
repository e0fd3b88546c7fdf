"""The sentence table. Every module here has a list CASES of `tests.faults.case.Case`; names are unique over all.

- hostile: control codes of a terminal in names and texts
- data_links: linked files and folders in folders of data
- media_files: masks, frames and sounds of every kind, the same file in several programs
- coco: COCO files that contradict themselves or their pictures
- settings: command lines and recipes
- model_settings: JSON files of an auditor, its parts and DeepSpeed
- tables: the tables of a benchmark, a source and pairs; expressions
- splits: the split files of a benchmark
- records: files of answers that others wrote
"""
