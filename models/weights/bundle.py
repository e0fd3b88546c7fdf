"""A model with all that is needed to use it: its tokenizer, and how frames become pixels."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import torch
from transformers import PreTrainedTokenizerBase

from configs.model import ModelArguments
from models.auditor.auditor import Auditor
from models.auditor.build import AUDITOR, Kind, build_model, expected_state, extend_tokenizer, part_path
from models.auditor.trainable import check_state, load_trained_state, trained_state
from models.language.audio_visual import AudioVisualLM
from models.thinker.build import THINKER
from models.weights.about import About
from models.weights.auditor_settings import PRETRAINED_PROJECTORS
from models.weights.checkpoint import ModelParts, pixel_settings, read_auditor, square, write_folder
from models.weights.published import read_pretrained_projector

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ModelBundle:
    """`pixels`: how frames become pixels, in the names of a CLIPImageProcessor's settings (`pixel_settings`).

    about: what the model's folder says of it beside the weights.
    """

    model: AudioVisualLM
    tokenizer: PreTrainedTokenizerBase
    pixels: dict
    about: About = field(default_factory=About)
    kind: ClassVar[Kind]

    @classmethod
    def from_pretrained(
        cls, folder: str | Path, args: ModelArguments | None = None, dtype: torch.dtype = torch.float32
    ) -> ModelBundle:
        """The model of our folder, of the newest checkpoint in it, or of the released pair; in eval mode, on the CPU.

        `args` say where the bases lie when they are not where the folder says; the released pair says nothing about
        its bases and its LoRA scale. Raises FileNotFoundError for what is missing, and ValueError for files that do
        not belong together (`utils.manifest`).
        """
        args = args or ModelArguments()
        parts = read_auditor(folder, args, cls.kind)
        check_state(expected_state(cls.kind, parts.config, args, parts.state), parts.state, str(folder))
        model = build_model(cls.kind, parts.config, args, parts.tokenizer, dtype)
        load_trained_state(model, parts.state, str(folder))
        logger.info("%s %s on %s", cls.kind.word, folder, ", ".join(model.config.bases.values()))
        pixels = parts.pixels | square(model.vision_encoder.image_size)
        return cls(model.eval(), parts.tokenizer, pixels, parts.about)

    @classmethod
    def from_parts(cls, args: ModelArguments, dtype: torch.dtype = torch.float32) -> ModelBundle:
        """An untrained model on the LLM and the encoders that `args` name, on the CPU.

        Projectors, LoRA and the rows of new tokens are random: torch's seed decides. Raises FileNotFoundError,
        ValueError.
        """
        tokenizer = extend_tokenizer(part_path(args, "llama_path"), cls.kind.tokens(args))
        model = build_model(cls.kind, cls.kind.new_config(args, tokenizer), args, tokenizer, dtype)
        return cls(model, tokenizer, pixel_settings(args) | square(model.vision_encoder.image_size))

    def load_projectors(self, args: ModelArguments) -> None:
        """Give both projectors their pretrained weights, from the files that `args` name."""
        for projector, argument in PRETRAINED_PROJECTORS.items():
            path = part_path(args, argument)
            state = read_pretrained_projector(path, projector)
            load_trained_state(self.model, state, path, prefix=f"{projector}.")

    def save_pretrained(self, folder: str | Path, is_writer: bool = True) -> Path:
        """Write our folder, whole or not at all, and return its path.

        With ZeRO-3 every rank must call this, because the shards of all ranks are gathered; only the rank with
        `is_writer` writes.
        """
        state = trained_state(self.model)
        if is_writer:
            parts = ModelParts(self.model.config, self.tokenizer, self.pixels, state, self.about)
            write_folder(parts, folder, self.kind)
        return Path(folder)


class AuditorBundle(ModelBundle):
    """An auditor with all that is needed to use it."""

    kind = AUDITOR

    @property
    def auditor(self) -> Auditor:
        return self.model


class ThinkerBundle(ModelBundle):
    """A thinker with all that is needed to use it."""

    kind = THINKER
