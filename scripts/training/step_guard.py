"""Looks at every training step before its update: numbers that are not finite, and signals that ask to stop.

All processes of a run agree on what they saw, so they stop at the same step.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Hashable, Iterator

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from scripts.ranks import ToldElsewhere, find_launchers, rank, world_size
from scripts.stopping import NotedSignals

logger = logging.getLogger("training")

MOST_NAMES = 8  # of samples or weights in one sentence


class StepGuard(TrainerCallback):
    """Stops a run at the end of a step after SIGTERM or Ctrl-C, and before the update if a number is not finite.

    `name_of` gives the name of a sample for its number in the dataset, as samplers yield it.
    """

    def __init__(self, name_of: Callable[[Hashable], str]):
        self.name_of = name_of
        self.signals = NotedSignals(patient=bool(find_launchers()))
        self.losses: list[Tensor] = []  # of the step's mini-batches on this process
        self.stopped_by = 0  # the signal that all processes stop for

    def check(self, trainer, norm: Tensor | float | None) -> None:
        """After the step's gradients are there. `norm`: of all of them; None: unknown.

        Under fp16 gradients overflow at times, and the loss scaler leaves out such steps: then only losses count.
        Raises ValueError on the first process, ToldElsewhere on the others.
        """
        losses, self.losses = torch.stack(self.losses).float(), []
        norm = None if trainer.args.fp16 else norm
        bad = ~losses.isfinite().all()
        if norm is not None:
            bad = bad | ~torch.as_tensor(norm, dtype=torch.float32, device=losses.device).isfinite()
        signum = torch.full((), float(self.signals.signum), device=losses.device)
        bad, signum = _highest(torch.stack([bad.float(), signum]))
        if bad:
            _tell(self._what_is_wrong(trainer, losses.tolist(), norm))
        if signum:
            self.stopped_by = int(signum)
            logger.warning("step %d is the last one: a signal asks to stop", trainer.state.global_step + 1)

    def _what_is_wrong(self, trainer, losses: list[float], norm: Tensor | float | None) -> str:
        """The sentence for the user; every process has to ask for it."""
        names = list(names_of_step(trainer, self.name_of))
        odd = [(loss, own) for loss, own in zip(losses, names, strict=True) if not math.isfinite(loss)]
        odd, names, weights = (_gather(own) for own in (odd, names, unfinite_weights(trainer.model)))
        step = trainer.state.global_step + 1
        if odd:
            what, samples = f"loss, got {odd[0][0]}", [name for _, own in odd for name in own]
        else:
            gradient = "one that is not" if norm is None else f"a norm of {float(norm)}"
            what, samples = f"gradient, got {gradient}", [name for own in names for name in own]
        sentence = f"step {step}: expected a finite {what}, for {_some(samples)}"
        if weights:
            sentence += f"; weights that are not finite already: {_some(list(dict.fromkeys(weights)))}"
        return f"{sentence}; the step is not done and not saved"

    def on_epoch_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, train_dataloader=None, **kwargs
    ):
        set_epoch(train_dataloader, int((state.epoch or 0) + 1e-6))  # a share of an epoch may be rounded

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs):
        if self.stopped_by:
            control.should_save, control.should_evaluate, control.should_training_stop = True, False, True

    def on_epoch_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs):
        if self.stopped_by:  # saved at the end of the step
            control.should_save = control.should_evaluate = control.should_log = False


def check_weights(model: nn.Module) -> None:
    """Raises ValueError if a weight that learns is not finite: on the first process, ToldElsewhere on the others."""
    own = unfinite_weights(model)
    (bad,) = _highest(torch.full((1,), float(bool(own)), device=next(model.parameters()).device))
    if bad:
        names = list(dict.fromkeys(_gather(own)))
        _tell(
            f"expected finite weights, got others in {_some(names)}; they are not saved (try a lower --learning_rate)"
        )


def unfinite_weights(model: nn.Module) -> list[str]:
    """Names of the parameters of which this process holds a value that is not finite; ZeRO-3 shares them out."""
    held = {name: getattr(parameter, "ds_tensor", parameter).detach() for name, parameter in model.named_parameters()}
    floats = {name: values for name, values in held.items() if values.is_floating_point() and values.numel()}
    finite = torch.stack([values.isfinite().all().cpu() for values in floats.values()]).tolist()
    return [name for name, good in zip(floats, finite, strict=True) if not good]


def names_of_step(trainer, name_of: Callable[[Hashable], str]) -> Iterator[list[str]]:
    """For each mini-batch of the step that runs, as this process sees it: the names of its samples."""
    loader, accumulation = trainer.callback_handler.train_dataloader, trainer.args.gradient_accumulation_steps
    epoch, update = divmod(trainer.state.global_step, math.ceil(len(loader) / accumulation))
    set_epoch(loader, epoch)
    batches = list(loader.batch_sampler)
    for batch in batches[update * accumulation : (update + 1) * accumulation]:
        yield [name_of(number) for number in batch]


def set_epoch(loader: DataLoader, epoch: int) -> None:
    """Tell the epoch to the sampler within all wrappers; accelerate's `set_epoch` does not reach through each."""
    sampler = loader
    while (inner := getattr(sampler, "batch_sampler", None) or getattr(sampler, "sampler", None)) is not None:
        sampler = inner
    if hasattr(sampler, "set_epoch"):
        sampler.set_epoch(epoch)


def _highest(flags: Tensor) -> list[float]:
    """(n,) flags of this process -> the highest of all processes."""
    if world_size() > 1:
        torch.distributed.all_reduce(flags, torch.distributed.ReduceOp.MAX)
    return flags.tolist()


def _gather(own: list) -> list:
    """The entries of all processes."""
    if world_size() == 1:
        return own
    everybody: list = [None] * world_size()
    torch.distributed.all_gather_object(everybody, own)
    return [one for some in everybody for one in some]


def _some(names: list[str]) -> str:
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return ", ".join(names[:MOST_NAMES]) + more


def _tell(sentence: str) -> None:
    if rank():
        raise ToldElsewhere
    raise ValueError(sentence)
