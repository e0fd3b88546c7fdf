"""Another auditor behind an API: what it is asked, and the program; no key in any file."""

import json
import logging
from pathlib import Path

import pytest

from dataset.benchmark.annotations import read_test
from dataset.text.others_prompt import EXPRESSION, FRAME, MASK, SOUND, VIDEO, others_prompt
from scripts.answering.answerer import AuditRequest
from scripts.baselines.question import Asking, Picture, Sound, Video
from scripts.evaluate.baseline import main
from tests.conftest import BENCHMARK
from tests.fake_server import KEY, completion, serving
from utils.records import read_predictions

RUN = "test_s_image_mask-all_rank-all"


@pytest.fixture(scope="module")
def request_of_the_benchmark() -> AuditRequest:
    sample = read_test(BENCHMARK, "test_s", "image").samples[0]
    return AuditRequest(sample, sample.candidates[0])


def test_the_question_is_the_papers_word_for_word(request_of_the_benchmark):
    parts = Asking().turns(request_of_the_benchmark)[0].parts
    kinds = [type(part) for part in parts]
    assert kinds == [str, Sound, str, Video, str, Picture, str, Picture, str]
    slots = {Sound: SOUND, Video: VIDEO}
    pictures = iter((FRAME, MASK))
    said = "".join(p if isinstance(p, str) else slots.get(type(p)) or next(pictures) for p in parts)
    assert said == others_prompt().replace(EXPRESSION, request_of_the_benchmark.sample.expression)


def test_a_medium_that_is_not_sent_is_not_announced(request_of_the_benchmark):
    whole = Asking("mask_and_masked_frame").turns(request_of_the_benchmark)[0].parts
    deaf = Asking("mask_and_masked_frame", ("video", "frame", "mask")).turns(request_of_the_benchmark)[0].parts
    assert [p for p in deaf if isinstance(p, Sound)] == [] and "Audio:" not in deaf[0]
    assert deaf[0] == whole[0].replace("Audio: ", "") + whole[2].removeprefix("\n")
    assert deaf[1:] == whole[3:]


def settings_of(server, tmp_path, *more: str) -> list[str]:
    flags = ["--server", server.url, "--model", "m/1", "--data_dir", BENCHMARK, "--output_dir", tmp_path / "out"]
    return [*map(str, flags), *more]


def folder_of(tmp_path) -> Path:
    return tmp_path / "out" / RUN


def test_program_asks_everything_once_and_only_what_is_missing(tmp_path, capsys, monkeypatch, caplog):
    """Also: no file and no line holds the key, and examples go before the question."""
    monkeypatch.setenv("FAKE_KEY", KEY)
    prices = tmp_path / "prices.yaml"
    prices.write_text("m/1: {input: 1.0, output: 10.0}\n")
    more = ["--key_variable", "FAKE_KEY", "--prices", str(prices), "--max_cost", "5"]
    with serving() as server, caplog.at_level(logging.DEBUG):
        assert main(settings_of(server, tmp_path, *more, "--estimate_only")) == 0 and server.bodies == []
        assert "USD" in capsys.readouterr().out
        assert main(settings_of(server, tmp_path, *more)) == 0
        first = capsys.readouterr()
        predictions = read_predictions(folder_of(tmp_path) / f"predictions_{RUN[7:]}.jsonl", "lenient")
        assert len(server.bodies) == len(predictions) + 5  # the probe asks five times
        assert {p.said.iou for p in predictions} == {0.81} and f"answered {len(predictions)}" in first.out
        asked = len(server.bodies)
        assert main(settings_of(server, tmp_path, *more)) == 0 and len(server.bodies) == asked
    written = "".join(path.read_text() for path in (tmp_path / "out").rglob("*") if path.is_file())
    assert KEY not in written + first.out + first.err + caplog.text
    record = json.loads((folder_of(tmp_path) / "run.json").read_text())["settings"]
    assert len(record["prompt_sha256"]) == 64 and record["level"] == "lenient"


def test_masks_without_a_reply_are_asked_again_by_the_next_start(server, tmp_path, capsys):
    flags = settings_of(server, tmp_path, "--most_tries", "1", "--at_once", "1")
    server.script = [completion(usage=None)] * 5 + [(422, {}, b"too big"), completion("", "length"), "cut"]
    server.script[:5] = [completion(usage={"prompt_tokens": n}) for n in (1000, 700, 700, 700, 700)]
    assert main(flags) == 2
    said = capsys.readouterr().err
    assert "2 of" in said and "have no reply" in said and not (folder_of(tmp_path) / "run.json").exists()
    asked = len(server.bodies)
    assert main(flags) == 0
    assert len(server.bodies) == asked + 2  # what the probe has found is kept, too
    assert main([*flags, "--ask_again", "cut_off"]) == 0
    assert len(server.bodies) == asked + 2 + 1


def test_dropped_media_are_noticed(tmp_path, capsys):
    with serving(deaf=("input_audio",)) as server:
        assert main(settings_of(server, tmp_path)) == 2 and len(server.bodies) == 5
        assert "drops sound" in capsys.readouterr().err
        assert main(settings_of(server, tmp_path, "--on_dropped_media", "mark", "--max_videos", "1")) == 0
    assert json.loads((folder_of(tmp_path) / "run.json").read_text())["settings"]["probe"]["dropped"] == ["sound"]


def test_whole_videos_are_drawn_and_examples_go_before(server, tmp_path):
    flags = settings_of(server, tmp_path, "--max_videos", "1", "--examples", "2", "--media", "frame", "mask")
    assert main(flags) == 0
    videos = {p.vid for p in read_predictions(folder_of(tmp_path) / f"predictions_{RUN[7:]}.jsonl")}
    assert len(videos) == 1
    roles = [message["role"] for message in server.bodies[-1]["messages"]]
    assert roles == ["user", "assistant"] * 2 + ["user"]


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        ("--server ftp://x", "--server: expected an address"),
        ("--server http://user:password@x", "--server: expected an address"),
        ("--server http://x/v1?key=abc", "--server: expected an address"),
        ("--server http://x --media sound", "--media: expected mask"),
        ("--model_dir x --batch_size -1", "--batch_size: expected at least 0"),
        ("--server http://x --max_cost 1", "--max_cost: expected --prices"),
        ("--server http://x --extra_body [1]", "--extra_body: expected a JSON object"),
        ("--server http://x --ask_again all", "--ask_again: expected refused"),
    ],
)
def test_settings_are_checked(flags, sentence, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--model", "m", *flags.split()])
    assert ended.value.code == 2 and sentence in capsys.readouterr().err
