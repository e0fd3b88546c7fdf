"""Calibrating an auditor, what its folder says of it, clips unlike training's, and scores of expected IoUs."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from dataset.batches.audit_dataset import build_dataset
from dataset.batches.collator import AuditCollator
from dataset.batches.grouping import GroupingCollator
from dataset.benchmark.annotations import read_test
from models.auditor.config import AuditorConfig
from models.weights.about import About, read_about, write_about
from models.weights.bundle import AuditorBundle
from scripts.answering.clip_distances import clip_distances, encoded
from scripts.certainty.unlike import auroc, find_clips
from scripts.evaluate import calibrate, score
from scripts.evaluate.compared_runs import read_run
from tests.conftest import BENCHMARK, GOLDEN
from tests.test_certainty import make_shares
from utils.audit import ACTIONS
from utils.card import Card
from utils.certainty.belief import Scaling, belief_of
from utils.certainty.known_clips import KnownClips, is_unlike, shrunk_covariance
from utils.certainty.risk import Threshold
from utils.certainty.shares import FORMS, Shares
from utils.certainty.stored import CALIBRATION_FILE, Calibration, read_calibration
from utils.manifest import check_manifest, put_file, read_facts, seal_folder
from utils.mask_types import PAPER_TYPES

CARD = Card("MQ-RAVSBench", 400, 8, ["arrow", "bell", "cross", "star"], "900 steps", 42, "2026-11-28")
CALIBRATION = Calibration(
    scaling=Scaling(1.5, 1.0, 2.0),
    accept=Threshold(0.83, 0.1, 0.06, 0.4, 30),
    good_iou=0.8,
    run="test_s_image",
    videos=["a", "b"],
    audits=70,
    errors={"type": {"before": 0.2, "after": 0.03}},
    date="2026-11-28",
)


def clips(count: int, shift: float = 0.0, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(shift, 1.0, (count, 12)) @ np.diag(np.linspace(0.1, 3, 12))


def test_a_clip_unlike_training_is_flagged():
    known = KnownClips.of(clips(200))
    near, far = known.distances(clips(50, seed=1)), known.distances(clips(50, shift=4.0, seed=2))
    assert np.mean([is_unlike(one) for one in near]) <= 0.1 and all(map(is_unlike, far))
    assert auroc(far, near) == 1.0 and auroc([1, 2], [1, 2]) == 0.5 and not is_unlike(None)
    assert KnownClips.of(clips(7)) is None
    with pytest.raises(ValueError, match=r"expected \(12,\), as in training, got \(3,\)"):
        known.distances(np.zeros((2, 3)))


def test_a_covariance_of_few_clips_has_an_inverse():
    for features in (clips(9), np.ones((9, 12))):
        assert np.isfinite(np.linalg.inv(shrunk_covariance(features))).all()
    many = clips(20_000)
    np.testing.assert_allclose(shrunk_covariance(many), np.cov(many.T), atol=0.1)


def test_what_a_folder_says_is_read_back(tmp_path):
    about = About(CARD, KnownClips.of(clips(40)), CALIBRATION)
    write_about(about, tmp_path)
    found = read_about(tmp_path)
    assert (found.card, found.calibration) == (CARD, CALIBRATION)
    np.testing.assert_array_equal(found.known_clips.distances(clips(3)), about.known_clips.distances(clips(3)))
    assert found.line() == (
        "trained on 2026-11-28 on 400 videos of MQ-RAVSBench, 4 categories (arrow, bell, cross, ...), seed 42; "
        "calibrated on 2 videos (2026-11-28)"
    )
    assert read_about(tmp_path / "absent").line() == "no card: what it was trained on is unknown; not calibrated"


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("card.json", "[]", "card.json: expected an auditor's card"),
        ("card.json", '{"data": 3}', "card.json: expected an auditor's card"),
        ("calibration.json", "{}", "calibration.json: expected a calibration"),
        ("calibration.json", json.dumps(CALIBRATION.as_record() | {"scaling": {"forms": 0}}), "expected a calibration"),
        ("known_clips.safetensors", "x", "expected a safetensors file"),
    ],
)
def test_a_folder_that_says_something_else_is_refused(tmp_path, name, content, sentence):
    (tmp_path / name).write_text(content)
    with pytest.raises(ValueError, match=sentence):
        read_about(tmp_path)


def test_a_file_that_is_put_into_a_sealed_folder_belongs_to_it(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    seal_folder(tmp_path, step=7)
    for content in (b"one", b"two"):
        put_file(tmp_path, CALIBRATION_FILE, content)
        check_manifest(tmp_path, ["*.json"])
    assert (tmp_path / CALIBRATION_FILE).read_bytes() == b"two" and read_facts(tmp_path)["step"] == 7


def test_the_promise_in_words():
    assert CALIBRATION.promise().startswith("accept where the expected IoU is at least 0.830: on average over videos")
    none = Calibration(**{**vars(CALIBRATION), "accept": Threshold(float("inf"), 0.1, 0, 0, 30)})
    assert none.promise().startswith("no threshold promises that at most 10%")
    assert Calibration.from_record(json.loads(json.dumps(none.as_record())), "x") == none


def sure_shares(form: int) -> Shares:
    """Of an answer that its tags agree with."""
    mask_type, action = FORMS[form]
    types = [float(name == mask_type) for name in PAPER_TYPES]
    return replace(make_shares(0.99, form), types=types, actions=[float(name == action) for name in ACTIONS])


@pytest.fixture
def run(tmp_path):
    """A finished run by an auditor that is too sure: 70% of 360 types are right, and it says 99%."""
    rng = np.random.default_rng(0)
    rows = []
    for number in range(360):
        said = int(rng.integers(len(FORMS)))
        mask_type, action = FORMS[said if rng.random() < 0.7 else int(rng.integers(len(FORMS)))]
        answer = f"<iou>0.8641</iou><mask_type>{FORMS[said][0]}</mask_type><action>{FORMS[said][1]}</action>"
        true = {"mask_type": mask_type, "action": action, "iou_to_gt": 0.9 if action != "reject" else 0.2}
        place = {"uid": f"v{number % 60}_dog_1", "vid": f"v{number % 60}", "frame_idx": 0, "mask_path": f"{number}.png"}
        rows.append(place | true | {"raw_output": answer, "shares": sure_shares(said).as_record()})
    folder, auditor = tmp_path / "run", tmp_path / "auditor"
    folder.mkdir()
    (folder / "predictions_x.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "run.json").write_text(json.dumps({"settings": {"auditor_dir": str(auditor), "test_name": "test_s"}}))
    AuditorConfig().save_pretrained(auditor)
    return folder, auditor


def test_an_auditor_is_calibrated(run, tmp_path, capsys):
    folder, auditor = run
    how = ["--share", "0.5", "--risk", "0.6", "--measure", str(folder)]
    assert calibrate.main([str(folder), "--auditor", str(auditor), *how]) == 0
    shown = capsys.readouterr().out
    assert "the run's other videos, 180 audits" in shown and "accept where" in shown
    found = read_calibration(auditor)
    assert len(found.videos) == 30 and found.audits == 180 and found.scaling.forms > 1.5
    assert found.errors["type"]["after"] < found.errors["type"]["before"]
    assert (folder / "calibration/calibration.png").stat().st_size > 10_000
    report = json.loads((folder / "calibration/report.json").read_text())
    whole = report["measured"]["run"]  # of 360 audits: less noise than of the 90 of the threshold
    assert whole["after"]["calibration_error"]["type"] < whole["before"]["calibration_error"]["type"] / 2
    assert list(report["measured"]) == ["15 videos of the threshold", "the run's other videos", "run"]


def test_what_is_scored_is_not_fitted_on_without_a_word(run, capsys):
    with pytest.raises(SystemExit):
        calibrate.main([str(run[0]), "--auditor", str(run[1])])
    assert "--share: expected the share of the run's videos to fit on" in capsys.readouterr().err
    assert not (run[1] / CALIBRATION_FILE).exists()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda folder: (folder / "predictions_x.jsonl").unlink(), "expected one file predictions_"),
        (lambda folder: (folder / "predictions_x.jsonl").write_text('{"uid": "a"}\n'), "expected audits with prob"),
        (lambda folder: (folder / "predictions_x.jsonl").rename(folder / "predictions_y.txt"), "expected one file"),
    ],
)
def test_runs_that_cannot_be_used_are_refused(run, capsys, change, sentence):
    change(run[0])
    assert calibrate.main([str(run[0]), "--auditor", str(run[1]), "--share", "1"]) == 2
    assert sentence in capsys.readouterr().err


def test_expected_ious_are_scored(run, tmp_path, capsys):
    folder, auditor = run
    command = [str(folder / "predictions_x.jsonl"), "--output", str(tmp_path / "metrics.json")]
    write_about(About(calibration=CALIBRATION), auditor)
    rmse, expected = {}, belief_of(sure_shares(0), CALIBRATION.scaling).iou
    for kind in ("written", "expected"):
        more = ["--iou", kind, "--predictions_output", str(tmp_path / "rows.jsonl")]
        assert score.main([*command, *more]) == 0
        metrics = json.loads((tmp_path / "metrics.json").read_text())
        assert metrics.get("iou_scored", "written") == kind
        rmse[kind] = metrics.get("rmse", metrics)
    assert rmse["written"] != rmse["expected"] and metrics["calibration"]["scaling"]["forms"] == 1.5
    rows = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text().splitlines()]
    perfect = next(row for row in rows if row["pred_mask_type"] == "perfect")
    assert perfect["pred_iou"] == pytest.approx(expected)
    assert read_run(command[0], iou="expected").predictions[0].said.iou == pytest.approx(rows[0]["pred_iou"])
    (auditor / CALIBRATION_FILE).unlink()
    assert score.main([*command, "--iou", "expected"]) == 0
    assert "not calibrated" in capsys.readouterr().out
    assert score.main([*command, "--iou", "expected", "--auditor", str(auditor)]) == 2
    (folder / "predictions_x.jsonl").write_text('{"uid": "a", "raw_output": ""}\n')
    assert score.main([*command, "--iou", "expected"]) == 2
    assert "expected probabilities (shares) of every answer" in capsys.readouterr().err


def test_distances_are_those_of_each_items_clip(quick_args):
    """In batches that share prompts and in those that do not, the same as from each clip alone."""
    bundle = AuditorBundle.from_pretrained(GOLDEN / "weights/ckpt", quick_args)
    benchmark = read_test(BENCHMARK, "test_s", "image")
    pairs = benchmark.requests()[:6:3] + benchmark.requests()[-6::3]
    dataset = build_dataset(benchmark.samples, bundle.tokenizer, bundle.pixels, bundle.auditor.config, pairs)
    items = [dataset[number] for number in range(len(pairs))]
    with torch.inference_mode():
        clips_of = [torch.stack([pixels for _, pixels in item.images[: item.num_video_images]]) for item in items]
        means = [bundle.auditor.encode_images(pixels).float().mean((0, 1)).numpy() for pixels in clips_of]
    width = len(means[0])
    known = KnownClips(np.zeros(width, np.float32), np.eye(width, dtype=np.float32), 1.0, 10)
    alone = known.distances(np.stack(means))
    assert len({round(one, 3) for one in alone}) > 1
    for collator in (AuditCollator, GroupingCollator):
        batch = encoded(bundle.auditor, collator(bundle.tokenizer.pad_token_id)(items))
        assert batch["encoded"]
        np.testing.assert_allclose(clip_distances(known, batch), alone, rtol=1e-3)


def test_clips_are_found(tmp_path):
    (tmp_path / "a/frames").mkdir(parents=True)
    for name in ("b.mp4", "c/d.jpg", "c/d.png", "a/frames/0.jpg", "a/audio.wav"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert [path.name for path in find_clips([str(tmp_path)], "--like")] == ["a", "b.mp4", "d.jpg"]
    with pytest.raises(FileNotFoundError, match="--like .* expected folders with frames/"):
        find_clips([str(tmp_path / "c/d.png")], "--like")
