"""What is not the auditor's own works without an auditor: an audio-visual LLM reads, learns and answers."""

import pytest
import torch

from dataset.batches.audit_dataset import build_dataset
from dataset.batches.collator import AuditCollator
from dataset.batches.grouping import GroupingCollator
from dataset.benchmark.annotations import read_test, read_train
from models.decoding.together import answer_together
from models.language.audio_visual import AudioVisualLM
from models.language.multimodal import fill_slots
from models.weights.bundle import AuditorBundle
from tests.conftest import BENCHMARK


@pytest.fixture(scope="module")
def parts(quick_args):
    """(auditor, a plain audio-visual LLM with the same weights, tokenizer, pixel settings)."""
    torch.manual_seed(0)
    bundle = AuditorBundle.from_parts(quick_args)
    auditor = bundle.auditor.eval()
    config = auditor.config
    plain = AudioVisualLM(
        auditor.language_model,
        auditor.vision_encoder,
        auditor.audio_encoder,
        config.token_ids,
        config.hidden_size,
        config.num_query_tokens,
        config.qformer,
    )
    plain.load_state_dict(auditor.state_dict())
    return auditor, plain.eval(), bundle.tokenizer, bundle.pixels


def test_the_auditor_s_loss(parts):
    auditor, plain, tokenizer, pixels = parts
    dataset = build_dataset(read_train(BENCHMARK).samples, tokenizer, pixels, auditor.config)
    batch = AuditCollator(tokenizer.pad_token_id)([dataset[0, 0], dataset[1, 1]])
    assert torch.equal(plain(**batch).loss, auditor(**batch).loss)


def test_answers_together_are_those_one_by_one(parts):
    _, plain, tokenizer, pixels = parts
    benchmark = read_test(BENCHMARK, "test_s", "image")
    dataset = build_dataset(benchmark.samples, tokenizer, pixels, parts[0].config, benchmark.requests())
    items = [dataset[i] for i in range(3)]
    answers = answer_together(plain, GroupingCollator(tokenizer.pad_token_id)(items), 8)
    collate = AuditCollator(tokenizer.pad_token_id)
    assert [answer.ids for answer in answers] == [plain.generate(collate([item]), 8)[0] for item in items]
    assert [answer.number for answer in answers] == [None] * 3


def test_tokens_fill_their_places_in_reading_order():
    embeds, tokens = torch.zeros(2, 4, 1), torch.arange(1.0, 5.0).view(2, 2, 1)
    input_ids = torch.tensor([[7, 7, 1, 1], [1, 8, 1, 7]])
    filled = fill_slots(embeds, input_ids, (7, 8), tokens)
    assert filled[..., 0].tolist() == [[1, 2, 0, 0], [0, 3, 0, 4]]
    with pytest.raises(ValueError, match="placeholders: expected 4 positions, one per feature row, got 3"):
        fill_slots(embeds, input_ids, (7,), tokens)
