"""Baselines, scores by kind, ablation tables and the summary of several runs."""

import json

import pytest

from scripts.evaluate.summarize import in_columns, main, read_runs
from utils.audit import Audit, render_audit
from utils.mask_types import PAPER_TYPES
from utils.prediction import Prediction
from utils.records import prediction_row, to_predictions
from utils.scores.ablation_tables import ablation_cells, ablation_markdown, bootstrap_intervals
from utils.scores.baselines import ALWAYS_PERFECT, CLASS_PRIORS, MEAN_IOU, answered, baseline_answers
from utils.scores.expression_kinds import kind_scores, read_kinds
from utils.scores.published import published_ablation
from utils.whole_files import write_jsonl

TRUTH = {
    "perfect": (1.0, "accept", None),
    "cutout": (0.8, "minor revision", 1),
    "dilate": (0.8, "minor revision", 1),
    "erode": (0.6, "major revision", 2),
    "merge": (0.5, "major revision", 1),
    "full_neg": (0.0, "reject", 1),
}


def record(uid: str, mask_type: str, says: str | None = None) -> dict:
    iou, action, rank = TRUTH[mask_type]
    said = says or mask_type
    answer = render_audit(Audit(said, *TRUTH[said][:2]), "wheel", "star")
    core = {"uid": uid, "vid": uid, "mask_type": mask_type, "iou_to_gt": iou, "action": action, "rank": rank}
    return core | {"raw_output": answer, "mask_path": f"{uid}/{mask_type}.png"}


def predictions(wrong: tuple[str, ...] = ()) -> list[Prediction]:
    uids = [f"video_{i}" for i in range(4)]
    return to_predictions(record(uid, t, "perfect" if uid in wrong else None) for uid in uids for t in PAPER_TYPES)


def test_baselines():
    train = [Audit(t, *TRUTH[t][:2]) for t in PAPER_TYPES]
    answers = baseline_answers(train, 24)
    scores = {name: in_columns(answered(predictions(), own), "image") for name, own in answers.items()}
    assert scores[ALWAYS_PERFECT]["columns"]["perfect"]["f2_mask_type"] == 100
    assert scores[ALWAYS_PERFECT]["columns"]["full_neg"] == {"rmse": 1.0, "f2_mask_type": 0.0, "f2_action": 0.0}
    mean = sum(TRUTH[t][0] for t in PAPER_TYPES) / 6
    assert scores[MEAN_IOU]["columns"]["full_neg"]["rmse"] == pytest.approx(mean)
    assert scores[MEAN_IOU]["f2_mask_type"] == 0
    assert {audit.mask_type for audit in answers[CLASS_PRIORS]} <= set(PAPER_TYPES)
    assert baseline_answers(train, 24) == answers
    with pytest.raises(ValueError, match="expected training masks"):
        baseline_answers([], 3)


def test_scores_by_kind(tmp_path):
    referrals = {f"video_{i}": {"kind": "sound" if i < 2 else "size"} for i in range(4)}
    (tmp_path / "facts.json").write_text(json.dumps({"videos": {"v": {"referrals": referrals}}}))
    scores = kind_scores(predictions(wrong=("video_0",)), read_kinds(tmp_path / "facts.json"))
    assert scores["size"]["full_neg"] == {"f2_mask_type": 100.0, "num_samples": 2}
    assert scores["sound"]["full_neg"]["f2_mask_type"] == pytest.approx(100 * 5 * 0.5 / 4.5)
    assert scores["sound"]["perfect"]["f2_mask_type"] == 100


def test_ablation_table():
    tests = {"test_s": predictions(), "test_u": predictions(wrong=("video_0",))}
    cells = ablation_cells(tests)
    assert cells["f2_mask_type"]["test_s"] == dict.fromkeys(PAPER_TYPES, 100.0)
    assert cells["f2_mask_type"]["test_u"]["merge"] == pytest.approx(100 * 5 * 0.75 / 4.75)
    assert cells["rmse"]["test_u"]["full_neg"] == pytest.approx(0.5)
    intervals = bootstrap_intervals(tests)
    low, high = intervals["f2_mask_type"]
    assert low < cells["f2_mask_type"]["avg"] <= high == 100
    text = ablation_markdown({"mask": cells}, {"mask": intervals}, published_ablation("Table 9: mask inputs"))
    assert "| F2-M | mask | 100.0 |" in text and "*paper*" in text and "61.6" in text
    assert published_ablation("inputs left out") == {}


def test_ablation_table_of_an_empty_test():
    tests = {"test_s": []}
    cells, intervals = ablation_cells(tests), bootstrap_intervals(tests)
    assert cells["rmse"]["avg"] is None and intervals["rmse"] == (None, None)
    text = ablation_markdown({"mask": cells}, {"mask": intervals}, {})
    assert "| **-** | - to - |" in text


def test_summary_of_runs(tmp_path, capsys):
    run = tmp_path / "test_s_image_mask-all_rank-all"
    run.mkdir()
    write_jsonl(run / "predictions_image_mask-all_rank-all.jsonl", map(prediction_row, predictions()))
    assert list(read_runs(tmp_path)) == [("test_s", "image")]
    assert main([str(tmp_path), "--data_dir", "tests/golden/MQ-RAVSBench", "--before", str(tmp_path)]) == 0
    summary = json.loads((tmp_path / "summary.json").read_text())
    image = summary["test_s"]["image"]
    assert image["f2_mask_type"] == summary["before"]["test_s"]["image"]["f2_mask_type"] == 100
    assert set(image["columns"]["cutout_hard"]) == {"rmse", "f2_mask_type", "f2_action"}
    assert set(image["baselines"]) == {ALWAYS_PERFECT, CLASS_PRIORS, MEAN_IOU}
    assert "always perfect" in capsys.readouterr().out
    assert main([str(run), "--data_dir", "tests/golden/MQ-RAVSBench"]) == 2
    assert "expected runs such as" in capsys.readouterr().err
