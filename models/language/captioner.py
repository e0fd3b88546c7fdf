"""One frozen encoder, its projector, and a frozen LLM that describes what it is shown: pretraining of a projector."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers.modeling_outputs import CausalLMOutput

from models.auditor.auditor import fill_slots
from models.language.projector import QFormerProjector
from utils.tokens import IGNORE_INDEX


class Captioner(nn.Module):
    """Only the projector learns.

    B samples, L positions, U items (images, or seconds of sound), Q query tokens; `placeholders`: the token ids whose
    positions the items' tokens fill. `config` is the LLM's, of which DeepSpeed's automatic sizes are taken.
    """

    accepts_loss_kwargs = False  # the loss is a mean per mini-batch, as in fine-tuning

    def __init__(
        self, language_model: nn.Module, encoder: nn.Module, projector: QFormerProjector, placeholders: list[int]
    ):
        super().__init__()
        self.language_model = language_model.requires_grad_(False)
        self.encoder = encoder.requires_grad_(False).eval()
        self.projector = projector
        self.placeholders = placeholders
        self.config = language_model.config

    def train(self, mode: bool = True) -> Captioner:
        """The frozen encoder stays in eval mode; the LLM does not, or its activations could not be recomputed."""
        super().train(mode)
        self.encoder.eval()
        return self

    def gradient_checkpointing_enable(self, *args, **kwargs) -> None:
        """Recompute the LLM's activations in the backward pass, which has to go through it to the projector."""
        self.language_model.gradient_checkpointing_enable(*args, **kwargs)

    @torch.no_grad()
    def encode(self, items: list[Tensor]) -> list[Tensor]:
        """Several samples' items (n, ...) -> their features (n, N, E)."""
        return list(self.encoder(torch.cat(items)).split([len(own) for own in items]))

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        position_ids: Tensor,
        labels: Tensor,
        items: Tensor | None = None,
        features: Tensor | None = None,
    ) -> CausalLMOutput:
        """The loss over the answers. `items` (U, ...) as the encoder takes them, in the order of their placeholders, or
        what it made of them, `features` (U, N, E).
        """
        if features is None:
            with torch.no_grad():
                features = self.encoder(items)
        embeds = self.language_model.get_input_embeddings()(input_ids)
        embeds = fill_slots(embeds, input_ids, self.placeholders, self.projector(features))
        logits = self.language_model(
            inputs_embeds=embeds, attention_mask=attention_mask, position_ids=position_ids, use_cache=False
        ).logits
        targets = F.pad(labels, (0, 1), value=IGNORE_INDEX)[:, 1:]
        answers = targets != IGNORE_INDEX
        return CausalLMOutput(loss=F.cross_entropy(logits[answers].float(), targets[answers]), logits=logits)
