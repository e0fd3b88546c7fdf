"""The Trainer of an auditor or a thinker: its sampler, its learning rates and its checkpoints."""

from __future__ import annotations

from dataset.batches.sampling import BalancedSampler
from models.auditor.trainable import load_trained_state
from models.weights.bundle import ModelBundle
from models.weights.checkpoint import read_folder
from scripts.training.trainer import PartsTrainer

LR_SCALES = (None, "projector_lr_scale", "embedding_lr_scale", "output_head_lr_scale")


class BundleTrainer(PartsTrainer):
    """Trains the model of a bundle. A checkpoint is the model's folder with the Trainer's full state beside it."""

    def __init__(self, *, bundle: ModelBundle, **kwargs):
        super().__init__(model=bundle.model, **kwargs)
        self.bundle = bundle

    def split(self, groups: list[dict]) -> list[dict]:
        """Each part of the auditor has groups of its own, with its learning rate.

        They are the same for all learning rates, so that a checkpoint can be resumed with others.
        """
        scale_of = {id(p): _lr_scale(name) for name, p in self.model.named_parameters()}
        return [
            {**group, "params": own, "lr": group["lr"] * (getattr(self.args, scale) if scale else 1.0)}
            for scale in LR_SCALES
            for group in groups
            if (own := [p for p in group["params"] if scale_of[id(p)] == scale])
        ]

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


def _lr_scale(parameter_name: str) -> str | None:
    """The setting that scales the learning rate of a parameter."""
    if "_projector." in parameter_name:
        return "projector_lr_scale"
    if parameter_name.endswith("embed_tokens.weight"):
        return "embedding_lr_scale"
    return "output_head_lr_scale" if parameter_name.endswith("lm_head.weight") else None
