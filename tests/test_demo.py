"""The page to try an auditor: what it asks and shows, and a sentence for every wrong input. No Gradio is needed."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from scripts.demo import main
from scripts.session import AuditSession
from scripts.trial.asking import ask, shown_frames
from tests.conftest import GOLDEN
from tests.test_clip import encode


@pytest.fixture(scope="module")
def session(quick_weights_dir):
    parts = {"pretrained_weights_dir": str(quick_weights_dir), "lora_r": 4, "lora_alpha": 8, "device": "cpu"}
    return AuditSession.from_pretrained(GOLDEN / "weights/ckpt", max_new_tokens=4, **parts)


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> Path:
    """video.mp4, which browsers play; short.mkv; mask.png; words.txt"""
    folder = tmp_path_factory.mktemp("dropped")
    encode(folder / "video.mp4", codecs=("mpeg4", "aac"), size=(320, 240))
    encode(folder / "quiet.mkv", codecs=("ffv1", None))
    Image.fromarray(np.tri(240, 320, dtype=bool)).save(folder / "mask.png")
    Image.new("RGB", (64, 48), "red").save(folder / "photo.png")
    (folder / "words.txt").write_text("no video")
    return folder


def test_an_uploaded_mask_and_a_drawn_one(session, files):
    video = str(files / "video.mp4")
    frames, notes = shown_frames(session, video, False)
    assert len(frames) == 10 and notes.startswith("shown: at 0.0, 1.0")
    uploaded = ask(session, video, False, 3, "the dog", None, str(files / "mask.png"))
    drawn = ask(session, video, False, 3, "the dog", np.tri(240, 320, dtype=bool), None)
    assert uploaded.text == drawn.text and uploaded.overlay.shape == (240, 320, 3)
    assert (uploaded.overlay == drawn.overlay).all() and list(uploaded.types)[0] == "perfect"
    assert 0 <= sum(uploaded.actions.values()) <= 1.001
    assert not uploaded.kept[~np.tri(240, 320, dtype=bool)].any()


def test_doubts_are_said(session, files):
    small = ask(session, str(files / "quiet.mkv"), True, 3, "the dog", np.ones((24, 32), bool), None)
    assert "covers the whole picture" in small.notes or small.notes == ""
    _, notes = shown_frames(session, str(files / "quiet.mkv"), True)
    assert "no sound: silence is heard" in notes


DOG = {"frame": 3, "expression": "the dog", "drawn": np.tri(48, 64, dtype=bool), "uploaded": None, "no_audio": True}
WRONG = [
    ({"video": None}, "video: expected a file, got none"),
    ({"video": "words.txt"}, "words.txt: expected"),
    ({"no_audio": False}, "quiet.mkv: expected"),
    ({"expression": "  "}, "--expression: expected words, got none"),
    ({"expression": None}, "--expression: expected words, got none"),
    ({"expression": "the <mask>"}, "got the reserved <mask>"),
    ({"frame": 10}, "--frame: expected 0 to 9, got 10"),
    ({"drawn": None}, "mask: expected one that is drawn on the frame, or a picture of one, got neither"),
    ({"drawn": np.zeros((48, 64), bool)}, "got neither"),
    ({"uploaded": "mask.png"}, "got both"),
    ({"drawn": None, "uploaded": "words.txt"}, "words.txt: expected an image"),
]


@pytest.mark.parametrize(("change", "sentence"), WRONG)
def test_wrong_input(session, files, change, sentence):
    given = {"video": "quiet.mkv"} | DOG | change
    given |= {name: str(files / given[name]) for name in ("video", "uploaded") if given[name]}
    with pytest.raises((ValueError, OSError)) as caught:
        ask(session, **given)
    assert sentence in str(caught.value)


def test_without_gradio_the_program_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "gradio", None)
    assert main([]) == 2
    assert (
        "expected the package gradio, got none (pip install -r scripts/requirements-demo.txt)"
        in capsys.readouterr().err
    )
