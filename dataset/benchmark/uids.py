"""A uid is <vid>_<object>_<number>, e.g. "clip_1_hair-dryer_2": video "clip_1", object "hair-dryer".

The vid may contain "_"; the object may not.
"""

from __future__ import annotations

# Starts the uid and the vid of a null reference: an expression whose object is not in the video.
NULL_PREFIX = "null_"


def make_uid(vid: str, object_name: str, number: int) -> str:
    """The uid of the video's referring expression with this number.

    Raises ValueError for an object name that is empty or contains "_", since the uid could not be read again.
    """
    if not object_name or "_" in object_name:
        raise ValueError(f"uid of video {vid}: expected an object name without '_', got '{object_name}'")
    return f"{vid}_{object_name}_{number}"


def uid_parts(uid: str) -> list[str]:
    """[vid, object, number]; fewer parts for a uid that is not of this form."""
    return uid.rsplit("_", 2)


def vid_of(uid: str) -> str:
    """The video that a uid names."""
    return uid_parts(uid)[0]


def object_of(uid: str) -> str | None:
    """The object that a uid names; None for a uid of another form."""
    parts = uid_parts(uid)
    return parts[1] if len(parts) == 3 else None


def is_null(uid: str) -> bool:
    """Whether the uid belongs to a null reference."""
    return uid.startswith(NULL_PREFIX)
