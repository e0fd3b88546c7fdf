"""How the parts of the mini auditor are made: what they are told, and that they are told nothing of audits."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from configs.model import ModelArguments
from configs.trainer import FinetuningArguments
from dataset.text.prompt import encode_text
from dataset.world import descriptions as say
from dataset.world.descriptions import place_bag, region_place, say_place, say_sounds
from dataset.world.free_scenes import free_scene, rough_region
from dataset.world.patch_labels import NOTHING, SHARES, label_picture
from dataset.world.render import render
from models.auditor.build import load_language_model, load_tokenizer
from models.encoders.beats import load_beats, write_beats
from models.weights.base_folders import save_model, save_tokenizer
from models.weights.bundle import AuditorBundle
from scripts.finetune.training import start_model
from scripts.pretrain.mini.aligned import Words, make_batch, some_picture, some_second
from scripts.pretrain.mini.assigned import assign, errors
from scripts.pretrain.mini.audio import Listener
from scripts.pretrain.mini.encoded import encode_all
from scripts.pretrain.mini.grounded import PROJECTORS
from scripts.pretrain.mini.grounded import STAGE as GROUNDED
from scripts.pretrain.mini.language import STAGES, tell
from scripts.pretrain.mini.lessons import COMMON_WORDS, TASKS
from scripts.pretrain.mini.pupil import Pupil
from scripts.pretrain.mini.seen import show_all
from scripts.pretrain.mini.teacher import Teacher
from scripts.pretrain.mini.tokenizer import _text, make_tokenizer
from utils.audit import ACTIONS, Audit, render_audit
from utils.manifest import read_manifest
from utils.mask_types import MASK_TYPES
from utils.tokens import EVERYBODY

SHIPPED = Path("pretrained_weights/mini")


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tokenizer")
    make_tokenizer(folder)
    return load_tokenizer(folder, "direct_ntp")


def test_the_tokenizer_keeps_text_and_has_whole_words(tokenizer):
    answer = render_audit(Audit("merge", 0.8123, "major revision"), "red striped wheel", "blue plain star") + "</s>"
    assert tokenizer.decode(encode_text(tokenizer, answer)) == answer
    words = [*say.COLUMNS, *say.ROWS, *say.SIZES, "striped", "wheel", "purple"]
    assert all(len(encode_text(tokenizer, word)) == 1 for word in words)
    assert tokenizer.convert_ids_to_tokens(encode_text(tokenizer, "0.81")) == ["\u2581", "0", ".", "8", "1"]


def test_nothing_is_told_of_audits(tokenizer):
    scenes = [told for told in (tell(1, n) for n in range(20)) if told.references["size"]]
    lessons = [task(np.random.default_rng(0), told, "size", True) for told in scenes for task in TASKS.values()]
    told = " ".join([*_text(), *(f"{lesson.text} {lesson.answer}" for lesson in lessons)]).lower().split()
    for word in (*(set(MASK_TYPES) - {"null"}), "iou", "<audit>"):
        assert word not in told
    taught = {word.strip(".,?") for text in lessons for word in f"{text.text} {text.answer}".lower().split()}
    assert taught & set(COMMON_WORDS), "lessons with common words have to be among them"
    actions = {word for action in ACTIONS for word in action.split()}
    assert not actions & (taught | set(COMMON_WORDS))


def test_the_shipped_parts(tokenizer):
    """Small, whole, and with the tokenizer that their script makes."""
    files = [path for path in SHIPPED.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 12e6
    assert not [path for path in files if path.suffix in (".bin", ".pt", ".pkl")]
    args = ModelArguments(pretrained_weights_dir=str(SHIPPED), num_query_tokens=8, vision_feature_layer=-1)
    bundle = start_model(AuditorBundle, args, FinetuningArguments(use_cpu=True, report_to="none"))
    assert bundle.tokenizer.get_vocab() == tokenizer.get_vocab()
    assert sum(parameter.numel() for parameter in bundle.auditor.parameters()) < 5e6


def test_an_llm_that_does_not_fit_its_manifest_is_refused(tokenizer, tmp_path):
    save_tokenizer(tokenizer, tmp_path)
    llm = LlamaForCausalLM(LlamaConfig(vocab_size=8, hidden_size=8, num_hidden_layers=1, num_attention_heads=1))
    save_model(llm, tmp_path)
    assert {"config.json", "model.safetensors", "tokenizer.json"} <= read_manifest(tmp_path).keys()
    load_language_model(tmp_path, torch.float32)
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(ValueError, match="tokenizer.json: expected .* bytes, as manifest.json says, got 2"):
        load_language_model(tmp_path, torch.float32)


def test_places():
    assert say_place(place_bag(0, 0, 1)) == ("one", "A", "tiny")
    assert say_place(place_bag(224, 112, 400)) in {("ten", "E", "huge"), ("ten", "F", "huge")}
    bag = place_bag(50.0, 60.0, 40.0)
    assert sum(bag.get(word, 0) for word in say.COLUMNS) == pytest.approx(1)
    region = np.zeros((224, 224), bool)
    region[100:140, 20:60] = True
    assert region_place(region) == pytest.approx(place_bag(39.5, 119.5, 40.0))


def test_sounds_are_told_from_where_the_stretch_begins():
    scene = next(s for s in (free_scene(1, n) for n in range(50)) if sum(t.sound is not None for t in s.things) == 1)
    thing = next(t for t in scene.things if t.sound)
    start, stop = say.SECONDS[thing.sound.onset], say.SECONDS[thing.sound.offset]
    assert say_sounds(scene).endswith(f"from {start} to {stop}")
    if thing.sound.onset:
        assert say_sounds(scene, 0, thing.sound.onset) == "nothing"


def test_rough_regions_are_named_rightly():
    region = np.zeros((224, 224), bool)
    region[60:150, 60:150] = True
    seen = set()
    for seed in range(40):
        rough, state = rough_region(np.random.default_rng(seed), region)
        seen.add(state)
        lost, gained = (region & ~rough).sum(), (rough & ~region).sum()
        assert (lost > 0, gained > 0) == {None: (0, 0), say.WIDER: (0, 1)}.get(state, (1, 0))
    assert seen == {None, *say.STATES}


def test_a_state_does_not_say_how_much():
    whole = np.ones((10, 10), bool)
    for missing in (1, 20, 90):
        region = whole.copy()
        region.flat[:missing] = False
        assert say.say_state(say.HOLES, region, whole) == (say.HOLES if missing > 1 else say.WHOLE)


def test_patch_labels_agree_with_the_picture():
    scene = free_scene(1, 0)
    drawn = render(scene, [scene.key_frame])
    owner = np.zeros((224, 224), np.uint8)
    for i, masks in enumerate(drawn.masks):
        owner[masks[0]] = i + 1
    kinds, turned = set(), set()
    for seed in range(20):
        labelled = label_picture(np.random.default_rng(seed), drawn.frames[0], owner, scene, 0)
        shares = dict(zip(SHARES, np.moveaxis(labelled.shares, -1, 0), strict=True))
        np.testing.assert_allclose(labelled.shares.sum(-1), 1, atol=1e-5)
        black = (labelled.picture == 0).all(-1).reshape(14, 16, 14, 16).mean((1, 3))
        np.testing.assert_allclose(shares["black"], black, atol=0.02)
        kinds.add("mask" if shares["white"].any() else "masked" if shares["black"].any() else "frame")
        assert ((labelled.looks == NOTHING).all(-1) | labelled.has_object).all()
        turned |= set(np.unique(labelled.turned).tolist())
    assert kinds == {"mask", "masked", "frame"}
    assert turned == {0, NOTHING}  # nothing is turned in the key frame


def test_a_spinning_thing_is_turned_where_it_is_not_upright():
    scenes = (free_scene(1, number) for number in range(50))
    scene, number = next(
        (scene, i) for scene in scenes for i, thing in enumerate(scene.things) if thing.motion.kind == "spinning"
    )
    on = max(-scene.key_frame, 9 - scene.key_frame, key=abs)
    drawn = render(scene, [scene.key_frame + on])
    owner = np.zeros((224, 224), np.uint8)
    owner[drawn.masks[number][0]] = number + 1
    labels = [label_picture(np.random.default_rng(s), drawn.frames[0], owner, scene, on).turned for s in range(9)]
    assert {int(value) for label in labels for value in np.unique(label)} == {1, NOTHING}
    assert say.turned(scene.things[number], 0) == 0 and say.turned(scene.things[number], on) == 1


def test_lessons_of_one_scene_do_not_see_each_other(tokenizer):
    """The same lesson gets the same answer whatever stands beside it."""
    teacher = Teacher(tokenizer, [tell(1, n) for n in range(6)])
    torch.manual_seed(0)
    pupil = Pupil(tokenizer).eval()
    stage = STAGES[-1]
    batch = teacher.batch(stage, 0)
    torch.manual_seed(1)
    hidden = pupil.hidden(batch)[-1]
    changed = dict(batch, ids=batch["ids"].clone())
    first = (batch["owner"] == 1) & (batch["ids"] != 0)
    changed["ids"][first] = 5
    torch.manual_seed(1)
    others = (batch["owner"] == EVERYBODY) | (batch["owner"] == 2)
    changed_hidden = pupil.hidden(changed)[-1]
    torch.testing.assert_close(changed_hidden[others], hidden[others], rtol=1e-4, atol=1e-5)
    assert not torch.allclose(changed_hidden[first], hidden[first])


@pytest.fixture
def words():
    torch.manual_seed(0)
    table = torch.randn(40, 16)
    return Words(table, lambda word: [sum(map(ord, word)) % 40])


def test_each_thing_gets_the_token_that_is_nearest(words):
    wanted, present = torch.randn(2, 4, 16), torch.tensor([[True] * 4, [True, True, False, False]])
    tokens = torch.zeros(2, 8, 16)
    tokens[0, [5, 2, 7, 0]], tokens[1, [3, 6]] = wanted[0], wanted[1, :2]
    chosen = assign(tokens, wanted, present)
    assert chosen[0].tolist() == [5, 2, 7, 0] and chosen[1, :2].tolist() == [3, 6]
    things, empty = errors(tokens + 0.1, wanted, present)
    assert things == pytest.approx(0.01, rel=1e-4) and empty == pytest.approx(0.01, rel=1e-4)


@pytest.fixture
def encoded(quick_args):
    torch.manual_seed(0)
    bundle = AuditorBundle.from_parts(quick_args)
    return bundle, encode_all(bundle, 4)


def test_scenes_pass_encoders_and_projectors(tokenizer, encoded, words):
    bundle, scenes = encoded
    projectors = {name: getattr(bundle.auditor, part).eval() for name, part in PROJECTORS.items()}
    width = bundle.auditor.config.hidden_size
    words = Words(torch.randn(40, width), words.encode)
    for draw in (some_picture, some_second):
        batch = make_batch(words, scenes, draw, 0)
        assert len(batch["features"]) == len(batch["wanted"]) == len(batch["present"])
        assert not batch["wanted"][~batch["present"]].any()
    told = show_all(projectors, words, scenes)[0]
    with torch.inference_mode():
        frame = projectors["image"](scenes[0].frames[3:4].float())[0].half()
    shown = told.view.frame(np.random.default_rng(0), 3)
    torch.testing.assert_close(torch.stack([token for token, _ in shown]), frame, rtol=1e-2, atol=1e-3)
    assert sorted(thing for _, thing in shown if thing is not None) == list(range(len(told.scene.things)))
    for cut, (mask, cut_out) in zip(told.view.cuts, told.view.regions, strict=True):
        for picture in (mask, cut_out):
            assert sorted(thing for _, thing in picture if thing is not None) == sorted(cut.targets)
    assert told.view.cuts[0].targets == [0] and told.view.cuts[-1].state == say.TWO

    batch = Teacher(tokenizer, [told]).batch(dataclasses.replace(GROUNDED, scenes=2, left_out=0), 0)
    first_row = batch["seen"][batch["seen_slots"] < batch["ids"].shape[1]]
    video = torch.stack([token for picture in told.view.video for token, _ in picture]).float()
    torch.testing.assert_close(first_row[: len(video)], video)
    assert not batch["shares"].any()  # nothing is told in words


def test_beats_is_written_as_it_is_read(tmp_path):
    torch.manual_seed(0)
    encoder = Listener().encoder.eval()
    write_beats(encoder, tmp_path / "beats.safetensors")
    fbank = torch.randn(2, 98, 128)
    torch.testing.assert_close(load_beats(tmp_path / "beats.safetensors")(fbank), encoder(fbank), rtol=1e-5, atol=1e-5)
