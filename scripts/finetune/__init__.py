"""Fine-tuning of the auditor.

- finetune_hyperlora: the program
- trainer: the Trainer for auditors
- checkpointing: measures whether gradient checkpointing is needed
- convert: converts a trained auditor to the released pair of files, or back
- score, summarize, sweep: old addresses of programs in `scripts.evaluate`
"""
