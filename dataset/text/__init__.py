"""Texts that the models read and write.

- lesson_wording: the words of lessons for the mini LLM
- wording: the words of an audit's prompt and answer
- others_prompt: the prompt for other auditors
- think_wording: the words of Ref-Thinker's prompt, and of answers made from ground truth
- forks: where an answer could have gone another way
- prompt: prompts and target answers as token ids
- captions: lists of captions for pretraining, read and checked
"""
