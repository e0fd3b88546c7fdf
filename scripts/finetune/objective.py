"""What an auditor's answers are trained for, and the auditor that a training begins with."""

from __future__ import annotations

import logging
from pathlib import Path

from configs.model import ModelArguments
from configs.trainer import AuditorFinetuningArguments
from configs.training import POLICY
from models.auditor.auditor import Auditor
from models.auditor.trainable import load_trained_state
from models.weights.auditor_settings import read_config
from models.weights.bundle import AuditorBundle
from models.weights.checkpoint import find_auditor, read_folder
from models.weights.published import find_pair
from scripts.answering.tensor_answerer import template_drafts
from scripts.training.bundle_trainer import AuditTrainer
from scripts.training.policy_trainer import PolicyTrainer
from utils.audit import all_wordings
from utils.tokens import DIRECT_NTP

logger = logging.getLogger("finetune")

# What two models that are the same share in their configurations, beside their LoRA
SHAPE = ("qformer", "num_query_tokens", "iou_estimation", "mask_encode_mode", "without", "vocab_size", "hidden_size")


def make_trainer(bundle: AuditorBundle, args: AuditorFinetuningArguments, **more) -> AuditTrainer:
    """The Trainer of the objective; `more`: what an `AuditTrainer` takes."""
    if args.objective != POLICY:
        return AuditTrainer(bundle=bundle, args=args, **more)
    drafts = template_drafts(bundle.auditor, bundle.tokenizer, all_wordings("object", "object"))
    return PolicyTrainer(bundle=bundle, args=args, drafts=drafts, **more)


def check_objective(model_args: ModelArguments, args: AuditorFinetuningArguments) -> None:
    """Whether the settings fit the objective. Raises ValueError."""
    if args.objective != POLICY:
        return
    if model_args.iou_estimation != DIRECT_NTP:
        got = model_args.iou_estimation
        raise ValueError(f"--objective policy: expected --iou_estimation {DIRECT_NTP}, whose IoUs are drawn, got {got}")
    if args.deepspeed_plugin and args.deepspeed_plugin.zero_stage == 3:
        raise ValueError("--objective policy: expected DeepSpeed's ZeRO stage 0 to 2, got 3, which shards the LLM")
    if args.measure_checkpointing:
        raise ValueError("--objective policy: expected --measure_checkpointing false (it measures a step of ntp)")
    if model_args.lora_dropout:
        logger.warning("--objective policy: audits are drawn without LoRA dropout; expected --lora_dropout 0, too")
    if not args.start_from:
        logger.warning("--objective policy without --start_from: an untrained auditor has nothing to be rewarded for")


def find_start(args: AuditorFinetuningArguments) -> Path:
    """The folder of the auditor that a training begins with. Raises FileNotFoundError, ValueError."""
    start = find_auditor(args.start_from)
    if find_pair(start):
        how = "python -m scripts.finetune.convert makes one"
        raise ValueError(f"--start_from {args.start_from}: expected our folder, got a released pair ({how})")
    if start.resolve().is_relative_to(Path(args.output_dir).resolve()):
        raise ValueError(f"--start_from {args.start_from}: expected another folder than OUTPUT_DIR, {args.output_dir}")
    return start


def begin_with(start: Path, auditor: Auditor) -> None:
    """Copy what another auditor has learned. Raises ValueError if that one has other settings; dropout may differ."""
    saved = read_config(start)
    pairs = [(name, getattr(auditor.config, name), getattr(saved, name)) for name in SHAPE]
    pairs.append(("lora", *({**one.lora, "lora_dropout": None} for one in (auditor.config, saved))))
    for name, expected, got in pairs:
        if expected != got:
            raise ValueError(f"--start_from {start}: {name}: expected {expected}, as asked for, got {got}")
    load_trained_state(auditor, read_folder(start), str(start))
    logger.info("beginning with the auditor %s", start)
