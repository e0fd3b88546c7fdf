"""What a run that goes on from a checkpoint does with settings that have changed since.

New learning rates, their schedule and the optimizer's other settings count from the checkpoint on. Settings that decide
which samples are shown count, too, with a warning. What would not fit the checkpoint's files is refused.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterable
from pathlib import Path

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, LRScheduler
from transformers import TrainingArguments

from scripts.training.checkpoints import is_finished, saved_settings
from utils.run_record import fingerprint, read_resumed, write_run_record

logger = logging.getLogger("training")

RATES = (
    "learning_rate",
    "projector_lr_scale",
    "embedding_lr_scale",
    "output_head_lr_scale",
    "lr_scheduler_type",
    "lr_scheduler_kwargs",
    "warmup_steps",
    "num_train_epochs",
    "max_steps",
    "weight_decay",
    "adam_beta1",
    "adam_beta2",
    "adam_epsilon",
    "max_grad_norm",
    "label_smoothing_factor",
    "neftune_noise_alpha",
    "optim_args",
)
ORDER = ("seed", "data_seed", "per_device_train_batch_size", "gradient_accumulation_steps", "dataloader_drop_last")
FIXED = ("optim", "deepspeed_stage", "objective", "start_from")
FIXED_WITH_DEEPSPEED = ("processes", "bf16", "fp16")


def deciding_settings(
    training_args: TrainingArguments, settings: dict, names: Iterable[str], data_files: Iterable[Path]
) -> dict:
    """The settings that decide what is learned, of `settings` those of training and those in `names`; as JSON has them.

    `data` is a fingerprint of the data files.
    """
    chosen = [*RATES, *ORDER, *FIXED, *FIXED_WITH_DEEPSPEED, *names]
    together = "".join(fingerprint(path) for path in data_files)
    plugin = training_args.deepspeed_plugin
    found = {
        **{name: settings[name] for name in chosen if name in settings},
        "processes": training_args.world_size,
        "deepspeed_stage": plugin.zero_stage if plugin else None,
        "data": hashlib.sha256(together.encode()).hexdigest()[:16],
    }
    return json.loads(json.dumps(found))


def changed_settings(checkpoint: str, now: dict) -> list[str]:
    """Settings that differ from those of the checkpoint, as "name: then -> now".

    Raises ValueError for one that does not fit the files of the checkpoint.
    """
    then = saved_settings(checkpoint)
    changed = [name for name in now if name in then and then[name] != now[name]]
    fixed = FIXED if then.get("deepspeed_stage") is None else FIXED + FIXED_WITH_DEEPSPEED
    for name in changed:
        if name in fixed:
            origin = "as the checkpoint was trained with"
            raise ValueError(f"{checkpoint}: {name}: expected {then[name]}, {origin}, got {now[name]} (set OUTPUT_DIR)")
    return [f"{name}: {then[name]} -> {now[name]}" for name in changed]


def record_run(
    training_args: TrainingArguments,
    checkpoint: str | None,
    changed: list[str],
    settings: dict,
    data_files: Iterable[Path],
    counts: dict,
) -> None:
    """Write run.json at the start of a run, and say which settings have changed since the checkpoint.

    The record of a finished run stays: nothing is trained with the new settings.
    """
    folder, resumed = training_args.output_dir, []
    finished = checkpoint and is_finished(checkpoint, training_args)
    if checkpoint:
        resumed = read_resumed(folder)
    if changed and finished:
        logger.warning("the run is finished: nothing is trained with other settings: %s", "; ".join(changed))
    elif changed:
        logger.warning("resuming with other settings: %s. The new ones count from here on", "; ".join(changed))
        resumed += [{"checkpoint": Path(checkpoint).name, "changed": changed}]
    if not finished or not (Path(folder) / "run.json").is_file():
        write_run_record(folder, settings, data_files, training_args.seed, counts, resumed)


def use_own_rates(optimizer: Optimizer, scheduler: LRScheduler, groups: list[dict]) -> None:
    """Gives an optimizer, loaded from a checkpoint, the settings of `groups`, and the rates of this run's schedule.

    `groups`: the settings of the parameter groups as this run made them. A schedule that is no function of the step,
    such as reduce_lr_on_plateau, keeps the checkpoint's rates.
    """
    for group, own in zip(optimizer.param_groups, groups, strict=True):
        group.update({name: value for name, value in own.items() if name != "lr"})
    if not isinstance(scheduler, LambdaLR):
        return
    scheduler.base_lrs = [own["lr"] for own in groups]
    shares = [share(scheduler.last_epoch) for share in scheduler.lr_lambdas]
    scheduler._last_lr = [base * share for base, share in zip(scheduler.base_lrs, shares, strict=True)]
    for group, base, rate in zip(optimizer.param_groups, scheduler.base_lrs, scheduler._last_lr, strict=True):
        group["initial_lr"], group["lr"] = base, rate
