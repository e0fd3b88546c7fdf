"""Attention heads that are taught where to look: where that is, and what the loss measures."""

import numpy as np
import pytest
import torch

from dataset.world.looks import TEXTURES
from models.auditor.build import load_tokenizer
from scripts.pretrain.mini import teacher as teaching
from scripts.pretrain.mini.guides import HEADS, guide_losses
from scripts.pretrain.mini.language import STAGES, tell
from scripts.pretrain.mini.lessons import TASKS
from scripts.pretrain.mini.pupil import SIZES, Pupil
from scripts.pretrain.mini.teacher import Row, Stage, Teacher
from tests.test_lessons import MINI_LLM
from utils.tokens import DIRECT_NTP, EVERYBODY


@pytest.fixture(scope="module")
def tokenizer():
    return load_tokenizer(MINI_LLM, DIRECT_NTP)


@pytest.fixture(scope="module")
def teacher(tokenizer):
    return Teacher(tokenizer, [tell(7, number) for number in range(12)])


def one_lesson(teacher, monkeypatch, task: str, kind: str) -> tuple[Row, object, object]:
    """A row with one lesson, the lesson and its scene."""
    kept = []

    def keep(*args):
        kept.append(TASKS[task](*args))
        return kept[-1]

    monkeypatch.setitem(teaching.TASKS, "kept", keep)
    told = next(told for told in teacher.scenes if told.references[kind])
    stage = Stage("one", 1, 1, 1, {kind: 1.0}, {"kept": 1.0})
    row = teacher._row(np.random.default_rng(3), stage, told, 1)
    monkeypatch.undo()
    return row, kept[0], told


@pytest.mark.parametrize("kind", ["appearance", "motion", "sound"])
def test_where_heads_look(teacher, monkeypatch, kind):
    row, lesson, told = one_lesson(teacher, monkeypatch, "match", kind)
    contents = dict(row.contents)
    thing = told.scene.things[lesson.reference.target]
    (means,) = [look for look in row.looks if look.head == "means"]
    in_prefix = [row.owner[at] == EVERYBODY for at in means.at]
    assert all(in_prefix) == (kind == "motion" or (kind == "sound" and thing.sound is not None))
    assert all(thing.look.texture in contents[at] for at in means.at)
    assert contents[means.token] == {}  # <image_end>

    (compares,) = [look for look in row.looks if look.head == "compares"]
    right = lesson.decision == "yes"
    assert compares.at == [means.token if right else compares.token]
    assert (thing.look.texture in contents[compares.token]) == right

    for look in (look for look in row.looks if look.head == "inspects"):
        assert look.at == [compares.token] and look.token > compares.token


def test_lessons_without_a_region_inspect_nothing(teacher, monkeypatch):
    row, _, _ = one_lesson(teacher, monkeypatch, "trait", "appearance")
    assert {"means"} <= {look.head for look in row.looks} <= {"means", "remembers", "hears"}


def test_a_thing_is_remembered_and_heard(teacher, monkeypatch):
    row, lesson, told = one_lesson(teacher, monkeypatch, "trait", "sound")
    contents = dict(row.contents)
    heads = {name: [look for look in row.looks if look.head == name] for name in ("remembers", "hears")}
    assert heads["remembers"] and heads["hears"]
    for look in heads["remembers"] + heads["hears"]:
        (texture,) = {*contents[look.token]} & {*TEXTURES}
        assert all(texture in contents[at] for at in look.at)
    for look in heads["remembers"]:
        (first,) = look.at
        assert first < look.token and row.owner[look.token] == EVERYBODY
    assert all(row.owner[look.token] != EVERYBODY for look in heads["hears"])


def test_the_loss_is_the_attention_of_the_head(tokenizer, teacher):
    """-log of the attention that the LLM itself computes, where it computes all of it."""
    stage = next(stage for stage in STAGES if not stage.prefix)
    torch.manual_seed(0)
    pupil = Pupil(tokenizer).eval()
    batch = teacher.batch(stage, 0)
    torch.manual_seed(1)
    with torch.no_grad():
        hidden = pupil.hidden(batch)
        losses = guide_losses(pupil.llama, hidden, batch)
        pupil.llama.set_attn_implementation("eager")
        torch.manual_seed(1)
        table = pupil.llama.model.embed_tokens
        embeds = table(batch["ids"])
        meanings = (table(batch["words"]) * batch["shares"][..., None]).sum(1)
        meanings = meanings + 0.12 * torch.randn_like(meanings)
        embeds = embeds.flatten(0, 1).index_copy(0, batch["slots"], meanings).view_as(embeds)
        seen = pupil.llama.model(
            inputs_embeds=embeds,
            attention_mask=batch["owner"] >= 0,
            position_ids=batch["position"],
            output_attentions=True,
        ).attentions
    assert {"means", "compares", "inspects"} == {*batch["looks"]}
    for name, (rows, tokens, right) in batch["looks"].items():
        head = HEADS[name]
        own = (seen[head.layer][rows, head.number, tokens] * right).sum(1)
        torch.testing.assert_close(losses[name], -own.log().mean(), rtol=1e-3, atol=1e-3)


def test_every_head_is_there():
    assert all(head.layer < SIZES["num_hidden_layers"] for head in HEADS.values())
