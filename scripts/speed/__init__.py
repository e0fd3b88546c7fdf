"""Measures the speed of audits, their data and training, beside the published way in the same run.

- efficiency: the program that writes the tables
- comparison: its work: every size and every kind of work
- audits: masks per second from files to answers
- ways: the ways of auditing that are compared
- fastest: our way as it is run on a GPU, and the loop of the audit program
- data: the data side alone, from files to a batch
- training: one training step
- growth: time and memory against the number of masks and clips
- limits: the shortest possible time on a machine
- sizes: the auditors that are measured
- steering: makes untrained weights write audits
- material: the drawn videos and benchmarks that are measured on
- meter: seconds by part of the work, and the peak of memory
- rows: the rows of the tables
- other_auditors: rows of other auditors, from their finished runs
- mask_speed: a program of its own: how fast masks are made
- scoring: a program of its own: how long the scoring of many records takes
- own_masks: a program of its own: audits of many masks of one's own beside the evaluation program
- report: a program of its own: how long a report takes to build and to show, and how large it is
- drawn_answers: answers for it
- browser: a headless Chromium
"""
