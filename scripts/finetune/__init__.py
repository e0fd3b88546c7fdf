"""Fine-tuning of an auditor.

- finetune_hyperlora: the program that trains an auditor
- training: its work
- trainer: the loss per mask, learning rates of the parts, what a checkpoint holds
- checkpointing: switches gradient checkpointing off where memory suffices
- convert: the program that converts between our folder and the released pair of files
- conversion: its work
- score, summarize, sweep: programs that moved to scripts/evaluate; these addresses keep working
"""
