"""The training loop of all mini parts: AdamW, a one-cycle schedule, a progress bar with running means.

Its state is saved regularly, so a run that was stopped continues from there. A finished run is not repeated.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from tqdm import tqdm

from utils.whole_files import whole_file

SAVE_EVERY = 250  # steps
MEMORY = 0.97  # weight of the past in the running means


class NumberedBatches(Dataset):
    """Batches `first` to `last`. A batch depends only on its number, so a run can continue in the middle."""

    def __init__(self, make: Callable[[int], dict], first: int, last: int):
        self.make, self.first, self.last = make, first, last

    def __len__(self) -> int:
        return self.last - self.first

    def __getitem__(self, index: int) -> dict:
        torch.set_num_threads(1)
        return self.make(self.first + index)


def train(
    name: str,
    model: nn.Module,
    make_batch: Callable[[int], dict],
    losses: Callable[[dict], dict[str, Tensor]],
    *,
    steps: int,
    learning_rate: float,
    folder: Path,
    seed: int = 0,
) -> None:
    """Train `model` in place. The "loss" that `losses` returns is minimised; its other values are only shown.

    `folder` holds <name>.state.pt during the run, and <name>.done.pt when it is finished.
    """
    done, state_file = folder / f"{name}.done.pt", folder / f"{name}.state.pt"
    if done.is_file():
        model.load_state_dict(torch.load(done, weights_only=True))
        return
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=learning_rate, weight_decay=0.01, betas=(0.9, 0.98))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, learning_rate, steps, pct_start=0.05)
    first = 0
    if state_file.is_file():
        state = torch.load(state_file, weights_only=True)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        schedule.load_state_dict(state["schedule"])
        first = state["step"]
    torch.manual_seed(seed + first)
    loader = DataLoader(NumberedBatches(make_batch, first, steps), batch_size=None, num_workers=1, prefetch_factor=4)
    shown: dict[str, float] = {}
    bar = tqdm(loader, name, initial=first, total=steps, mininterval=10, dynamic_ncols=True)
    for step, batch in enumerate(bar, start=first + 1):
        parts = losses(batch)
        optimizer.zero_grad()
        parts["loss"].backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        schedule.step()
        for key, value in parts.items():
            value = float(value.detach())
            if not math.isnan(value):
                shown[key] = MEMORY * shown.get(key, value) + (1 - MEMORY) * value
        if step % 50 == 0:
            bar.set_postfix({key: f"{value:.3f}" for key, value in shown.items()}, refresh=False)
        if step % SAVE_EVERY == 0:
            states = {"model": model, "optimizer": optimizer, "schedule": schedule}
            _save({key: part.state_dict() for key, part in states.items()} | {"step": step}, state_file)
    _save(model.state_dict(), done)
    state_file.unlink(missing_ok=True)


def _save(content: dict, path: Path) -> None:
    with whole_file(path) as temporary:
        torch.save(content, temporary)
