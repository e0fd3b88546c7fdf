"""Frozen encoders: pixels or filter banks -> features.

- tower: what all vision towers promise and share
- vision: the vision tower of a CLIP folder, and the choice among libraries
- vision_backbones: the same tower from open_clip or timm
- beats: BEATs, which encodes sound
"""
