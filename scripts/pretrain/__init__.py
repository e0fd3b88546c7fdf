"""Pretraining of the projectors, and of the mini parts that the quickstart uses.

- pretrain_projector: train one projector on captions
- mini: make small encoders, a small LLM and their projectors
"""
