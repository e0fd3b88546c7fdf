"""What an auditor was trained on, as a file in its folder: card.json."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

CARD_FILE = "card.json"
_KINDS = {
    "data": str,
    "videos": int,
    "held_out_videos": int,
    "categories": list,
    "steps": str,
    "seed": int,
    "date": str,
}


@dataclass(frozen=True)
class Card:
    """`data`: the name of its benchmark; `categories`: of the objects in it; `steps`: for how long; `date`: y-m-d."""

    data: str
    videos: int
    held_out_videos: int
    categories: list[str]
    steps: str
    seed: int
    date: str

    @classmethod
    def from_record(cls, content: Any, where: object) -> Card:
        """Of a JSON file. Raises ValueError naming `where` for other content."""
        right = isinstance(content, dict) and all(isinstance(content.get(name), kind) for name, kind in _KINDS.items())
        if not right or not all(isinstance(name, str) for name in content["categories"]):
            got = json.dumps(content)[:80]
            raise ValueError(f"{where}: expected an auditor's card ({', '.join(_KINDS)}), got {got}")
        return cls(**{name: content[name] for name in _KINDS})

    def line(self) -> str:
        """E.g. "trained on 2026-11-28 on 400 videos of MQ-RAVSBench, 8 categories (arrow, bell, ...), seed 42"."""
        names = ", ".join(self.categories[:3]) + (", ..." if len(self.categories) > 3 else "")
        about = f"{len(self.categories)} categories ({names})" if self.categories else "categories unknown"
        return f"trained on {self.date} on {self.videos:,} videos of {self.data}, {about}, seed {self.seed}"
