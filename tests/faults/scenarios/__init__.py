"""The scenarios. Every module here has functions marked @scenario; their order is that of the modules' names.

- api_kills: kills of a run that asks a server
- canaries: code that is hidden in files is never run
- disks: disks that are full at some write
- evaluation: evaluations that are killed, and whose logs are damaged in between
- fuzz: files changed by chance, read by every reader
- links: nothing is written through a planted link
- stages: steps of the quickstart that are killed at any of their writes, and the whole quickstart
- sentences: the sentence table: wrong and hostile input, and what each program says of it
- training: kills and signals while an auditor is trained
"""
