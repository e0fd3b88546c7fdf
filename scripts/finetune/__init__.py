"""Fine-tuning of the auditor.

- finetune_hyperlora: the program
- training: its work, imported after the command line is read
- objective: what answers are trained for, and the auditor that a training begins with
- about: what it says of its auditor: a card, and what its training clips were like
- convert: converts a trained auditor to the released pair of files, or back
- conversion: its work
- score, summarize, sweep: old addresses of programs in `scripts.evaluate`
"""
