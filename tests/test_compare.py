"""Runs side by side: exact rows of scripted servers, the same masks or a refusal, intervals, ensembles, tables."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from dataset.benchmark.annotations import read_test
from scripts.baselines.message import chat_body
from scripts.baselines.question import Asking
from scripts.evaluate.baseline import main as ask
from scripts.evaluate.compare import main
from scripts.evaluate.results import requests_of
from tests.conftest import BENCHMARK
from tests.fake_server import completion, digest, serving
from utils.audit import Audit, normalize_action
from utils.mask_types import PAPER_COLUMNS, PAPER_TYPES
from utils.prediction import Prediction
from utils.records import read_predictions
from utils.scores.columns import METRICS, column_name, compute_columns
from utils.scores.paired import column_averages, paired_differences
from utils.scores.published import published_rows
from utils.scores.quality import contradictions, iou_quality
from utils.scores.together import area_row, ensemble
from utils.whole_files import write_jsonl

RUN = "test_s_image_mask-all_rank-all"
OF_THE_PROBE = 0, Audit("perfect", 1.0, "accept")  # its questions, in which a medium is missing, are about no mask
PREDICTIONS = "predictions_image_mask-all_rank-all.jsonl"


def say(audit: Audit) -> str:
    return (
        f"<audit>The IoU with GT is <iou> {audit.iou!r} </iou>, its mask type belongs to <mask> {audit.mask_type}"
        f" </mask>, and the recommended action is <action> {audit.action} </action>.</audit>"
    )


def noisy(audit: Audit, number: int) -> Audit:
    """Wrong in a way that can be calculated: every third type is the next one, every IoU is off by 0.05 or 0.1."""
    if audit.mask_type not in PAPER_TYPES:
        return audit
    wrong = PAPER_TYPES[(PAPER_TYPES.index(audit.mask_type) + 1) % len(PAPER_TYPES)]
    off = 0.05 if number % 2 else 0.1
    iou = audit.iou - off if audit.iou >= 0.5 else audit.iou + off
    return Audit(wrong if number % 3 == 0 else audit.mask_type, iou, "accept" if number % 4 == 0 else audit.action)


@pytest.fixture(scope="module")
def truths() -> dict[str, tuple[int, Audit]]:
    """Digest of the question about each mask -> its number, and what is true of it."""
    table = {}
    for number, request in enumerate(requests_of(read_test(BENCHMARK, "test_s", "image"))):
        body = json.loads(chat_body("any", Asking().turns(request), "pictures", {}))
        audit = request.candidate.audit
        table[digest(body["messages"])] = number, replace(audit, action=normalize_action(audit.action))
    return table


@pytest.fixture(scope="module")
def runs(truths, tmp_path_factory) -> dict[str, str]:
    """Name of a scripted server -> the folder of the run that has asked it."""
    scripts = {
        "oracle": lambda number, audit: say(audit),
        "perfect": lambda number, audit: say(Audit("perfect", 1.0, "accept")),
        "noisy": lambda number, audit: say(noisy(audit, number)),
        "refusing": lambda number, audit: completion(None, refusal="No.") if number % 2 else say(audit),
    }
    folders = {}
    for name, script in scripts.items():
        folder = tmp_path_factory.mktemp(name)
        media = ["--media", "video", "frame", "mask"] if name == "perfect" else []

        def answer(body, script=script):
            return script(*truths.get(digest(body["messages"]), OF_THE_PROBE))

        with serving(answer=answer) as one:
            flags = ["--server", one.url, "--model", name, *media]
            assert ask([*flags, "--data_dir", str(BENCHMARK), "--output_dir", str(folder)]) == 0
        folders[name] = str(folder / RUN)
    return folders


def compared(tmp_path, *words: str) -> dict:
    assert main([*words, "--output", str(tmp_path)]) == 0
    return json.loads((tmp_path / "comparison.json").read_text())


def expected_columns(truths, script) -> dict[str, dict[str, float]]:
    """RMSE and F2 of each column, calculated from the definitions: inside a column only its type is true."""
    expected = {metric: {} for metric in METRICS}
    pairs = [
        (request.candidate, number)
        for number, request in enumerate(requests_of(read_test(BENCHMARK, "test_s", "image")))
    ]
    for mask_type, level in PAPER_COLUMNS["image"]:
        rank = {"all": None, "hard": 1, "medium": 2}[level]
        own = [(c.audit, n) for c, n in pairs if c.audit.mask_type == mask_type and rank in (None, c.rank)]
        if own:
            said = [(audit, script(audit, number)) for audit, number in own]
            recall = sum(s.mask_type == mask_type for _, s in said) / len(said)
            name = column_name(mask_type, level)
            expected["rmse"][name] = (sum((s.iou - a.iou) ** 2 for a, s in said) / len(said)) ** 0.5
            expected["f2_mask_type"][name] = 100 * 5 * recall / (4 + recall)
    return expected


def test_scripted_servers_give_the_rows_that_arithmetic_says(runs, truths, tmp_path):
    words = [runs["oracle"], runs["perfect"], runs["noisy"], "--data_dir", str(BENCHMARK), "--resamples", "5"]
    content = compared(tmp_path, *words)
    columns = content["columns"]
    assert columns["oracle"]["rmse"]["avg"] == 0
    assert columns["oracle"]["f2_mask_type"]["avg"] == columns["oracle"]["f2_action"]["avg"] == 100
    assert columns["perfect"] == columns["always perfect"]
    expected = expected_columns(truths, lambda audit, number: noisy(audit, number))
    for metric in ("rmse", "f2_mask_type"):
        got = {name: value for name, value in columns["noisy"][metric].items() if name in expected[metric]}
        assert got == pytest.approx(expected[metric])
    rows = {"ensemble of 3", "always full_neg", "class priors", "mean IoU", "mask area alone"}
    assert rows < set(columns) and content["published"] == {}
    text = (tmp_path / "comparison.md").read_text()
    assert "| perfect | " in text and "sound" in text.rpartition("## Replies")[2]


def test_replies_are_counted(runs, tmp_path):
    content = compared(tmp_path, runs["refusing"], runs["oracle"], "--resamples", "0")
    replies = content["replies"]["refusing"]["replies"]
    assert replies["refused"] + replies["answered"] == content["masks"] and replies["refused"] == content["masks"] // 2
    unreadable = content["levels"]["refusing"]["iou"]["unreadable"]
    assert unreadable == pytest.approx(replies["refused"] / content["masks"])
    levels = content["levels"]["oracle"]["mask_type"]
    assert levels["alias"] == pytest.approx(1 - 1 / content["masks"])  # one mask is null, unknown to the prompt
    assert levels["unreadable"] == pytest.approx(1 / content["masks"])
    assert content["replies"]["oracle"]["tokens"]["output"] == 50


def test_the_same_masks_or_a_refusal(runs, tmp_path, capsys):
    lines = Path(runs["oracle"], PREDICTIONS).read_text().splitlines()
    fewer = tmp_path / "fewer" / PREDICTIONS
    write_jsonl(fewer, [json.loads(line) for line in lines[1:]])
    assert main([runs["oracle"], f"fewer={fewer}", "--output", str(tmp_path)]) == 2
    assert "oracle: expected the same masks for all runs" in capsys.readouterr().err
    content = compared(tmp_path, runs["oracle"], f"fewer={fewer}", "--common", "--resamples", "0")
    assert content["masks"] == len(fewer.read_text().splitlines())
    changed = [json.loads(line) | {"gt_iou": 0.123} for line in fewer.read_text().splitlines()]
    write_jsonl(fewer, changed)
    assert main([runs["oracle"], f"fewer={fewer}", "--common", "--output", str(tmp_path)]) == 2
    assert "expected the same truth" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["{oracle}", "{oracle}"], "expected another name for each run"),
        (["{oracle}", "{noisy}", "--ensemble", "nobody"], "--ensemble: expected names of runs"),
        (["{oracle}/.."], "expected one file predictions_"),
        (["none.jsonl"], "none.jsonl: expected a JSON lines file"),
    ],
)
def test_refusals(words, sentence, runs, tmp_path, capsys):
    assert main([*(word.format(**runs) for word in words), "--output", str(tmp_path)]) == 2
    assert sentence in capsys.readouterr().err


def test_whole_videos_by_seed(runs, tmp_path):
    videos = {p.vid for p in read_predictions(f"{runs['oracle']}/{PREDICTIONS}")}
    content = compared(tmp_path, runs["oracle"], runs["noisy"], "--max_videos", "1", "--resamples", "0")
    counts = [sum(p.vid == vid for p in read_predictions(f"{runs['oracle']}/{PREDICTIONS}")) for vid in videos]
    assert content["masks"] in counts and len(videos) > 1


def made(uid: str, said: Audit, true: Audit, rank: int | None = 1) -> Prediction:
    return Prediction(uid, true, said, "", vid=uid, rank=rank)


RIGHT, WRONG = Audit("merge", 0.5, "reject"), Audit("perfect", 1.0, "accept")


def test_paired_differences():
    """With equal errors in every video each draw has the same difference; the first run is subtracted."""
    masks = [made(f"v{n}", RIGHT, RIGHT) for n in range(6)]
    worse = [replace(p, said=WRONG) for p in masks]
    got = paired_differences({"right": masks, "wrong": worse}, "image", resamples=20)
    assert set(got) == {"wrong"}
    assert got["wrong"]["rmse"] == pytest.approx({"difference": 0.5, "low": 0.5, "high": 0.5})
    assert got["wrong"]["f2_mask_type"] == pytest.approx({"difference": -100.0, "low": -100.0, "high": -100.0})
    half = [*masks[:3], *worse[3:]]
    interval = paired_differences({"right": masks, "half": half}, "image", resamples=200)["half"]["rmse"]
    assert interval["low"] < interval["difference"] < interval["high"]
    assert column_averages(half, "image")["rmse"] == compute_columns(half, "image")["rmse"]["avg"]


def test_an_ensemble_takes_means_and_majorities():
    said = [Audit("merge", 0.2, "reject"), Audit("cutout", 0.4, None), Audit("cutout", None, "accept")]
    runs = {str(n): [made("u", audit, RIGHT)] for n, audit in enumerate(said)}
    assert ensemble(runs)[0].said == Audit("cutout", pytest.approx(0.3), "reject")
    nothing = {"a": [made("u", Audit(None, None, None), RIGHT)]}
    assert ensemble(nothing)[0].said == Audit(None, None, None)


def test_the_area_alone_answers_as_masks_of_that_area_are():
    train = [(0.01 * n, RIGHT if n < 50 else WRONG) for n in range(100)]
    asked = [made("u", WRONG, RIGHT)] * 3
    assert [p.said for p in area_row(asked, [0.0, 0.3, 5.0], train)] == [RIGHT, RIGHT, WRONG]


def test_quality_of_ious_and_contradictions():
    said = [(0.9, 1.0), (0.5, 0.6), (None, 0.3), (0.1, 0.0)]
    masks = [made("u", Audit("merge", s, "reject"), Audit("merge", t, "reject")) for s, t in said]
    got = iou_quality(masks)
    assert got == pytest.approx({"share": 0.75, "rmse": 0.1, "mae": 0.1, "rank_correlation": 1.0})
    assert contradictions(masks) == pytest.approx(1 / 3)  # 0.9 is not to be rejected
    assert contradictions([made("u", Audit("perfect", 1.0, "accept"), RIGHT)]) == 0
    assert contradictions([made("u", Audit("cutout", 1.0, "accept"), RIGHT)]) == 1
    assert contradictions([]) is None and iou_quality([])["rmse"] is None


def test_all_published_rows():
    rows = published_rows("test_s", "image")
    assert list(rows)[-1] == "MQ-Auditor" and rows["Gemini-3-Flash-Preview"]["rmse"]["avg"] == 0.326
    assert list(published_rows("test_u", "video")) == ["MQ-Auditor"]
