"""An auditor with all that is needed to use it: its tokenizer, and how frames become pixels."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

import torch
from transformers import PreTrainedTokenizerBase

from configs.model import ModelArguments
from models.auditor.auditor import Auditor
from models.auditor.build import build_auditor, load_tokenizer, new_config, part_path
from models.auditor.trainable import load_trained_state, trained_state
from models.weights.checkpoint import AuditorParts, pixel_settings, read_auditor, square, write_folder
from models.weights.published import read_pretrained_projector

logger = logging.getLogger(__name__)

PRETRAINED_PROJECTORS = {"vision_projector": "visual_pretrain_path", "audio_projector": "audio_pretrain_path"}


@dataclass(frozen=True)
class AuditorBundle:
    """`pixels`: how frames become pixels, in the names of a CLIPImageProcessor's settings (`pixel_settings`)."""

    auditor: Auditor
    tokenizer: PreTrainedTokenizerBase
    pixels: dict

    @classmethod
    def from_pretrained(
        cls, folder: str | Path, args: ModelArguments | None = None, dtype: torch.dtype = torch.float32
    ) -> AuditorBundle:
        """The auditor of our folder, of the newest checkpoint in it, or of the released pair; in eval mode, on the CPU.

        `args` say where the bases lie when they are not where the folder says; the released pair says nothing about
        its bases and its LoRA scale. Raises FileNotFoundError for what is missing, and ValueError for files that do
        not belong together (`utils.manifest`).
        """
        args = args or ModelArguments()
        parts = read_auditor(folder, args)
        auditor = build_auditor(parts.config, args, parts.tokenizer, dtype)
        load_trained_state(auditor, parts.state, str(folder))
        logger.info("auditor %s on %s", folder, ", ".join(auditor.config.bases.values()))
        return cls(auditor.eval(), parts.tokenizer, parts.pixels | square(auditor.vision_encoder.image_size))

    @classmethod
    def from_parts(cls, args: ModelArguments, dtype: torch.dtype = torch.float32) -> AuditorBundle:
        """An untrained auditor on the LLM and the encoders that `args` name, on the CPU.

        Projectors, LoRA and the rows of new tokens are random: torch's seed decides. Raises FileNotFoundError,
        ValueError.
        """
        tokenizer = load_tokenizer(part_path(args, "llama_path"), args.iou_estimation)
        auditor = build_auditor(new_config(args, tokenizer), args, tokenizer, dtype)
        return cls(auditor, tokenizer, pixel_settings(args) | square(auditor.vision_encoder.image_size))

    def load_projectors(self, args: ModelArguments) -> None:
        """Give both projectors their pretrained weights, from the files that `args` name."""
        for projector, argument in PRETRAINED_PROJECTORS.items():
            path = part_path(args, argument)
            state = read_pretrained_projector(path, projector)
            load_trained_state(self.auditor, state, path, prefix=f"{projector}.")

    def save_pretrained(self, folder: str | Path, is_writer: bool = True) -> Path:
        """Write our auditor folder, whole or not at all, and return its path.

        With ZeRO-3 every rank must call this, because the shards of all ranks are gathered; only the rank with
        `is_writer` writes.
        """
        state = trained_state(self.auditor)
        if is_writer:
            write_folder(AuditorParts(self.auditor.config, self.tokenizer, self.pixels, state), folder)
        return Path(folder)
