"""The auditor: a language model that sees and hears a clip with a mask, and says what is wrong with the mask.

- auditor: the model, from tensors to a loss or to tokens
- config: what an auditor is made of (config.json)
- build: makes an auditor from the folders of its parts
- trainable: which parameters learn; their state, and a table of them
"""
