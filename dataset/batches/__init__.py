"""Samples -> items of tensors -> batches.

- items: what one mask or one caption is as tensors
- audit_dataset: samples of a benchmark -> items
- think_dataset: expressions to think about -> items
- caption_dataset: captions for pretraining -> items and batches
- rows: what both collators share: rows with a common prompt, padding, each image once
- collator: items -> a batch for training, or for answers one by one
- grouping: items -> a batch in which masks share prompts, for answers together
- sampling: which mask of which video comes when in training
"""
