"""Scores by hand on a few samples, by filters, and frozen against the reference's runs."""

import logging
import math

import pytest

from tests.conftest import GOLDEN
from tests.scored import FOUR, assert_contains, load, load_lines, record, renamed
from utils.records import passes_filters, prediction_row, read_predictions, to_predictions
from utils.scores.metrics import score_predictions
from utils.scores.scoring import result_names, score_answers
from utils.whole_files import write_json, write_jsonl

RUNS = sorted(path.parent for path in (GOLDEN / "07_metrics").glob("*/run.json"))
END_TO_END = {"run_image": "test_s_image_mask-all_rank-all", "run_video": "test_s_video_mask-cutout_rank-1"}


# --- frozen against the reference -------------------------------------------------------------------------------------


def assert_run_matches(tmp_path, run, answers, metrics, predictions, video_avg):
    """Our files, read back, against the reference's; files that the reference did not write are not compared."""
    filters = run["mask_type_filter"], run.get("mask_rank_filter", run.get("rank"))
    summary, scored, video_rows = score_answers(answers, run["eval_mode"], *filters)
    write_json(tmp_path / "metrics.json", summary)
    ours, golden = load(tmp_path / "metrics.json"), renamed(load(metrics))
    assert_contains(ours, golden)
    # assert_contains allows more keys, but here a further key would be a further label.
    for side in ("pred_mask_distribution", "pred_action_distribution"):
        if "gt_mask_type_breakdown" in golden:
            assert ours["gt_mask_type_breakdown"][side].keys() == golden["gt_mask_type_breakdown"][side].keys()
    assert ours.keys() - golden.keys() <= {"action_macro_strict", "mask_macro_strict"}
    for key in ("action_metrics", "mask_metrics", "per_mask"):
        assert list(ours[key]) == list(golden[key])
    our_predictions = [prediction_row(prediction) for prediction in scored]
    if predictions.exists():
        assert our_predictions and [list(p)[:8] for p in our_predictions] == [list(p) for p in load_lines(predictions)]
        assert_contains(our_predictions, load_lines(predictions))
    assert video_avg.exists() == bool(video_rows)
    if video_rows:
        write_jsonl(tmp_path / "video.jsonl", video_rows)
        assert_contains(load_lines(tmp_path / "video.jsonl"), renamed(load_lines(video_avg)))


def test_golden_runs_are_there():
    assert len(RUNS) == 16


@pytest.mark.parametrize("folder", RUNS, ids=lambda folder: folder.name)
def test_scores_match_the_reference(folder, tmp_path):
    run, answers = load(folder / "run.json"), read_predictions(folder / "records.jsonl")
    assert len(answers) == run["records"]
    paths = (folder / "metrics_summary.json", folder / "predictions.jsonl", folder / "predictions_video_avg.jsonl")
    assert_run_matches(tmp_path, run, answers, *paths)


@pytest.mark.parametrize("name", END_TO_END)
def test_end_to_end_runs_match_the_reference(name, tmp_path):
    run, folder = load(GOLDEN / "06_end_to_end" / f"{name}.json"), GOLDEN / "06_end_to_end" / END_TO_END[name]
    names = result_names("test_s", run["eval_mode"], run["mask_type_filter"], run["rank"])
    assert names.directory == folder.name
    video_avg = folder / (names.video_avg or "no_such_file")
    # The reference's own predictions file, scored again.
    answers = read_predictions(folder / names.predictions)
    assert_run_matches(tmp_path, run, answers, folder / names.metrics, folder / names.predictions, video_avg)


@pytest.mark.parametrize("folder", RUNS, ids=lambda folder: folder.name)
def test_result_names_match_the_reference(folder):
    run = load(folder / "run.json")
    names = result_names(run["test_name"], run["eval_mode"], run["mask_type_filter"], run["mask_rank_filter"])
    assert names.directory == run["directory_name"]
    written = [names.metrics, names.predictions, names.video_avg] if run["records"] else [names.metrics]
    assert sorted(filter(None, written)) == run["file_names"]


def test_unparsed_and_null_share_a_key_as_published(tmp_path):
    folder = GOLDEN / "07_metrics" / "image_cutout_r1"
    summary, _, _ = score_answers(read_predictions(folder / "records.jsonl"), "image", "cutout", 1)
    breakdown = summary["gt_mask_type_breakdown"]
    assert breakdown["pred_mask_distribution"][None]["count"] == breakdown["unparsed"]["mask_type"] == 1
    assert breakdown["pred_mask_distribution"]["null"]["count"] == 7
    write_json(tmp_path / "metrics.json", breakdown["pred_mask_distribution"])
    assert (tmp_path / "metrics.json").read_text().count('"null"') == 2


# --- by hand ----------------------------------------------------------------------------------------------------------


def test_four_samples_by_hand():
    summary = score_predictions(to_predictions(FOUR), "image")
    assert summary["rmse"] == pytest.approx(math.sqrt((0.1**2 + 0.2**2 + 0.5**2 + 0.0) / 4))
    assert summary["mask_metrics"]["cutout"] == pytest.approx({"precision": 1, "recall": 1 / 2, "f2": 2.5 / 4.5})
    assert summary["mask_metrics"]["erode"] == pytest.approx({"precision": 1 / 2, "recall": 1, "f2": 2.5 / 3})
    assert summary["mask_macro"]["f2"] == pytest.approx((1 + 2.5 / 4.5 + 2.5 / 3) / 3)
    assert summary["action_metrics"]["minor revision"]["f2"] == pytest.approx(10 / 11)
    assert summary["action_metrics"]["major revision"] == {"precision": 0, "recall": 0, "f2": 0}
    assert summary["action_macro"]["f2"] == pytest.approx((1 + 10 / 11 + 0) / 3)
    assert "reject" not in summary["action_metrics"]
    assert summary["mask_micro"] == pytest.approx({"precision": 0.75, "recall": 0.75, "f1": 0.75, "f2": 0.75})
    assert summary["prediction_failures"]["iou_value"] == {"count": 1, "uids": ["b"], "count_all": 1}
    assert summary["per_mask"]["cutout"]["num_samples"] == 2
    assert summary["per_mask"]["cutout"]["rmse"] == pytest.approx(math.sqrt((0.2**2 + 0.5**2) / 2))


def test_video_rmse_drops_unparsed_frames_and_the_strict_one_does_not():
    video = score_predictions(to_predictions(FOUR), "video")["video_avg"]
    assert video["videos"] == 3
    # uid b: ground truth mean 0.65; predicted 0.6 without the unparsed frame, (0.6 + 0) / 2 with it.
    assert video["rmse"] == pytest.approx(math.sqrt((0.1**2 + 0.05**2 + 0) / 3))
    assert video["rmse_strict"] == pytest.approx(math.sqrt((0.1**2 + 0.35**2 + 0) / 3))
    assert video["mask_acc_avg_per_video"] == pytest.approx((1 + 0.5 + 1) / 3)
    assert video["mask_macro_avg_per_video"]["f2"] == pytest.approx((1 + 2.5 / 4.5 + 1) / 3)


def test_strict_macro_divides_over_classes_with_ground_truth():
    stray = record("d", "perfect", 1.0, "accept", "null", 1.0, "accept")
    summary = score_predictions(to_predictions([*FOUR, stray]), "image")
    perfect = 2.5 / 4.5
    assert summary["mask_macro"]["f2"] == pytest.approx((perfect + 2.5 / 4.5 + 2.5 / 3 + 0) / 4)
    assert summary["mask_macro_strict"]["f2"] == pytest.approx((perfect + 2.5 / 4.5 + 2.5 / 3) / 3)


def test_strict_macro_normalises_ground_truth_actions():
    spelled = [record("a", "merge", 0.5, "Major Revision", "merge", 0.5, "major revision")]
    summary = score_predictions(to_predictions(spelled), "image")
    assert summary["action_macro"]["f2"] == 0
    assert summary["action_macro_strict"]["f2"] == 1
    assert summary["per_mask"]["merge"]["action_metrics_strict"]["f2"] == 1


def test_micro_has_both_a_true_f1_and_f2():
    records = [record("a", "merge", 0.5, "reject", "merge", 0.5, "reject")]
    records += [record("a", "erode", 0.5, "reject", "banana", 0.5, "reject")] * 2
    micro = score_predictions(to_predictions(records), "image")["mask_micro"]
    assert micro == pytest.approx({"precision": 1, "recall": 1 / 3, "f1": 0.5, "f2": (5 / 3) / (4 + 1 / 3)})


def test_unknown_mode_is_refused():
    with pytest.raises(ValueError, match="expected image or video, got 'audio'"):
        score_predictions([], "audio")


# --- filters ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "mask_type, rank, type_filter, rank_filter, kept",
    [
        ("cutout", 1, "cutout", 1, True),
        ("cutout", 2, "cutout", 1, False),
        ("cutout", None, "cutout", 1, True),
        ("erode", 1, "cutout", -1, False),
        ("cutoff", 3, "cutout", 0, True),
        ("gt", 7, "perfect", 1, True),
        (None, 1, "merge", 1, True),
        ("merge", 2, "all", 1, False),
        ("perfect", None, "banana", -1, False),
    ],
)
def test_filters_follow_the_loader(mask_type, rank, type_filter, rank_filter, kept):
    assert passes_filters(mask_type, rank, type_filter, rank_filter) == kept


def test_left_out_records_are_counted_aloud(caplog):
    with caplog.at_level(logging.WARNING):
        summary, predictions, _ = score_answers(to_predictions(FOUR), "image", "cutout", -1)
    assert summary["samples"] == len(predictions) == 2
    assert "2 of 4 records left out" in caplog.text


def test_unknown_filter_and_label_warn_but_score(caplog):
    odd = record("a", "blob", 0.5, "paint over", "perfect", 0.5, "accept")
    with caplog.at_level(logging.WARNING):
        summary, _, _ = score_answers(to_predictions([odd]), "image", "Blob", None)
    assert summary["samples"] == 1 and summary["mask_metrics"] == {}
    assert "'blob'" in caplog.text and "'paint over' (1)" in caplog.text
