"""Fine-tuning of the auditor.

- finetune_hyperlora: the program
- training: its work, imported after the command line is read
- trainer: the Trainer for auditors
- build_locks: waits for builds of DeepSpeed, and clears what a killed one left
- checkpointing: measures whether gradient checkpointing is needed
- convert: converts a trained auditor to the released pair of files, or back
- conversion: its work
- score, summarize, sweep: old addresses of programs in `scripts.evaluate`
"""
