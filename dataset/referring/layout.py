"""Where the files of Ref-AVSBench lie: media, media_cross, gt_mask and the metadata, in one folder or in two."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from dataset.construction.source import SourceLayout
from dataset.media.lengths import NUM_FRAMES
from dataset.referring.expressions import Expression, read_expressions

METADATA_NAMES = {
    "refavs": ("metadata.csv", "RefAVSBench_metadata.csv"),
    "r2avs": ("R2AVSBench_metadata.csv",),
}
BENCHMARKS = tuple(METADATA_NAMES)


@dataclass(frozen=True)
class ReferringData:
    """`root` holds media, media_cross and gt_mask. `beside` may hold the metadata, which then comes first."""

    root: Path
    beside: Path | None = None
    benchmark: str = "refavs"
    metadata: Path | None = None

    def __post_init__(self):
        if not self.root.is_dir():
            raise FileNotFoundError(f"{self.root}: expected a folder with media and gt_mask, got nothing there")

    def folders(self) -> list[Path]:
        """Where metadata and answers may lie, in the order in which they are looked for."""
        return [folder for folder in (self.beside, self.root) if folder]

    def metadata_path(self) -> Path:
        """The table of expressions. Raises FileNotFoundError that says where it was looked for."""
        if self.metadata:
            return self.metadata
        places = [folder / name for folder in self.folders() for name in METADATA_NAMES[self.benchmark]]
        if found := next((place for place in places if place.is_file()), None):
            return found
        raise FileNotFoundError(f"metadata: expected {' or '.join(map(str, places))}, got no such file")

    def expressions(self, splits: Collection[str]) -> list[Expression]:
        """Raises FileNotFoundError, ValueError (see `read_expressions`)."""
        return read_expressions(self.metadata_path(), splits)

    def frame_path(self, vid: str, frame: int) -> Path:
        return SourceLayout(self.root).frame_path(vid, frame)

    def media_vid(self, expression: Expression) -> str:
        """The folder of an expression's frames. A null reference without one has the frames of the video it is about.

        Ref-AVSBench has folders such as null_c-<vid>; drawn worlds have none.
        """
        own = expression.vid
        if not expression.is_null or (self.root / "media" / own).is_dir():
            return own
        return re.sub(r"^null_[a-z]-", "", own)

    def audio_path(self, expression: Expression) -> Path:
        """A null reference has another sound, in media_cross, where it has frames of its own."""
        vid = self.media_vid(expression)
        is_own = expression.is_null and vid == expression.vid
        return self.root / ("media_cross" if is_own else "media") / vid / "audio.wav"

    def truth_paths(self, expression: Expression) -> list[Path]:
        """The ten masks of the object; those that are missing included."""
        layout = SourceLayout(self.root)
        return [layout.mask_path(expression.vid, expression.fid, frame) for frame in range(NUM_FRAMES)]

    def num_objects(self, vid: str) -> int:
        """How many objects of the video have ground truth."""
        return sum(1 for folder in (self.root / "gt_mask" / vid).glob("fid_*") if folder.is_dir())
