"""MQ-RAVSBench on disk: its files written, read and checked.

- samples: what is read, as plain values: samples, candidate masks and problems
- uids: the parts of a uid
- metadata: metadata.csv, row by row
- entries: one uid's entry of a split file
- agreement: where an entry contradicts its row of metadata.csv, or itself
- annotations: whole split files, read into samples
- links: linked files that lead out of a folder of data
- validation: checks every file of a run before it starts
- inventory: all parts of a benchmark, as rows to count
"""
