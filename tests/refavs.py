"""The golden media in the layout of Ref-AVSBench."""

from pathlib import Path

from tests.conftest import BENCHMARK


def link_refavs(root: Path) -> Path:
    """Links to the media that the golden answers of Ref-Thinker are about; returns `root`."""
    for name in ("vA1-x_y", "vB2", "tC3", "tD4"):
        _link(BENCHMARK / "media" / name, root / "media" / name)
    for name, frames, sound in (("null_c-tD4", "tD4", "tC3"), ("null_c-vB2", "vB2", "vA1-x_y")):
        _link(BENCHMARK / "media" / frames, root / "media" / name)
        _link(BENCHMARK / "media" / sound, root / "media_cross" / name)
    return root


def _link(source: Path, target: Path) -> None:
    target.parent.mkdir(exist_ok=True)
    target.symlink_to(source)
