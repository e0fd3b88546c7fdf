"""Scores by hand on a few samples, frozen against the reference's runs, and through the command line."""

import json
import logging
import math
import subprocess
import sys
from pathlib import Path

import pytest

from utils.audit import Audit
from utils.prediction import Prediction
from utils.records import passes_filters, prediction_row, read_predictions, to_predictions
from utils.reports.terminal import render_columns_table
from utils.scores.columns import compute_columns
from utils.scores.metrics import score_predictions
from utils.scores.published import is_published_benchmark, published_columns
from utils.scores.scoring import result_names, score_answers
from utils.whole_files import write_json, write_jsonl

ROOT = Path(__file__).parents[1]
GOLDEN = Path(__file__).parent / "golden"
RUNS = sorted(path.parent for path in (GOLDEN / "07_metrics").glob("*/run.json"))
END_TO_END = {"run_image": "test_s_image_mask-all_rank-all", "run_video": "test_s_video_mask-cutout_rank-1"}


def record(uid, mask_type, iou, action, said_type=None, said_iou=None, said_action=None, **more):
    """A record whose answer says the given things, and nothing where they are None."""
    said = {"mask_type": said_type, "iou": said_iou, "action": said_action}
    text = " ".join(f"<{tag}> {value} </{tag}>" for tag, value in said.items() if value is not None)
    return {"uid": uid, "mask_type": mask_type, "iou_to_gt": iou, "action": action, "raw_output": text, **more}


FOUR = [
    record("a", "perfect", 1.0, "accept", "perfect", 0.9, "accept"),
    record("b", "cutout", 0.8, "minor revision", "cutout", 0.6, "minor revision"),
    record("b", "cutout", 0.5, "major revision", "erode", None, "minor revision"),
    record("c", "erode", 0.7, "minor revision", "erode", 0.7, "minor revision"),
]


# --- frozen against the reference -------------------------------------------------------------------------------------


def load(path):
    return json.loads(path.read_text())


def load_lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def renamed(value, inside=""):
    """Golden value with every F2 called f2; the micro figures are true F1s and keep their name."""
    if isinstance(value, dict):
        return {"f2" if k == "f1" and "micro" not in inside else k: renamed(v, k) for k, v in value.items()}
    return [renamed(item, inside) for item in value] if isinstance(value, list) else value


def assert_contains(ours, golden, where=""):
    """Every golden key and number is ours too (1e-9); ours may hold more keys."""
    if isinstance(golden, dict):
        missing = golden.keys() - ours.keys()
        assert not missing, f"{where}: missing {missing}"
        for key in golden:
            assert_contains(ours[key], golden[key], f"{where}/{key}")
    elif isinstance(golden, list):
        assert len(ours) == len(golden), where
        for i, (our, gold) in enumerate(zip(ours, golden, strict=True)):
            assert_contains(our, gold, f"{where}[{i}]")
    elif isinstance(golden, float):
        assert ours == pytest.approx(golden, abs=1e-9, rel=0), where
    else:
        assert (type(ours), ours) == (type(golden), golden), where


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


# --- columns ----------------------------------------------------------------------------------------------------------


def ranked():
    return [
        record("a", "perfect", 1.0, "accept", "perfect", 0.9, "accept"),
        record("a", "cutout", 0.9, "minor revision", "cutout", 0.8, "minor revision", rank=1),
        record("a", "cutout", 0.7, "major revision", "erode", 0.4, "major revision", rank=2),
        record("a", "merge", 0.8, "minor revision", "merge", 0.8, "minor revision", rank=1),
        record("b", "merge", 0.2, "reject", "merge", 0.6, "accept", rank=2),
        record("b", "null", 0.0, "reject", "null", 0.0, "reject", rank=1),
    ]


def test_image_columns_by_hand():
    columns = score_answers(to_predictions(ranked()), "image")[0]["columns"]
    assert columns["num_samples"] == {
        "perfect": 1,
        "cutout_hard": 1,
        "cutout_medium": 1,
        "dilate_hard": 0,
        "dilate_medium": 0,
        "erode_hard": 0,
        "erode_medium": 0,
        "merge": 2,
        "full_neg": 0,
    }
    assert columns["rmse"]["cutout_hard"] == pytest.approx(0.1)
    assert columns["rmse"]["cutout_medium"] == pytest.approx(0.3)
    assert columns["rmse"]["merge"] == pytest.approx(0.4 / math.sqrt(2))
    assert columns["f2_mask_type"]["cutout_medium"] == 0
    assert columns["f2_action"]["merge"] == pytest.approx(50)
    assert columns["rmse"]["erode_hard"] is None
    assert columns["rmse"]["avg"] == pytest.approx((0.1 + 0.1 + 0.3 + 0.4 / math.sqrt(2)) / 4)
    assert columns["columns_in_avg"] == {"rmse": 4, "f2_mask_type": 4, "f2_action": 4}


def test_columns_are_what_filtered_runs_score():
    for mode in ("image", "video"):
        columns = compute_columns(to_predictions(ranked()), mode)
        filters = {"cutout_medium": ("cutout", 2), ("merge" if mode == "image" else "merge_hard"): ("merge", -1)}
        if mode == "video":
            filters["merge_hard"] = ("merge", 1)
        for name, chosen in filters.items():
            summary = score_answers(to_predictions(ranked()), mode, *chosen)[0]
            figures = summary if mode == "image" else summary["video_avg"]
            macro = "mask_macro" if mode == "image" else "mask_macro_avg_per_video"
            assert columns["rmse"][name] == figures["rmse"]
            assert columns["f2_mask_type"][name] == 100 * figures[macro]["f2"]


def test_columns_need_known_ranks_and_no_filter():
    rankless = [{key: value for key, value in row.items() if key != "rank"} for row in ranked()]
    assert "columns" not in score_answers(to_predictions(rankless), "image")[0]
    assert "columns" not in score_answers([], "image")[0]
    assert "columns" not in score_answers(to_predictions(ranked()), "image", "cutout")[0]
    assert "columns" not in score_answers(to_predictions(ranked()), "image", "all", 1)[0]


@pytest.mark.parametrize("mode", ["image", "video"])
@pytest.mark.parametrize("test_name", ["test_s", "test_u"])
def test_published_rows_have_our_columns_and_average_to_their_own(mode, test_name):
    published, ours = published_columns(test_name, mode), compute_columns([], mode)
    for metric, row in published.items():
        assert row.keys() == ours[metric].keys()
        values = [value for name, value in row.items() if name != "avg"]
        # The printed columns and averages are rounded.
        assert sum(values) / len(values) == pytest.approx(row["avg"], abs=0.011 if metric != "rmse" else 0.0011)


def test_table_names_values_and_gaps():
    columns = score_answers(to_predictions(ranked()), "image")[0]["columns"]
    lines = render_columns_table(columns, published_columns("test_s", "image")).splitlines()
    assert " ".join(lines[0].split()) == "perfect cutout cutout dilate dilate erode erode merge full_neg avg"
    assert " ".join(lines[1].split()) == "all hard medium hard medium hard medium all all"
    assert lines[2].split()[:5] == ["RMSE", "0.100", "0.100", "0.300", "-"]
    assert lines[3].endswith("0.359    0.199    0.160    0.298    0.232    0.329    0.305    0.334    0.507    0.303")
    assert lines[-1] == "avg is over the columns that have samples (4 of 9)"
    assert max(map(len, lines)) <= 120


def blank(uid, mask_type):
    return Prediction(uid, Audit(mask_type, None, None), Audit(None, None, None), None)


def test_published_benchmark_is_recognised_by_its_counts():
    counts = {"perfect": 437, "cutout": 874, "dilate": 874, "erode": 874, "merge": 1274, "full_neg": 1276}
    samples = [blank(f"v{i % 437}", name) for name, count in counts.items() for i in range(count)]
    assert is_published_benchmark(samples, "image", "test_s")
    assert not is_published_benchmark(samples, "image", "test_u")
    assert not is_published_benchmark(samples, "video", "test_s")
    assert not is_published_benchmark(samples[:-1], "image", "test_s")
    assert not is_published_benchmark([blank("v", sample.true.mask_type) for sample in samples], "image", "test_s")


# --- records ----------------------------------------------------------------------------------------------------------


def test_predictions_can_be_read_as_records(tmp_path):
    extras = {"vid": "v", "frame_idx": 3, "rank": 1, "mask_path": "m.png", "generated_ids": [1, 2]}
    predictions = to_predictions([{**FOUR[1], **extras}, {"raw_output": None}])
    rows = [prediction_row(prediction) for prediction in predictions]
    assert list(rows[0])[8:] == list(extras) and len(rows[1]) == 8
    # A stale parse, as after a parser fix: only the raw text counts.
    write_jsonl(tmp_path / "p.jsonl", [rows[0] | {"pred_iou": 0.0}, rows[1]])
    assert read_predictions(tmp_path / "p.jsonl") == predictions


@pytest.mark.parametrize(
    "line, complaint",
    [
        ('{"uid": "a"', "line 2: expected one JSON object, got {"),
        ("[1, 2]", "line 2: expected one JSON object, got [1, 2]"),
        ('{"video": "a"}', "line 2: expected at least one of uid, mask_type"),
        ('{"uid": [5]}', "line 2: expected uid to be an integer or a string or null, got [5]"),
        ('{"gt_iou": "high"}', 'line 2: expected gt_iou to be a number in [0, 1] or null, got "high"'),
        ('{"uid": "a", "iou_to_gt": 85}', "expected iou_to_gt to be a number in [0, 1] or null, got 85"),
        ('{"uid": "a", "iou_to_gt": NaN}', "expected iou_to_gt to be a number in [0, 1] or null, got NaN"),
        ('{"uid": "a", "rank": true}', "expected rank to be a whole number or null, got true"),
        (f'{{"iou_to_gt": 1{"0" * 400}}}', "line 2: expected iou_to_gt to be a number in [0, 1] or null, got 1000"),
    ],
)
def test_a_broken_line_is_named(tmp_path, line, complaint):
    path = tmp_path / "broken.jsonl"
    path.write_text('{"uid": "a", "raw_output": null}\n' + line + "\n")
    with pytest.raises(ValueError) as error:
        read_predictions(path)
    assert complaint in str(error.value) and str(path) in str(error.value) and "\n" not in str(error.value)


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "rows.jsonl"
    write_jsonl(path, [{"a": 1}])
    with pytest.raises(ValueError):
        write_jsonl(path, [{"a": 2}, {"a": float("nan")}])
    assert load_lines(path) == [{"a": 1}]
    assert list(tmp_path.iterdir()) == [path]


# --- command line -----------------------------------------------------------------------------------------------------


def run_score(*arguments):
    command = [sys.executable, "-m", "scripts.evaluate.score", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)


def test_command_line_writes_what_was_asked_for(tmp_path):
    write_jsonl(tmp_path / "records.jsonl", ranked())
    done = run_score(tmp_path / "records.jsonl", "--eval_mode", "video", "--output", tmp_path / "metrics.json")
    assert done.returncode == 0, done.stderr
    assert "merge" in done.stdout and "F2-M" in done.stdout
    assert load(tmp_path / "metrics.json") == json.loads(
        json.dumps(score_answers(to_predictions(ranked()), "video")[0])
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["metrics.json", "records.jsonl"]


def test_command_line_filters_and_writes_predictions(tmp_path):
    folder = GOLDEN / "07_metrics" / "video_merge"
    outputs = [tmp_path / name for name in ("new/metrics.json", "predictions.jsonl", "video.jsonl")]
    flags = ["--output", outputs[0], "--predictions_output", outputs[1], "--video_avg_output", outputs[2]]
    done = run_score(folder / "records.jsonl", "--eval_mode", "video", "--mask_type_filter", "merge", *flags)
    assert done.returncode == 0, done.stderr
    assert_contains(load(outputs[0]), renamed(load(folder / "metrics_summary.json")))
    assert_contains(load_lines(outputs[1]), load_lines(folder / "predictions.jsonl"))
    assert_contains(load_lines(outputs[2]), renamed(load_lines(folder / "predictions_video_avg.jsonl")))


def test_command_line_refuses_bad_input_in_a_sentence(tmp_path):
    (tmp_path / "bad.jsonl").write_text("{oops\n")
    for name, complaint in (("bad.jsonl", "line 1: expected one JSON object"), ("none.jsonl", "no such file")):
        done = run_score(tmp_path / name, "--output", tmp_path / "metrics.json")
        assert done.returncode == 2 and done.stdout == ""
        assert done.stderr.startswith("score: ") and complaint in done.stderr and done.stderr.count("\n") == 1
    assert not (tmp_path / "metrics.json").exists()
    assert run_score(tmp_path / "bad.jsonl", "--output", "m.json", "--eval_mode", "audio").returncode == 2
