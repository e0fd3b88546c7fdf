"""Added tokens that take over the ids of ordinary words, as the coordinates of Rex-Omni's published folder do."""

import json

import numpy as np
import pytest
import torch
from tokenizers import pre_tokenizers

from models.segmenting.boxes import Box
from models.segmenting.chat_tokenizer import load_chat_tokenizer
from models.segmenting.qwen import load_qwen
from models.segmenting.rex_omni import RexOmniGrounder
from tests.object_models import CHAT_TOKENS, save_qwen

LETTERS = sorted(pre_tokenizers.ByteLevel.alphabet())
COORDINATES = ["<0>", "<333>", "<999>"]
QWEN_TOKENS = ["<|endoftext|>", *CHAT_TOKENS]
MARKS = ["<|object_ref_start|>", "<|object_ref_end|>", "<|box_start|>", "<|box_end|>"]
IMAGE = np.random.default_rng(0).integers(0, 255, (70, 110, 3), dtype=np.uint8)


def write_tokenizer(folder, words, merges, added):
    """The files that Rex-Omni's folder has: no tokenizer.json, and ids in tokenizer_config.json alone."""
    (folder / "tokenizer.json").unlink(missing_ok=True)
    (folder / "config.json").exists() or (folder / "config.json").write_text('{"model_type": "qwen2_5_vl"}')
    (folder / "vocab.json").write_text(json.dumps({word: i for i, word in enumerate(words)}))
    (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *merges]) + "\n")
    flags = {"lstrip": False, "normalized": False, "rstrip": False, "single_word": False, "special": True}
    settings = {
        "tokenizer_class": "Qwen2Tokenizer",
        "eos_token": "<|im_end|>",
        "pad_token": "<|im_end|>",
        "bos_token": None,
        "added_tokens_decoder": {str(i): {"content": token, **flags} for token, i in added.items()},
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    return folder


@pytest.fixture
def words_taken(tmp_path):
    """The last three of five merged words give way to coordinates."""
    merges = ["c a", "ca t", "d o", "do g", "dog s"]
    words = [*LETTERS, "ca", "cat", "do", "dog", "dogs"]
    added = {token: len(words) - 3 + i for i, token in enumerate([*COORDINATES, *QWEN_TOKENS])}
    return write_tokenizer(tmp_path, words, merges, added), added


def test_added_tokens_are_at_the_ids_of_the_folder(words_taken):
    folder, added = words_taken
    tokenizer = load_chat_tokenizer(folder)
    assert tokenizer.convert_tokens_to_ids(list(added)) == list(added.values())
    assert len(tokenizer) == max(added.values()) + 1
    assert tokenizer("<333><|im_end|>", add_special_tokens=False)["input_ids"] == [added["<333>"], added["<|im_end|>"]]
    assert tokenizer.decode([added["<0>"], added["<999>"]]) == "<0><999>"
    assert tokenizer.decode([added["<0>"]], skip_special_tokens=True) == ""
    assert (tokenizer.eos_token, tokenizer.pad_token) == ("<|im_end|>", "<|im_end|>")


def test_words_that_gave_way_are_spelled_in_shorter_ones(words_taken):
    tokenizer = load_chat_tokenizer(words_taken[0])
    assert tokenizer.tokenize("catdogs") == ["cat", *"dogs"]
    assert tokenizer.decode(tokenizer("cat dogs, é", add_special_tokens=False)["input_ids"]) == "cat dogs, é"


def test_other_tokenizers_stay_as_they_are(tmp_path):
    words, merges = [*LETTERS, "ca", "cat"], ["c a", "ca t"]
    added = {token: len(words) + i for i, token in enumerate(QWEN_TOKENS)}
    tokenizer = load_chat_tokenizer(write_tokenizer(tmp_path, words, merges, added))
    assert type(tokenizer).__name__ == "Qwen2Tokenizer" and tokenizer.tokenize("cat") == ["cat"]
    assert tokenizer.convert_tokens_to_ids(list(added)) == list(added.values())


def test_an_id_that_no_token_can_have(tmp_path):
    added = {token: len(LETTERS) + 7 + i for i, token in enumerate(QWEN_TOKENS)}
    with pytest.raises(
        ValueError, match=r"expected <\|endoftext\|> at id 263 as its tokenizer files say, got it at 256"
    ):
        load_chat_tokenizer(write_tokenizer(tmp_path, LETTERS, [], added))


def test_damaged_added_tokens(tmp_path):
    folder = write_tokenizer(tmp_path, LETTERS, [], {})
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    (folder / "tokenizer_config.json").write_text(json.dumps(settings | {"added_tokens_decoder": {"5": {}}}))
    with pytest.raises(ValueError, match="expected added tokens with their content and id, got one without"):
        load_chat_tokenizer(folder)


def test_the_tokenizer_of_another_model(tmp_path):
    save_qwen(tmp_path)
    added = {token: len(LETTERS) + i for i, token in enumerate(QWEN_TOKENS)}
    write_tokenizer(tmp_path, LETTERS, [], added)
    with pytest.raises(ValueError, match=r"expected <\|image_pad\|> at the config's id 260, got the tokenizer's 261"):
        load_qwen(tmp_path)


def test_boxes_come_out_of_coordinate_ids(tmp_path, monkeypatch):
    """From the ids that the model gives to boxes in pixels; the question reaches the model in ids that it has."""
    save_qwen(tmp_path)
    taken = [*COORDINATES, *MARKS]
    added = {token: len(LETTERS) - len(taken) + i for i, token in enumerate([*taken, *CHAT_TOKENS])}
    write_tokenizer(tmp_path, LETTERS, [], added)
    qwen = load_qwen(tmp_path)
    assert qwen.tokenizer.convert_tokens_to_ids("<|image_pad|>") == qwen.model.config.image_token_id
    assert isinstance(qwen(IMAGE, "What is this?", max_new_tokens=2), str)

    reply = "<|object_ref_start|>cat<|object_ref_end|><|box_start|><0><333><999><999><|box_end|><|im_end|>"
    answer = qwen.tokenizer(reply, return_tensors="pt", add_special_tokens=False)["input_ids"]
    monkeypatch.setattr(qwen.model, "generate", lambda input_ids, **_: torch.cat([input_ids, answer], dim=1))
    assert qwen(IMAGE, "cat?", keep_special_tokens=True) == reply.removesuffix("<|im_end|>")
    [box] = RexOmniGrounder(qwen)(IMAGE, ["cat"])
    assert box == Box("cat", pytest.approx((0, 70 / 3, 110, 70)))
