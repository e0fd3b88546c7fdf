"""`scripts.evaluate.score` as it is started from the command line."""

import json

from tests.conftest import GOLDEN
from tests.scored import assert_contains, load, load_lines, ranked, renamed, run_score
from utils.records import to_predictions
from utils.scores.scoring import score_answers
from utils.whole_files import write_jsonl


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
