"""Ways of auditing the same masks: the published way, then our changes added one by one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from accelerate.utils import send_to_device
from transformers import GenerationConfig, LogitsProcessorList

from dataset.batches.audit_dataset import AuditDataset, build_dataset
from dataset.batches.collator import AuditCollator
from dataset.batches.grouping import GroupingCollator
from dataset.batches.items import AuditItem
from dataset.media.decoded import forget_decoded
from models.decoding.drafts import Drafts
from models.decoding.together import answer_together
from models.language.audio_visual import until_stop
from scripts.answering.tensor_answerer import template_drafts
from scripts.speed.meter import Meter
from scripts.speed.sizes import Rig
from scripts.speed.steering import Steering, SteeringProcessor
from utils.audit import all_wordings

LONGEST = 256  # tokens of an answer, as published
LAYERS_THROUGH_THE_PROJECTOR = 3  # as published; one of them is used


@dataclass(frozen=True)
class Work:
    """The masks of one run. `steering` is None where the weights are not random."""

    rig: Rig
    dataset: AuditDataset
    steering: Steering | None
    meter: Meter

    def first(self, count: int) -> Work:
        """Only the first masks."""
        return self.part(range(count))

    def part(self, numbers: range) -> Work:
        """Only the masks with these numbers, from 0."""
        dataset = self.dataset
        own = AuditDataset(
            dataset.samples,
            dataset.prompts,
            dataset.frames,
            self.rig.auditor.config.mask_encode_mode,
            dataset.fixed_pairs[numbers.start : numbers.stop],
            dataset.without,
        )
        steering = self.steering and Steering(self.steering.answers[numbers.start : numbers.stop])
        return Work(self.rig, own, steering, self.meter)


Way = Callable[[Work], list[list[int]]]


def published(work: Work) -> list[list[int]]:
    """One mask at a time: all images and sounds are encoded again, all CLIP layers run, three are projected."""
    return [_alone(work, i, _encode_as_published) for i in range(len(work.dataset))]


def used_layers_only(work: Work) -> list[list[int]]:
    """One mask at a time, but no layer runs whose output is not used."""
    return [_alone(work, i, _encode) for i in range(len(work.dataset))]


def media_once(work: Work) -> list[list[int]]:
    """All masks of a batch in one padded batch; each distinct image and clip is decoded and encoded once."""
    with work.meter.part("data"):
        batch = _to(work, AuditCollator(work.rig.tokenizer.pad_token_id)(_items(work)))
    return _generate(work, batch, first=1)


def prompts_once(work: Work) -> list[list[int]]:
    """What prompts have in common is read once."""
    return _together(work, None)


def drafted(work: Work) -> list[list[int]]:
    """Answers are guessed ahead from templates and earlier answers, and checked."""
    return _together(work, template_drafts(work.rig.auditor, work.rig.tokenizer, all_wordings("object", "object")))


WAYS: dict[str, Way] = {
    "published way": published,
    "+ used layers only": used_layers_only,
    "+ media once": media_once,
    "+ prompts once": prompts_once,
    "+ drafts": drafted,
}


def _items(work: Work) -> list[AuditItem]:
    forget_decoded()  # so that one way does not profit from another
    return [work.dataset[i] for i in range(len(work.dataset))]


def _to(work: Work, batch: dict) -> dict:
    return send_to_device(batch, work.rig.auditor.device)


def _alone(work: Work, index: int, encode: Callable) -> list[int]:
    with work.meter.part("data"):
        forget_decoded()
        item = work.dataset[index]
        batch = _to(work, AuditCollator(work.rig.tokenizer.pad_token_id)([item]))
        pixels = _to(work, torch.stack([pixels for _, pixels in item.images]))
    batch["images"], batch["image_index"] = encode(work.rig, pixels), torch.arange(len(pixels))
    batch["sounds"], batch["encoded"] = work.rig.auditor.encode_sounds(batch["sounds"]), True
    return _generate(work, batch, first=index + 1)[0]


@torch.inference_mode()
def _encode_as_published(rig: Rig, pixels: torch.Tensor) -> torch.Tensor:
    dtype = next(rig.whole_tower.parameters()).dtype
    states = rig.whole_tower(pixels.to(dtype), output_hidden_states=True).hidden_states
    features = states[rig.feature_layer][:, 1:]
    for _ in range(LAYERS_THROUGH_THE_PROJECTOR - 1):  # the last of them is run while generating
        rig.auditor.project_images(features)
    return features


@torch.inference_mode()
def _encode(rig: Rig, pixels: torch.Tensor) -> torch.Tensor:
    return rig.auditor.encode_images(pixels)


def margins(work: Work, index: int) -> list[float]:
    """At each place of a mask's published answer: the logit of the likeliest token minus that of the second."""
    batch = _to(work, AuditCollator(work.rig.tokenizer.pad_token_id)([work.dataset[index]]))
    likeliest = [scores.float().topk(2).values[0] for scores in _written(work, batch, index + 1).scores]
    return [float(first - second) for first, second in likeliest]


def _generate(work: Work, batch: dict, first: int) -> list[list[int]]:
    stops = set(work.rig.auditor.stop_ids())
    return [until_stop(row, stops) for row in _written(work, batch, first).sequences.tolist()]


@torch.inference_mode()
def _written(work: Work, batch: dict, first: int):
    """transformers' own greedy search."""
    auditor = work.rig.auditor
    steered = [SteeringProcessor(work.steering, first)] if work.steering else []
    stops = auditor.stop_ids()
    return auditor.language_model.generate(
        inputs_embeds=auditor.embed(batch),
        attention_mask=batch["attention_mask"],
        generation_config=GenerationConfig(
            do_sample=False,
            max_new_tokens=LONGEST,
            eos_token_id=stops,
            pad_token_id=stops[0],
            return_dict_in_generate=True,
            output_scores=True,
        ),
        logits_processor=LogitsProcessorList(steered),
    )


def _together(work: Work, drafts: Drafts | None) -> list[list[int]]:
    with work.meter.part("data"):
        batch = _to(work, GroupingCollator(work.rig.tokenizer.pad_token_id)(_items(work)))
    return [answer.ids for answer in answer_together(work.rig.auditor, batch, LONGEST, drafts, work.steering)]


def make_work(rig: Rig, samples: list, pairs: list[tuple[int, int]], scripts: list[list[int]] | None) -> Work:
    """The masks `pairs` of `samples`; `scripts`: answers to be told to random weights, taken in turn."""
    dataset = build_dataset(samples, rig.tokenizer, rig.pixels, rig.auditor.config, pairs)
    steering = Steering([scripts[i % len(scripts)] for i in range(len(pairs))]) if scripts else None
    return Work(rig, dataset, steering, Meter(rig.auditor.device))
