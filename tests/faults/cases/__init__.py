"""The sentence table. Every module here has a list CASES of `tests.faults.case.Case`; names are unique over all.

- hostile: control codes of a terminal in names and texts
- splits: the split files of a benchmark
"""
