"""Reports: a folder of pages that shows all masks of finished audits."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

from dataset.benchmark.annotations import read_test
from dataset.benchmark.samples import Candidate
from scripts.report import main
from scripts.reporting.audits import read_results, shown_audits
from scripts.reporting.pictures import draw_gallery
from tests.right_benchmark import MASKS, META, write_right_benchmark
from utils.audit import Audit, render_audit
from utils.whole_files import write_json, write_jsonl

HOSTILE = "</script><img src=x onerror=alert(1)> & <b>dog</b> \u2028 'quoted'"
NAME = "image_mask-all_rank-all"
PROSE = "The IoU is about 40%, so it's a cutout that should be rejected. </script>"


@pytest.fixture(scope="module")
def benchmark(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("report") / "MQ-RAVSBench"
    root.mkdir()
    write_right_benchmark(root)
    split = root / META / "test_s_image_filtered.json"
    text = (root / META / "metadata.csv").read_text()
    quoted = '"' + HOSTILE.replace('"', '""') + '"'
    (root / META / "metadata.csv").write_text(text.replace('"the dog, on the left"', quoted))
    entries = json.loads(split.read_text())
    entries[0]["exp"] = HOSTILE
    split.write_text(json.dumps(entries))
    return root


def write_run(folder: Path, root: Path, wrong: str = "none") -> Path:
    """A run that is right about every mask but those of the type `wrong`."""
    rows = []
    for sample in read_test(root, "test_s", "image").samples:
        for candidate in sample.candidates:
            true = candidate.audit
            said = Audit("perfect", 0.4, "reject") if true.mask_type == wrong else true
            text = render_audit(true, "dog", "cat")
            for tag, value in (("iou", f"{said.iou:.4f}"), ("mask_type", said.mask_type), ("action", said.action)):
                text = re.sub(f"<{tag}>.*?</{tag}>", f"<{tag}> {value} </{tag}>", text)
            row = {"uid": sample.uid, "vid": sample.vid, "frame_idx": sample.frame_idx, "rank": candidate.rank}
            row |= {"mask_type": true.mask_type, "iou_to_gt": true.iou, "action": true.action}
            rows.append(row | {"mask_path": candidate.mask_name, "raw_output": text})
    run = folder / f"test_s_{NAME}"
    run.mkdir(parents=True)
    write_jsonl(run / f"predictions_{NAME}.jsonl", rows)
    settings = {"test_name": "test_s", "eval_mode": "image", "data_dir": str(root), "auditor_dir": "an <auditor>"}
    write_json(run / "run.json", {"settings": settings})
    return run


def write_prose(folder: Path, root: Path) -> Path:
    """A run of another auditor that says one sentence of every mask, without tags, and is read leniently."""
    run = write_run(folder, root)
    file = next(run.glob("predictions*"))
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    write_jsonl(file, [row | {"raw_output": PROSE} for row in rows])
    record = json.loads((run / "run.json").read_text())["settings"] | {"level": "lenient", "model": "prose"}
    del record["auditor_dir"]
    write_json(run / "run.json", {"settings": record})
    return run


@pytest.fixture(scope="module")
def report(benchmark, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("written")
    write_run(folder / "ours", benchmark, "cutout")
    write_run(folder / "theirs", benchmark)
    write_prose(folder / "prose", benchmark)
    output = folder / "report"
    others = [f"theirs <1>={folder / 'theirs'}", str(folder / "prose")]
    assert main([str(folder / "ours"), "--output", str(output), "--against", *others]) == 0
    return output


def data_of(report: Path) -> dict:
    text = (report / "audits.js").read_text().removeprefix("const AUDITS = JSON.parse('").removesuffix("');\n")
    return json.loads(text.replace("\\'", "'").replace("\\\\", "\\"))


def test_every_mask_is_there_with_its_media(report):
    items = data_of(report)["items"]
    assert len(items) == len(MASKS)
    for item in items:
        assert all((report / item["media"][name]).is_file() for name in ("frame", "tint", "truth", "strip"))
        assert (report / item["media"]["sound"]).stat().st_size > 1000
        assert item["when"] == "frame 3" and item["frame"] == 1  # of the clip, and as the split file has it
    by_type = {item["true"]["type"]: item for item in items}
    assert by_type["merge"]["right"] and not by_type["cutout"]["right"]
    theirs, prose = by_type["cutout"]["others"]
    assert (theirs["name"], theirs["type"], theirs["right"]) == ("theirs <1>", "cutout", True)
    assert (prose["type"], prose["iou"], prose["action"], prose["right"]) == ("cutout", 0.4, "reject", False)
    assert prose["text"].startswith("The IoU is about 40%")
    assert "expected the action accept, got reject" in by_type["cutout"]["contradictions"][0]


def test_the_summary_says_what_was_scored(report):
    page = (report / "index.html").read_text()
    assert "an &lt;auditor&gt;" in page and "<auditor>" not in page
    assert "<dt>beside it</dt><dd>prose</dd>" in page
    assert "All masks, with 95% intervals over videos" in page
    assert (report / "tables.csv").read_text().startswith("run,metric,perfect,cutout_hard")
    assert (report / "tables.tex").read_text().startswith("\\begin{tabular}")
    assert (report / "iou.svg").read_text().startswith("<?xml")


def own_results(folder: Path, names: list[str], mask_type: str = "merge") -> Path:
    """Audits of masks of one's own, as scripts.audit writes them."""
    folder.mkdir()
    Image.fromarray(np.full((48, 64, 3), 90, np.uint8)).save(folder / "frame.png")
    Image.fromarray(np.tri(48, 64, dtype=bool)).save(folder / "mask.png")
    soundfile.write(folder / "silence.wav", np.zeros(16000), 16000)
    shares = {"forms": [0.5, *[0.05] * 10], "form": 9, "types": [0.1] * 6, "actions": [0.2] * 4}
    shares |= {"digits": [[0.1] * 10] * 5, "written": "03090"}
    answer = render_audit(Audit(mask_type, 0.309, "reject"), "dog", "cat")
    rows = [
        {
            "mask": name,
            "mask_path": str(folder / "mask.png"),
            "expression": name,
            "clip": name,
            "frame": 3,
            "frame_path": str(folder / "frame.png"),
            "video_paths": [str(folder / "frame.png")] * 10,
            "audio_path": str(folder / "silence.wav"),
            "shown": "all ten frames",
            "raw_output": answer,
            "shares": shares,
            "clip_distance": 2.5,
            "tags": [1, "<b>"],
        }
        for name in names
    ]
    write_jsonl(folder / "audits.jsonl", rows)
    return folder


def test_masks_of_ones_own_have_no_truth(tmp_path):
    results, others = own_results(tmp_path / "own", ["a", "b"]), own_results(tmp_path / "other", ["b", "a"], "full_neg")
    assert main([str(results), "--output", str(tmp_path / "report"), "--against", str(others)]) == 0
    page = (tmp_path / "report/index.html").read_text()
    assert "What was said: mask type (rows) and action (columns)" in page and "type and action right" not in page
    assert (tmp_path / "report/expected.svg").is_file() and (tmp_path / "report/certainty.svg").is_file()
    items = data_of(tmp_path / "report")["items"]
    assert [item["said"]["type"] for item in items] == ["merge"] * 2 and items[0]["right"] is None
    assert items[0]["others"][0]["type"] == "full_neg" and items[0]["unlike"] == 2.5
    assert items[0]["when"] == "frame 3" and items[0]["carried"] == ["shown: all ten frames", 'tags: [1, "<b>"]']
    assert not (tmp_path / "report/tables.csv").exists()


def test_expressions_about_one_frame_have_their_own_truths(tmp_path):
    run = read_results(own_results(tmp_path / "own", ["a", "b"]))[0]
    Image.fromarray(~np.tri(48, 64, dtype=bool)).save(tmp_path / "other.png")
    truths = [Candidate(path, path.name, Audit("perfect", 1.0, "accept")) for path in tmp_path.rglob("*.png")]
    truths = [one for one in truths if one.mask_name != "frame.png"]
    audits = [replace(one, truth=truth) for one, truth in zip(shown_audits(run), truths, strict=True)]
    first, second = draw_gallery(audits, tmp_path / "report", 64, 1)
    assert first.frame == second.frame
    assert (tmp_path / "report" / first.truth).read_bytes() != (tmp_path / "report" / second.truth).read_bytes()


def test_own_audits_that_are_none(tmp_path, capsys):
    results = own_results(tmp_path / "own", ["a"])
    (results / "audits.jsonl").write_text('{"mask": "a"}\n')
    assert main([str(results), "--output", str(tmp_path / "report")]) == 2
    assert "audits.jsonl line 1: expected an audit as scripts.audit writes it" in capsys.readouterr().err


def test_an_earlier_report_is_replaced_and_marks_beside_it_are_kept(benchmark, tmp_path):
    output = tmp_path / "report"
    assert main([str(write_run(tmp_path / "run", benchmark)), "--output", str(output)]) == 0
    (output / "marks.json").write_text("precious")
    own = own_results(tmp_path / "own", ["a"])
    assert main([str(own), "--output", str(output)]) == 0
    assert main([str(own), "--output", str(tmp_path / "fresh")]) == 0
    files, fresh = ({path.relative_to(place) for path in place.rglob("*")} for place in (output, tmp_path / "fresh"))
    assert files - fresh == {Path("marks.json")} and fresh <= files
    assert (output / "marks.json").read_text() == "precious"
    assert {path.name for path in tmp_path.iterdir()} == {"run", "own", "report", "fresh"}


def test_a_folder_with_other_files_is_left_alone(benchmark, tmp_path, capsys):
    run = write_run(tmp_path / "run", benchmark)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("precious")
    assert main([str(run), "--output", str(tmp_path / "mine")]) == 2
    assert "expected a new or empty folder, or an earlier report, got other files" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda run: (run / "run.json").unlink(), "expected an evaluation's settings"),
        (
            lambda run: next(run.glob("predictions*")).unlink(),
            "expected results (audits.jsonl, or predictions_*.jsonl and run.json)",
        ),
        (lambda run: shutil.rmtree(run), "no such folder with results"),
    ],
)
def test_results_that_cannot_be_shown(benchmark, tmp_path, capsys, change, sentence):
    run = write_run(tmp_path / "run", benchmark)
    change(run)
    assert main([str(run), "--output", str(tmp_path / "report")]) == 2
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "report").exists()


def test_masks_that_the_other_auditor_has_not_seen(benchmark, tmp_path, capsys):
    run, other = write_run(tmp_path / "run", benchmark), write_run(tmp_path / "other", benchmark)
    file = next(other.glob("predictions*"))
    file.write_text("".join(file.read_text().splitlines(keepends=True)[1:]))
    assert main([str(run), "--output", str(tmp_path / "report"), "--against", str(other)]) == 2
    assert "--against: expected the masks of" in capsys.readouterr().err
    flags = ["--output", str(tmp_path / "report"), "--against", str(other), "--common"]
    assert main([str(run), *flags]) == 0
    assert len(data_of(tmp_path / "report")["items"]) == len(MASKS) - 1
