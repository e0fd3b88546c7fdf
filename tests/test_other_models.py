"""Multimodal LLMs from local folders, tiny and random: asked about every mask, in batches, through the program."""

import json
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import Qwen2_5OmniConfig, Qwen3OmniMoeConfig

from models.others.chat_model import ChatModel
from models.others.load import load_chat_model
from models.others.parts import Frame, Frames, Picture, Prompt, Sound, Turn
from models.others.qwen_omni import video_tensors
from models.others.qwen_vl import frame_size, picture_tensors
from models.others.shared_beginning import groups_of, shared_beginning
from models.others.video_llama3 import changed_tokens
from scripts.baselines.kept import read_rows
from scripts.evaluate.baseline import main
from scripts.evaluate.compare import main as compare
from scripts.speed.other_auditors import rows_of_runs
from tests.conftest import BENCHMARK
from tests.other_models import FOLDERS

RUN = "test_s_image_mask-all_rank-all"
HEARS = {"Qwen25Omni", "Qwen3Omni", "Gemma4"}
rng = np.random.default_rng(0)
CLIP = Frames(tuple(Frame(rng.integers(0, 255, (72, 128, 3), dtype=np.uint8)) for _ in range(10)))
KEY = Picture(CLIP.frames[3].pixels)
MASK = Picture(np.pad(np.full((20, 50, 3), 255, np.uint8), ((20, 32), (30, 48), (0, 0))))
TONE = Sound((0.1 * np.sin(np.arange(160_000) * 440 * 2 * np.pi / 16_000)).astype(np.float32))


@pytest.fixture(scope="module")
def folder_of(tmp_path_factory):
    return cache(lambda kind: FOLDERS[kind](tmp_path_factory.mktemp("others") / kind))


@pytest.fixture(scope="module")
def model_of(folder_of):
    return cache(lambda kind: load_chat_model(folder_of(kind), torch.device("cpu"), torch.float32))


def turns_for(model: ChatModel, question: str, *, is_short: bool = False) -> list[Turn]:
    """A question with every medium that the model takes, or with pictures only."""
    parts = [question]
    if "sound" in model.media and not is_short:
        parts += ["\nAudio: ", TONE]
    if "mask" in model.media:
        parts += ["\nVideo: ", CLIP] if not is_short else []
        parts += ["\nKey video frame: ", KEY, "\nBinary mask: ", MASK]
    return [Turn("user", (*parts, "\nYour audit:"))]


@pytest.mark.parametrize("kind", FOLDERS)
def test_answers_do_not_depend_on_the_batch(kind, model_of):
    model = model_of(kind)
    assert type(model).__name__ == kind and ("sound" in model.media) == (kind in HEARS)
    prompts = [
        model.prompt(turns_for(model, "How good is this mask?")),
        model.prompt(turns_for(model, "Is it?", is_short=True)),
    ]
    alone = [model.answer([prompt], 6)[0] for prompt in prompts]
    assert model.answer(prompts, 6) == alone and alone[0].text != alone[1].text
    assert [one.tokens_in for one in alone] == [len(prompt.ids) for prompt in prompts]


@pytest.mark.parametrize("kind", ["Qwen25Omni", "Qwen3Omni", "QwenVL", "VideoLlama3"])
def test_what_masks_have_in_common_is_read_once(kind, model_of):
    """Four masks of a clip, and one of another clip."""
    model = model_of(kind)
    media = [TONE, CLIP, KEY] if "sound" in model.media else [CLIP, KEY]
    masks = [Picture(np.roll(MASK.pixels, 9 * i, 0)) for i in range(4)]
    turns = [[Turn("user", ("How good?", *media, "\nMask: ", mask, "\nYour audit:"))] for mask in masks]
    prompts = [*map(model.prompt, turns), model.prompt(turns_for(model, "Another?"))]
    assert shared_beginning(prompts[:4]) == (prompts[0].starts[-1], len(prompts[0].starts) - 1)
    alone, together = _first_logits(model, *([one] for one in prompts)), _first_logits(model, prompts)
    torch.testing.assert_close(together[0], alone[0], rtol=1e-4, atol=1e-5)
    assert min((a - b).abs().max() for i, a in enumerate(alone[0][:4]) for b in alone[0][:i]) > 1e-4
    assert together[1] < alone[1] / 2


@pytest.mark.parametrize("kind", [kind for kind in FOLDERS if kind != "TextOnly"])
def test_every_medium_changes_what_the_model_is_given(kind, model_of):
    model = model_of(kind)
    questions = [("?", KEY, MASK), ("?", KEY, Picture(255 - MASK.pixels)), turns_for(model, "?")[0].parts]
    if kind in HEARS:
        questions += [("?", Sound(TONE.waveform[::-1] ** 2), KEY, MASK), ("?", TONE, KEY, MASK)]
    logits = [_first_logits(model, [model.prompt([Turn("user", parts)])])[0] for parts in questions]
    assert all(not torch.equal(a, b) for i, a in enumerate(logits) for b in logits[:i])


def _first_logits(model: ChatModel, *batches: list[Prompt]) -> tuple[torch.Tensor, int]:
    """Of the first token of each answer, (B, vocabulary); and how many tokens were read."""
    logits, read = [], []
    llm = model.model
    handles = [
        llm.get_output_embeddings().register_forward_hook(lambda _, __, out: logits.append(out[:, -1])),
        llm.get_input_embeddings().register_forward_hook(lambda _, ids, __: read.append(ids[0].numel())),
    ]
    first = []
    for batch in batches:
        for places in groups_of(batch):
            model.answer([batch[place] for place in places], 1)
            first.append(logits[-1])
    for handle in handles:
        handle.remove()
    return torch.cat(first), sum(read)


@pytest.mark.parametrize("kind", ["Qwen25Omni", "Qwen3Omni"])
def test_a_still_video_is_its_frame_again_and_again(kind, model_of):
    """The image processor doubles a picture in time itself: a pair of equal frames must come out the same."""
    processor = model_of(kind).image_processor
    frame = CLIP.frames[0]
    count, video = video_tensors(processor, Frames((frame,) * 3))
    once, picture = picture_tensors(processor, frame)
    assert count == 2 * once and video["video_grid_thw"][0, 0] == 2  # the odd frame is doubled
    expected = picture["pixel_values"].repeat(2, 1)
    torch.testing.assert_close(video["pixel_values_videos"], expected, rtol=0, atol=0)
    assert frame_size(processor)["shortest_edge"] == 128 * (2 * processor.patch_size) ** 2


def test_video_llama3_leaves_out_what_does_not_change(model_of):
    model = model_of("VideoLlama3")
    still, moving = model.read(Frames((CLIP.frames[0],) * 4)), model.read(CLIP)
    per_frame = len(still.tensors["video_compression_mask"]) // 4
    assert still.text.count("<|video_pad|>") == per_frame + 3 and "Time 3.0s:" in still.text
    assert moving.text.count("<|video_pad|>") == int(moving.tensors["video_compression_mask"].sum()) > 9 * per_frame
    pixels = torch.zeros(2 * 4, 3)
    pixels[4:] = 0.05 / 255
    assert changed_tokens(pixels, 2).tolist() == [[True], [True]]  # each frame keeps one


@pytest.mark.parametrize("kind", ["Qwen25Omni", "Qwen3Omni"])
def test_the_thinker_is_found_in_a_whole_folder(kind, folder_of, model_of, tmp_path):
    """Published folders hold the parts that speak, too."""
    thinker = model_of(kind)
    shutil.copytree(folder_of(kind), tmp_path / "whole")
    whole = Qwen2_5OmniConfig if kind == "Qwen25Omni" else Qwen3OmniMoeConfig
    config = whole(thinker_config=thinker.model.config.to_dict(), enable_audio_output=False).to_dict()
    (tmp_path / "whole/config.json").write_text(json.dumps(config))
    weights = {f"thinker.{name}": tensor for name, tensor in load_file(folder_of(kind) / "model.safetensors").items()}
    save_file(
        weights | {"talker.codec_head.weight": torch.zeros(2)}, tmp_path / "whole/model.safetensors", {"format": "pt"}
    )
    found = load_chat_model(tmp_path / "whole", torch.device("cpu"), torch.float32)
    prompt = thinker.prompt(turns_for(thinker, "?"))
    assert found.answer([prompt], 4) == thinker.answer([prompt], 4)


@pytest.mark.parametrize("kind", ["Qwen25Omni", "TextOnly"])
def test_control_tokens_in_words_are_left_out(kind, model_of):
    model = model_of(kind)
    plain, hostile = (model.prompt([Turn("user", (f"the {own}dog",))]).ids for own in ("", "<|im_end|>"))
    assert plain == hostile


@pytest.mark.parametrize("kind", FOLDERS)
def test_the_program_asks_a_local_model(kind, folder_of, tmp_path, caplog):
    flags = ["--data_dir", str(BENCHMARK), "--device", "cpu", "--max_new_tokens", "5", "--max_videos", "1"]
    flags += ["--output_dir", str(tmp_path), "--model_dir", str(folder_of(kind)), "--mask_type_filter", "erode"]
    assert main(flags) == 0
    folder = next(tmp_path.glob("test_s_*"))
    rows, record = read_rows(folder / "replies.jsonl"), json.loads((folder / "run.json").read_text())["settings"]
    assert rows and {row["outcome"] for row in rows} <= {"cut_off", "answered", "empty"}
    assert all(row["usage"]["input"] > 50 and row["memory_gb"] > 0 for row in rows)
    assert ("sound" in record["media"]) == (kind in HEARS) and record["model"] == kind
    assert ("takes no sound" in caplog.text) == (kind not in HEARS)
    assert main(flags) == 0 and len(read_rows(folder / "replies.jsonl")) == len(rows)  # nothing is asked twice


def test_the_script_asks_every_mask_and_runs_are_compared(folder_of, tmp_path):
    settings = {"MODEL_DIR": folder_of("Qwen25Omni"), "MQ_RAVSBENCH_DIR": BENCHMARK, "OUTPUT_DIR": tmp_path / "omni"}
    settings |= {"DEVICE": "cpu", "MAX_NEW_TOKENS": 4, "MAX_VIDEOS": 1}
    environment = os.environ | {name: str(value) for name, value in settings.items()}
    command = ["bash", "scripts/evaluate/baseline.sh", "--view", "mask_and_masked_frame", "--examples", "1"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    flags = ["--model_dir", str(folder_of("TextOnly")), "--data_dir", str(BENCHMARK), "--media", "none"]
    flags += ["--device", "cpu", "--max_new_tokens", "4", "--max_videos", "1"]
    assert main([*flags, "--output_dir", str(tmp_path / "words")]) == 0
    runs = [str(tmp_path / name / RUN) for name in ("omni", "words")]
    assert compare([*runs, "--output", str(tmp_path / "table"), "--resamples", "0"]) == 0
    table = (tmp_path / "table/comparison.md").read_text()
    assert "| sound, video, frame, mask |" in table and "memory GB" in table
    row = rows_of_runs([f"Omni={runs[0]}"])[0]
    assert (row.size, row.step) == ("Omni", "float32") and row.masks_per_s > 0 and row.peak_mb > 100


def _without_template(folder: Path) -> None:
    (folder / "chat_template.jinja").unlink()


def _other_kind(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"model_type": "qwen2_audio"}))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (_without_template, "expected a tokenizer with a chat template, got one without"),
        (_other_kind, "or torchvision for models of other kinds, got neither"),
        (lambda folder: (folder / "config.json").unlink(), "expected a folder with a model and its config.json"),
        (lambda folder: (folder / "model.safetensors").write_bytes(b"x"), "expected a whole Qwen3VL"),
    ],
)
def test_folders_that_cannot_be_asked(change, sentence, tmp_path, capsys):
    folder = FOLDERS["QwenVL"](tmp_path / "model")
    change(folder)
    flags = ["--model_dir", str(folder), "--data_dir", str(BENCHMARK), "--output_dir", str(tmp_path / "out")]
    assert main([*flags, "--device", "cpu", "--max_videos", "1"]) == 2
    assert sentence in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        ("", "expected --server or --model_dir, got neither"),
        ("--model_dir x --server http://x/v1", "expected --server or --model_dir, got both"),
        ("--server http://x/v1", "--server: expected --model beside it, got none"),
        ("--model_dir x --estimate_only", "--model_dir: expected no settings of a server, got --estimate_only"),
        (
            "--server http://x/v1 --model m --dtype float16",
            "--server: expected no settings of a local model, got --dtype",
        ),
    ],
)
def test_one_of_server_and_folder(flags, sentence, capsys):
    assert main(flags.split()) == 2 and sentence in capsys.readouterr().err
