"""Texts that the models read and write.

- wording: the words of an audit's prompt and answer
- prompt: prompts and target answers as token ids
- captions: lists of captions for pretraining, read and checked
"""
