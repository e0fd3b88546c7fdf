"""A uid is <vid>_<object>_<number>, e.g. "clip_1_hair-dryer_2": video "clip_1", object "hair-dryer"."""

from __future__ import annotations


def uid_parts(uid: str) -> list[str]:
    """[vid, object, number]; fewer parts for a uid that is not of this form. The vid may hold "_" itself."""
    return uid.rsplit("_", 2)


def vid_of(uid: str) -> str:
    """The video that a uid names."""
    return uid_parts(uid)[0]


def object_of(uid: str) -> str | None:
    """The object that a uid names; None for a uid of another form."""
    parts = uid_parts(uid)
    return parts[1] if len(parts) == 3 else None
