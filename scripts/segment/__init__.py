"""Runs object models over files of pictures.

- frames: counts and segments objects in many frames, with a log on disk
"""
