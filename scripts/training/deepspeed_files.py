"""DeepSpeed's files of a checkpoint, read without running code that they may hold.

DeepSpeed itself reads them with `torch.load(weights_only=False)`, which runs any code in them. Inside `without_code`
torch reads them as it reads weights: tensors, plain containers, and the few records of DeepSpeed in RECORDS. A manifest
would be no defence: whoever plants a file can write the manifest, too.
"""

from __future__ import annotations

import os
import pickle
import re
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

import torch

# Plain values with names; none of them runs anything when it is read.
RECORDS = (
    "deepspeed.runtime.fp16.loss_scaler.LossScaler",
    "deepspeed.runtime.fp16.loss_scaler.DynamicLossScaler",
    "deepspeed.runtime.zero.config.ZeroStageEnum",
    "deepspeed.utils.tensor_fragment.fragment_address",
)
FORCE, FORCE_NOT = "TORCH_FORCE_WEIGHTS_ONLY_LOAD", "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"  # read by every torch.load


@contextmanager
def without_code(checkpoint: str) -> Iterator[None]:
    """Inside, no `torch.load` runs code. Raises ValueError that names the checkpoint if a file asks for it."""
    before = {name: os.environ.pop(name, None) for name in (FORCE, FORCE_NOT)}
    os.environ[FORCE] = "1"
    try:
        with torch.serialization.safe_globals([_record(name) for name in RECORDS]):
            yield
    except pickle.UnpicklingError as error:
        found = re.search(r"GLOBAL (\S+)", str(error))  # what the file asks for
        wanted = found[1] if found else "something else"
        raise ValueError(
            f"{checkpoint}: expected DeepSpeed's files to hold tensors and plain values only, got {wanted}; "
            "nothing of it was run"
        ) from error
    finally:
        del os.environ[FORCE]
        os.environ.update({name: value for name, value in before.items() if value is not None})


def _record(name: str) -> type:
    module, _, own = name.rpartition(".")
    return getattr(import_module(module), own)
