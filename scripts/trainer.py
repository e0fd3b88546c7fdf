"""Hugging Face's Trainer where only some parts of a model are trained: its checkpoints, and resuming from them."""

from __future__ import annotations

import itertools
import json
import logging
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch.utils.data import DataLoader
from transformers import ProgressCallback, Trainer, TrainerState, TrainingArguments
from transformers.integrations.deepspeed import deepspeed_load_checkpoint
from transformers.trainer_utils import get_last_checkpoint

from scripts.step_guard import StepGuard, check_weights
from scripts.stopping import Stopped, leave_signals_to_the_main_process
from utils.finished import TRAINER_STATE, is_trained

logger = logging.getLogger("training")


class PartsTrainer(Trainer):
    """A checkpoint is what `write_parts` writes, with the Trainer's full state beside it."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.guard = StepGuard(self.name_of)
        self.add_callback(self.guard)

    def name_of(self, number: Hashable) -> str:
        """What a user calls the sample of this number, as samplers yield it."""
        raise NotImplementedError

    def write_parts(self, folder: str) -> None:
        """Write the trained parts to `folder`. Called on every rank, because ZeRO-3 has to gather their shards."""
        raise NotImplementedError

    def load_parts(self, folder: str) -> None:
        """Read what `write_parts` wrote into the model."""
        raise NotImplementedError

    def complete(self, checkpoint: str | None) -> None:
        """Train from a checkpoint, or from the start, to the end of the run, and write the result to `output_dir`.

        A checkpoint at the end of the run is the result. The state is written last (`utils.finished`).
        """
        last_file = Path(self.args.output_dir) / TRAINER_STATE
        if checkpoint and is_finished(checkpoint, self.args):
            logger.info("%s: the run is finished, nothing is left to train", checkpoint)
            self.load_parts(checkpoint)
            self.save_model()
            if not last_file.is_file():  # an earlier process was killed before it could write the result
                self.state = TrainerState.load_from_json(str(Path(checkpoint) / TRAINER_STATE))
                self.save_state()
            return
        logger.info("starting from %s", checkpoint or "the pretrained parts")
        if self.args.should_save:
            last_file.unlink(missing_ok=True)
        with self.guard.signals.noting(), self._bar_ended():
            self.train(resume_from_checkpoint=checkpoint)
        if self.guard.stopped_by and self.state.global_step < self.state.max_steps:
            kept = f" after step {self.state.global_step}, which is saved; start the run again to go on"
            raise Stopped(self.guard.stopped_by, kept)
        self.save_model()
        self.save_state()

    @contextmanager
    def _bar_ended(self) -> Iterator[None]:
        """End the line of the progress bar, also after an error, whose sentence then stands on its own."""
        try:
            yield
        finally:
            for callback in self.callback_handler.callbacks:
                if isinstance(callback, ProgressCallback) and callback.training_bar is not None:
                    callback.training_bar.close()

    def get_train_dataloader(self) -> DataLoader:
        loader = super().get_train_dataloader()
        loader.worker_init_fn = leave_signals_to_the_main_process
        return loader

    def training_step(self, *args, **kwargs) -> torch.Tensor:
        loss = super().training_step(*args, **kwargs)
        self.guard.losses.append(loss)
        return loss

    def _get_grad_norm(self, model, grad_norm=None):
        norm = super()._get_grad_norm(model, grad_norm=grad_norm)
        self.guard.check(self, norm)
        return norm

    def save_model(self, output_dir: str | None = None, _internal_call: bool = False) -> None:
        check_weights(self.model)
        self.write_parts(output_dir or self.args.output_dir)

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model=None) -> None:
        self.load_parts(resume_from_checkpoint)

    def _save_optimizer_and_scheduler(self, output_dir: str) -> None:
        """Leave the frozen parameters out of DeepSpeed's files: 13 GB in each checkpoint that never change."""
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
        # a strict load would expect the frozen parameters, which the checkpoint does not hold
        deepspeed_load_checkpoint(self.model_wrapped, resume_from_checkpoint, load_module_strict=False)
        self._load_optimizer_and_scheduler(resume_from_checkpoint)
        return model, train_dataloader


def is_finished(checkpoint: str, training_args: TrainingArguments) -> bool:
    """Whether the checkpoint is at the last step of the run."""
    state = json.loads((Path(checkpoint) / TRAINER_STATE).read_text())
    if training_args.max_steps > 0:
        return state["global_step"] >= training_args.max_steps
    return state["epoch"] >= training_args.num_train_epochs


def find_resumable(output_dir: str) -> str | None:
    """The newest complete checkpoint of a run, or None. Incomplete ones, whose writing was interrupted, are renamed."""
    while Path(output_dir).is_dir() and (newest := get_last_checkpoint(output_dir)):
        if is_trained(newest):
            return newest
        torn = Path(newest)
        names = (f"torn-{torn.name}{f'-{i}' * (i > 1)}" for i in itertools.count(1))
        torn.rename(next(place for name in names if not (place := torn.with_name(name)).exists()))
    return None
