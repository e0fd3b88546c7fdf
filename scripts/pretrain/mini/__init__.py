"""Makes the parts of the mini auditor from scenes of the drawn world.

- parts: the program that makes encoders, tokenizer and LLM
- all_parts: its work, part by part
- tokenizer: the mini LLM's tokenizer
- vision: the mini CLIP
- audio: the mini BEATs
- told: how a scene is shown to the LLM, and what a lesson is
- facts: what can be known of a thing where it is shown
- lessons: what the mini LLM learns from
- guides: attention heads that are taught where to look
- teacher: makes batches of lessons
- pupil: the mini LLM while it learns
- language: trains it on described scenes
- grounding: the program that trains it further, on scenes that pass encoders and projectors
- grounded: its work
- encoded: scenes in features of the encoders
- assigned: which token of a projector shows which thing
- aligned: trains the projectors
- seen: scenes in tokens of the projectors
- segmenter: the program that makes the mini segmenter, a CLIPSeg, from the mini CLIP
- named_objects: its work, with the scenes that it is solved for
- naming: the words that it knows
- solving: linear models that are solved at once
- solved_clipseg: puts them into a CLIPSeg
- probe: the program that says what the parts know
- probing: its work
- schedule: the training loop that all of them share
"""
