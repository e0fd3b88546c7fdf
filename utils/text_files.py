"""Text files, and the JSON in them: the one place that knows how such a file can be wrong before its content counts."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

_WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)  # the first two bytes of UTF-32, too


def read_text(path: str | Path) -> str:
    """The text of a UTF-8 file, without its byte order mark; line ends as they are.

    Raises FileNotFoundError, or ValueError naming the file, and the line where its bytes are no such text.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"{path}: no such file")
    return decoded_text(Path(path).read_bytes(), path)


def decoded_text(content: bytes, path: str | Path) -> str:
    """`read_text` of bytes that were read already. `path` is for messages. Raises ValueError."""
    if content.startswith(_WIDE):
        raise ValueError(f"{path}: expected UTF-8 text, got UTF-16 (save it as UTF-8)")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ValueError(
            f"{path} line {line}: expected UTF-8 text, got the byte 0x{content[error.start]:02x} (save it as UTF-8)"
        ) from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise ValueError(f"{path} line {line}: expected UTF-8 text, got a byte of zero (UTF-16, or no text at all)")
    return text


def read_json(path: str | Path, pairs: Callable | None = None) -> Any:
    """The content of a JSON file. `pairs` makes an object from its (key, value) pairs; by default a dict.

    Raises FileNotFoundError, or ValueError naming the file: for other text than JSON, and for a key given twice.
    """
    return parsed_json(read_text(path), path, pairs)


def parsed_json(text: str, where: str | Path, pairs: Callable | None = None) -> Any:
    """`read_json` of text. `where` begins the messages. Raises ValueError."""
    if not text.strip():
        raise ValueError(f"{where}: expected JSON, got nothing")
    try:
        return json.loads(text, object_pairs_hook=pairs or unrepeated)
    except (ValueError, RecursionError) as error:  # Python's reader gives up on too many digits or nested brackets
        reason = re.sub(r"\s+", " ", str(error))[:200]
        raise ValueError(f"{where}: expected JSON, got something else ({reason})") from None


def unrepeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object as a dict. Raises ValueError for a key that is given twice: one of the values would be lost."""
    made = dict(pairs)
    if len(made) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in made if keys.count(key) > 1)
        raise ValueError(f"the key {twice[:60]!r} is given twice")
    return made
