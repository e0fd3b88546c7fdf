"""The Trainer of an auditor or a thinker: its sampler, its learning rates and its checkpoints."""

from __future__ import annotations

import torch

from dataset.batches.sampling import BalancedSampler
from models.auditor.trainable import load_trained_state
from models.weights.bundle import ModelBundle
from models.weights.checkpoint import read_folder
from scripts.trainer import PartsTrainer


class BundleTrainer(PartsTrainer):
    """Trains the model of a bundle. A checkpoint is the model's folder with the Trainer's full state beside it."""

    def __init__(self, *, bundle: ModelBundle, **kwargs):
        super().__init__(model=bundle.model, **kwargs)
        self.bundle = bundle

    def create_optimizer(self, model=None) -> torch.optim.Optimizer:
        """The Trainer's optimizer, with a separate learning rate for each part whose scale is not 1."""
        fresh = self.optimizer is None
        optimizer = super().create_optimizer(model)
        scales = {id(p): self._lr_scale(name) for name, p in (model or self.model).named_parameters()}
        if fresh and set(scales.values()) != {1.0}:
            optimizer.param_groups = [
                {**group, "params": own, "lr": group["lr"] * scale}
                for group in optimizer.param_groups
                for scale in sorted(set(scales.values()))
                if (own := [p for p in group["params"] if scales[id(p)] == scale])
            ]
        return optimizer

    def _lr_scale(self, parameter_name: str) -> float:
        if "_projector." in parameter_name:
            return self.args.projector_lr_scale
        if parameter_name.endswith("embed_tokens.weight"):
            return self.args.embedding_lr_scale
        return self.args.output_head_lr_scale if parameter_name.endswith("lm_head.weight") else 1.0

    def write_parts(self, folder: str) -> None:
        self.bundle.save_pretrained(folder, is_writer=self.args.should_save)

    def load_parts(self, folder: str) -> None:
        load_trained_state(self.model, read_folder(folder), folder)


class AuditTrainer(BundleTrainer):
    """Trains an Auditor."""

    def __init__(self, *, sampling: dict, **kwargs):
        super().__init__(**kwargs)
        self.sampling = sampling

    def name_of(self, number: tuple[int, int]) -> str:
        sample = self.train_dataset.samples[number[0]]
        return f"{sample.uid} ({sample.candidates[number[1]].mask_name})"

    def _get_train_sampler(self, train_dataset=None) -> BalancedSampler:
        dataset = self.train_dataset if train_dataset is None else train_dataset
        batch_size = self.args.per_device_train_batch_size
        return BalancedSampler(dataset.samples, batch_size, seed=self.args.seed, **self.sampling)


class ThinkTrainer(BundleTrainer):
    """Trains a RefThinker."""

    def name_of(self, number: int) -> str:
        return self.train_dataset.samples[number].expression.key
