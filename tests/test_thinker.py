"""Ref-Thinker against results of the released code: tokens, prompts, ids, labels, loss, logits and answers."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from configs.runtime import AnsweringArguments
from configs.thinking import ThinkerArguments
from dataset.batches.collator import AuditCollator
from dataset.batches.think_dataset import ThinkDataset, build_think_dataset
from dataset.referring.layout import ReferringData
from dataset.referring.thinking import read_think_samples
from dataset.text.prompt import PromptEncoder, encode_text
from dataset.text.think_wording import build_think_prompt
from models.auditor.build import extend_tokenizer
from models.decoding.answers import decode_spaced
from models.weights.bundle import ThinkerBundle
from scripts.answering.answerer import answer_all
from scripts.think.think_split import ThinkRequest, think_answerer
from tests.conftest import GOLDEN, RememberingTower
from tests.refavs import link_refavs
from utils.thought import parse_thought, published_object_text
from utils.tokens import SPECIAL_TOKENS, THINK_TOKENS

TGS = GOLDEN / "tgs"
LLAMA = GOLDEN / "weights/pretrained_weights/Llama-2-7b-chat-hf"
TOKENS = json.loads((TGS / "05_think_data/tokens.json").read_text())
TUNING = TGS / "05_think_data/RefThinker_instruction_tuning_set.json"


@pytest.fixture(scope="module")
def refavs(tmp_path_factory) -> ReferringData:
    return ReferringData(link_refavs(tmp_path_factory.mktemp("refavs")), TGS / "05_think_data")


@pytest.fixture(scope="module")
def thinker(weights_dir) -> ThinkerBundle:
    args = ThinkerArguments(pretrained_weights_dir=str(weights_dir), lora_r=4, lora_alpha=8)
    bundle = ThinkerBundle.from_pretrained(TGS / "weights", args)
    bundle.model.vision_encoder = RememberingTower(bundle.model.vision_encoder)
    return bundle


def dataset_of(refavs: ReferringData, thinker: ThinkerBundle, split: str, tuning: Path | None = None) -> ThinkDataset:
    samples = read_think_samples(refavs, split, tuning)
    return build_think_dataset(samples, thinker.tokenizer, thinker.pixels, thinker.model.config.num_query_tokens)


def test_tokens():
    tokenizer = extend_tokenizer(LLAMA, list(THINK_TOKENS))
    assert {token: tokenizer.convert_tokens_to_ids(token) for token in THINK_TOKENS} == TOKENS["special_tokens"]
    assert len(tokenizer) == TOKENS["vocab_after"]
    assert THINK_TOKENS[:17] == SPECIAL_TOKENS[:17]
    for row in TOKENS["table"]:
        assert encode_text(tokenizer, row["text"]) == row["ids"]
        assert decode_spaced(tokenizer, row["ids"]) == f"<s> {row['decoded']}"


@pytest.mark.parametrize("split", ["train", "test_s", "test_n"])
def test_prompts_ids_and_labels(split, refavs):
    encoder = PromptEncoder(extend_tokenizer(LLAMA, list(THINK_TOKENS)), 1)
    samples = read_think_samples(refavs, split, TUNING if split == "train" else None)
    assert [s.expression.uid for s in samples] == [row["uid"] for row in TOKENS[split]]
    for sample, row in zip(samples, TOKENS[split], strict=True):
        is_train = split == "train"
        assert build_think_prompt(sample.expression.text, is_train) == row["instruction"]
        assert str(sample.audio_path).endswith(row["audio_path"].removeprefix("./REFAVS"))
        assert str(sample.video_paths[0]).endswith(row["first_frame_path"].removeprefix("./REFAVS"))
        one_each = {"<video>": 1, "<audio>": 1}
        target = row["output"] if is_train else None
        text = encoder.encode_thought(sample.expression.text, is_train, one_each, target)
        length = len(text["input_ids"])
        assert text["input_ids"].tolist() == row["input_ids"][:length]
        assert text["labels"].tolist() == row["labels"][:length]
        assert is_train or not any(label != -100 for label in row["labels"][:length])
        assert not is_train or sample.answer + "</s>" == row["output"]


@torch.no_grad()
def test_golden_training_batch(refavs, thinker):
    golden = json.loads((TGS / "06_train_batch.json").read_text())
    tensors = load_file(TGS / "06_train_batch.safetensors")
    dataset = dataset_of(refavs, thinker, "train", TUNING)
    items = [dataset[i] for i in range(3)]
    assert [len(item.input_ids) for item in items] == golden["spliced_lengths"]
    batch = AuditCollator(thinker.tokenizer.pad_token_id)(items)
    for name in ("attention_mask", "labels", "position_ids"):
        inside = batch["attention_mask"] == 1 if name == "position_ids" else batch["attention_mask"] >= 0
        assert torch.equal(batch[name][inside].long(), tensors[name].long()[inside]), name
    embeds = thinker.model.embed(batch)
    mask = batch["attention_mask"][:, ::8] == 1
    assert (embeds[:, ::8] - tensors["inputs_embeds_every8"]).abs()[mask].max() < 2e-4
    assert thinker.model(**batch).loss.item() == pytest.approx(golden["loss_batch_of_3"], abs=2e-4)
    alone = [thinker.model(**AuditCollator(2)([item])).loss.item() for item in items]
    assert alone == pytest.approx(golden["loss_each_alone"], abs=2e-4)
    logits = thinker.model(**{name: value for name, value in batch.items() if name != "labels"}).logits[:, -160:]
    mask = batch["attention_mask"][:, -160:] == 1
    assert (logits - tensors["logits_last160"]).abs()[mask].max() < 2e-3


@pytest.mark.parametrize(("batch_size", "share"), [(1, False), (8, False), (8, True)])
def test_answers_do_not_depend_on_who_shares_the_batch(batch_size, share, refavs, thinker):
    golden = json.loads((TGS / "07_generation/generation.json").read_text())["samples_batch1"]
    samples = [*read_think_samples(refavs, "test_s"), *read_think_samples(refavs, "test_n")]
    dataset = build_think_dataset(samples, thinker.tokenizer, thinker.pixels, 32)
    args = AnsweringArguments(share_prompts=share, draft_answers=share, num_workers=0, max_memory_gb=64)
    answerer = think_answerer(thinker, dataset, args, torch.device("cpu"))
    requests = [ThinkRequest(sample) for sample in samples]
    replies = [reply for _, own in answer_all(answerer, requests, batch_size) for reply in own]
    assert [s.expression.uid for s in samples] == [row["uid"] for row in golden]
    assert [[1, *reply.generated_ids] for reply in replies] == [row["ids_batch1"] for row in golden]
    assert [reply.text for reply in replies] == [row["text"] for row in golden]


OBJECT_TEXT = json.loads((TGS / "04_object_text.json").read_text())["object_text"]


def test_names_as_the_published_scripts_read_them():
    for row in OBJECT_TEXT:
        assert published_object_text(row["text"], row["tag"]) == row["extracted"]


@pytest.mark.parametrize(
    ("answer", "s_object"),
    [
        ("<think>\na <s_object> cat </s_object>\n</think>\n<answer>\n<s_object> dog </s_object>", "dog"),
        ("<s> <think> \nnever closed, no tags", None),
        ("<s_object> dog", None),
        ("<s_object>   </s_object>", None),
        ("<answer> <s_object> Grand\nPiano </s_object> </answer>", "Grand\nPiano"),
    ],
)
def test_a_missing_name_is_none(answer, s_object):
    assert parse_thought(answer).s_object == s_object


@pytest.mark.parametrize(("name", "is_null"), [("null", True), ("Null.", True), ("nullity", False), ("dog", False)])
def test_null(name, is_null):
    assert parse_thought(f"<s_object> {name} </s_object>").is_null == is_null
    assert not parse_thought("nothing").is_null
