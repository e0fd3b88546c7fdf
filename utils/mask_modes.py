"""Mask modes: the ways of showing a mask to the model (paper Table 9), by our names and those of the released code."""

from __future__ import annotations

DEFAULT_MASK_MODE = "mask_and_masked_frame"
# mode -> the images that it consists of
MASK_MODES = {
    "mask": ("mask",),
    "masked_frame": ("masked_frame",),
    "mask_and_masked_frame": ("mask", "masked_frame"),
    "mask_overlay": ("mask_overlay",),
}
_RELEASED_NAMES = {
    "binary_mask": "mask",
    "masked_image": "masked_frame",
    "mask+masked_frame": "mask_and_masked_frame",
}


def canonical_mask_mode(mode: str) -> str:
    """Our name of a mode. Raises ValueError for an unknown one."""
    mode = _RELEASED_NAMES.get(mode, mode)
    if mode not in MASK_MODES:
        raise ValueError(f"mask_encode_mode: expected one of {', '.join(MASK_MODES)}, got '{mode}'")
    return mode


def mask_views(mode: str) -> tuple[str, ...]:
    """The images that show a mask in this mode. Raises ValueError for an unknown one."""
    return MASK_MODES[canonical_mask_mode(mode)]
