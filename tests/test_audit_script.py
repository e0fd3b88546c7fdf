"""`python -m scripts.audit`: the reference's own answer on a golden clip, its files, and one sentence for bad input."""

import io
import json
import subprocess
import sys
from contextlib import redirect_stdout
from dataclasses import asdict

import numpy as np
import pytest
from PIL import Image

from dataset.media.clip import extract_clip
from models.weights.about import About
from models.weights.bundle import AuditorBundle
from scripts import audit as script
from scripts.answering.audit_result import AuditResult, cautions
from scripts.clip_audit import render
from tests.conftest import BENCHMARK, GOLDEN, golden_json
from tests.test_clip import encode
from utils.audit import Audit
from utils.certainty.belief import Belief
from utils.formatting import one_line
from utils.reports.audit_picture import audit_picture

CKPT = GOLDEN / "weights/ckpt"
CLIP = BENCHMARK / "media/tC3"
MASKS = BENCHMARK / "masks/test_s/tC3_0_2"
SETTINGS = {
    "frames": CLIP / "frames",
    "audio": CLIP / "audio.wav",
    "mask": MASKS / "gt.png",
    "frame": 6,
    "expression": "The piano played by the man in Blue",
    "auditor": CKPT,
    "lora_r": 4,
    "lora_alpha": 8,
    "device": "cpu",
}


@pytest.fixture(scope="module", autouse=True)
def parts(quick_weights_dir):
    """The bases must be there before anything else is looked at."""
    SETTINGS["pretrained_weights_dir"] = quick_weights_dir


def flags(**changes) -> list[str]:
    """The golden clip's command line with some changes; None leaves a flag out."""
    settings = {**SETTINGS, **changes}
    return [part for name, value in settings.items() if value is not None for part in (f"--{name}", str(value))]


@pytest.fixture(scope="module")
def golden_run(released, parts, tmp_path_factory):
    """(folder, what was printed) of the golden clip; the auditor is the one that all tests share."""
    folder, printed = tmp_path_factory.mktemp("audit"), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(printed):
        patch.setattr(AuditorBundle, "from_pretrained", lambda *_: released)
        assert script.main(flags(output=folder)) == 0
    return folder, printed.getvalue()


def test_answer_equals_the_references(golden_run):
    golden = golden_json("06_generation.json")["samples"][0]
    assert (golden["uid"], golden["mask_path"]) == ("tC3_0_2", "masks/test_s/tC3_0_2/gt.png")
    result = json.loads((golden_run[0] / "audit.json").read_text())
    assert result["generated_ids"] == golden["ids_max256"][1:]  # the reference's list begins with BOS
    assert (result["mask_type"], result["iou"], result["action"]) == ("full_neg", 0.0, "reject")
    assert result["expression"] == SETTINGS["expression"] and result["frame"] == 6
    assert len(result["inputs"]) == 12 and set(result["seconds"]) == {"media", "load", "audit"}


def test_the_audit_is_printed(golden_run):
    lines = golden_run[1].splitlines()
    assert lines[:3] == ["mask type  full_neg", "IoU        0.0000", "action     reject"]
    assert lines[3].startswith("how sure   full_neg")
    assert lines[4].startswith("answer     The object is piano. The mask is on another object.")


def test_files_of_a_run(golden_run):
    assert {path.name for path in golden_run[0].iterdir()} == {"audit.json", "audit.png", "run.json"}
    assert Image.open(golden_run[0] / "audit.png").width >= 760


def test_a_video_with_a_mask_of_another_size(tmp_path):
    """The whole program, as a user starts it."""
    encode(tmp_path / "clip.mkv", seconds=4)
    Image.fromarray(np.eye(30, dtype=np.uint8)).save(tmp_path / "mask.png")
    changes = {"video": tmp_path / "clip.mkv", "frames": None, "audio": None, "mask": tmp_path / "mask.png"}
    argv = flags(**changes, output=tmp_path, max_new_tokens=2)
    command = [sys.executable, "-m", "scripts.audit", *argv]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "mask.png: expected the size of its frame, 64x48, got 30x30; it is resized" in done.stderr
    assert done.stdout.startswith("mask type  not parsed\nIoU        not parsed\n")
    result = json.loads((tmp_path / "audit.json").read_text())
    assert len(result["generated_ids"]) == 2 and result["iou"] is None
    assert result["frame_path"] == str(tmp_path / "frames/6.png")
    assert (tmp_path / "audit.png").is_file()


def test_an_empty_mask_and_short_sound_are_warned_about(tmp_path, monkeypatch, caplog):
    Image.new("L", (96, 64)).save(tmp_path / "empty.png")
    monkeypatch.setattr(AuditorBundle, "from_pretrained", stop)
    with pytest.raises(Stopped):
        script.main(flags(mask=tmp_path / "empty.png", output=tmp_path))
    assert "empty.png: the mask is empty" in caplog.text
    assert "audio.wav: lasts 9.4 s, not 10 s; each frame gets 0.94 s" in caplog.text


class Stopped(Exception):
    """The auditor would have been loaded now."""


def stop(*_):
    raise Stopped


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"frames": None}, "expected --video or --frames, got neither"),
        ({"video": "clip.mp4"}, "expected --video or --frames, got both"),
        ({"audio": None}, "--frames: expected the sound with --audio FILE, got none"),
        ({"frame": 10}, "--frame: expected 0 to 9, got 10"),
        ({"frame": -1}, "--frame: expected 0 to 9, got -1"),
        ({"expression": "  "}, "--expression: expected words, got none"),
        ({"expression": "a <MASK> and </iou>"}, "expected plain words, got the reserved </iou>, <mask>"),
        ({"expression": "\udcff"}, "--expression: expected UTF-8 text, got other bytes"),
        ({"max_new_tokens": 0}, "--max_new_tokens: expected at least 1, got 0"),
        ({"mask": "absent.png"}, "absent.png: no such mask file"),
        ({"mask": CLIP / "audio.wav"}, "audio.wav: expected an image, got a file that cannot be decoded"),
        ({"frames": BENCHMARK}, "expected 10 numbered images such as 0.jpg to 9.jpg, got none"),
        ({"audio": MASKS / "gt.png"}, "gt.png: expected a readable sound file"),
        ({"frames": None, "video": MASKS / "gt.png", "audio": None}, "gt.png: expected a file with audio"),
        ({"frames": None, "video": "absent.mp4"}, "absent.mp4: no such video file"),
        ({"auditor": "absent"}, "auditor absent: no such folder"),
        ({"output": MASKS / "gt.png"}, "gt.png: expected a folder, got a file"),
        ({"device": "abacus"}, "--device: expected cpu or cuda:N, got 'abacus'"),
        ({"mask_encode_mode": "outline"}, "mask_encode_mode: expected one of mask, "),
    ],
)
def test_bad_input_ends_in_one_sentence(tmp_path, monkeypatch, capsys, changes, sentence):
    monkeypatch.setattr(AuditorBundle, "from_pretrained", stop)
    try:
        code = script.main(flags(**{"output": tmp_path, **changes}))
    except SystemExit as error:
        code = error.code
    said = capsys.readouterr().err
    assert code == 2
    assert said.startswith("audit: ") and sentence in said and said.count("\n") == 1


def test_a_broken_frame_is_found(tmp_path, monkeypatch, capsys):
    encode(tmp_path / "clip.mkv")
    extract_clip(tmp_path / "clip.mkv", tmp_path)
    (tmp_path / "frames/3.png").write_bytes((tmp_path / "frames/3.png").read_bytes()[:60])
    monkeypatch.setattr(AuditorBundle, "from_pretrained", stop)
    assert script.main(flags(frames=tmp_path / "frames", output=tmp_path)) == 2
    assert "3.png: expected an image, got a file that cannot be decoded" in capsys.readouterr().err


@pytest.mark.parametrize(
    "expression",
    ["$x_1^$ {\\frac}", "草を刈る機械 😀 العربية", "word " * 2000, "w" * 5000, "", "tab\tline\nbell\a\x1b[31m"],
)
def test_any_text_can_be_drawn(tmp_path, recwarn, expression):
    frame, mask = np.full((40, 30, 3), 90, np.uint8), np.tri(40, 30, dtype=bool)
    for audit in (Audit("merge", 0.5, "minor revision"), Audit(None, None, None), Audit("a $ b" * 50, 1.0, "")):
        audit_picture(frame, mask, expression, audit, tmp_path / "picture.png", answer=expression)
        with Image.open(tmp_path / "picture.png") as picture:
            assert 200 < picture.height < 1600
    assert not recwarn.list


def test_doubts_are_in_the_picture_and_printed_first(tmp_path):
    frame, mask, said = np.zeros((40, 30, 3), np.uint8), np.tri(40, 30, dtype=bool), Audit("perfect", 0.4, "reject")
    belief = Belief({"perfect": 1.0}, {"reject": 1.0}, None, None, None)
    result = AuditResult(
        **asdict(said), text="", raw_output="", generated_ids=[], belief=belief, shares={}, clip_distance=6
    )
    found = cautions(result)
    assert found[0].startswith("the clip is unlike those that the auditor was trained on (6.0 times as far")
    assert found[1].startswith("the audit contradicts itself: a perfect mask: expected the action accept, got reject")
    first, second, *_ = render(result, About()).splitlines()
    assert (first, second) == (f"CAREFUL    {found[0]}", f"CAREFUL    {found[1]}")
    for name, texts in (("sure", ()), ("unsure", found)):
        audit_picture(frame, mask, "a dog", said, tmp_path / f"{name}.png", cautions=texts)
    sure, unsure = (Image.open(tmp_path / f"{name}.png") for name in ("sure", "unsure"))
    assert unsure.height > sure.height + 40


def test_a_picture_needs_a_mask_of_its_size(tmp_path):
    with pytest.raises(ValueError, match=r"mask: expected the frame's size \(4, 6\), got \(6, 4\)"):
        audit_picture(np.zeros((4, 6, 3), np.uint8), np.zeros((6, 4), bool), "a", Audit(None, None, None), tmp_path)


def test_one_line_marks_control_characters():
    assert one_line(" a\n b\x1b[0m ") == "a b\N{REPLACEMENT CHARACTER}[0m"
