"""The log of an interrupted evaluation: what still holds is kept, the rest is asked again, nothing is lost or mixed."""

import json
import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import load_file, save_file

from scripts.answering import tensor_answerer
from scripts.answering.stored_answers import Logs, collect, read_stored, resume
from scripts.evaluate.run import main as inference
from scripts.evaluate.sharing import share_of
from tests.conftest import BENCHMARK, GOLDEN
from tests.seeded import CLIP_NAME
from utils.answer_log import AnswerLog, answer_line

BASIS = {"auditor": "a", "bases": "b", "settings": {"max_new_tokens": 8}, "mask": "m"}
MASKS = [("u1", 0, "1.png", None), ("u1", 0, "2.png", 1), ("u2", 3, "3.png", 2)]
BASES = dict.fromkeys(MASKS, BASIS)


def record(named, text="said", **basis):
    named = zip(("uid", "frame_idx", "mask_path", "rank"), named, strict=True)
    return {**dict(named), "raw_output": text, "generated_ids": [1], "basis": BASIS | basis}


@pytest.fixture
def logs(tmp_path) -> Logs:
    return Logs(tmp_path, "p.jsonl")


def write(path: Path, *lines: bytes) -> None:
    path.write_bytes(b"".join(lines))


def aside(logs: Logs) -> bytes:
    return (logs.folder / "previous/p.jsonl.partial").read_bytes()


def test_answers_in_any_order_hold(logs, caplog):
    write(logs.of(0), *[answer_line(record(mask)) for mask in reversed(MASKS)])
    before = logs.of(0).read_bytes()
    with caplog.at_level("INFO"):
        assert [row["raw_output"] for row in collect(logs, MASKS, resume(logs, BASES) and BASES)] == ["said"] * 3
    assert logs.of(0).read_bytes() == before and not (logs.folder / "previous").exists()
    assert "3 of 3 masks have answers" in caplog.text


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda line: line[:40], "no whole record"),
        (lambda line: line.replace(b"said", b"sajd"), "no whole record"),
        (lambda line: b'{"a": 1}\n', "no whole record"),
        (lambda line: b"[1, 2]\n", "no whole record"),
        (lambda line: answer_line({"uid": ["u1"], "raw_output": "x", "basis": {}}), "no whole record"),
        (lambda line: b"\xff\xfe\n", "no whole record"),
        (lambda line: b"{" * 5_000 + b"\n", "no whole record"),
        (lambda line: answer_line(record(("u9", 0, "9.png", None))), "a mask that this run does not ask about"),
        (lambda line: answer_line(record(MASKS[2], mask="n")), "1 stored lines do not hold: another mask"),
        (lambda line: answer_line(record(MASKS[2], settings={"max_new_tokens": 9})), "max_new_tokens 9 -> 8"),
        (lambda line: answer_line(record(MASKS[2], auditor="x", bases="y")), "other weights or settings of its bases"),
        (lambda line: answer_line(record(MASKS[0], "another")), "a second answer to the same mask"),
    ],
)
def test_a_line_that_does_not_hold_is_moved_aside_with_its_reason(logs, caplog, damage, reason):
    good = [answer_line(record(mask)) for mask in MASKS[:2]]
    bad = damage(answer_line(record(MASKS[2])))
    write(logs.of(0), good[0], bad.rstrip(b"\n") + b"\n", good[1])
    held = resume(logs, BASES)
    assert list(held) == MASKS[:2] and reason in caplog.text and "previous/p.jsonl.partial" in caplog.text
    assert logs.of(0).read_bytes() == b"".join(good)
    assert aside(logs) == bad.rstrip(b"\n") + b"\n"
    with pytest.raises(ValueError, match=r"3 masks, 1 are missing, for example \('u2', 3, '3.png', 2\)"):
        collect(logs, MASKS, BASES)


def test_a_cut_off_line_does_not_spoil_the_next_one(logs):
    write(logs.of(0), answer_line(record(MASKS[0])), answer_line(record(MASKS[1]))[:-30])
    resume(logs, BASES)
    AnswerLog(logs.of(0)).add([record(MASKS[2])])
    assert list(read_stored(logs, BASES).records) == [MASKS[0], MASKS[2]]


def test_logs_of_any_number_of_processes_become_one(logs):
    for rank, mask in enumerate(MASKS):
        AnswerLog(logs.of(rank)).add([record(mask), record(MASKS[0])])
    assert list(resume(logs, BASES)) == MASKS
    assert logs.found() == [logs.of(0)] and logs.of(0).read_bytes().count(b"\n") == 3
    logs.remove()
    assert logs.found() == []


def test_a_full_disk_names_the_log(logs, monkeypatch):
    log = AnswerLog(logs.of(0))
    monkeypatch.setattr(log, "_handle", os.open("/dev/full", os.O_WRONLY))
    with pytest.raises(OSError, match=r"No space left on device: '.*p\.jsonl\.partial'"):
        log.add([record(MASKS[0])])


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_processes_share_whole_groups(count):
    requests = [SimpleNamespace(sample=SimpleNamespace(uid=uid)) for uid in "aaabbbbcdddddd" for _ in range(3)]
    shares = [share_of(requests, rank, count) for rank in range(count)]
    assert [request for share in shares for request in share] == requests
    uids = [{request.sample.uid for request in share} for share in shares]
    assert sum(map(len, uids)) == 4


FILTER = ("--mask_type_filter", "merge", "--max_new_tokens", "4", "--batch_size", "2", "--device", "cpu")


@pytest.fixture(scope="module")
def interrupted(quick_weights_dir, tmp_path_factory) -> Path:
    """A benchmark, an auditor and its bases, and a run that has answered four of five masks."""
    root = tmp_path_factory.mktemp("interrupted")
    shutil.copytree(BENCHMARK, root / "bench", copy_function=shutil.copyfile)
    shutil.copytree(GOLDEN / "weights/ckpt", root / "ckpt", copy_function=shutil.copyfile)
    shutil.copytree(quick_weights_dir, root / "parts")
    assert restart(root, answered=2) == 130
    return root


def restart(root: Path, *more: str, answered: int = 0, data_dir: str = "") -> int:
    """Run until so many batches are answered; then it is stopped."""
    real, calls = tensor_answerer.write_answers, []

    def stop(*args):
        calls.append(1)
        if len(calls) > answered:
            raise KeyboardInterrupt
        return real(*args)

    parts = ("--pretrained_weights_dir", str(root / "parts"), "--lora_r", "4", "--lora_alpha", "8")
    flags = ("--auditor_dir", str(root / "ckpt"), "--data_dir", data_dir or str(root / "bench"), "--num_workers", "0")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tensor_answerer, "write_answers", stop)
        return inference([*parts, *flags, "--output_dir", str(root / "results"), "--report", "false", *FILTER, *more])


@pytest.fixture
def root(interrupted, tmp_path) -> Path:
    """A copy that may be changed; all files are new."""
    return shutil.copytree(interrupted, tmp_path / "run", copy_function=shutil.copyfile)


def kept(root: Path) -> int:
    return len(next(root.rglob("*.partial")).read_bytes().splitlines())


def test_nothing_is_thrown_away_for_paths_times_devices_and_batches(root, monkeypatch):
    monkeypatch.chdir(root)
    assert (
        restart(root, "--batch_size", "1", "--device", "cuda:0", "--share_prompts", "false", data_dir="./bench") == 130
    )
    assert kept(root) == 4 and not list(root.rglob("previous"))


def test_media_of_other_bytes_are_asked_again(root, caplog):
    entries = [json.loads(line) for line in next(root.rglob("*.partial")).read_text().splitlines()]
    first, last = entries[0], entries[-1]
    assert first["vid"] != last["vid"]
    state = (mask := root / "bench" / first["mask_path"]).stat()
    pixels = bytearray(mask.read_bytes())
    mask.write_bytes(bytes(pixels) + b"\0")  # behind the picture's end
    os.utime(mask, ns=(state.st_atime_ns, state.st_mtime_ns))
    frame = root / "bench/media" / last["vid"] / "frames/0.jpg"
    shutil.copyfile(root / "bench/media" / last["vid"] / "frames/5.jpg", frame)
    assert restart(root) == 130
    assert "1 stored lines do not hold: another mask" in caplog.text and "other frames" in caplog.text
    stale = sum(row["vid"] == last["vid"] for row in entries) + 1
    assert kept(root) == 4 - stale


def change_tensor(path: Path, load, save) -> None:
    """Other weights in a file of the same size and time."""
    state = path.stat()
    tensors = load(path)
    name = max(tensors, key=lambda key: tensors[key].numel())
    tensors[name] = tensors[name].flip(0).clone()
    save(tensors, path)
    assert path.stat().st_size == state.st_size
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))


def test_other_weights_of_a_base_are_noticed(root, caplog):
    path = root / "parts" / CLIP_NAME
    metadata = {"format": "pt"}
    change_tensor(path, load_file, lambda tensors, path: save_file(tensors, path, metadata=metadata))
    assert restart(root) == 130
    assert "4 stored lines do not hold: other weights or settings of its bases" in caplog.text
    assert "0 of 5 masks" in caplog.text or kept(root) == 0


def test_other_weights_of_the_auditor_and_settings_are_noticed(root, caplog):
    change_tensor(root / "ckpt/non_lora_trainables.bin", torch.load, torch.save)
    assert restart(root, "--max_new_tokens", "5") == 130
    assert "4 stored lines do not hold: other weights or settings of the auditor, max_new_tokens 4 -> 5" in caplog.text
    assert len((next(root.rglob("previous")) / next(root.rglob("*.partial")).name).read_bytes().splitlines()) == 4


def test_the_run_is_finished_from_its_log(root):
    assert restart(root, answered=9) == 0
    rows = [json.loads(line) for line in next(root.rglob("predictions_*.jsonl")).read_text().splitlines()]
    assert len(rows) == 5 and len({row["mask_path"] for row in rows}) == 5
    assert "basis" not in rows[0] and not list(root.rglob("*.partial"))
