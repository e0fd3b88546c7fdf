"""Ref-Thinker: reasons over a clip's pictures and sound, and names the object that an expression means.

- thinker: the model
- config: what a thinker is made of (config.json)
- build: makes a thinker from the folders of its parts
"""
