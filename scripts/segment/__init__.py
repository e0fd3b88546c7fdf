"""Finds objects in frames, and scores masks.

- score: scores the masks of any segmentation method
- mask_scoring: its work
- frames: counts and segments objects in many frames, with a log on disk
"""
