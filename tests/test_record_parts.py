"""Large files of records, read by several processes: the result is that of one."""

import json
import os

import pytest

from utils import record_parts
from utils.record_lines import Span
from utils.record_parts import line_spans, read_in_parts
from utils.records import read_predictions

SAID = "<iou> 0.5 </iou> <mask_type> merge </mask_type> <action> Reject </action>"


def record(number: int, **changes) -> str:
    row = {"uid": f"u{number // 3}", "frame_idx": number, "mask_path": f"{number}.png", "rank": 1, "iou_to_gt": 0.25}
    row |= {"mask_type": "merge", "action": "reject", "vid": number, "clip_distance": 0.5, "raw_output": SAID}
    return json.dumps(row | changes)


@pytest.fixture
def in_parts(monkeypatch):
    """Sets in how many parts files are read, however small they are."""
    return lambda number: monkeypatch.setattr(record_parts, "number_of_parts", lambda path: number)


@pytest.mark.parametrize(
    "content", [b"", b"a", b"\n\n\n", b"a\n\nbbbbbbbbbbbbbbbb\nc", b"a\r\nbb\r\nccc\r\n", b"long" * 9]
)
def test_spans_are_whole_lines(tmp_path, content):
    path = tmp_path / "lines"
    path.write_bytes(content)
    for number in range(1, 9):
        spans = line_spans(path, number)
        parts = [content[span.start : span.stop] for span in spans]
        assert b"".join(parts) == content and len(parts) <= number
        assert all(part.endswith(b"\n") for part in parts[:-1])


def test_parts_are_read_as_the_whole(tmp_path, caplog, in_parts):
    """A byte order mark, empty lines, copies and doubtful records, which are named by their numbers in the file."""
    lines = [record(number) for number in range(12)] + [
        record(2),
        record(3, rank=2),
        "",
        record(11),
        '{"uid": 5}',
        "  ",
    ]
    lines += [record(number, mask_path=None, frame_idx=None) for number in (1, 1)]
    path = tmp_path / "p.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + "\n".join(lines).encode())
    found = []
    for number in (1, 2, 3, 40):
        in_parts(number)
        caplog.clear()
        found.append((read_predictions(path, texts=False), caplog.messages))
    assert found[1:] == found[:1] * 3
    assert len(found[0][0]) == 16 and "2 records are copies" in found[0][1][1]
    assert "for example records 4 and 14 (uid u1, frame 3" in found[0][1][0]


def test_the_first_error_of_the_file_is_named(tmp_path, in_parts):
    in_parts(3)
    lines = [record(number) for number in range(30)]
    lines[20] = "{"
    (tmp_path / "p.jsonl").write_text("\n".join(lines))
    with pytest.raises(ValueError, match="p.jsonl, line 21: expected one JSON object, got {"):
        read_predictions(tmp_path / "p.jsonl", texts=False)
    lines[4] = record(4, rank=0.5)
    (tmp_path / "p.jsonl").write_text("\n".join(lines))
    with pytest.raises(ValueError, match="p.jsonl, line 5: expected rank"):
        read_predictions(tmp_path / "p.jsonl", texts=False)


def test_two_answers_to_one_mask_are_found_in_two_parts(tmp_path, in_parts):
    in_parts(2)
    (tmp_path / "p.jsonl").write_text("\n".join([*map(record, range(9)), record(1, raw_output="else")]))
    with pytest.raises(ValueError, match="1 more that say something else, for example records 2 and 10 "):
        read_predictions(tmp_path / "p.jsonl", texts=False)


def test_a_process_that_is_killed_loses_nothing(tmp_path, in_parts):
    in_parts(3)
    path, here, read = tmp_path / "p.jsonl", os.getpid(), []
    path.write_text("\n".join(map(record, range(9))))

    def reading(span: Span) -> record_parts.Part:
        if os.getpid() != here:
            os._exit(9)
        read.append(span)
        return record_parts.Part([span], record_parts.Repeats(span.start))

    assert read_in_parts(path, reading).predictions == read == line_spans(path, 3)
