"""The mini segmenter: its words, what is solved, that a CLIPSeg computes it, and what the shipped one finds."""

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import CLIPVisionModel

from dataset.world.free_scenes import free_scene
from dataset.world.looks import COLOURS
from dataset.world.render import render, render_pictures
from dataset.world.silhouettes import SEEN, UNSEEN
from models.segmenting.pictures import CLIP, make_pixel_values
from models.segmenting.text_segmenters import load_text_segmenter
from scripts.pretrain.mini.named_objects import draw_scene, label, look, solve
from scripts.pretrain.mini.naming import ATTRIBUTES, WORDS, make_tokenizer
from scripts.pretrain.mini.solved_clipseg import MARGIN, MISSING_SCALE, NUM, OUTLINE_SCALE, put_together
from scripts.pretrain.mini.solving import solve_least_squares, solve_logistic

SHIPPED = Path("pretrained_weights/mini")
TEXTS = {
    "object": (),
    "the red thing": ("red",),
    "the Striped blue star, far to the left.": ("striped", "blue", "star"),
}


@pytest.fixture(scope="module")
def eyes():
    return CLIPVisionModel.from_pretrained(SHIPPED / "clip-vit-large-patch14", dtype=torch.float32)


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    return make_tokenizer(tmp_path_factory.mktemp("words"))


@pytest.fixture(scope="module")
def stills():
    return [still for number in range(20) for still in draw_scene(number)]


@pytest.fixture(scope="module")
def solved(eyes, stills):
    return solve(eyes, stills)


def test_unknown_words_case_and_marks_say_nothing(tokenizer):
    assert {*WORDS} >= {*SEEN} and not {*WORDS} & {*UNSEEN, "left", "largest", "loud"}
    assert tokenizer("The leftmost RED star.")["input_ids"] == tokenizer("<unk> <unk> red star")["input_ids"]


def test_pictures_without_sound_are_those_of_the_world():
    scene = free_scene(3, 0)
    whole, (frames, masks) = render(scene, [0, 7]), render_pictures(scene, [0, 7])
    np.testing.assert_array_equal(whole.frames, frames)
    np.testing.assert_array_equal(whole.masks, masks)


def test_patches_are_labelled_with_what_they_show(stills):
    still = stills[0]
    told, has_thing, inside = label(still)
    thing = still.scene.things[-1]  # hidden by none
    y, x = np.argwhere(still.owner == len(still.scene.things)).mean(0).astype(int)
    patch = y // 16 * 14 + x // 16
    assert {name for name, is_told in zip(ATTRIBUTES, told[patch], strict=True) if is_told} == {
        thing.look.colour,
        thing.look.texture,
        thing.look.category,
    }
    assert has_thing[patch] and inside[patch, y % 16 * 16 + x % 16] and not told[~has_thing].any()
    assert inside.sum() == (still.owner > 0).sum()


def test_linear_models_find_what_is_linear():
    generator = torch.Generator().manual_seed(0)
    values = torch.randn(500, 6, generator=generator) * torch.tensor([1.0, 30, 0.5, 1, 1, 1]) + 5
    true = torch.randn(6, 3, generator=generator) / values.std(0)[:, None]
    centred = values - values.mean(0)
    said = solve_logistic(values, centred @ true > 0.5)(values)
    assert ((said > 0) == (centred @ true > 0.5)).float().mean() > 0.98
    outputs = centred @ true @ torch.randn(3, 8, generator=generator) + 2
    numbers, makes = solve_least_squares(values, outputs, 3)
    again = torch.cat([numbers(values), torch.ones(500, 1)], 1) @ makes.T
    assert (again - outputs).abs().max() < 0.02 * outputs.abs().max()


def test_a_clipseg_computes_what_was_solved(eyes, stills, solved, tokenizer):
    """Outlines, minus what is told and missing; and texts of any length tell the same."""
    model = put_together(eyes, solved).eval()
    layers = look(eyes, stills[:1])
    numbers = sum(linear(layer) for linear, layer in zip(solved.outlines, layers, strict=True))
    outline = torch.cat([numbers, torch.ones(196, 1)], 1) @ solved.pixels.T
    missing = (MARGIN - solved.attributes(layers[0])).clamp(min=0)
    pixels = make_pixel_values(stills[0].frame, (224, 224), CLIP)
    for text, words in TEXTS.items():
        ids = tokenizer(text, return_tensors="pt")
        with torch.no_grad():
            said = model.clip.get_text_features(ids["input_ids"]).pooler_output[0, :NUM]
            logits = model(ids["input_ids"], pixels).logits
        told = torch.tensor([name in words for name in ATTRIBUTES])
        assert (said - told.float()).abs().max() < 0.03
        expected = OUTLINE_SCALE * outline - MISSING_SCALE * missing[:, told].sum(1, keepdim=True)
        expected = expected.view(14, 14, 16, 16).transpose(1, 2).reshape(224, 224)
        assert (logits.view(224, 224) - expected).abs().max() < 0.05 * expected.abs().max()


def test_the_shipped_one_knows_colours_textures_and_seen_categories():
    segmenter = load_text_segmenter("clipseg", [SHIPPED / "clipseg"], torch.device("cpu"), torch.float32)
    ious, of_category, picked, empty = [], [], [], []
    for number in range(12):
        scene = free_scene(77, number)
        (frame,), masks = render_pictures(scene, [scene.key_frame])
        masks = np.stack([mask for (mask,) in masks])
        for thing in scene.things[:2]:
            look_of = thing.look
            for kind, shares in (("colour", ious), ("category", of_category)):
                word = getattr(look_of, kind)
                own = masks[[getattr(other.look, kind) == word for other in scene.things]].any(0)
                (found,) = segmenter(frame, f"the leftmost {word} one") or [None]
                shares.append((found.mask & own).sum() / (found.mask | own).sum() if found else 0)
            found = segmenter(frame, f"{look_of.colour} {look_of.texture} {look_of.category}")
            shares = [(found[0].mask & mask).sum() / max(1, mask.sum()) for mask in masks] if found else [0]
            picked.append(scene.things[int(np.argmax(shares))] is thing)
        (everything,) = segmenter(frame, f"the {UNSEEN[0]}")
        assert (everything.mask & masks.any(0)).sum() > 0.8 * masks.any(0).sum()
        absent = next(name for name in COLOURS if name not in [thing.look.colour for thing in scene.things])
        empty.append(not segmenter(frame, f"the {absent} one"))
    assert np.mean(ious) > 0.75 and np.mean(of_category) > 0.5 and np.mean(picked) > 0.9 and np.mean(empty) > 0.5
