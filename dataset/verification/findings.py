"""What a verification found, as text and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from utils.formatting import printable


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong. `text` says what was expected and what was found.

    `uid` is None for a file that belongs to no uid.
    """

    uid: str | None
    path: str | None
    kind: str
    text: str

    def __str__(self) -> str:
        return self.text if self.uid is None else f"{self.uid}: {self.text}"


@dataclass(frozen=True)
class Report:
    """All findings in a benchmark, in the order of its files. `samples`: number of frames; `masks`: of their masks."""

    root: Path
    masks: int
    samples: int
    findings: tuple[Finding, ...]

    @property
    def counts(self) -> dict[str, int]:
        """Kind -> number of findings, most frequent kind first."""
        return dict(Counter(finding.kind for finding in self.findings).most_common())

    def as_json(self) -> dict:
        return {
            "root": str(self.root),
            "masks": self.masks,
            "samples": self.samples,
            "findings": [asdict(finding) for finding in self.findings],
            "counts": self.counts,
        }

    def render(self, num_shown: int = 5) -> str:
        """Text for the terminal: the findings by kind, at most `num_shown` of each kind."""
        return "\n".join(self._lines(num_shown))

    def _lines(self, num_shown: int) -> Iterator[str]:
        measured = f"{self.masks} masks of {self.samples} frames"
        if not self.findings:
            yield f"{self.root}: {measured} verified, nothing is wrong"
            return
        number = len(self.findings)
        yield f"{self.root}: {number} finding{'s' * (number != 1)} in {measured}"
        for kind, count in self.counts.items():
            yield f"{kind} ({count})"
            yield from [f"  - {printable(str(finding), keep='')}" for finding in self.findings if finding.kind == kind][
                :num_shown
            ]
            if count > num_shown:
                yield f"  ... and {count - num_shown} more"
