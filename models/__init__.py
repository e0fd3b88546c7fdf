"""The networks: tensors in, tensors out. Nothing here reads a dataset.

- encoders: the frozen encoders of images and sound
- language: a language model that also reads what the encoders see and hear
- auditor: MQ-Auditor: its configuration, how it is built, what learns
- thinker: Ref-Thinker, which names the object that an expression means
- others: multimodal LLMs that were never trained on audits
- decoding: batches -> answers
- weights: files and folders of weights
- segmenting: finds the objects of a frame, for building a benchmark
"""
