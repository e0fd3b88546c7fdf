"""The real evaluation program: the reference's own results on the golden pair, and what happens when it is cut off."""

import dataclasses
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from dataset.benchmark.annotations import read_test
from models.weights.bundle import AuditorBundle
from scripts.answering import tensor_answerer
from scripts.evaluate import split_audit
from scripts.evaluate.run import main as inference
from tests.conftest import BENCHMARK, GOLDEN, golden_json
from utils.certainty.belief import Scaling
from utils.certainty.expected import with_expected_ious
from utils.record_log import RecordLog
from utils.records import read_predictions

CKPT = GOLDEN / "weights/ckpt"
END_TO_END = GOLDEN / "06_end_to_end"


def audit(auditor, output, *more) -> int:
    flags = [
        "--auditor_dir",
        str(auditor),
        "--data_dir",
        str(BENCHMARK),
        "--output_dir",
        str(output),
        "--num_workers",
        "0",
        "--report",
        "false",
    ]
    return inference([*flags, *more])


def read_jsonl(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture(scope="module")
def image_run(weights_dir, tmp_path_factory) -> Path:
    """All image-mode masks, through the launch script as a user starts it."""
    output = tmp_path_factory.mktemp("results")
    settings = {
        "PRETRAINED_WEIGHTS_DIR": weights_dir,
        "MQ_RAVSBENCH_DIR": BENCHMARK,
        "MQ_AUDITOR_CKPT_DIR": CKPT,
        "OUTPUT_DIR": output,
        "LORA_R": 4,
        "LORA_ALPHA": 8,
        "DEVICE": "cpu",
    }
    environment = {**os.environ, **{name: str(value) for name, value in settings.items()}}
    command = ["bash", "scripts/finetune/inference_hyper_lora.sh"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "F2-M %" in done.stdout and "written to" in done.stdout
    return output / "test_s_image_mask-all_rank-all"


def test_files_of_a_run(image_run):
    run = "image_mask-all_rank-all"
    names = {path.name for path in image_run.iterdir()}
    assert names == {f"predictions_{run}.jsonl", f"metrics_summary_{run}.json", "run.json", "report"}
    assert (image_run / "report/index.html").is_file()


def test_predictions_equal_the_references(image_run):
    golden_dir = END_TO_END / "test_s_image_mask-all_rank-all"
    expected = read_jsonl(golden_dir / "predictions_image_mask-all_rank-all.jsonl")
    uid = json.loads((END_TO_END / "run_image.json").read_text())["uid_kept"]
    ours = [row for row in read_jsonl(image_run / "predictions_image_mask-all_rank-all.jsonl") if row["uid"] == uid]
    assert len(ours) == len(expected)
    for mine, golden in zip(ours, expected, strict=True):
        for name, value in golden.items():
            if name == "raw_output":  # the old tokenizer put spaces around special tokens
                assert "".join(mine[name].split()) == "".join(value.split())
            else:
                assert mine[name] == value


def test_ids_equal_the_references(image_run):
    rows = {row["mask_path"]: row for row in read_jsonl(image_run / "predictions_image_mask-all_rank-all.jsonl")}
    for sample in golden_json("06_generation.json")["samples"]:
        if sample["eval_mode"] == "image":
            row = rows[sample["mask_path"]]
            assert row["generated_ids"] == sample["ids_max256"][1:]
            assert (row["vid"], row["frame_idx"]) == (sample["uid"].rsplit("_", 2)[0], sample["frame_idx"])


def test_columns_of_table_2(image_run):
    summary = json.loads((image_run / "metrics_summary_image_mask-all_rank-all.json").read_text())
    assert summary["samples"] == 31
    assert summary["columns"]["num_samples"]["cutout_hard"] == 2
    assert summary["bad_samples_skipped"] == {"count": 0, "problems": []}


def test_score_gives_the_same_summary(image_run, tmp_path):
    from scripts.evaluate.score import main as score

    run = "image_mask-all_rank-all"
    arguments = [
        str(image_run / f"predictions_{run}.jsonl"),
        "--eval_mode",
        "image",
        "--output",
        str(tmp_path / "m.json"),
    ]
    assert score(arguments) == 0
    summary = json.loads((image_run / f"metrics_summary_{run}.json").read_text())
    summary.pop("bad_samples_skipped")
    assert json.loads((tmp_path / "m.json").read_text()) == summary


def test_video_mode(quick_weights_dir, tmp_path):
    more = ("--eval_mode", "video", "--mask_type_filter", "cutout", "--mask_rank_filter", "1", "--max_new_tokens", "8")
    parts = ("--pretrained_weights_dir", str(quick_weights_dir), "--lora_r", "4", "--lora_alpha", "8")
    assert audit(CKPT, tmp_path, *more, *parts, "--iou", "expected") == 0
    folder = tmp_path / "test_s_video_mask-cutout_rank-1"
    file = folder / "predictions_video_mask-cutout_rank-1.jsonl"
    said = [one.said.iou for one in with_expected_ious(read_predictions(file), Scaling(), file)]
    assert len(said) == 20 and [row["pred_iou"] for row in read_jsonl(file)] == said
    metrics = json.loads((folder / "metrics_summary_video_mask-cutout_rank-1.json").read_text())
    assert metrics["iou_scored"] == "expected" and metrics["calibration"] is None
    assert [
        row["frame_num"] for row in read_jsonl(folder / "predictions_video_avg_video_mask-cutout_rank-1.jsonl")
    ] == [10, 10]


def test_video_mode_equals_the_references(released, weights_dir, tmp_path, monkeypatch):
    golden = END_TO_END / "test_s_video_mask-cutout_rank-1"
    uid = json.loads((END_TO_END / "run_video.json").read_text())["uid_kept"]

    def read_one(*args):
        benchmark = read_test(*args)
        return dataclasses.replace(benchmark, samples=[s for s in benchmark.samples if s.uid == uid])

    monkeypatch.setattr(AuditorBundle, "from_pretrained", lambda *_: released)
    monkeypatch.setattr(split_audit, "read_test", read_one)
    more = ("--eval_mode", "video", "--mask_type_filter", "cutout", "--mask_rank_filter", "1")
    assert audit(CKPT, tmp_path, "--pretrained_weights_dir", str(weights_dir), *more) == 0
    ours = read_jsonl(tmp_path / golden.name / "predictions_video_mask-cutout_rank-1.jsonl")
    expected = read_jsonl(golden / "predictions_video_mask-cutout_rank-1.jsonl")
    assert [{k: r[k] for k in e if k != "raw_output"} for r, e in zip(ours, expected, strict=True)] == [
        {k: v for k, v in e.items() if k != "raw_output"} for e in expected
    ]


def test_features_from_a_folder_give_the_same_answers(quick_weights_dir, tmp_path, monkeypatch):
    parts = ("--pretrained_weights_dir", str(quick_weights_dir), "--lora_r", "4", "--lora_alpha", "8")
    more = (*parts, "--mask_type_filter", "merge", "--max_new_tokens", "12")
    kept = ("--feature_cache_dir", str(tmp_path / "features"))
    assert audit(CKPT, tmp_path / "plain", *more) == 0
    assert audit(CKPT, tmp_path / "first", *more, *kept) == 0
    monkeypatch.setattr("models.auditor.auditor.Auditor.encode_images", lambda *_: pytest.fail("seen again"))
    assert audit(CKPT, tmp_path / "second", *more, *kept) == 0
    name = "test_s_image_mask-merge_rank-all/predictions_image_mask-merge_rank-all.jsonl"
    answers = {(tmp_path / run / name).read_text() for run in ("plain", "first", "second")}
    assert len(answers) == 1


def test_an_interrupted_run_goes_on(quick_weights_dir, tmp_path, monkeypatch):
    parts = ("--pretrained_weights_dir", str(quick_weights_dir), "--lora_r", "4", "--lora_alpha", "8")
    more = (*parts, "--mask_type_filter", "merge", "--max_new_tokens", "4", "--batch_size", "2")
    real, calls = tensor_answerer.write_answers, []

    def break_at_third(*args):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return real(*args)

    monkeypatch.setattr(tensor_answerer, "write_answers", break_at_third)
    assert audit(CKPT, tmp_path, *more) == 130
    monkeypatch.setattr(tensor_answerer, "write_answers", lambda *a: calls.append(1) or real(*a))
    assert audit(CKPT, tmp_path, *more, "--max_memory_gb", "8", "--draft_answers", "false") == 0
    assert len(calls) == 3 + 1  # five masks by twos: two batches were kept, one was left
    folder = tmp_path / "test_s_image_mask-merge_rank-all"
    assert len(read_jsonl(folder / "predictions_image_mask-merge_rank-all.jsonl")) == 5
    assert not list(folder.glob("*.partial"))


def test_bad_samples_can_be_skipped_and_are_counted(quick_weights_dir, tmp_path, capsys):
    root = shutil.copytree(BENCHMARK, tmp_path / "MQ-RAVSBench", copy_function=shutil.copyfile)
    (root / "masks/test_s/tC3_0_2/merge_2.png").unlink()
    parts = ("--pretrained_weights_dir", str(quick_weights_dir), "--lora_r", "4", "--lora_alpha", "8")
    more = (*parts, "--data_dir", str(root), "--mask_type_filter", "merge", "--max_new_tokens", "2")
    assert audit(CKPT, tmp_path, *more) == 2
    assert "merge_2.png: no such mask file" in capsys.readouterr().err
    assert audit(CKPT, tmp_path, *more, "--on_bad_sample", "skip") == 0
    summary = json.loads(next(tmp_path.rglob("metrics_summary*")).read_text())
    assert summary["samples"] == 4 and summary["bad_samples_skipped"]["count"] == 1


def test_an_interrupted_run_over_other_masks_starts_afresh(quick_weights_dir, tmp_path, monkeypatch):
    """Answers are kept by position: a mask that was bad and is mended in between would shift them."""
    root = shutil.copytree(BENCHMARK, tmp_path / "MQ-RAVSBench", copy_function=shutil.copyfile)
    mask = root / "masks/test_s/tC3_0_2/merge_1.png"
    mask.rename(tmp_path / "merge_1.png")
    parts = ("--pretrained_weights_dir", str(quick_weights_dir), "--lora_r", "4", "--lora_alpha", "8")
    more = (
        *parts,
        "--data_dir",
        str(root),
        "--mask_type_filter",
        "merge",
        "--max_new_tokens",
        "2",
        "--batch_size",
        "1",
    )
    more = (*more, "--on_bad_sample", "skip")
    real, calls = tensor_answerer.write_answers, []

    def break_at_third(*args):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return real(*args)

    monkeypatch.setattr(tensor_answerer, "write_answers", break_at_third)
    assert audit(CKPT, tmp_path, *more) == 130
    (tmp_path / "merge_1.png").rename(mask)
    monkeypatch.setattr(tensor_answerer, "write_answers", real)
    assert audit(CKPT, tmp_path, *more) == 0
    rows = read_jsonl(next(tmp_path.rglob("predictions_image_mask-merge_rank-all.jsonl")))
    assert len(rows) == 5 and len({row["mask_path"] for row in rows}) == 5


def test_earlier_results_are_kept(quick_weights_dir, tmp_path):
    parts = ("--pretrained_weights_dir", str(quick_weights_dir), "--lora_r", "4", "--lora_alpha", "8")
    for limit in ("2", "3"):
        assert audit(CKPT, tmp_path, *parts, "--mask_type_filter", "perfect", "--max_new_tokens", limit) == 0
    folder = tmp_path / "test_s_image_mask-perfect_rank-all"
    rows = {
        place: read_jsonl(place / "predictions_image_mask-perfect_rank-all.jsonl")
        for place in (folder, folder / "previous")
    }
    assert [len(row["generated_ids"]) for row in rows[folder]] == [3, 3]
    assert [len(row["generated_ids"]) for row in rows[folder / "previous"]] == [2, 2]


def test_record_log_of_another_run_starts_afresh(tmp_path):
    path = tmp_path / "x.partial"
    RecordLog(path, {"run": 1}).add([{"a": 1}])
    path.write_text(path.read_text() + '{"torn')
    assert RecordLog(path, {"run": 1}).records == [{"a": 1}]
    assert RecordLog(path, {"run": 2}).records == []


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (("--mask_type_filter", "banana"), "mask type filter: expected all or one of"),
        (("--auditor_dir", "absent"), "auditor absent: no such folder"),
        (("--beats_path", "absent.pt"), "--beats_path: expected absent.pt, got nothing there"),
        (("--device", "tpu"), "--device: expected cpu or cuda:N, got 'tpu'"),
        (("--data_dir", "absent"), "benchmark folder absent: no such folder"),
        (("--test_name", "test_u"), "test_u_image_filtered.json: no such file"),
    ],
)
def test_wrong_input_ends_with_one_sentence(quick_weights_dir, tmp_path, capsys, more, sentence):
    assert audit(CKPT, tmp_path, "--pretrained_weights_dir", str(quick_weights_dir), *more) == 2
    complaint = capsys.readouterr().err.strip().splitlines()[-1]
    assert complaint.startswith("inference: ") and sentence in complaint
