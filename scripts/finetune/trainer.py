"""HF's Trainer, told three things: which mask comes when, what a checkpoint holds, and how to resume from it."""

from __future__ import annotations

import itertools
from pathlib import Path

import torch
from transformers import Trainer
from transformers.integrations.deepspeed import deepspeed_load_checkpoint
from transformers.trainer_utils import get_last_checkpoint

from dataset.sampling import BalancedSampler
from models.checkpoint import read_folder, save_auditor
from models.published import find_pair
from models.trainable import load_trained_state

STATE_FILE = "trainer_state.json"  # the Trainer writes it last: a checkpoint without it is torn


class AuditTrainer(Trainer):
    """Trains an Auditor. A checkpoint is an auditor folder with the Trainer's full state beside it."""

    def __init__(self, *, tokenizer, pixel_settings: dict, pos_ratio: float, **kwargs):
        super().__init__(**kwargs)
        self.tokenizer, self.pixel_settings, self.pos_ratio = tokenizer, pixel_settings, pos_ratio

    def _get_train_sampler(self, train_dataset=None) -> BalancedSampler:
        dataset = self.train_dataset if train_dataset is None else train_dataset
        return BalancedSampler(dataset.samples, self.args.per_device_train_batch_size, self.pos_ratio, self.args.seed)

    def save_model(self, output_dir: str | None = None, _internal_call: bool = False) -> None:
        """Write the auditor folder; every rank takes part, because ZeRO-3 gathers shards."""
        folder = output_dir or self.args.output_dir
        save_auditor(self.model, self.tokenizer, self.pixel_settings, folder, is_writer=self.args.should_save)

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model=None) -> None:
        load_trained_state(self.model, read_folder(resume_from_checkpoint), resume_from_checkpoint)

    def _save_optimizer_and_scheduler(self, output_dir: str) -> None:
        """DeepSpeed's part leaves the frozen parameters out: 13 GB a checkpoint that never change."""
        if not self.is_deepspeed_enabled:
            super()._save_optimizer_and_scheduler(output_dir)
            return
        self.model_wrapped.save_checkpoint(output_dir, exclude_frozen_parameters=True)
        if self.args.should_save:
            torch.save(self.lr_scheduler.state_dict(), Path(output_dir) / "scheduler.pt")

    def _prepare_for_training(self, max_steps, train_dataloader, resume_from_checkpoint):
        if not (self.is_deepspeed_enabled and resume_from_checkpoint):
            return super()._prepare_for_training(max_steps, train_dataloader, resume_from_checkpoint)
        model, train_dataloader = super()._prepare_for_training(max_steps, train_dataloader, None)
        # strictness would ask for the frozen parameters, which the checkpoint leaves to their own files
        deepspeed_load_checkpoint(self.model_wrapped, resume_from_checkpoint, load_module_strict=False)
        self._load_optimizer_and_scheduler(resume_from_checkpoint)
        return model, train_dataloader


def find_resumable(output_dir: str) -> str | None:
    """The newest checkpoint of a run that is whole, or None. One that was cut off while it was written is renamed.

    Raises ValueError when the folder holds the released pair of files, which training must not mix with.
    """
    if find_pair(output_dir):
        raise ValueError(f"output folder {output_dir}: holds a released auditor; expected another folder (OUTPUT_DIR)")
    while Path(output_dir).is_dir() and (newest := get_last_checkpoint(output_dir)):
        if (Path(newest) / STATE_FILE).is_file():
            return newest
        torn = Path(newest)
        names = (f"torn-{torn.name}{f'-{i}' * (i > 1)}" for i in itertools.count(1))
        torn.rename(next(place for name in names if not (place := torn.with_name(name)).exists()))
    return None
