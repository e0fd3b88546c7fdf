"""Hugging Face's Trainer where only some parts of a model are trained: its checkpoints, and resuming from them."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import torch
from torch.utils.data import DataLoader
from transformers import ProgressCallback, Trainer, TrainerState
from transformers.integrations.deepspeed import deepspeed_load_checkpoint

from scripts.ranks import on_every_rank, on_first_rank
from scripts.stopping import Stopped, leave_signals_to_the_main_process
from scripts.training.checkpoints import SCRATCH, is_finished, keep_newest, store
from scripts.training.deepspeed_files import without_code
from scripts.training.resuming import use_own_rates
from scripts.training.step_guard import StepGuard, check_weights
from utils.finished import TRAINER_STATE
from utils.whole_files import flush, naming, whole_file

logger = logging.getLogger("training")


class PartsTrainer(Trainer):
    """A checkpoint is what `write_parts` writes, with the Trainer's full state beside it.

    `deciding`: settings that decide what is learned, for the checkpoints' manifests.
    """

    _run_folder: str | None = None  # where checkpoints are being written, if not to output_dir

    def __init__(self, *, deciding: dict | None = None, **kwargs):
        super().__init__(**kwargs)
        self.deciding = deciding or {}
        self.own_groups: list[dict] = []  # settings of the optimizer's groups; none if DeepSpeed makes the optimizer
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
        logger.info("starting from %s", checkpoint or "step 0")
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
        for own in (loader, getattr(loader, "base_dataloader", loader)):  # accelerate wraps one, and copies from both
            own.worker_init_fn = leave_signals_to_the_main_process
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

    def save_state(self) -> None:
        """Write the Trainer's state to `output_dir`, whole or not at all: it says that the run is finished."""
        if self.is_world_process_zero():
            path = Path(self.args.output_dir) / TRAINER_STATE
            with whole_file(path) as temporary:
                self.state.save_to_json(str(temporary))
                flush(temporary)
            flush(path.parent)

    def _get_output_dir(self, trial=None) -> str:
        return self._run_folder or super()._get_output_dir(trial)

    def _save_checkpoint(self, model, trial) -> None:
        """Write a checkpoint beside, on all ranks; the first one then gives it its place (`checkpoints.py`)."""
        scratch = Path(self.args.output_dir) / SCRATCH
        staged = scratch / f"checkpoint-{self.state.global_step}"
        place = scratch.parent / staged.name
        try:
            self._run_folder = str(scratch)
            self._write_on_all_ranks(partial(_naming, place, super()._save_checkpoint, model, trial))
            self._name_best(staged, place)
            on_first_rank(partial(_naming, place, store, staged, self.state.global_step, self.deciding))
        finally:
            self._run_folder = None
            if self.args.should_save:
                shutil.rmtree(scratch, ignore_errors=True)
        if self.args.should_save:
            keep_newest(place, self.args.save_total_limit, self.state.best_model_checkpoint)

    def _write_on_all_ranks(self, write: Callable[[], None]) -> None:
        """Where processes wait for each other while they write, one that fails can tell the others nothing."""
        if self.is_deepspeed_enabled or self.state.best_global_step:
            write()
            self.accelerator.wait_for_everyone()
        else:
            on_every_rank(write)

    def _name_best(self, staged: Path, place: Path) -> None:
        """The best checkpoint is known by the place that it will have."""
        if self.state.best_model_checkpoint == str(staged):
            self.state.best_model_checkpoint = str(place)
            if self.args.should_save:
                self.state.save_to_json(str(staged / TRAINER_STATE))

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model=None) -> None:
        self.load_parts(resume_from_checkpoint)

    def create_optimizer(self, model=None) -> torch.optim.Optimizer:
        """The Trainer's optimizer, in the groups of `split`; their settings are kept: a checkpoint overwrites them."""
        fresh = self.optimizer is None
        optimizer = super().create_optimizer(model)
        if fresh:
            optimizer.param_groups = self.split(optimizer.param_groups)
            self.own_groups = [{k: v for k, v in group.items() if k != "params"} for group in optimizer.param_groups]
        return optimizer

    def split(self, groups: list[dict]) -> list[dict]:
        """The optimizer's groups of parameters, from those of the Trainer."""
        return groups

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        super()._load_optimizer_and_scheduler(checkpoint)
        if checkpoint is not None and self.own_groups:
            use_own_rates(self.optimizer, self.lr_scheduler, self.own_groups)

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
        with without_code(resume_from_checkpoint):
            deepspeed_load_checkpoint(self.model_wrapped, resume_from_checkpoint, load_module_strict=False)
        self._load_optimizer_and_scheduler(resume_from_checkpoint)
        return model, train_dataloader


def _naming(place: Path, work: Callable, *arguments: object) -> None:
    """Calls `work`; errors of writing name the checkpoint."""
    with naming(place):
        work(*arguments)
