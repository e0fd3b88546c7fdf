"""The mini segmenter: what its training tells it, and whether the shipped one finds what names mean."""

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import CLIPVisionModel

from dataset.world.free_scenes import free_scene
from dataset.world.looks import COLOURS, TEXTURES
from dataset.world.phrases import WORDINGS
from dataset.world.render import render
from dataset.world.silhouettes import SEEN, UNSEEN
from models.segmenting.text_segmenters import load_text_segmenter
from scripts.pretrain.mini import named_objects
from scripts.pretrain.mini.named_objects import Namer, _draw_scene, make_batch, new_model
from scripts.pretrain.mini.naming import ABSENT, UNKNOWN, WORDS, make_naming, make_tokenizer

SHIPPED = Path("pretrained_weights/mini")


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    return make_tokenizer(tmp_path_factory.mktemp("words"))


def test_a_name_means_all_things_that_look_so():
    rng, empty = np.random.default_rng(0), 0
    for number in range(60):
        scene = free_scene(1, number)
        for _ in range(5):
            naming = make_naming(rng, scene)
            words = set(naming.text.split())
            assert words <= {*WORDS, UNKNOWN}
            told = words & {*COLOURS, *TEXTURES, *SEEN}
            looks = [{t.look.colour, t.look.texture, t.look.category} for t in scene.things]
            assert naming.things == tuple(i for i, look in enumerate(looks) if told <= look)
            empty += not naming.things
    assert 0.3 * ABSENT < empty / 300 < 1.2 * ABSENT


def test_no_word_for_places_sizes_motions_or_sounds_and_no_unseen_category_is_known():
    others = (wordings for (kind, _), wordings in WORDINGS.items() if kind != "appearance")
    told = {word for wordings in others for wording in wordings for word in wording.split()}
    fillers = {"the", "that", "is", "in", "looks", "like", "a", "scene", "{noun}"}
    assert not ({*WORDS} & told) - fillers
    assert not {*WORDS} & {*UNSEEN}


def test_other_words_case_and_marks_say_nothing(tokenizer):
    assert tokenizer("The Leftmost red star.")["input_ids"] == tokenizer(f"the {UNKNOWN} red star")["input_ids"]
    assert tokenizer.decode(tokenizer("the bottle")["input_ids"]) == f"<s> the {UNKNOWN} </s>"


def test_training_begins_with_the_eyes_of_the_mini_clip_and_learns(tokenizer, monkeypatch):
    clip = SHIPPED / "clip-vit-large-patch14"
    namer = Namer(new_model(clip))
    eyes = CLIPVisionModel.from_pretrained(clip, dtype=torch.float32)
    pixels = torch.rand(1, 3, 224, 224)
    with torch.no_grad():
        own, others = namer.model.clip.vision_model(pixels), eyes(pixels)
    assert torch.allclose(own.last_hidden_state, others.last_hidden_state, atol=1e-5)
    monkeypatch.setattr(named_objects, "PICTURES", 2)
    stills = _draw_scene(0)
    batch = make_batch(stills, tokenizer, 0)
    assert batch["masks"].shape == (2 * named_objects.NAMINGS, 224, 224)
    assert torch.equal(batch["masks"], make_batch(stills, tokenizer, 0)["masks"])
    optimizer, losses = torch.optim.AdamW(namer.parameters(), lr=2e-3), []
    for _ in range(4):
        optimizer.zero_grad()
        losses.append(namer.losses(batch)["loss"])
        losses[-1].backward()
        optimizer.step()
    assert losses[-1] < losses[0] < 5
    assert all(p.grad is not None for p in namer.model.clip.text_model.parameters())


@pytest.mark.skipif(not (SHIPPED / "clipseg").is_dir(), reason="not shipped")
def test_the_shipped_one_finds_what_names_mean():
    segmenter = load_text_segmenter("clipseg", [SHIPPED / "clipseg"], torch.device("cpu"), torch.float32)
    ious = []
    for number in range(12):
        scene = free_scene(77, number)
        drawn = render(scene, [scene.key_frame])
        for thing in scene.things[:2]:
            same = [i for i, other in enumerate(scene.things) if other.look.category == thing.look.category]
            truth = np.any([drawn.masks[i][0] for i in same], axis=0)
            found = segmenter(drawn.frames[0], f"the {thing.look.category}")
            mask = found[0].mask if found else np.zeros_like(truth)
            ious.append((mask & truth).sum() / (mask | truth).sum())
    assert np.mean(ious) > 0.5
