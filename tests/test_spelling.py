"""Files whose names have accents are found in both spellings, whatever the table or the split file writes."""

import unicodedata

import pytest

from dataset.benchmark.entries import path_inside
from dataset.construction.source import SourceLayout
from utils.spelling import existing_path

COMPOSED, SPLIT = (unicodedata.normalize(form, "caf\u00e9") for form in ("NFC", "NFD"))


@pytest.mark.parametrize(("on_disk", "written"), [(COMPOSED, SPLIT), (SPLIT, COMPOSED), (SPLIT, SPLIT)])
def test_both_spellings_are_found(tmp_path, on_disk, written):
    frames = tmp_path / "media" / on_disk / "frames"
    frames.mkdir(parents=True)
    (frames / "0.jpg").touch()
    assert path_inside(tmp_path, f"media/{written}/frames/0.jpg") == frames / "0.jpg"
    assert SourceLayout(tmp_path).frame_path(written, 0) == frames / "0.jpg"


def test_what_does_not_exist_stays_as_it_is_written(tmp_path):
    for name in (SPLIT, COMPOSED, "\u00e9\0", "\u00e9" * 5000):
        assert existing_path(tmp_path / name) == tmp_path / name
