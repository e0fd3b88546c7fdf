"""Finds the objects of a frame with pretrained models, for negatives and key frames (paper Sec. 3.2, 3.3).

- folders, pictures: local folders and RGB arrays -> what these models take
- boxes: a box around a named object
- chat_tokenizer: the tokenizer of a Qwen2.5-VL folder, added tokens at their own ids
- qwen: a Qwen2.5-VL model that answers a question about a picture
- naming: names of objects other than the target
- grounding, grounding_dino, rex_omni: names -> boxes
- segmenting: boxes -> masks (SAM2)
- detecting: how many objects a frame shows
"""
