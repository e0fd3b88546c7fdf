"""Folders of pictures and masks brought into the layout of Ref-AVSBench; outputs and flags of the import."""

import json
import unicodedata
from pathlib import Path

import numpy as np
import pytest
import soundfile

from dataset.construction.source import RefAVSBench
from scripts.benchmark.import_masks import main
from tests.import_material import mask_file, picture, square


@pytest.fixture
def pairs(tmp_path) -> Path:
    root = tmp_path / "pairs"
    picture(root / "images" / "street.jpg")
    picture(root / "images" / "null.jpg")
    picture(root / "images" / "alone.jpg")
    mask_file(root / "masks" / "null.png", square(4, 4))
    for i, name in enumerate(("red_car", "cat_1", "cat_2")):
        mask_file(root / "masks" / "street" / f"{name}.png", square(5, 15 * i))
    mask_file(root / "masks" / "lost.png", square(4, 4))
    (root / "masks" / "street" / "notes.txt").write_text("no mask")
    (root / "masks" / ".DS_Store").write_text("")
    soundfile.write(root / "street.flac", np.full(32_000, 0.25), 16_000)
    (root / "expressions.csv").write_text(
        "mask,expression,object\nnull.png,the thing that hums,fridge\nstreet/cat_2.png,the right cat,\n"
    )
    return root


def test_pairs(tmp_path, pairs):
    assert main(["--pairs", str(pairs), "--audio", str(pairs), "--output", str(tmp_path / "out")]) == 0
    source = RefAVSBench(tmp_path / "out")
    assert source.problems(source.referrals) == []
    assert {r.uid: r.expression for r in source.referrals} == {
        "picture-null_fridge_1": "the thing that hums",
        "street_cat_2": "the right cat",
        "street_red-car_1": "the red car",
    }
    assert source.object_names("street") == {0: "cat", 1: "cat", 2: "red-car"}  # files in the order of their names
    assert np.array_equal(source.read_masks("street", 3)[1], square(5, 30))
    sound, _ = soundfile.read(source.audio_path("street"))
    assert len(sound) == 32_000 and np.allclose(sound, 0.25, atol=1e-4)
    left_out = json.loads((tmp_path / "out" / "import_report.json").read_text())["left_out"]
    assert {reason: [Path(origin).name for origin in origins] for reason, origins in left_out.items()} == {
        "mask that is no PNG file": ["notes.txt"],
        "picture without a mask": ["alone.jpg"],
        "mask without a picture": ["lost"],
        "no expression, and its picture has several objects of this name": ["cat_1.png"],
    }


def test_names_with_accents_are_found_in_either_spelling(tmp_path, pairs):
    one, two = (unicodedata.normalize(form, "caf\u00e9") for form in ("NFC", "NFD"))
    picture(pairs / "images" / f"{one}.jpg")
    mask_file(pairs / "masks" / f"{two}.png", square(4, 4))
    (pairs / "expressions.csv").write_text(f"mask,expression\n{one}.png,the table\n", encoding="utf-8")
    assert main(["--pairs", str(pairs), "--output", str(tmp_path / "out")]) == 0
    assert "the table" in {r.expression for r in RefAVSBench(tmp_path / "out").referrals}


def shorter_sound(root: Path) -> None:
    soundfile.write(root / "street.wav", np.zeros(800), 16_000)


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (
            lambda root: mask_file(root / "masks" / "null.png", np.ones((5, 5), bool)),
            "its frame, 60x40, got 5x5",
        ),
        (lambda root: (root / "images" / "street.jpg").write_bytes(b"no picture"), "street.jpg: expected an image"),
        (lambda root: (root / "masks" / "null.png").write_bytes(b"no mask"), "null.png: expected an image"),
        (lambda root: picture(root / "images" / "null.png"), "expected one picture of this name, got null.jpg"),
        (lambda root: (root / "expressions.csv").write_text("mask,words\nnull.png,a\n"), "mask,expression[,object]"),
        (
            lambda root: (root / "expressions.csv").write_text("mask,expression\nnull.png,a, b\n"),
            "line 2: expected 2 cells",
        ),
        (
            lambda root: (root / "expressions.csv").write_text("mask,expression,object\nnull.png,big, brown dog\n"),
            "line 2: expected an object, or the whole expression in quotes",
        ),
        (lambda root: (root / "expressions.csv").write_text("mask,expression\ncat.png,a\n"), "got 'cat.png'"),
        (lambda root: (root / "expressions.csv").write_text("mask,expression\nnull.png,\n"), "expression in words"),
        (lambda root: (root / "expressions.csv").write_bytes(b"mask,expression\n\xff,\n"), "UTF-8"),
        (shorter_sound, "too short"),
    ],
)
def test_a_broken_folder_of_pairs_ends_in_one_sentence_and_writes_nothing(tmp_path, pairs, damage, complaint, capsys):
    damage(pairs)
    assert main(["--pairs", str(pairs), "--audio", str(pairs), "--output", str(tmp_path / "out")]) == 2
    assert complaint in capsys.readouterr().err.splitlines()[-1]
    assert {path.name for path in tmp_path.iterdir()} == {"pairs"}


def test_an_output_with_content_is_not_touched(tmp_path, pairs, capsys):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("keep")
    assert main(["--pairs", str(pairs), "--output", str(tmp_path / "out")]) == 2
    assert "expected a folder that is new or empty" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine.txt"]
    (tmp_path / "out" / "mine.txt").unlink()
    assert main(["--pairs", str(pairs), "--output", str(tmp_path / "out")]) == 0


@pytest.mark.parametrize(
    ("flags", "complaint"),
    [
        ("", "expected --coco or --pairs, got neither"),
        ("--coco a.json --images b --pairs c", "expected --coco or --pairs, got both"),
        ("--coco a.json", "--images: expected a folder with --coco"),
        ("--pairs c --images b", "--images: expected it with --coco only"),
        ("--pairs a b c --split train test_s", "--split: expected 1 or 3 values, one for each source, got 2"),
        ("--pairs a --split val", "--split: expected train, test_s or test_u, got 'val'"),
        ("--pairs a", "a/images: no such folder"),
        ("--coco a.json --images b", "a.json: no such file"),
        ("--pairs a --maks b", "unknown flag or key: --maks b"),
    ],
)
def test_wrong_flags_end_in_one_sentence(tmp_path, monkeypatch, flags, complaint, capsys):
    monkeypatch.chdir(tmp_path)
    try:
        code = main(["--output", "out", *flags.split()])
    except SystemExit as stop:
        code = stop.code
    assert code == 2
    assert complaint in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
