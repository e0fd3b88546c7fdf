"""Pretraining of the projectors, and of the mini parts that the quickstart uses.

- pretrain_projector: the program that trains one projector on captions
- projector: its work
- mini: make small encoders, a small LLM and their projectors
"""
