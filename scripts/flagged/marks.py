"""What people have marked in a report: the file that its page saves."""

from __future__ import annotations

from pathlib import Path

from utils.settings_files import TEXT, check_settings, either, one_of, or_null, whole
from utils.text_files import read_json

RIGHT, WRONG, AGAIN = "right", "wrong", "again"
_NUMBER_OR_TEXT = either(whole(0, 10**12), TEXT)
_ROW = {"uid": _NUMBER_OR_TEXT, "frame_idx": _NUMBER_OR_TEXT, "mask_path": or_null(TEXT)}
_ROW |= {"mark": one_of((RIGHT, WRONG, AGAIN))}


def read_marks(path: str | Path) -> dict[tuple, str]:
    """`mask_key` of a mask -> right, wrong or again. Raises FileNotFoundError, ValueError naming file and row."""
    content = read_json(path)
    rows = content.get("marks") if isinstance(content, dict) else None
    if not isinstance(rows, list):
        raise ValueError(f"--marks {path}: expected marks that a report's page has saved, got something else")
    for number, row in enumerate(rows, 1):
        if not isinstance(row, dict):
            raise ValueError(f"--marks {path}: mark {number}: expected an object, got {str(row)[:60]!r}")
        check_settings(row, _ROW, f"--marks {path}: mark {number}")
    return {(row["uid"], str(row["frame_idx"]), row["mask_path"]): row["mark"] for row in rows}
