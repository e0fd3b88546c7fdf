"""Lessons about one thing, and probes of what the mini parts know."""

import numpy as np
import pytest
import torch

from dataset.world import descriptions as say
from dataset.world.motions import Motion
from models.auditor.build import load_tokenizer
from scripts.pretrain.mini import thing_lessons as about
from scripts.pretrain.mini.language import Pupil, Teacher, tell
from scripts.pretrain.mini.lessons import compare
from scripts.pretrain.mini.probing import first_words, predict
from tests.test_lessons import MINI_LLM
from utils.tokens import DIRECT_NTP


@pytest.fixture(scope="module")
def scenes():
    return [tell(7, number) for number in range(30)]


def thing_named(told, text: str):
    return next(thing for thing in told.scene.things if say.say_look(thing) in text)


def test_short_answers_are_true(scenes):
    rng = np.random.default_rng(0)
    for told in scenes:
        sounds = about.sounds(rng, told, None)
        sound = thing_named(told, sounds.text).sound
        assert sounds.answer.startswith(f"{sound.pitch} {sound.loudness} from" if sound else "nothing")
        moves = about.moves(rng, told, None)
        if moves.task == "moves":
            motion = thing_named(told, moves.text).motion
            assert moves.answer == motion.kind != "spinning"  # which bags of words do not show
        where = about.where(rng, told, None)
        assert where.answer.split()[0] in say.COLUMNS and where.answer.split()[1] in say.ROWS


def test_the_first_frame_is_the_first(scenes):
    told = next(told for told in scenes if any(thing.motion.kind == "left" for thing in told.scene.things))
    thing = next(thing for thing in told.scene.things if thing.motion.kind == "left")
    columns = {}
    for seed in range(200):
        lesson = about.where(np.random.default_rng(seed), told, None)
        for name in ("first frame", "last frame"):
            if lesson.text.startswith(name) and say.say_look(thing) in lesson.text:
                columns[name] = say.COLUMNS.index(lesson.answer.split()[0])
    assert columns["first frame"] > columns["last frame"]


@pytest.mark.parametrize(("speed", "word"), [(0, "still"), (2.5, "slow"), (4, "middle"), (7, "fast")])
def test_speeds(scenes, speed, word):
    class Moving:
        motion = Motion("left", dx=-speed)

    assert say.say_speed(Moving) == word


def test_a_comparison_is_true_of_the_thing_that_it_names(scenes):
    seen = set()
    for seed, told in enumerate(scenes):
        for reference in told.references["sound"]:
            only = type(told)(told.scene, {"sound": [reference]}, told.view)
            lesson = compare(np.random.default_rng(seed), only, "sound")
            named = thing_named(told, lesson.text)
            assert lesson.answer == ("yes" if named is told.scene.things[reference.target] else "no")
            seen.add(lesson.answer)
    assert seen == {"yes", "no"}


def test_first_words_of_a_model_that_always_says_yes(scenes):
    tokenizer = load_tokenizer(MINI_LLM, DIRECT_NTP)
    model = Pupil(tokenizer).eval()
    (yes,) = tokenizer.encode("yes", add_special_tokens=False)
    with torch.no_grad():
        model.llama.lm_head.weight.zero_()
        model.llama.model.norm.weight.zero_()
    model.llama.lm_head = torch.nn.Linear(model.llama.config.hidden_size, model.llama.config.vocab_size)
    with torch.no_grad():
        model.llama.lm_head.bias.zero_()[yes] = 1
    hits = first_words(model, Teacher(tokenizer, scenes), "match", "size", batches=1)
    assert set(hits) == {"yes", "no"} and all(hits["yes"]) and not any(hits["no"])


def test_a_linear_map_is_read_on_other_scenes():
    rng = np.random.default_rng(0)
    inputs = torch.tensor(rng.standard_normal((400, 6)))
    truth, guess = predict(list(inputs), (inputs @ torch.arange(6.0).double() + 3).tolist(), list(range(400)))
    assert len(truth) == 200
    assert np.square(truth - guess).mean() < 0.02 * truth.var()
