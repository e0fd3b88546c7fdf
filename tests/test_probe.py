"""Probes of what the mini parts know."""

import numpy as np
import pytest
import torch

from models.auditor.build import load_tokenizer
from scripts.pretrain.mini.language import tell
from scripts.pretrain.mini.probing import first_words, predict
from scripts.pretrain.mini.pupil import Pupil
from scripts.pretrain.mini.teacher import Teacher
from tests.test_lessons import MINI_LLM
from utils.tokens import DIRECT_NTP


@pytest.fixture(scope="module")
def scenes():
    return [tell(7, number) for number in range(30)]


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
    values = (inputs @ torch.arange(12.0).view(6, 2).double() + 3).numpy()
    truth, guess = predict(inputs, values, np.arange(400))
    assert truth.shape == (200, 2)
    assert np.square(truth - guess).mean() < 0.02 * truth.var()
