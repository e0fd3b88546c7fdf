"""Names that look the same: an accented letter is one code point, or a letter and an accent (macOS writes the second)."""

from __future__ import annotations

import unicodedata
from pathlib import Path


def same_name(name: str) -> str:
    """The composed spelling (Unicode's NFC): equal for names that look the same."""
    return unicodedata.normalize("NFC", name)


def find_sibling(path: Path) -> Path:
    """The path itself if it exists or is plain ASCII; otherwise the one beside it whose name is the same, if any."""
    if path.name.isascii() or path.exists() or not path.parent.is_dir():
        return path
    return next((found for found in path.parent.iterdir() if same_name(found.name) == same_name(path.name)), path)


def find_below(root: Path, relative: Path) -> Path:
    """root / relative, in which every part may be spelled otherwise on the disk."""
    found = root
    for part in relative.parts:
        found = find_sibling(found / part)
    return found
