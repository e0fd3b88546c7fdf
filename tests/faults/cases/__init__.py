"""The sentence table. Every module here has a list CASES of `tests.faults.case.Case`; names are unique over all.

- hostile: control codes of a terminal in names and texts
- data_links: linked files and folders in folders of data
- media_files: masks, frames and sounds of every kind, the same file in several programs
- splits: the split files of a benchmark
"""
