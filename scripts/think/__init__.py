"""Ref-Thinker: names the object that an expression means, from a clip's pictures and sound.

- finetune_ref_thinker: the program that fine-tunes one
- think_training: its work, imported after the command line is read
- run: lets a thinker answer the expressions of a split
- think_split: its work
- make_tuning_set: makes answers to learn from ground truth
"""
