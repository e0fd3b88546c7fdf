"""A language model that sees images and hears sound: what the auditor is, before it estimates an IoU.

Batches come from the collators of `dataset.batches`; `utils.batches` has their keys and shapes.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Unpack

import torch
from torch import Tensor, nn
from transformers import GenerationConfig, LogitsProcessor, LogitsProcessorList
from transformers.modeling_outputs import CausalLMOutput

from models.language.attention import attention_masks, enable_layouts, lay_out
from models.language.multimodal import Modality, MultimodalLM
from models.language.projector import QFormerProjector
from utils.batches import Media, PromptBatch, Slots
from utils.tokens import AUDIO, VISUAL_PLACEHOLDERS

IMAGES, SOUNDS = "images", "sounds"  # the modalities
ON_CPU_AT_ONCE, ON_GPU_AT_ONCE = 16, 256  # images through the frozen tower; more are slower on a CPU; of GPUs a guess


class AudioVisualLM(MultimodalLM):
    """Reads images, sounds of T seconds each, and text; writes text. LoRA is attached already where it is wanted.

    B samples, L positions, U distinct images, C distinct sounds, Q query tokens, D LLM width. `token_ids`: ids of the
    placeholder tokens by their names. `llm_width`, `num_query_tokens`, `qformer`: sizes as in `QFormerProjector`.
    """

    def __init__(
        self,
        language_model: nn.Module,
        vision_encoder: nn.Module,
        audio_encoder: nn.Module,
        token_ids: dict[str, int],
        llm_width: int,
        num_query_tokens: int,
        qformer: dict,
    ):
        super().__init__(language_model)
        self.reads_layouts = enable_layouts(language_model)
        sizes = (llm_width, num_query_tokens, qformer)
        visual = tuple(token_ids[token] for token in VISUAL_PLACEHOLDERS if token in token_ids)
        self.add_modality(
            IMAGES,
            Modality("vision_encoder", "vision_projector", visual),
            vision_encoder,
            QFormerProjector(vision_encoder.hidden_size, *sizes),
        )
        self.add_modality(
            SOUNDS,
            Modality("audio_encoder", "audio_projector", (token_ids[AUDIO],)),
            audio_encoder,
            QFormerProjector(audio_encoder.hidden_size, *sizes),
        )

    @property
    def device(self) -> torch.device:
        return self.vision_projector.query_tokens.device

    @property
    def positions(self) -> int | None:
        """The longest text that the LLM can read, in tokens, if its configuration says so."""
        return getattr(self.language_model.config.get_text_config(), "max_position_embeddings", None)

    def encode_images(self, pixels: Tensor) -> Tensor:
        """(U, 3, H, W) CLIP pixels -> (U, N, E) features of the frozen encoder."""
        at_once = ON_CPU_AT_ONCE if pixels.device.type == "cpu" else ON_GPU_AT_ONCE
        return torch.cat([self.encode(IMAGES, some) for some in pixels.split(at_once)])

    def encode_sounds(self, fbanks: list[Tensor]) -> list[Tensor]:
        """Sounds of (T, frames, 128) each -> (T, n, E) features of the frozen encoder each."""
        return _run_by_shape(partial(self.encode, SOUNDS), fbanks)

    def project_images(self, features: Tensor) -> Tensor:
        """(U, N, E) features -> (U, Q, D) tokens for the LLM."""
        return self.project(IMAGES, features)

    def project_sounds(self, features: list[Tensor]) -> Tensor:
        """Features of (T, n, E) each, T equal, n not necessarily -> (C, T * Q, D) tokens, seconds in order."""
        projected = _run_by_shape(partial(self.project, SOUNDS), features)  # (T, Q, D) each
        return torch.stack([tokens.flatten(0, 1) for tokens in projected])

    def read_media(self, batch: Media) -> tuple[Tensor, Tensor | None]:
        """Tokens of a batch's distinct images (U, Q, D) and sounds (C, T * Q, D); None for a batch without sound."""
        images, sounds = batch["images"], batch["sounds"]
        if not batch["encoded"]:
            images, sounds = self.encode_images(images), self.encode_sounds(sounds)
        return self.project_images(images), self.project_sounds(sounds) if sounds else None

    def embed(self, batch: Slots, media: tuple[Tensor, Tensor | None] | None = None) -> Tensor:
        """Text embeddings with the media's tokens in the placeholders' rows: (B, L, D).

        `media`: those of `read_media`, when they are at hand; otherwise `batch` has the media, too. Raises ValueError
        when the number of placeholder rows differs from the number of media tokens.
        """
        images, sounds = self.read_media(batch) if media is None else media
        tokens = {IMAGES: images[batch["image_index"]]}
        if sounds is not None:
            tokens[SOUNDS] = sounds[batch["sound_index"]]
        return self.splice(batch["input_ids"], tokens)

    def make_inputs(self, batch: PromptBatch) -> dict[str, object]:
        """What the LLM takes for a batch of an `AuditCollator`: embeddings, positions, and who sees whom."""
        position_ids, owner = batch["position_ids"], batch.get("owner")
        embeds = self.embed(batch)
        inputs = {"inputs_embeds": embeds, "attention_mask": batch["attention_mask"], "position_ids": position_ids}
        if owner is not None:
            inputs["attention_mask"] = attention_masks(
                self.language_model.config, owner, position_ids, owner, position_ids, embeds.dtype
            )
            if self.reads_layouts:
                inputs["layout"] = lay_out(owner)
        return inputs

    def forward(
        self, *, labels: Tensor | None = None, weights: Tensor | None = None, **batch: Unpack[PromptBatch]
    ) -> CausalLMOutput:
        """The loss over the answer tokens (labels other than -100) of a batch of an `AuditCollator`, with `weights`.

        With labels, logits are (answer tokens, V); without, (B, L, V).
        """
        inputs = self.make_inputs(batch)
        if labels is None:
            return CausalLMOutput(logits=self.language_model(**inputs, use_cache=False).logits)
        loss, logits, _ = self.score(inputs, labels, weights)
        return CausalLMOutput(loss=loss, logits=logits)

    @torch.inference_mode()
    def generate(
        self, batch: PromptBatch, max_new_tokens: int = 256, watch: LogitsProcessor | None = None
    ) -> list[list[int]]:
        """Greedy answers, one list of new token ids per sample, ended by eos unless cut off.

        `watch` is shown the logits of every step.
        """
        stops = self.stop_ids()
        out = self.language_model.generate(
            inputs_embeds=self.embed(batch),
            attention_mask=batch["attention_mask"],
            generation_config=GenerationConfig(
                do_sample=False,
                num_beams=1,
                use_cache=True,
                max_new_tokens=max_new_tokens,
                eos_token_id=stops,
                pad_token_id=stops[0],
            ),
            logits_processor=LogitsProcessorList([watch] if watch else []),
        )
        return [until_stop(row, set(stops)) for row in out.tolist()]

    def stop_ids(self) -> list[int]:
        """Ids that end an answer."""
        eos = self.language_model.generation_config.eos_token_id
        return list(eos) if isinstance(eos, (list, tuple)) else [eos]

    def regressed_token(self) -> int | None:
        """The id of the token at which `read_number` reads a number; None for a model that only writes text."""
        return None

    def read_number(self, hidden: Tensor) -> Tensor:
        """(..., D) last hidden states at the regressed token -> numbers (...)."""
        raise NotImplementedError

    def merge_lora(self) -> None:
        """Fold LoRA into the LLM's weights, for inference only: same answers up to rounding, with fewer products.

        Raises ValueError for an LLM in 8 or 4 bits, where the rounding would be coarse.
        """
        if getattr(self.language_model.base_model.model, "is_quantized", False):
            raise ValueError("--merge_lora: expected an LLM with --quantization none, got a quantised one")
        greedy = self.language_model.generation_config
        self.language_model = self.language_model.merge_and_unload()
        self.language_model.generation_config = greedy


def until_stop(ids: list[int], stops: set[int]) -> list[int]:
    """The ids up to the first one that ends an answer, and it."""
    end = next((i for i, token in enumerate(ids) if token in stops), len(ids) - 1)
    return ids[: end + 1]


def _run_by_shape(run: Callable[[Tensor], Tensor], sounds: list[Tensor]) -> list[Tensor]:
    """What `run` makes of each sound (T, ...); sounds of equal shape go through it together, as (sum of T, ...)."""
    results: list[Tensor | None] = [None] * len(sounds)
    for shape in dict.fromkeys(sound.shape for sound in sounds):
        members = [i for i, sound in enumerate(sounds) if sound.shape == shape]
        together = run(torch.cat([sounds[i] for i in members]))
        for i, own in zip(members, together.split(shape[0]), strict=True):
            results[i] = own
    return results
