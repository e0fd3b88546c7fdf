"""Faults made on purpose: kills, damaged files, full disks, wrong and hostile input. Counts what survives.

    python -m tests.faults                     all scenarios, short
    python -m tests.faults --kills 200 --fuzz 1000
    python -m tests.faults --list
    python -m tests.faults --only sentences --case mask

- scenario: what a scenario is: options in, counts out; the goals
- case: what a case of the sentence table is: a change to right material, programs, and what they are expected to say
- programs: the programs that cases run, by name, with their command lines
- settings_table.tsv: changes of model_settings, each with its sentence
- changes: changes to right material that cases share
- material: right input for every program, small, made once and copied for each case
- fuzz: files changed by chance, and the readers that have to bear them
- forked: a program's `main(argv)` in a child process that may crash, hang or grow
- group: the processes of one run as forks that are told their ranks; their ends
- trained: runs of a small training, disturbed or not
- cases: the sentence table; every module in it has a list CASES
- scenarios: every module in it has functions marked @scenario

To add cases or a scenario, add a module to `cases` or `scenarios`: it is found by itself.
"""
