"""Finds objects in frames, and scores masks.

- run: makes masks of what expressions mean
- mask_making: its work
- published: the same as the released Ground-Segment scripts do it
- score: scores the masks of any segmentation method
- mask_scoring: its work
- improve: audits masks and repairs them, with the work in `scripts.repair`
- frames: counts and segments objects in many frames, with a log on disk
"""
