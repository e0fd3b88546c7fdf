"""The work of scripts.think.finetune_ref_thinker: read expressions and answers, train a thinker, write its folder."""

from __future__ import annotations

import logging
from pathlib import Path

import transformers
from transformers import set_seed

from configs.thinking import ThinkDataArguments, ThinkerArguments
from configs.trainer import FinetuningArguments
from dataset.batches.collator import AuditCollator
from dataset.batches.think_dataset import build_think_dataset
from dataset.referring.layout import ReferringData
from dataset.referring.thinking import find_tuning_file, read_think_samples
from models.auditor.trainable import trainable_table
from models.thinker.build import THINKER
from models.weights.bundle import ThinkerBundle
from scripts.features import remember_features
from scripts.finetune.training import check_places, check_same_model, describe_schedule, prepare_processes, start_model
from scripts.ranks import only_run, told_once
from scripts.training.bundle_trainer import ThinkTrainer
from scripts.training.checkpointing import switch_off_where_it_fits
from scripts.training.checkpoints import checkpoint_to_resume, is_finished
from scripts.training.resuming import changed_settings, deciding_settings, record_run

logger = logging.getLogger("finetune")
# Settings of the model and the data that decide what is learned, beside those of `scripts.training.resuming`
DECIDING = ("llama_path", "clip_path", "beats_path", "quantization", "data_dir", "test_wording_every")


def train_thinker(
    model_args: ThinkerArguments, data_args: ThinkDataArguments, training_args: FinetuningArguments
) -> None:
    """Check folders, parts and data first, then load the model and train. The thinker is written to `output_dir`."""
    prepare_processes(training_args)
    with training_args.main_process_first(local=False):
        check_places(model_args, training_args, THINKER)
    with only_run(training_args.output_dir):
        _train(model_args, data_args, training_args)


def _train(model_args: ThinkerArguments, data_args: ThinkDataArguments, training_args: FinetuningArguments) -> None:
    checkpoint = checkpoint_to_resume(training_args)
    set_seed(training_args.seed)
    data = ReferringData(Path(data_args.data_dir), Path(data_args.metadata_dir) if data_args.metadata_dir else None)
    tuning_file = Path(data_args.tuning_file) if data_args.tuning_file else find_tuning_file(data)
    with told_once():
        samples = read_think_samples(data, "train", tuning_file)
    training_args.eval_strategy = transformers.IntervalStrategy.NO  # published: no expressions are held out
    bundle = start_model(ThinkerBundle, model_args, training_args)
    model = bundle.model
    dataset = build_think_dataset(
        samples, bundle.tokenizer, bundle.pixels, model.config.num_query_tokens, positions=model.positions
    )
    dataset.test_wording_every = data_args.test_wording_every
    if data_args.cache_features:
        workers = training_args.dataloader_num_workers
        remember_features(model, [dataset], bundle.pixels, data_args, training_args.device, workers)
    files = [data.metadata_path(), tuning_file]
    settings = {**vars(model_args), **vars(data_args), **training_args.to_sanitized_dict()}
    trainer = ThinkTrainer(
        bundle=bundle,
        deciding=deciding_settings(training_args, settings, DECIDING, files),
        args=training_args,
        train_dataset=dataset,
        data_collator=AuditCollator(bundle.tokenizer.pad_token_id),
    )
    with told_once():
        if checkpoint:
            check_same_model(checkpoint, model, THINKER)
        changed = changed_settings(checkpoint, trainer.deciding) if checkpoint else []
    finished = checkpoint and is_finished(checkpoint, training_args)
    if trainer.is_world_process_zero():
        logger.info("what learns:\n%s", trainable_table(model))
        logger.info("training expressions: %d", len(samples))
        logger.info("schedule: %s", describe_schedule(training_args))
        counts = {"training_expressions": len(samples), "null": sum(s.expression.is_null for s in samples)}
        record_run(training_args, checkpoint, changed, settings, files, counts)
    if training_args.gradient_checkpointing and training_args.measure_checkpointing and not finished:
        switch_off_where_it_fits(trainer)
    trainer.complete(checkpoint)
    logger.info("thinker written to %s", training_args.output_dir)
