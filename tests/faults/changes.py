"""Changes to right material that cases share. Each takes the folder of the material last: use functools.partial."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

from tests.right_benchmark import FOLDERS, META, TEST

SPLIT = f"bench/{META}/{TEST}.json"
TABLE = f"bench/{META}/metadata.csv"
MASK = f"bench/{FOLDERS[TEST]}/gt.png"
FRAME = "bench/media/vB/frames/2.jpg"
SOUND = "bench/media/vB/audio.wav"


def write(where: str, content: bytes | str, root: Path) -> None:
    """Replace a file, or make it."""
    path = root / where
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)


def cut(where: str, share: float, root: Path) -> None:
    """Keep only the first part of a file."""
    content = (root / where).read_bytes()
    (root / where).write_bytes(content[: int(len(content) * share)])


def flip(where: str, position: int, root: Path) -> None:
    """Change all bits of one byte; a negative position counts from the end."""
    content = bytearray((root / where).read_bytes())
    content[position] ^= 0xFF
    (root / where).write_bytes(content)


def edit(where: str, function: Callable[[bytes], bytes], root: Path) -> None:
    """Replace a file by a function of its bytes."""
    (root / where).write_bytes(function((root / where).read_bytes()))


def edit_json(where: str, function: Callable, root: Path) -> None:
    """Replace a JSON document by what `function` makes of it; None: it was changed in place."""
    content = json.loads((root / where).read_text())
    changed = function(content)
    (root / where).write_text(json.dumps(content if changed is None else changed))


def gone(where: str, root: Path) -> None:
    (root / where).unlink()


def folder_instead(where: str, root: Path) -> None:
    (root / where).unlink()
    (root / where).mkdir()


def link(where: str, target: str, root: Path) -> None:
    """A link instead of a file; {root} in the target stands for the material's folder."""
    (root / where).unlink(missing_ok=True)
    (root / where).symlink_to(target.replace("{root}", str(root)))


def fifo(where: str, root: Path) -> None:
    """A pipe instead of a file: whoever opens it waits for ever."""
    (root / where).unlink(missing_ok=True)
    os.mkfifo(root / where)
