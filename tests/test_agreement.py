"""Two runs on the same masks, side by side."""

from dataclasses import replace

import pytest

from tests.scored import load, ranked, run_score
from utils.records import to_predictions
from utils.scores.agreement import compare_runs
from utils.scores.metrics import score_predictions
from utils.scores.scoring import score_answers
from utils.whole_files import write_jsonl


def test_command_line_compares_two_runs(tmp_path):
    ours, other = ranked(), ranked()
    other[0] = other[0] | {"raw_output": "no audit at all"}
    other[1] = other[1] | {"raw_output": other[1]["raw_output"] + " "}
    for name, records in (("ours.jsonl", ours), ("other.jsonl", other), ("short.jsonl", other[1:])):
        write_jsonl(tmp_path / name, records)
    flags = ("--output", tmp_path / "metrics.json", "--against")
    done = run_score(tmp_path / "ours.jsonl", *flags, tmp_path / "other.jsonl")
    assert done.returncode == 0 and "differing answers: audits" in done.stdout, done.stderr
    against = load(tmp_path / "metrics.json")["against"]
    assert against["samples"] == len(ours)
    assert against["share_that_differs"]["audits"] == pytest.approx(1 / len(ours))
    assert against["share_that_differs"]["texts"] == pytest.approx(2 / len(ours))
    rmse, other_rmse = (score_answers(to_predictions(rows), "image")[0]["rmse"] for rows in (ours, other))
    assert against["score_minus_other"]["rmse"] == pytest.approx(rmse - other_rmse) != 0
    for name, complaint in (("short.jsonl", f"expected {len(ours)} records, got"), ("none.jsonl", "no such file")):
        done = run_score(tmp_path / "ours.jsonl", *flags, tmp_path / name)
        assert done.returncode == 2 and complaint in done.stderr
    write_jsonl(tmp_path / "short.jsonl", [*other[1:], other[0]])
    done = run_score(tmp_path / "ours.jsonl", *flags, tmp_path / "short.jsonl")
    assert done.returncode == 2 and "in record 1, got" in done.stderr


def test_the_other_run_is_not_overwritten(tmp_path):
    path = tmp_path / "other.jsonl"
    write_jsonl(path, ranked())
    before = path.read_text()
    for flags in (("--output", path), ("--output", tmp_path / "m.json", "--predictions_output", path)):
        done = run_score(path, "--against", path, *flags)
        assert done.returncode == 2 and "overwr" in done.stderr
    assert path.read_text() == before


def test_files_that_do_not_name_their_masks_can_be_compared():
    own = to_predictions(ranked())
    other = [replace(p, vid=None, mask_path=None) for p in own]
    summary = score_predictions(own, "image")
    assert compare_runs(own, other, summary, summary)["share_that_differs"]["audits"] == 0
    other[0] = replace(other[0], true=replace(other[0].true, iou=0.123))
    with pytest.raises(ValueError, match="--against: expected gt_iou .* in record 1, got 0.123"):
        compare_runs(own, other, summary, summary)
