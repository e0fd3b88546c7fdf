"""MQ-Auditor: frozen encoders, two projectors, and an LLM with LoRA that writes the audit (paper Sec. 4)."""

from __future__ import annotations

from typing import Unpack

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence
from transformers.modeling_outputs import CausalLMOutput

from models.auditor.config import AuditorConfig
from models.language.audio_visual import AudioVisualLM
from utils.batches import PromptBatch
from utils.tokens import IOU_VALUE, REGRESS_ST


class Auditor(AudioVisualLM):
    """An audio-visual LLM that audits masks, with a head of its own for the IoU with Regress ST (paper Sec. 5.2).

    Shapes: B samples, L positions, D LLM width, V vocabulary, K `<iou_value>` tokens.
    """

    def __init__(
        self, config: AuditorConfig, language_model: nn.Module, vision_encoder: nn.Module, audio_encoder: nn.Module
    ):
        super().__init__(
            language_model,
            vision_encoder,
            audio_encoder,
            config.token_ids,
            config.hidden_size,
            config.num_query_tokens,
            config.qformer,
        )
        self.config = config
        if config.iou_estimation == REGRESS_ST:
            self.iou_head = nn.Linear(config.hidden_size, 1)

    def forward(
        self,
        *,
        labels: Tensor | None = None,
        weights: Tensor | None = None,
        iou: Tensor | None = None,
        **batch: Unpack[PromptBatch],
    ) -> CausalLMOutput:
        """As `AudioVisualLM.forward`; with Regress ST the IoU's squared error is added to the loss.

        Takes an `AuditBatch` as keyword arguments.
        """
        if labels is None or self.regressed_token() is None:
            return super().forward(labels=labels, weights=weights, **batch)
        loss, logits, hidden = self.score(self.make_inputs(batch), labels, weights, with_hidden=True)
        found = batch["input_ids"] == self.regressed_token()
        loss = loss + _iou_loss(self.read_number(hidden[found]), iou[found])
        return CausalLMOutput(loss=loss, logits=logits)

    def regressed_token(self) -> int | None:
        """The id of `<iou_value>` with Regress ST, otherwise None."""
        return self.config.token_ids[IOU_VALUE] if self.config.iou_estimation == REGRESS_ST else None

    def read_number(self, hidden: Tensor) -> Tensor:
        """(..., D) last hidden states at `<iou_value>` -> IoUs (...)."""
        return self.iou_head(hidden.to(self.iou_head.weight.dtype)).float().sigmoid().squeeze(-1)

    @torch.inference_mode()
    def generated_ious(self, batch: PromptBatch, answers: list[list[int]]) -> list[float | None]:
        """Regress ST: the IoU read at the first `<iou_value>` that each answer holds, None where it holds none."""
        tail = pad_sequence([torch.tensor(ids) for ids in answers], True, 0).to(batch["input_ids"])  # (B, longest)
        embeds = torch.cat([self.embed(batch), self.embed_tokens(tail)], dim=1)
        mask = F.pad(batch["attention_mask"], (0, tail.shape[1]), value=1)
        out = self.language_model(
            inputs_embeds=embeds,
            attention_mask=mask,
            position_ids=(mask.cumsum(-1) - 1).clamp(min=0),
            use_cache=False,
            output_hidden_states=True,
            logits_to_keep=1,
        )
        found = tail == self.regressed_token()
        read = self.read_number(out.hidden_states[-1][:, -tail.shape[1] :][found])  # (K,), row by row
        ious: list[float | None] = [None] * len(answers)
        for row, value in zip(found.nonzero()[:, 0].tolist(), read.tolist(), strict=True):
            if ious[row] is None:
                ious[row] = value
        return ious


def _iou_loss(predicted: Tensor, truth: Tensor) -> Tensor:
    """(K,), (K,) -> mean squared error over the answers whose mask has a known IoU (paper Sec. 5.2, "Regress ST")."""
    known = truth.isfinite()
    return F.mse_loss(predicted[known], truth[known].float()) if known.any() else predicted.sum() * 0
