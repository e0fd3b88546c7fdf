"""The rows of the tables, on the screen and on disk."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path

from scripts.speed.meter import PARTS
from utils.whole_files import write_json, write_text


@dataclass
class Row:
    """One way of doing some work. Times are per mask; `ratio`: masks per second against the published way, None where
    other masks were audited.
    """

    work: str
    size: str
    masks_per_prefix: int
    step: str
    masks_per_s: float
    ratio: float | None
    peak_mb: float | None
    identical: bool | None  # whether tokens (or other results) equal the published way's; None: not compared
    ties: int = 0  # tokens that differ where two tokens were almost equally likely
    of_limit: float | None = None  # shortest possible time over the time taken
    seconds: dict[str, float] = field(default_factory=dict)  # per mask, by part of the work


def render(rows: list[Row]) -> str:
    """A table in the form of the paper's Table 11."""
    head = ("work", "size", "masks", "step", "latency s", "masks/s", "ratio", "peak MB", "of limit", "identical")
    head += tuple(f"{part} s" for part in PARTS)
    lines = [head]
    for row in rows:
        same = "" if row.identical is None else "yes" if row.identical else "NO"
        lines.append(
            (
                row.work,
                row.size,
                str(row.masks_per_prefix),
                row.step,
                f"{1 / row.masks_per_s:.4f}",
                f"{row.masks_per_s:.3f}",
                "" if row.ratio is None else f"{row.ratio:.2f}",
                "" if row.peak_mb is None else f"{row.peak_mb:.0f}",
                "" if row.of_limit is None else f"{row.of_limit:.2f}",
                same + (f" ({row.ties} ties)" if row.ties else ""),
                *(f"{row.seconds[part]:.4f}" if part in row.seconds else "" for part in PARTS),
            )
        )
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    left = (0, 1, 3)
    return "\n".join(
        "  ".join(
            cell.ljust(w) if i in left else cell.rjust(w) for i, (cell, w) in enumerate(zip(line, widths, strict=True))
        )
        for line in lines
    )


def save(rows: list[Row], folder: Path, about: dict) -> None:
    """summary.json: the rows; about.json: the machine and the versions."""
    write_json(folder / "summary.json", [asdict(row) for row in rows])
    write_json(folder / "about.json", about)
    write_text(folder / "table.txt", render(rows) + "\n")
