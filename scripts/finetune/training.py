"""The work of scripts.finetune.finetune_hyperlora: read data and parts, train an auditor, write its folder."""

from __future__ import annotations

import logging
import os
import random
from dataclasses import replace
from pathlib import Path

import torch
import transformers
from transformers import set_seed
from transformers.integrations import is_wandb_available

from configs.data import DataArguments
from configs.model import ModelArguments
from configs.trainer import AuditorFinetuningArguments, FinetuningArguments
from configs.training import NTP, POLICY
from dataset.batches.audit_dataset import AuditDataset, build_dataset
from dataset.batches.collator import AuditCollator
from dataset.batches.sampling import perfect_quota, select_candidates, split_train
from dataset.benchmark.annotations import read_train
from dataset.benchmark.samples import AuditSample, Problem
from dataset.benchmark.validation import find_file_problems, validated
from models.auditor.build import AUDITOR, PUBLISHED_NAMES, Kind, part_path
from models.auditor.trainable import mark_trainable, trainable_table
from models.language.audio_visual import AudioVisualLM
from models.weights.auditor_settings import check_projectors, read_config
from models.weights.bundle import AuditorBundle, ModelBundle
from models.weights.checkpoint import check_target
from models.weights.published import find_pair
from scripts.features import remember_features
from scripts.finetune.about import describe
from scripts.finetune.objective import SHAPE, begin_with, check_objective, find_start, make_trainer
from scripts.ranks import once_a_node, only_run, told_once
from scripts.training.build_locks import wait_for_builds
from scripts.training.checkpointing import switch_off_where_it_fits
from scripts.training.checkpoints import checkpoint_to_resume, is_finished
from scripts.training.resuming import changed_settings, deciding_settings, record_run

logger = logging.getLogger("finetune")

# Settings of the model and the data that decide what is learned, beside those of `scripts.training.resuming`
DECIDING = (
    "llama_path",
    "clip_path",
    "beats_path",
    "quantization",
    "data_dir",
    "train_fraction",
    "eval_fraction",
    "pos_ratio",
    "masks_per_video",
    "wordings",
    "decision_weight",
    "objective",
    "start_from",
    "answers_per_mask",
    "ntp_weight",
)


def train(model_args: ModelArguments, data_args: DataArguments, training_args: AuditorFinetuningArguments) -> None:
    """Check folders, parts and data first, then load the model and train. The auditor is written to `output_dir`."""
    prepare_processes(training_args)
    with training_args.main_process_first(local=False):
        check_request(model_args, data_args, training_args)
    with only_run(training_args.output_dir):
        _train(model_args, data_args, training_args)


def prepare_processes(training_args: FinetuningArguments) -> None:
    """What has to be done before anything is loaded."""
    if training_args.deepspeed:
        wait_for_builds()
    if training_args.deepspeed and training_args.use_cpu:
        import deepspeed  # here, because it cannot be installed everywhere and is only needed here

        deepspeed.init_distributed("gloo")  # ZeRO-3 shards the model while it is loaded, before the Trainer exists
    training_args.dataloader_num_workers = min(training_args.dataloader_num_workers, os.cpu_count())


def _train(model_args: ModelArguments, data_args: DataArguments, training_args: AuditorFinetuningArguments) -> None:
    checkpoint = checkpoint_to_resume(training_args)
    start = find_start(training_args) if training_args.start_from and not checkpoint else None
    set_seed(training_args.seed)
    with told_once():
        data = read_train(data_args.data_dir)
        benchmark = validated(data, data_args.on_bad_sample, find_problems_together, data_args.allow_links)
    train_samples, eval_samples = split_train(
        benchmark.samples, data_args.train_fraction, data_args.eval_fraction, training_args.seed
    )
    bundle = start_model(AuditorBundle, model_args, training_args)
    auditor = bundle.auditor
    if start:
        begin_with(start, auditor)
    train_data = build_dataset(
        train_samples, bundle.tokenizer, bundle.pixels, auditor.config, positions=auditor.positions
    )
    eval_data = held_out_dataset(eval_samples, bundle, data_args.pos_ratio, training_args)
    train_data.wordings = data_args.wordings
    train_data.prompts.decision_weight = data_args.decision_weight
    if data_args.cache_features:
        remember_features(
            auditor,
            [data for data in (train_data, eval_data) if data],
            bundle.pixels,
            data_args,
            training_args.device,
            training_args.dataloader_num_workers,
        )
    about = describe(auditor, train_data, eval_samples, data_args, training_args, describe_run(training_args))
    bundle = replace(bundle, about=about)
    settings = {**vars(model_args), **vars(data_args), **training_args.to_sanitized_dict()}
    share = data_args.masks_per_video > 1 or training_args.objective == POLICY  # a mask's audits share its prompt
    trainer = make_trainer(
        bundle,
        training_args,
        deciding=deciding_settings(training_args, settings, DECIDING, benchmark.files),
        train_dataset=train_data,
        eval_dataset=eval_data,
        data_collator=AuditCollator(bundle.tokenizer.pad_token_id, share_prompts=share),
        sampling={"pos_ratio": data_args.pos_ratio, "masks_per_video": data_args.masks_per_video},
    )
    with told_once():
        if checkpoint:
            check_same_model(checkpoint, auditor, AUDITOR)
        changed = changed_settings(checkpoint, trainer.deciding) if checkpoint else []
    finished = checkpoint and is_finished(checkpoint, training_args)
    if trainer.is_world_process_zero():
        logger.info("what learns:\n%s", trainable_table(auditor))
        logger.info("training videos: %d; held out: %d", len(train_samples), len(eval_samples))
        logger.info("schedule: %s", describe_run(training_args))
        counts = {"training_videos": len(train_samples), "held_out_videos": len(eval_samples)}
        counts |= {"passed_over": benchmark.passed_over, "bad_samples_skipped": [str(p) for p in benchmark.problems]}
        record_run(training_args, checkpoint, changed, settings, benchmark.files, counts)
    if training_args.gradient_checkpointing and training_args.measure_checkpointing and not finished:
        switch_off_where_it_fits(trainer)
    trainer.complete(checkpoint)
    logger.info("auditor written to %s", training_args.output_dir)


def find_problems_together(samples: list[AuditSample]) -> list[Problem]:
    """Those of every node's files, on all processes; the files are decoded once a node."""
    together = once_a_node(lambda: find_file_problems(samples))
    known = set(together[0])
    return together[0] + [problem for problems in together[1:] for problem in problems if problem not in known]


def describe_schedule(training_args: FinetuningArguments) -> str:
    """Length, batch and learning rate of the run in words, so that a wrong setting is seen at the start."""
    args = training_args
    length = f"{args.max_steps} steps" if args.max_steps > 0 else f"{args.num_train_epochs:g} epochs"
    batch = f"{args.per_device_train_batch_size} x {args.gradient_accumulation_steps} x {args.world_size}"
    return f"{length}, batch {batch} (local x accumulation x processes), learning rate {args.learning_rate:g}"


def describe_run(training_args: AuditorFinetuningArguments) -> str:
    """The schedule, and what is ours: the objective, and the auditor that the run begins with."""
    own = [f"objective {training_args.objective}"] if training_args.objective != NTP else []
    own += [f"beginning with {Path(training_args.start_from).name}"] if training_args.start_from else []
    return ", ".join([describe_schedule(training_args), *own])


def check_request(
    model_args: ModelArguments, data_args: DataArguments, training_args: AuditorFinetuningArguments
) -> None:
    """The checks that need no data to be read. Raises FileNotFoundError, ValueError."""
    check_places(model_args, training_args, AUDITOR)
    batch, together = training_args.per_device_train_batch_size, data_args.masks_per_video
    if batch % together:
        raise ValueError(f"--masks_per_video: expected a divisor of the batch of {batch}, got {together}")
    check_objective(model_args, training_args)


def check_places(model_args: ModelArguments, training_args: FinetuningArguments, kind: Kind) -> None:
    """Whether the parts are there, and the folder to write is free. Raises FileNotFoundError, ValueError."""
    if find_pair(training_args.output_dir):
        folder = training_args.output_dir
        raise ValueError(f"output folder {folder}: holds a released {kind.word}; expected another folder (OUTPUT_DIR)")
    check_target(training_args.output_dir, kind)
    if "wandb" in training_args.report_to and not is_wandb_available():
        raise ValueError("--report_to wandb: expected the package wandb, got none (pip install wandb)")
    for part in PUBLISHED_NAMES:
        part_path(model_args, part)
    check_projectors(model_args)


def check_same_model(checkpoint: str, model: AudioVisualLM, kind: Kind) -> None:
    """Raises ValueError if the checkpoint's model differs from the one asked for; the message names the setting."""
    saved = read_config(checkpoint, kind)
    for name in ("lora", *SHAPE):
        expected, got = getattr(model.config, name, None), getattr(saved, name, None)
        if expected != got:
            raise ValueError(f"{checkpoint}: {name}: expected {expected}, as asked for, got {got} (set OUTPUT_DIR)")


def start_model(
    bundle_class: type[ModelBundle], model_args: ModelArguments, training_args: FinetuningArguments
) -> ModelBundle:
    """The model at the start of training: base models and pretrained projectors; what is trained requires gradients.

    With bf16 or fp16 the frozen parts have that dtype. What is trained stays in float32, except with DeepSpeed, which
    keeps its own float32 copy.
    """
    dtype = torch.bfloat16 if training_args.bf16 else torch.float16 if training_args.fp16 else torch.float32
    bundle = bundle_class.from_parts(model_args, dtype)
    mark_trainable(bundle.model)
    bundle.load_projectors(model_args)
    if training_args.deepspeed is None:
        for parameter in bundle.model.parameters():
            if parameter.requires_grad:
                parameter.data = parameter.data.float()
    return bundle


def held_out_dataset(
    samples: list[AuditSample], bundle: AuditorBundle, pos_ratio: float, training_args: FinetuningArguments
) -> AuditDataset | None:
    """One fixed mask of each held-out video, with training's share of perfect masks; None without videos."""
    if not samples:
        training_args.eval_strategy = transformers.IntervalStrategy.NO
        return None
    rng = random.Random(f"held out/{training_args.seed}")
    types = [[c.audit.mask_type for c in sample.candidates] for sample in samples]
    chosen = select_candidates(types, perfect_quota(len(types), pos_ratio), rng)
    return build_dataset(samples, bundle.tokenizer, bundle.pixels, bundle.auditor.config, list(enumerate(chosen)))
