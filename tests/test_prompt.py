"""The words and their ids: equal to the golden table."""

from itertools import permutations

import pytest

from dataset.text.prompt import PromptEncoder, encode_text
from dataset.text.wording import build_prompt, build_target
from models.auditor.build import load_tokenizer
from tests.conftest import GOLDEN, golden_json
from utils.audit import Audit, all_wordings, render_audit
from utils.tokens import AUDIO, IGNORE_INDEX, IMAGE, IOU_VALUE, MASK, REGRESS_ST, SPECIAL_TOKENS, VIDEO, reserved_tokens

LLAMA = GOLDEN / "weights/pretrained_weights/Llama-2-7b-chat-hf"
GOLDEN_TABLE = golden_json("00_tokenizer.json")


@pytest.fixture(scope="module")
def tokenizer():
    return load_tokenizer(LLAMA, "direct_ntp")


def test_special_token_ids(tokenizer):
    assert {token: tokenizer.convert_tokens_to_ids(token) for token in SPECIAL_TOKENS} == GOLDEN_TABLE["special_tokens"]
    assert len(tokenizer) == GOLDEN_TABLE["vocab_after"]
    assert tokenizer.pad_token_id == GOLDEN_TABLE["pad_token_id"]
    assert tokenizer.padding_side == "left"


@pytest.mark.parametrize("row", GOLDEN_TABLE["table"], ids=lambda row: repr(row["text"][:40]))
def test_ids_equal_the_slow_tokenizer(tokenizer, row):
    assert encode_text(tokenizer, row["text"]) == row["ids"]


def test_ids_survive_saving_the_tokenizer(tokenizer, tmp_path):
    from transformers import AutoTokenizer

    tokenizer.save_pretrained(tmp_path)
    again = AutoTokenizer.from_pretrained(tmp_path)
    assert all(encode_text(again, row["text"]) == row["ids"] for row in GOLDEN_TABLE["table"])


def test_regress_st_adds_the_29th_token():
    tokenizer = load_tokenizer(LLAMA, REGRESS_ST)
    assert tokenizer.convert_tokens_to_ids(IOU_VALUE) == GOLDEN_TABLE["vocab_after"]


def test_reserved_tokens_are_found_in_any_case():
    assert reserved_tokens("the dog <3 the cat") == []
    assert reserved_tokens("a <Mask> of </THINK> and <iou_value>") == ["</think>", "<mask>", "<iou_value>"]


def test_prompts_differ_between_protocols():
    head = "<s>video:\n<video_start><video><video_end>\naudio:\n<audio_start><audio><audio_end>\nGiven the referential "
    assert build_prompt("The {Dog}", "train") == head + (
        "expression: 'the {dog}', the key frame image <image_start><image><image_end>, and its corresponding "
        "segmentation mask <mask_start><mask><mask_end>, analyze all cues to audit the mask's quality.\n"
    )
    tail = " <image_start><image><image_end> and its segmentation mask <mask_start><mask><mask_end>, please audit the "
    assert build_prompt("A", "image") == head + f"expression: 'a', the key frame{tail}mask quality.\n"
    assert build_prompt("A", "video") == head + f"expression: 'a', the frame{tail}mask quality.\n"


def test_targets():
    response = "<audit> x <iou_token> </audit>"
    assert build_target(response, 0.91236) == "<audit> x <iou> 0.9124 </iou> </audit></s>"
    assert build_target(response, None) == "<audit> x <iou>  </iou> </audit></s>"
    assert build_target("done</s>", 1.0) == "done</s>"
    assert build_target(response, 0.5, REGRESS_ST) == "<audit> x <iou> <iou_value> </iou> </audit></s>"
    literal = "<audit> <iou> 0.5000 </iou>, then </audit>"
    assert build_target(literal, 0.5, REGRESS_ST) == "<audit> <iou> <iou_value> </iou>, then </audit></s>"


def test_placeholders_are_widened_and_only_the_answer_is_labelled(tokenizer):
    encoder = PromptEncoder(tokenizer, tokens_per_item=4)
    num_items = {VIDEO: 10, AUDIO: 10, IMAGE: 1, MASK: 2}
    item = encoder.encode("the dog", "train", num_items, "<audit> x </audit></s>")
    for token, items in num_items.items():
        assert (item["input_ids"] == tokenizer.convert_tokens_to_ids(token)).sum() == 4 * items
    answer = encode_text(tokenizer, "<audit> x </audit></s>")
    assert item["labels"][-len(answer) :].tolist() == answer == item["input_ids"][-len(answer) :].tolist()
    assert set(item["labels"][: -len(answer)].tolist()) == {IGNORE_INDEX}


def test_the_tokens_that_decide_an_audit_weigh_more(tokenizer):
    """Where two of the eleven wordings part, both have a weight; beside these, two digits of each IoU of 0.5 do."""
    encoder = PromptEncoder(tokenizer, 2, decision_weight=6)
    answers = []
    for text in all_wordings("cat", "dog"):
        item = encoder.encode("the cat", "train", {"<video>": 2}, text)
        is_answer = item["labels"] != IGNORE_INDEX
        answers.append((item["input_ids"][is_answer].tolist(), item["weights"][is_answer].tolist()))
        assert set(item["weights"][~is_answer].tolist()) == {1}
    parted = set()
    for (ids, weights), (others, _) in permutations(answers, 2):
        place = next(i for i, (own, other) in enumerate(zip(ids, others, strict=False)) if own != other)
        assert weights[place] == 6
        parted.add((tuple(ids), place))
    assert sum(weights.count(6) for _, weights in answers) == len(parted) + 2 * len(answers)


@pytest.mark.parametrize(("iou", "weighing"), [(0.4321, "0 4"), (0.0, "0 0"), (1.0, "1"), (0.96, "0 9")])
def test_the_digits_of_the_iou_weigh_more_down_to_the_tenths(tokenizer, iou, weighing):
    answer = render_audit(Audit("merge", iou, "reject"), "cat", "dog")
    item = PromptEncoder(tokenizer, 2, decision_weight=6).encode("the cat", "train", {"<video>": 2}, answer)
    start = int((item["input_ids"] == tokenizer.convert_tokens_to_ids("<iou>")).nonzero()[-1])
    heavy = item["input_ids"][start:][item["weights"][start:] == 6].tolist()
    assert " ".join(tokenizer.convert_ids_to_tokens(heavy)) == weighing


def test_a_regressed_iou_has_no_digits_to_weigh(tokenizer):
    answer = build_target(render_audit(Audit("perfect", 1.0, "accept"), "cat"), 1.0, REGRESS_ST)
    item = PromptEncoder(tokenizer, 2, REGRESS_ST, decision_weight=6).encode("the cat", "train", {"<video>": 2}, answer)
    assert (item["weights"] == 6).sum() == 1  # "achieves"


def test_without_a_weight_all_tokens_count_alike(tokenizer):
    item = PromptEncoder(tokenizer, 2).encode("the cat", "train", {"<video>": 2}, all_wordings("cat", "dog")[0])
    assert item["weights"].tolist() == [1] * len(item["input_ids"])


def test_an_answer_in_other_words_decides_where_it_parts_from_all(tokenizer):
    encoder = PromptEncoder(tokenizer, 2, decision_weight=6)
    item = encoder.encode("the cat", "train", {"<video>": 2}, "<audit> It is right. </audit>")
    answer = item["weights"][item["labels"] != IGNORE_INDEX].tolist()
    assert sum(weight == 6 for weight in answer) == 1 and answer[0] == 1
