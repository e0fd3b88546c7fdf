"""The scenarios. Every module here has functions marked @scenario; their order is that of the modules' names.

- links: nothing is written through a planted link
- sentences: the sentence table: wrong and hostile input, and what each program says of it
- training: kills and signals while an auditor is trained
"""
