"""What the mini LLM learns from, token by token: the parts in pretrained_weights/mini were trained on these lessons."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from models.auditor.build import load_tokenizer
from scripts.pretrain.mini.language import STAGES, tell
from scripts.pretrain.mini.lessons import TASKS
from scripts.pretrain.mini.teacher import Teacher
from utils.tokens import DIRECT_NTP

MINI_LLM = Path(__file__).parent.parent / "pretrained_weights/mini/Llama-2-7b-chat-hf"
BATCHES = {"seen": "aedc6dfddf6a105e", "known": "4c527e9e13003238", "judged": "cef26507d83a4fd1"}
TEXTS = "a9a2b7d95edfa8f6"


@pytest.fixture(scope="module")
def scenes():
    return [tell(7, number) for number in range(12)]


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
def test_token_ids_stay_the_same(scenes, stage):
    batch = Teacher(load_tokenizer(MINI_LLM, DIRECT_NTP), scenes).batch(stage, 3)
    assert digest(f"{batch['ids'].tolist()} {batch['label'].tolist()}") == BATCHES[stage.name]


def test_texts_stay_the_same(scenes):
    lessons = [
        task(np.random.default_rng(number), told, kind, True)
        for number, told in enumerate(scenes)
        for kind in ("appearance", "size")
        if told.references[kind]
        for task in TASKS.values()
    ]
    assert digest("\n".join(f"{lesson.text}|{lesson.answer}|{lesson.decision}" for lesson in lessons)) == TEXTS
