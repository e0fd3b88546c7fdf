"""An auditor with all that is needed to use it: its tokenizer, and how frames become pixels."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

import torch
from transformers import PreTrainedTokenizerBase

from configs.arguments import ModelArguments
from models.auditor.auditor import Auditor
from models.auditor.build import build_auditor
from models.auditor.trainable import load_trained_state, trained_state
from models.weights.checkpoint import read_auditor, square, write_folder

logger = logging.getLogger(__name__)


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
        its bases and its LoRA scale. Raises FileNotFoundError, ValueError.
        """
        args = args or ModelArguments()
        config, tokenizer, pixels, state = read_auditor(folder, args)
        auditor = build_auditor(config, args, tokenizer, dtype)
        load_trained_state(auditor, state, str(folder))
        logger.info("auditor %s on %s", folder, ", ".join(auditor.config.bases.values()))
        return cls(auditor.eval(), tokenizer, pixels | square(auditor.vision_encoder.image_size))

    def save_pretrained(self, folder: str | Path, is_writer: bool = True) -> Path:
        """Write our auditor folder, and return its path.

        With ZeRO-3 every rank must call this, because the shards of all ranks are gathered; only the rank with
        `is_writer` writes.
        """
        state = trained_state(self.auditor)
        if is_writer:
            write_folder(state, self.auditor.config, self.tokenizer, self.pixels, folder)
        return Path(folder)
