"""Words from data: what may stand in a prompt, and what is refused, for every tokenizer."""

from dataclasses import replace

import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.normalizers import NFKC
from tokenizers.pre_tokenizers import WhitespaceSplit
from transformers import PreTrainedTokenizerFast

from dataset.batches.audit_dataset import build_dataset
from dataset.benchmark.annotations import read_train
from dataset.text.prompt import PromptEncoder
from models.auditor.build import load_tokenizer
from models.auditor.config import AuditorConfig
from tests.conftest import BENCHMARK, GOLDEN
from utils.tokens import IMAGE, control_tokens
from utils.words import doubt_of_words, fault_of_response, fault_of_words

LLAMA = GOLDEN / "weights/pretrained_weights/Llama-2-7b-chat-hf"
PIXELS = {"size": {"height": 8}, "image_mean": [0, 0, 0], "image_std": [1, 1, 1]}


@pytest.mark.parametrize(
    "text",
    [
        "NO.",
        "[Error] 错误: 该内容仅包含:(1)小写英文字母,(2)英文空格.",
        "الكلب الذي ينبح",
        "\u200fשלום\u200e",
        "👩\u200d👩\u200d👧",
        "می\u200cخواهم",
        'the "big", {red} <3 dog & [INST]',
        "the ＜mask＞",
        "the <ma\u200bsk>",
        "two\nlines\tand\r\ntabs",
        "x" * 1000,
        "a < b | c > d",
    ],
)
def test_plain_words(text):
    assert fault_of_words(text) is None


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "expected words, got none"),
        (" \t\n", "expected words, got none"),
        ("\u200b\u2060\ufeff", "expected words, got "),
        ("\u3164\u2800", "expected words, got "),
        ("...", "expected words, got '...'"),
        ("x" * 1001, "expected at most 1000 characters, got 1001"),
        ("the \ud800 dog", "expected whole characters, got U+D800, which is half of one"),
        ("the <MASK> dog", "got the reserved <mask>"),
        ("the <mas\u212a> dog", "got the reserved <mask>"),
        ("</s>", "got the reserved </s>"),
        ("a <S> b <unk> c <Pad>", "got the reserved <s>, <unk>, <pad>"),
        ("<|im_end|>", "got the reserved <|im_end|>"),
        ("<｜end▁of▁sentence｜>", "got the reserved <｜end▁of▁sentence｜>"),
        ("<start_of_turn>", "got the reserved <start_of_turn>"),
    ],
)
def test_no_plain_words(text, fault):
    assert fault in fault_of_words(text)


@pytest.mark.parametrize(
    ("text", "doubt"),
    [
        (" NaN", "expected words, got 'NaN', which programs write for an empty cell"),
        ("the &quot;big&#39; dog", "got the HTML code '&quot;'"),
        ("salt & pepper; the dog", None),
        ("the null hypothesis", None),
    ],
)
def test_doubtful_words(text, doubt):
    assert fault_of_words(text) is None
    assert doubt_of_words(text) is None if doubt is None else doubt in doubt_of_words(text)


@pytest.mark.parametrize(
    "text", ["", "<audit> the dog <iou_token> </audit>", "<audit> a </audit></s>\n", "<think> </think>"]
)
def test_right_responses(text):
    assert fault_of_response(text) is None


@pytest.mark.parametrize("text", ["<audit> </s> a", "<video>", "<|im_end|> a", "<S> a", "</s></s>"])
def test_wrong_responses(text):
    assert "expected words and tags of answers, got <" in fault_of_response(text)


def test_control_tokens_are_found_once():
    assert control_tokens("<|A|> <|a|> <||> <| b |>") == ["<|a|>"]


def other_tokenizer() -> PreTrainedTokenizerFast:
    """It folds look-alikes of letters, and has a command, a tag, a letter and a run of spaces as added tokens."""
    backend = Tokenizer(WordLevel({"<unk>": 0, "the": 1, "dog": 2}, unk_token="<unk>"))
    backend.normalizer, backend.pre_tokenizer = NFKC(), WhitespaceSplit()
    made = PreTrainedTokenizerFast(tokenizer_object=backend, unk_token="<unk>", eos_token="[END]")
    made.add_tokens(["<table>", "ö", "  "])
    made.add_tokens(["<go>"], special_tokens=False)
    made.add_special_tokens({"additional_special_tokens": ["@@"]})
    return made


@pytest.mark.parametrize("text", ["the dog", "the  dog", "höher", "the cat"])
def test_what_a_tokenizer_adds_as_plain_text_is_plain_text(text):
    PromptEncoder(other_tokenizer(), 1).check(text, "expression")


@pytest.mark.parametrize("text", ["the [END] dog", "the @@ dog", "a <table>", "a <TABLE>", "a ＜table＞", "<unk>"])
def test_the_tokenizer_is_asked_for_its_commands(text):
    with pytest.raises(ValueError, match="expression: expected plain words, got .*, which the LLM reads as a command"):
        PromptEncoder(other_tokenizer(), 1).check(text, "expression")


def test_a_target_may_end_with_the_end_of_an_answer_only():
    prompts = PromptEncoder(load_tokenizer(LLAMA, "direct_ntp"), 1)
    prompts.encode("the dog", "train", {IMAGE: 1}, "<audit> right </audit></s>")
    for target in ("<audit> </s> </audit></s>", "<audit> <image> </audit></s>"):
        with pytest.raises(ValueError, match="response: expected plain words"):
            prompts.encode("the dog", "train", {IMAGE: 1}, target)


def test_a_dataset_names_the_uids_that_do_not_fit():
    tokenizer, samples = load_tokenizer(LLAMA, "direct_ntp"), read_train(BENCHMARK).samples
    config = AuditorConfig(num_query_tokens=4)
    build_dataset(samples, tokenizer, PIXELS, config, positions=4096)
    with pytest.raises(
        ValueError, match=r"\n  - vA1-x_y_0_1: prompt: expected at most the 150 tokens that the LLM can"
    ):
        build_dataset(samples, tokenizer, PIXELS, config, positions=150)
    wrong = [samples[0], replace(samples[1], expression="the </s> dog")]
    with pytest.raises(
        ValueError, match="1 expressions cannot be put into a prompt:\n  - vB2_1_3: expression: expected"
    ):
        build_dataset(wrong, tokenizer, PIXELS, config)
