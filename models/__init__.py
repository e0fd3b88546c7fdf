"""Tensors in, tensors out.

- vision, beats: the frozen encoders
- projector: Q-Former projector, one class for both modalities
- config: what an auditor is made of (config.json)
- auditor: encode, join with the text, run the LLM; generate
- answers: a batch -> answers as text
- build: parts from files -> an auditor
- trainable: what learns, and a table of it
- weight_files: the only place that opens files of weights
- unused_keys: what released files hold that nothing reads
- published: the file formats and key names of the released weights
- checkpoint: our auditor folder, written and read
- objects: finds the objects of a frame, for building a benchmark
"""
