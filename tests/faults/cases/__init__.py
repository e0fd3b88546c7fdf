"""The sentence table. Every module here has a list CASES of `tests.faults.case.Case`; names are unique over all.

- splits: the split files of a benchmark
"""
