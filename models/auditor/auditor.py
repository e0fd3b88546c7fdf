"""MQ-Auditor: frozen encoders, two projectors, and an LLM with LoRA that writes the audit (paper Sec. 4).

Batches come from `dataset.batches.collator`; this file and that one agree through the batch's keys and the special
tokens.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import GenerationConfig
from transformers.modeling_outputs import CausalLMOutput

from models.auditor.config import AuditorConfig
from models.decoding.together import visible
from models.language.attention import enable_layouts, lay_out
from models.language.projector import QFormerProjector
from utils.tokens import AUDIO, IGNORE_INDEX, IOU_VALUE, REGRESS_ST, VISUAL_PLACEHOLDERS

ON_CPU_AT_ONCE, ON_GPU_AT_ONCE = 16, 256  # images through the frozen tower; more are slower on a CPU; of GPUs a guess


class Auditor(nn.Module):
    """Joins the parts. `language_model` is a causal LM, with LoRA already attached when it is to be trained.

    Shapes: B samples, L positions, U distinct images, S image slots, Q query tokens, D LLM width, V vocabulary.
    """

    accepts_loss_kwargs = False  # the published loss is a mean per mini-batch, averaged over accumulation steps

    def __init__(
        self, config: AuditorConfig, language_model: nn.Module, vision_encoder: nn.Module, audio_encoder: nn.Module
    ):
        super().__init__()
        self.config = config
        self.language_model = language_model
        self.reads_layouts = enable_layouts(language_model)
        self.vision_encoder = vision_encoder.requires_grad_(False).eval()
        self.audio_encoder = audio_encoder.requires_grad_(False).eval()
        shape = (config.hidden_size, config.num_query_tokens, config.qformer)
        self.vision_projector = QFormerProjector(vision_encoder.hidden_size, *shape)
        self.audio_projector = QFormerProjector(audio_encoder.hidden_size, *shape)
        if config.iou_estimation == REGRESS_ST:
            self.iou_head = nn.Linear(config.hidden_size, 1)

    def train(self, mode: bool = True) -> Auditor:
        """Frozen parts stay in eval mode, whatever the rest does."""
        super().train(mode)
        self.vision_encoder.eval()
        self.audio_encoder.eval()
        return self

    def merge_lora(self) -> None:
        """Fold LoRA into the LLM's weights, for inference only: same answers up to rounding, with fewer products.

        Raises ValueError for an LLM in 8 or 4 bits, where the rounding would be coarse.
        """
        if getattr(self.language_model.base_model.model, "is_quantized", False):
            raise ValueError("--merge_lora: expected an LLM with --quantization none, got a quantised one")
        greedy = self.language_model.generation_config
        self.language_model = self.language_model.merge_and_unload()
        self.language_model.generation_config = greedy

    def gradient_checkpointing_enable(self, *args, **kwargs) -> None:
        """Recompute the LLM's activations in the backward pass; the arguments are transformers' own."""
        self.language_model.gradient_checkpointing_enable(*args, **kwargs)

    def gradient_checkpointing_disable(self) -> None:
        self.language_model.gradient_checkpointing_disable()

    @property
    def device(self) -> torch.device:
        return self.vision_projector.query_tokens.device

    @property
    def embed_tokens(self) -> nn.Embedding:
        return self.language_model.get_input_embeddings()

    @torch.no_grad()
    def see(self, pixel_values: Tensor) -> Tensor:
        """(U, 3, H, W) CLIP pixels -> (U, N, E), as the frozen encoder sees them."""
        at_once = ON_CPU_AT_ONCE if pixel_values.device.type == "cpu" else ON_GPU_AT_ONCE
        return torch.cat([self.vision_encoder(some) for some in pixel_values.split(at_once)])

    @torch.no_grad()
    def hear(self, fbanks: list[Tensor]) -> list[Tensor]:
        """Clips of (T, frames, 128) each -> clips of (T, n, E), as the frozen encoder hears them."""
        clips: list[Tensor] = [None] * len(fbanks)
        for members in _of_one_shape(fbanks):
            features = self.audio_encoder(torch.cat([fbanks[i] for i in members]))
            for i, clip in zip(members, features.split(len(fbanks[members[0]])), strict=True):
                clips[i] = clip
        return clips

    def encode_images(self, features: Tensor) -> Tensor:
        """(U, N, E) -> (U, Q, D)."""
        return self.vision_projector(features)

    def encode_audio(self, clips: list[Tensor]) -> Tensor:
        """Clips of (T, n, E), T equal, n not necessarily -> (clips, T * Q, D), seconds in order."""
        encoded: list[Tensor] = [None] * len(clips)
        for members in _of_one_shape(clips):
            tokens = self.audio_projector(torch.cat([clips[i] for i in members]))
            for i, clip in zip(members, tokens.split(len(clips[members[0]])), strict=True):
                encoded[i] = clip.flatten(0, 1)
        return torch.stack(encoded)

    def encode_media(self, batch: dict) -> tuple[Tensor, Tensor | None]:
        """Tokens of the distinct images (U, Q, D) and clips (C, T * Q, D); of clips None for an auditor without audio.

        Media come as pixels and filter banks, or as what `see` and `hear` made of them.
        """
        seen, heard = batch.get("image_features"), batch.get("clip_features")
        seen = self.see(batch["pixel_values"]) if seen is None else seen
        heard = self.hear(batch["fbanks"]) if heard is None else heard
        return self.encode_images(seen), self.encode_audio(heard) if heard else None

    def embed(self, batch: dict, media: tuple[Tensor, Tensor | None] | None = None) -> Tensor:
        """Text embeddings with the media's tokens in the placeholders' rows: (B, L, D).

        `media`: those of `encode_media`, when they are at hand. Raises ValueError when the number of placeholder rows
        differs from the number of media tokens.
        """
        input_ids = batch["input_ids"]
        images, clips = self.encode_media(batch) if media is None else media
        visual = [self.config.token_ids[token] for token in VISUAL_PLACEHOLDERS]
        embeds = fill_slots(self.embed_tokens(input_ids), input_ids, visual, images[batch["image_index"]])
        if clips is None:
            return embeds
        return fill_slots(embeds, input_ids, [self.config.token_ids[AUDIO]], clips[batch["clip_index"]])

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        position_ids: Tensor,
        image_index: Tensor,
        clip_index: Tensor,
        pixel_values: Tensor | None = None,
        fbanks: list[Tensor] | None = None,
        image_features: Tensor | None = None,
        clip_features: list[Tensor] | None = None,
        labels: Tensor | None = None,
        iou: Tensor | None = None,
        owner: Tensor | None = None,
    ) -> CausalLMOutput:
        """Loss over the answer tokens (labels other than -100), plus the IoU's squared error with Regress ST.

        With labels, logits are (answer tokens, V): answers stand at the right end of every row, and the head runs from
        the first position on that has a label. Without labels, logits are (B, L, V). Media come as pixels and filter
        banks, or as what `see` and `hear` made of them. iou and owner as in `AuditCollator`.
        """
        media = {"pixel_values": pixel_values, "fbanks": fbanks}
        media |= {"image_features": image_features, "clip_features": clip_features}
        embeds = self.embed({"input_ids": input_ids, "image_index": image_index, "clip_index": clip_index, **media})
        inputs = {"inputs_embeds": embeds, "attention_mask": attention_mask, "position_ids": position_ids}
        if owner is not None:
            inputs["attention_mask"] = visible(owner, position_ids, owner, position_ids, embeds.dtype)
            if self.reads_layouts:
                inputs["layout"] = lay_out(owner)
        if labels is None:
            return CausalLMOutput(logits=self.language_model(**inputs, use_cache=False).logits)
        targets = F.pad(labels, (0, 1), value=IGNORE_INDEX)[:, 1:]
        keep = targets.shape[1] - int(targets.ne(IGNORE_INDEX).any(0).int().argmax())
        targets = targets[:, -keep:]
        answers = targets.ne(IGNORE_INDEX)
        regress = self.config.iou_estimation == REGRESS_ST
        out = self.language_model(**inputs, use_cache=False, logits_to_keep=keep, output_hidden_states=regress)
        logits = out.logits[answers]
        loss = F.cross_entropy(logits.float(), targets[answers])
        if regress:
            predicted, _ = self.regress_iou(out.hidden_states[-1], input_ids)
            loss = loss + _iou_loss(predicted, iou[input_ids == self.config.token_ids[IOU_VALUE]])
        return CausalLMOutput(loss=loss, logits=logits)

    def regress_iou(self, hidden: Tensor, input_ids: Tensor) -> tuple[Tensor, Tensor]:
        """(B, L, D) last hidden states -> predicted IoUs (K,) at the `<iou_value>` tokens, and their rows (K,)."""
        found = input_ids == self.config.token_ids[IOU_VALUE]
        return self.read_iou(hidden[found]), found.nonzero()[:, 0]

    def read_iou(self, hidden: Tensor) -> Tensor:
        """(..., D) last hidden states at `<iou_value>` -> IoUs (...)."""
        return self.iou_head(hidden.to(self.iou_head.weight.dtype)).float().sigmoid().squeeze(-1)

    def regressed_token(self) -> int | None:
        """The id of `<iou_value>` with Regress ST, otherwise None."""
        return self.config.token_ids[IOU_VALUE] if self.config.iou_estimation == REGRESS_ST else None

    @torch.inference_mode()
    def generate(self, batch: dict, max_new_tokens: int = 256) -> list[list[int]]:
        """Greedy answers, one list of new token ids per sample, ended by eos unless cut off."""
        embeds = self.embed(batch)
        out = self.language_model.generate(
            inputs_embeds=embeds,
            attention_mask=batch["attention_mask"],
            generation_config=self._greedy(max_new_tokens),
        )
        stops = set(self.stop_ids())
        return [until_stop(row.tolist(), stops) for row in out]

    @torch.inference_mode()
    def generated_ious(self, batch: dict, answers: list[list[int]]) -> list[float | None]:
        """Regress ST: the IoU read at the first `<iou_value>` that each answer holds, None where it holds none."""
        tail = torch.nn.utils.rnn.pad_sequence([torch.tensor(a) for a in answers], True, 0).to(batch["input_ids"])
        embeds = torch.cat([self.embed(batch), self.embed_tokens(tail)], dim=1)
        mask = F.pad(batch["attention_mask"], (0, tail.shape[1]), value=1)
        positions = (mask.cumsum(-1) - 1).clamp(min=0)
        out = self.language_model(
            inputs_embeds=embeds, attention_mask=mask, position_ids=positions,
            use_cache=False, output_hidden_states=True, logits_to_keep=1,
        )  # fmt: skip
        predicted, rows = self.regress_iou(out.hidden_states[-1][:, -tail.shape[1] :], tail)
        ious: list[float | None] = [None] * len(answers)
        for value, row in reversed(list(zip(predicted.tolist(), rows.tolist(), strict=True))):
            ious[row] = value
        return ious

    def stop_ids(self) -> list[int]:
        """Ids that end an answer."""
        eos = self.language_model.generation_config.eos_token_id
        return list(eos) if isinstance(eos, (list, tuple)) else [eos]

    def _greedy(self, max_new_tokens: int) -> GenerationConfig:
        stops = self.stop_ids()
        return GenerationConfig(
            do_sample=False, num_beams=1, use_cache=True, max_new_tokens=max_new_tokens,
            eos_token_id=stops, pad_token_id=stops[0],
        )  # fmt: skip


def _iou_loss(predicted: Tensor, truth: Tensor) -> Tensor:
    """(K,), (K,) -> mean squared error over the answers whose mask has a known IoU (paper Sec. 5.2, "Regress ST")."""
    known = truth.isfinite()
    return F.mse_loss(predicted[known], truth[known].float()) if known.any() else predicted.sum() * 0


def _of_one_shape(clips: list[Tensor]) -> list[list[int]]:
    """The numbers of the clips, those of equal shape together."""
    shapes = [clip.shape for clip in clips]
    return [[i for i, own in enumerate(shapes) if own == shape] for shape in dict.fromkeys(shapes)]


def fill_slots(embeds: Tensor, input_ids: Tensor, token_ids: list[int], features: Tensor) -> Tensor:
    """`features` (items, rows, D), in reading order, into the positions of `token_ids`."""
    slots = torch.isin(input_ids, torch.tensor(token_ids, device=input_ids.device))
    rows = features.flatten(0, 1)
    if int(slots.sum()) != len(rows):
        raise ValueError(f"placeholders: expected {len(rows)} positions, one per feature row, got {int(slots.sum())}")
    return embeds.masked_scatter(slots[..., None], rows.to(embeds.dtype))


def until_stop(ids: list[int], stops: set[int]) -> list[int]:
    """The ids up to the first one that ends an answer, and it."""
    end = next((i for i, token in enumerate(ids) if token in stops), len(ids) - 1)
    return ids[: end + 1]
