"""Measure one training step to find out whether gradient checkpointing is needed.

Without it a step is faster, because activations are not computed twice, but it takes more memory."""

from __future__ import annotations

import logging
from itertools import islice

import torch
from accelerate.utils import send_to_device
from accelerate.utils.memory import should_reduce_batch_size
from transformers.integrations import is_deepspeed_zero3_enabled

from scripts.memory import MemoryBudget
from scripts.training.bundle_trainer import AuditTrainer

logger = logging.getLogger("finetune")

OPTIMIZER_BYTES = 12  # for each trained parameter: AdamW's two moments and a float32 copy
NAMES = ("gradient_checkpointing", "activation_checkpointing")  # the old and the new name of one setting
LONGER = 1.15  # a batch of the run may be longer than the measured one by this factor


def switch_off_where_it_fits(trainer: AuditTrainer) -> None:
    """Set the trainer's `gradient_checkpointing` to False if memory suffices without it on every rank."""
    if is_deepspeed_zero3_enabled():
        logger.warning("ZeRO-3: gradient checkpointing stays on, memory is not measured")
        return
    needed = torch.tensor(float(not fits(trainer)), device=trainer.args.device)
    if torch.distributed.is_initialized():
        torch.distributed.all_reduce(needed, torch.distributed.ReduceOp.MAX)
    for name in NAMES:
        if hasattr(trainer.args, name):
            setattr(trainer.args, name, bool(needed))
    outcome = "on: a step does not fit into memory without" if needed else "off: a step fits into memory without"
    logger.info("gradient checkpointing is %s", outcome)


def fits(trainer: AuditTrainer) -> bool:
    """Whether a step without checkpointing fits into memory, together with the optimizer's state.

    The random number generators are left as they were."""
    args, auditor = trainer.args, trainer.model.to(trainer.args.device)
    numbers = islice(trainer._get_train_sampler(), args.per_device_train_batch_size)
    batch = send_to_device(trainer.data_collator([trainer.train_dataset[i] for i in numbers]), args.device)
    budget = MemoryBudget(args.device)
    devices = [args.device] if args.device.type == "cuda" else []
    try:
        with torch.random.fork_rng(devices), budget.running(1), trainer.accelerator.autocast():
            auditor.train()(**batch).loss.backward()
    except RuntimeError as error:
        if not should_reduce_batch_size(error):
            raise
        return False
    finally:
        auditor.zero_grad()
        del batch
        torch.cuda.empty_cache()
    learning = sum(p.numel() for p in auditor.parameters() if p.requires_grad)
    offloaded = trainer.is_deepspeed_enabled and "cpu" in str(_offload(trainer))
    states = 0 if offloaded else OPTIMIZER_BYTES * learning
    return budget.before + LONGER * (budget.peaks[1] - budget.before) + states <= budget.bytes


def _offload(trainer: AuditTrainer) -> object:
    config = trainer.accelerator.state.deepspeed_plugin.deepspeed_config
    return config.get("zero_optimization", {}).get("offload_optimizer")
