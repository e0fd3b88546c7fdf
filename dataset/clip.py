"""The address that programs outside of this repository have; the function lives in `dataset.media.clip`."""

from dataset.media.clip import extract_clip

__all__ = ["extract_clip"]
