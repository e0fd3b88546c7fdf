"""HF's Trainer, told which mask comes when and what an auditor's checkpoint holds."""

from __future__ import annotations

from dataset.sampling import BalancedSampler
from models.checkpoint import read_folder, save_auditor
from models.trainable import load_trained_state
from scripts.trainer import PartsTrainer


class AuditTrainer(PartsTrainer):
    """Trains an Auditor. A checkpoint is an auditor folder with the Trainer's full state beside it."""

    def __init__(self, *, tokenizer, pixel_settings: dict, sampling: dict, **kwargs):
        super().__init__(**kwargs)
        self.tokenizer, self.pixel_settings, self.sampling = tokenizer, pixel_settings, sampling

    def _get_train_sampler(self, train_dataset=None) -> BalancedSampler:
        dataset = self.train_dataset if train_dataset is None else train_dataset
        batch_size = self.args.per_device_train_batch_size
        return BalancedSampler(dataset.samples, batch_size, seed=self.args.seed, **self.sampling)

    def write_parts(self, folder: str) -> None:
        save_auditor(self.model, self.tokenizer, self.pixel_settings, folder, is_writer=self.args.should_save)

    def load_parts(self, folder: str) -> None:
        load_trained_state(self.model, read_folder(folder), folder)
