"""A language model that also reads what frozen encoders make of pictures and sound.

An encoder turns media into features; it never learns. A projector turns features into a few tokens that the language
model can read; they take the places of placeholder tokens in the text. The loss counts only where an answer stands.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from utils.tokens import IGNORE_INDEX


@dataclass(frozen=True)
class Modality:
    """One kind of media: the names of the model's encoder and projector, and the ids of its placeholder tokens."""

    encoder: str
    projector: str
    token_ids: tuple[int, ...]


class MultimodalLM(nn.Module):
    """A causal language model with an encoder and a projector for each of its modalities.

    A subclass registers them with `add_modality`. The names of its attributes are the names in saved files.
    Shapes: B samples, L positions, K items of one modality, N features of an item, E encoder width, Q query tokens,
    D width of the language model, V vocabulary.
    """

    accepts_loss_kwargs = False  # the published loss is a mean per mini-batch, averaged over accumulation steps

    def __init__(self, language_model: nn.Module):
        super().__init__()
        self.language_model = language_model
        self.modalities: dict[str, Modality] = {}

    def add_modality(self, name: str, modality: Modality, encoder: nn.Module, projector: nn.Module) -> None:
        """Take in an encoder, which is frozen, and a projector under the names that `modality` gives them."""
        self.modalities[name] = modality
        setattr(self, modality.encoder, encoder.requires_grad_(False).eval())
        setattr(self, modality.projector, projector)

    def train(self, mode: bool = True) -> MultimodalLM:
        """Frozen encoders stay in eval mode, whatever the rest does."""
        super().train(mode)
        for modality in self.modalities.values():
            getattr(self, modality.encoder).eval()
        return self

    def gradient_checkpointing_enable(self, *args, **kwargs) -> None:
        """Recompute the language model's activations in the backward pass; the arguments are transformers' own."""
        self.language_model.gradient_checkpointing_enable(*args, **kwargs)

    def gradient_checkpointing_disable(self) -> None:
        self.language_model.gradient_checkpointing_disable()

    @property
    def embed_tokens(self) -> nn.Embedding:
        return self.language_model.get_input_embeddings()

    @torch.no_grad()
    def encode(self, name: str, media: Tensor) -> Tensor:
        """(K, ...) media of a modality, as its encoder takes them -> (K, N, E) features."""
        return getattr(self, self.modalities[name].encoder)(media)

    def project(self, name: str, features: Tensor) -> Tensor:
        """(K, N, E) features of a modality -> (K, Q, D) tokens for the language model."""
        return getattr(self, self.modalities[name].projector)(features)

    def splice(self, input_ids: Tensor, tokens: Mapping[str, Tensor]) -> Tensor:
        """Embeddings (B, L, D) of the text, with media's tokens in the places of the placeholders.

        `tokens`: for each modality (items, rows, D), in reading order. Raises ValueError as `fill_slots`.
        """
        embeds = self.embed_tokens(input_ids)
        for name, rows in tokens.items():
            embeds = fill_slots(embeds, input_ids, self.modalities[name].token_ids, rows)
        return embeds

    def score(
        self,
        inputs: Mapping[str, object],
        labels: Tensor,
        weights: Tensor | None = None,
        with_hidden: bool = False,
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        """Run the language model on `inputs` -> loss, logits (answer tokens, V), last hidden states (B, L, D) or None.

        The loss is the mean over the positions of `labels` (B, L) that are not -100, each with its weight of `weights`
        (B, L). Answers stand at the right end of every row: the head runs only from the first position on that any row
        has to predict.
        """
        targets = F.pad(labels, (0, 1), value=IGNORE_INDEX)[:, 1:]  # (B, L): what each position predicts
        keep = targets.shape[1] - int(targets.ne(IGNORE_INDEX).any(0).int().argmax())
        targets = targets[:, -keep:]  # (B, L) -> (B, keep)
        answers = targets.ne(IGNORE_INDEX)
        out = self.language_model(**inputs, use_cache=False, logits_to_keep=keep, output_hidden_states=with_hidden)
        logits = out.logits[answers]  # (B, keep, V) -> (answer tokens, V)
        losses = F.cross_entropy(logits.float(), targets[answers], reduction="none")  # (answer tokens,)
        own = torch.ones_like(losses) if weights is None else F.pad(weights, (0, 1))[:, 1:][:, -keep:][answers]
        loss = weighted_mean(losses, own)
        return loss, logits, out.hidden_states[-1] if with_hidden else None


def weighted_mean(losses: Tensor, weights: Tensor) -> Tensor:
    """(n,) float32, (n,) -> (). Weights may be in half precision, in which their sum would be wrong."""
    weights = weights.float()
    return (losses * weights).sum() / weights.sum()


def fill_slots(embeds: Tensor, input_ids: Tensor, token_ids: tuple[int, ...], tokens: Tensor) -> Tensor:
    """Put `tokens` (items, rows, D), in reading order, into the positions of `token_ids`: (B, L, D) -> (B, L, D).

    Raises ValueError when the number of positions differs from the number of rows of all items.
    """
    slots = torch.isin(input_ids, torch.tensor(token_ids, device=input_ids.device))  # (B, L)
    rows = tokens.flatten(0, 1)  # (items * rows, D)
    if int(slots.sum()) != len(rows):
        raise ValueError(f"placeholders: expected {len(rows)} positions, one per feature row, got {int(slots.sum())}")
    return embeds.masked_scatter(slots[..., None], rows.to(embeds.dtype))
