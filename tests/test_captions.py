"""Captions of pretraining: what is read, how it is worded, what is refused."""

import json

import av
import cv2
import numpy as np
import pytest
import soundfile

from dataset.batches.caption_dataset import spread_frames
from dataset.media.audio import read_seconds
from dataset.text.captions import read_audiocaps, read_visual_captions
from dataset.text.prompt import PromptEncoder
from models.auditor.build import load_tokenizer, part_path


def visual_list(tmp_path, entry) -> str:
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((8, 8, 3), np.uint8))
    (tmp_path / "list.json").write_text(json.dumps([entry]))
    return str(tmp_path / "list.json")


def entry(**changes) -> dict:
    return {"image": "a.png", "conversations": [{"value": "<image>\nwhat is there?"}, {"value": "a wheel"}]} | changes


def test_a_visual_caption(tmp_path):
    (caption,) = read_visual_captions(visual_list(tmp_path, entry()), tmp_path)
    assert (caption.medium, caption.question, caption.answer) == ("image", "what is there?", "a wheel")
    assert caption.path == tmp_path / "a.png"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"image": "b.png"}, "no such file"),
        ({"image": "../a.png"}, "leaves"),
        ({"image": 3}, "expected words"),
        ({"video": "a.mp4"}, "expected one of 'image' and 'video', got image and video"),
        ({"conversations": [{"value": "what?"}]}, "expected a question and an answer"),
        ({"conversations": [{"value": "what?"}, {"value": " "}]}, "answer: expected words"),
        ({"conversations": [{"value": "what?"}, {"value": "an <audit>"}]}, "got the reserved <audit>"),
    ],
)
def test_visual_captions_that_do_not_fit(tmp_path, changes, said):
    with pytest.raises(ValueError, match="entry 0") as error:
        read_visual_captions(visual_list(tmp_path, entry(**changes)), tmp_path)
    assert said in str(error.value)


def test_audiocaps(tmp_path):
    (tmp_path / "data").mkdir()
    soundfile.write(tmp_path / "data/7.wav", np.zeros(16000), 16000)
    (tmp_path / "train.json").write_text(json.dumps([{"audiocap_id": 7, "start_time": 3, "caption": "rain falls"}]))
    (caption,) = read_audiocaps(tmp_path / "train.json", tmp_path)
    assert caption.medium == "audio" and caption.question == "Please describe this audio."
    (tmp_path / "inside").mkdir()
    (tmp_path / "train.json").write_text(json.dumps([{"audiocap_id": "../../data/7", "caption": "rain falls"}]))
    with pytest.raises(ValueError, match="entry 0.*leaves"):
        read_audiocaps(tmp_path / "train.json", tmp_path / "inside")


@pytest.mark.parametrize(("content", "said"), [("[]", "an empty list"), ("{", "something else"), ('{"a": 1}', "dict")])
def test_lists_that_are_none(tmp_path, content, said):
    (tmp_path / "list.json").write_text(content)
    with pytest.raises(ValueError, match=rf"list\.json: expected .* got {said}"):
        read_visual_captions(tmp_path / "list.json", tmp_path)
    with pytest.raises(FileNotFoundError, match="nowhere"):
        read_audiocaps(tmp_path / "nowhere.json", tmp_path)


def test_the_last_second_is_filled_up(tmp_path):
    noise = np.random.default_rng(0).uniform(-0.1, 0.1, 16000 * 2 + 8000)
    soundfile.write(tmp_path / "a.wav", noise, 16000)
    soundfile.write(tmp_path / "b.wav", np.pad(noise, (0, 8000)), 16000)
    seconds = read_seconds(tmp_path / "a.wav")
    assert seconds.shape == (3, 98, 128)
    assert (seconds == read_seconds(tmp_path / "b.wav")).all()
    soundfile.write(tmp_path / "c.wav", np.zeros(0), 16000)
    with pytest.raises(ValueError, match="expected samples, got none"):
        read_seconds(tmp_path / "c.wav")


def test_frames_of_a_video_from_the_first_to_the_last(tmp_path):
    with av.open(str(tmp_path / "a.mp4"), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        for level in range(0, 200, 10):
            frame = av.VideoFrame.from_ndarray(np.full((64, 64, 3), level, np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    levels = [frame.mean() for frame in spread_frames(tmp_path / "a.mp4")]
    assert len(levels) == 8 and levels == sorted(levels)
    assert levels[0] < 10 and levels[-1] > 180
    (tmp_path / "b.mp4").write_text("no video")
    with pytest.raises(ValueError, match="expected video that can be decoded"):
        spread_frames(tmp_path / "b.mp4")


def test_the_words_of_a_caption(quick_args):
    tokenizer = load_tokenizer(part_path(quick_args, "llama_path"), "direct_ntp")
    prompts = PromptEncoder(tokenizer, tokens_per_item=2)
    with pytest.raises(ValueError, match="expected a chat template"):
        prompts.encode_caption("image", 1, "what is there?", "a wheel")
    tokenizer.chat_template = (
        "{{ bos_token }}[INST] <<SYS>>\n{{ messages[0]['content'] }}\n<</SYS>>\n\n{{ messages[1]['content'] }} [/INST]"
    )
    encoded = prompts.encode_caption("image", 1, "what is there?", "a wheel")
    text = tokenizer.decode(encoded["input_ids"])
    assert "<<SYS>>\nYou are a helpful assistant.\n<</SYS>>" in text
    assert text.count("<image>") == 2  # one image, two query tokens
    answer = encoded["input_ids"][encoded["labels"] != -100]
    assert tokenizer.decode(answer) == "a wheel. </s>"
    heard = prompts.encode_caption("audio", 3, "Please describe this audio.", "Rain!")
    assert tokenizer.decode(heard["input_ids"]).count("<audio>") == 6
    assert tokenizer.decode(heard["input_ids"][heard["labels"] != -100]) == "Rain! </s>"
