"""Referring segmentation: expressions about objects of videos, with what masks they should get and what they got.

Reads Ref-AVSBench, R2-AVSBench and drawn worlds, null references included.

- expressions: metadata.csv -> expressions
- layout: where media, ground truth and metadata lie
- truth: ground-truth masks, prepared as each protocol prepares them
- thinking: expressions with their media and answers, for Ref-Thinker
- tuning: answers made from ground truth, for fine-tuning Ref-Thinker
- masks: masks of any method, read and written
"""
