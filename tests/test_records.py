"""Files of records: read again as they were written, and named where a line is broken."""

import pytest

from tests.scored import FOUR, load_lines
from utils.records import prediction_row, read_predictions, to_predictions
from utils.whole_files import write_jsonl


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
