"""Files of weights: written, read and checked.

- bundle: an auditor or a thinker with its tokenizer and pixel settings, from_pretrained and save_pretrained
- checkpoint: our auditor folder, file by file, and where an auditor is looked for
- about: an auditor's card, its calibration, and what its training clips were like
- auditor_settings: the settings in our folder, and what has to agree with what
- model_configs: config.json of an LLM, a CLIP or a BERT, compared with its weights
- quantization: linear layers in 8 or 4 bits
- base_folders: folders of an LLM, a tokenizer or a CLIP, written whole
- published: the file formats and key names of the released weights
- unused_keys: keys of foreign files that nothing reads, each with its reason
- weight_files: the only place that opens files of weights
"""
