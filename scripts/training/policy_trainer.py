"""Training an auditor on audits of its own: group-relative policy optimisation (Shao et al. 2024, DeepSeekMath).

For every mask of a mini-batch several audits are sampled. Each has a reward, and its advantage is how much better it is
than the mean of the mask's audits. Audits of a positive advantage become likelier. Every audit is used once, so there
is no ratio to clip; advantages are not divided by their spread, which would make a hair's breadth count like a mistake
(Liu et al. 2025, Dr. GRPO). Next-token prediction of the right audit goes on beside it in place of a KL term.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
import torch.nn.functional as F
from accelerate.utils import send_to_device
from torch import Tensor
from torch.utils.data import DataLoader

from dataset.batches.grouping import GroupingCollator
from dataset.batches.items import AuditItem
from models.decoding.answers import decode_plain
from models.decoding.drafts import Drafts
from models.decoding.together import Steer, answer_together
from models.language.multimodal import weighted_mean
from scripts.training.bundle_trainer import AuditTrainer
from utils.audit import parse_audit
from utils.batches import AuditBatch
from utils.scores.reward import reward
from utils.tokens import IGNORE_INDEX

MOST_TOKENS = 1 << 16  # of an audit; numbers of draws are told apart with it
ROOM = 16  # tokens that a sampled audit may be longer than the longest right one of the mini-batch


class PolicyTrainer(AuditTrainer):
    """Trains an Auditor for the rewards of audits that it samples. Its `data_collator` is an `AuditCollator`.

    Shapes: M masks, G audits of each.
    """

    def __init__(self, *, drafts: Drafts, **kwargs):
        super().__init__(**kwargs)
        self.drafts = drafts
        self.rewards: list[float] = []  # means of the mini-batches since the last log
        self.drawn = (-1, 0)  # a step, and how many of its mini-batches have drawn

    def get_train_dataloader(self) -> DataLoader:
        """A mini-batch of training is a list of items: it is collated once its audits are sampled."""
        collate, self.data_collator = self.data_collator, _as_they_are
        try:
            return super().get_train_dataloader()
        finally:
            self.data_collator = collate

    def compute_loss(self, model, inputs: dict, return_outputs: bool = False, num_items_in_batch=None):
        items = inputs.get("items")
        if items is None:  # an evaluation
            return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
        answered, advantages = self.sample(items)
        together = [*answered, *items] if self.args.ntp_weight else answered
        batch = send_to_device(self.data_collator(together), self.args.device)
        return policy_loss(model(**batch).logits, batch, advantages, self.args.ntp_weight)

    def sample(self, items: Sequence[AuditItem]) -> tuple[list[AuditItem], Tensor]:
        """M masks -> their sampled audits as M * G items whose labels they are, and the audits' advantages (M * G,)."""
        count, tokenizer = self.args.answers_per_mask, self.bundle.tokenizer
        prompts = [_without_answer(item) for item in items for _ in range(count)]
        batch = send_to_device(GroupingCollator(tokenizer.pad_token_id)(prompts), self.args.device)
        longest = max(int((item.labels != IGNORE_INDEX).sum()) for item in items) + ROOM
        model = self.model.eval()
        with self.accelerator.autocast():
            answers = answer_together(model, batch, longest, self.drafts, steer=self._sampling())
        model.train()
        truths = [decode_plain(tokenizer, item.labels[item.labels != IGNORE_INDEX].tolist()) for item in items]
        rewards = torch.tensor(
            [
                reward(parse_audit(decode_plain(tokenizer, answer.ids)), parse_audit(truths[number // count]))
                for number, answer in enumerate(answers)
            ]
        ).view(-1, count)  # (M, G)
        self.rewards.append(float(rewards.mean()))
        advantages = rewards - rewards.mean(1, keepdim=True)
        answered = [_with_answer(prompt, answer.ids) for prompt, answer in zip(prompts, answers, strict=True)]
        return answered, advantages.flatten()

    def _sampling(self) -> Steer:
        """Turns the likeliest token of `answer_together` into a drawn one, by Gumbel noise on the logits.

        A draw depends on seed, step, mini-batch, process, audit and place in it only: drafts or a resumed run change
        none.
        """
        step, before = self.state.global_step, self.drawn
        self.drawn = step, before[1] + 1 if before[0] == step else 0
        numbers = np.random.SeedSequence([self.args.seed, *self.drawn, self.args.process_index])
        first_seed = int(numbers.generate_state(1)[0])
        generator = torch.Generator(self.args.device)
        never = [token for own in self.bundle.auditor.modalities.values() for token in own.token_ids]  # media's places

        def noisy(logits: Tensor, whose: list[tuple[int, int]]) -> Tensor:
            noise = torch.empty_like(logits, dtype=torch.float)
            for row, (audit, place) in zip(noise, whose, strict=True):
                generator.manual_seed(first_seed + MOST_TOKENS * audit + place)
                row.exponential_(generator=generator)
            drawn = logits.float() - noise.log()
            drawn[:, never] = -torch.inf
            return drawn

        return noisy

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """The mean reward of all processes' audits stands beside the loss."""
        if self.rewards and "loss" in logs:
            own = torch.tensor(np.mean(self.rewards), dtype=torch.float, device=self.args.device)
            logs = {**logs, "reward": round(float(self.accelerator.reduce(own, "mean")), 4)}
            self.rewards = []
        super().log(logs, start_time)


def policy_loss(logits: Tensor, batch: AuditBatch, advantages: Tensor, ntp_weight: float = 0.0) -> Tensor:
    """Logits (answer tokens, V) of a batch of N sampled audits, then right ones; advantages (N,) -> the loss.

    The sampled audits' part is one mean over all of their tokens (as in DAPO, Yu et al. 2025). Up to a factor its
    gradient is that of the expected reward, with opposite sign. The right ones' part is that of next-token prediction,
    with its weights.
    """
    labels = batch["labels"]
    rows = torch.arange(1, len(labels) + 1, device=labels.device)[:, None].expand_as(labels)
    is_answer = labels.ne(IGNORE_INDEX)  # (B, L)
    audit = batch.get("owner", rows)[is_answer] - 1  # (answer tokens,): the number of the audit of each token
    nll = F.cross_entropy(logits.float(), labels[is_answer], reduction="none")  # (answer tokens,)
    sampled = audit < len(advantages)
    loss = (advantages.to(logits.device)[audit[sampled]] * nll[sampled]).mean()
    if ntp_weight:
        loss = loss + ntp_weight * weighted_mean(nll[~sampled], batch["weights"][is_answer][~sampled])
    return loss


def _as_they_are(items: list[AuditItem]) -> dict[str, list[AuditItem]]:
    return {"items": items}


def _without_answer(item: AuditItem) -> AuditItem:
    is_prompt = item.labels == IGNORE_INDEX
    kept = {name: getattr(item, name)[is_prompt] for name in ("input_ids", "labels", "weights")}
    return replace(item, **kept)


def _with_answer(prompt: AuditItem, answer: list[int]) -> AuditItem:
    ids, weights = torch.tensor(answer), torch.ones(len(answer))
    return replace(
        prompt,
        input_ids=torch.cat([prompt.input_ids, ids]),
        labels=torch.cat([prompt.labels, ids]),
        weights=torch.cat([prompt.weights, weights]),
    )
