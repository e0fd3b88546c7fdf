"""One frozen encoder, its projector, and a frozen LLM that describes what it is shown: pretraining of a projector."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from transformers.modeling_outputs import CausalLMOutput

from models.language.multimodal import Modality, MultimodalLM
from models.language.projector import QFormerProjector

MEDIA = "media"  # the only modality


class Captioner(MultimodalLM):
    """Only the projector learns.

    `placeholders`: the token ids whose positions the items' tokens fill. An item is an image, or a second of sound.
    `config` is the LLM's, of which DeepSpeed's automatic sizes are taken. In training the LLM is not in eval mode:
    otherwise its activations could not be recomputed, and the backward pass goes through it to the projector.
    """

    def __init__(
        self, language_model: nn.Module, encoder: nn.Module, projector: QFormerProjector, placeholders: list[int]
    ):
        super().__init__(language_model.requires_grad_(False))
        self.add_modality(MEDIA, Modality("encoder", "projector", tuple(placeholders)), encoder, projector)
        self.config = language_model.config

    def encode_each(self, samples: list[Tensor]) -> list[Tensor]:
        """The items (n, ...) of several samples -> the features (n, N, E) of each sample."""
        return list(self.encode(MEDIA, torch.cat(samples)).split([len(own) for own in samples]))

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        position_ids: Tensor,
        labels: Tensor,
        media: Tensor,
        encoded: bool,
    ) -> CausalLMOutput:
        """The loss over the answers, and their logits (answer tokens, V), for a `CaptionBatch`."""
        features = media if encoded else self.encode(MEDIA, media)
        embeds = self.splice(input_ids, {MEDIA: self.project(MEDIA, features)})
        inputs = {"inputs_embeds": embeds, "attention_mask": attention_mask, "position_ids": position_ids}
        loss, logits, _ = self.score(inputs, labels)
        return CausalLMOutput(loss=loss, logits=logits)
