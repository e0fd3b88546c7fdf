"""Finds and segments objects in pictures with pretrained models from local folders.

Used to build a benchmark: its wrong objects and key frames (paper Sec. 3.2, 3.3).

Tasks:
- detect: how many objects a picture shows
- name: names of objects other than the target
- ground: named objects -> boxes
- segment: boxes -> masks (SAM2), or a mask -> a better one
- text_segmenters: words -> masks, with GroundingDINO and SAM2, SAM3 or CLIPSeg
- clipseg: the same with CLIPSeg alone
- found: what these find
- track: words and a video -> the masks of one object in its frames, with GroundingDINO and SAM2's video model
- chain: name, ground and segment in a row

Models:
- qwen: a Qwen2.5-VL model that answers a question about a picture
- rex_omni, grounding_dino: names -> boxes
- owlv2: a vocabulary -> boxes

Shared:
- boxes: a box around a named object
- pictures: RGB arrays -> normalised tensors
- folders: models and tokenizers loaded from local folders
- chat_tokenizer: the tokenizer of a Qwen2.5-VL folder
"""
