"""Makes the parts of the mini auditor from scenes of the drawn world.

- parts: the program that makes encoders, tokenizer and LLM
- all_parts: its work, part by part
- tokenizer: the mini LLM's tokenizer
- vision: the mini CLIP
- audio: the mini BEATs
- captions: pictures and sounds with captions, for the two projectors
- told: how a scene is shown to the LLM, and what a lesson is
- lessons: what the mini LLM learns from
- thing_lessons: lessons about one thing, with short answers
- language: trains the mini LLM on described scenes
- grounding: the program that trains it further, on scenes that pass encoders and projectors
- grounded: its work
- segmenter: the program that makes the mini segmenter, a CLIPSeg, from the mini CLIP
- named_objects: its work, with the scenes that it is solved for
- naming: the words that it knows
- solving: linear models that are solved at once
- solved_clipseg: puts them into a CLIPSeg
- probe: the program that says what the parts know
- probing: its work
- schedule: the training loop that all of them share
"""
