"""A question as the body of a chat request, in the form that OpenAI's protocol and its servers share."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from functools import lru_cache

from scripts.baselines.question import Part, Picture, Sound, Turn, Video


def chat_body(model: str, turns: Sequence[Turn], video_as: str, fields: dict) -> bytes:
    """JSON, UTF-8. `fields`: sampling and whatever else the server should get. Equal questions give equal bytes."""
    messages = [{"role": turn.role, "content": _content(turn.parts, video_as)} for turn in turns]
    return json.dumps({"model": model, "messages": messages} | fields, ensure_ascii=False).encode()


def _content(parts: Sequence[Part], video_as: str) -> list[dict] | str:
    if len(parts) == 1 and isinstance(parts[0], str):
        return parts[0]
    return [element for part in parts for element in _elements(part, video_as)]


def _elements(part: Part, video_as: str) -> list[dict]:
    if isinstance(part, str):
        return [{"type": "text", "text": part}]
    if isinstance(part, Picture):
        return [_picture(part)]
    if isinstance(part, Sound):
        return [{"type": "input_audio", "input_audio": {"data": _base64(part.data), "format": "wav"}}]
    if video_as == "pictures":
        return list(map(_picture, part.frames))
    return [{"type": "video_url", "video_url": {"url": f"data:video/jpeg;base64,{_jpeg_frames(part)}"}}]


def _picture(picture: Picture) -> dict:
    return {"type": "image_url", "image_url": {"url": f"data:image/{picture.kind};base64,{_base64(picture.data)}"}}


def _jpeg_frames(video: Video) -> str:
    if any(frame.kind != "jpeg" for frame in video.frames):
        raise ValueError("--video_as jpeg_frames: expected JPEG frames, got another kind; try --video_as pictures")
    return ",".join(_base64(frame.data) for frame in video.frames)


@lru_cache(256)
def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
