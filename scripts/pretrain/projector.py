"""The work of scripts.pretrain.pretrain_projector: train a projector on captions between a frozen encoder and LLM."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import torch
from torch import nn
from transformers import PreTrainedTokenizerBase, set_seed
from transformers.integrations import is_deepspeed_zero3_enabled

from configs.data import CaptionArguments
from configs.model import ModelArguments
from configs.trainer import ProjectorTrainingArguments
from dataset.batches.caption_dataset import CaptionCollator, CaptionDataset
from dataset.benchmark.links import refuse_links
from dataset.features.store import encode_each
from dataset.media.pixels import PixelTransform
from dataset.text.captions import read_audiocaps, read_visual_captions
from dataset.text.prompt import PromptEncoder
from models.auditor.build import load_language_model, load_tokenizer, part_path, read_qformer_settings
from models.auditor.trainable import check_state
from models.encoders.beats import load_beats
from models.encoders.vision import load_vision_tower
from models.language.captioner import Captioner
from models.language.projector import QFormerProjector
from models.weights.checkpoint import pixel_settings, square
from models.weights.published import read_pretrained_projector, write_pretrained_projector
from scripts.ranks import only_run, told_once
from scripts.training.checkpoints import checkpoint_to_resume
from scripts.training.resuming import changed_settings, deciding_settings, record_run
from scripts.training.trainer import PartsTrainer
from utils.tokens import AUDIO, DIRECT_NTP, IMAGE, VIDEO

logger = logging.getLogger("pretrain")

PROJECTORS = {"visual": "vision_projector", "audio": "audio_projector"}
PLACEHOLDERS = {"visual": (IMAGE, VIDEO), "audio": (AUDIO,)}
FINETUNING_ONLY = (
    "mask_encode_mode",
    "iou_estimation",
    "without",
    "quantization",
    "lora_r",
    "lora_alpha",
    "lora_dropout",
    "lora_targets",
)
# Settings of the model and the data that decide what is learned, beside those of `scripts.training.resuming`
DECIDING = (
    "modality",
    "num_query_tokens",
    "num_qformer_layers",
    "vision_feature_layer",
    "llama_path",
    "clip_path",
    "beats_path",
    "media_dir",
)


class ProjectorTrainer(PartsTrainer):
    """Trains a Captioner. A checkpoint holds the projector under the published names."""

    def __init__(self, *, modality: str, file_name: str, **kwargs):
        super().__init__(**kwargs)
        self.projector_name, self.file_name = PROJECTORS[modality], file_name

    def name_of(self, number: int) -> str:
        return str(self.train_dataset.captions[number].path)

    def write_parts(self, folder: str) -> None:
        if self.args.should_save:
            state = self.model.projector.state_dict()
            named = {f"{self.projector_name}.{key}": tensor.cpu() for key, tensor in state.items()}
            write_pretrained_projector(named, Path(folder) / self.file_name)

    def load_parts(self, folder: str) -> None:
        path = Path(folder) / self.file_name
        state = {k.partition(".")[2]: t for k, t in read_pretrained_projector(path, self.projector_name).items()}
        projector = self.model.projector
        check_state({name: tuple(p.shape) for name, p in projector.state_dict().items()}, state, str(path))
        projector.load_state_dict(state)


def pretrain(
    model_args: ModelArguments, caption_args: CaptionArguments, training_args: ProjectorTrainingArguments
) -> None:
    """Check captions and parts, train, and write the projector to `output_dir` under its published file name."""
    with only_run(training_args.output_dir):
        _pretrain(model_args, caption_args, training_args)


def _pretrain(
    model_args: ModelArguments, caption_args: CaptionArguments, training_args: ProjectorTrainingArguments
) -> None:
    if unused := [name for name in FINETUNING_ONLY if getattr(model_args, name) != getattr(ModelArguments(), name)]:
        raise ValueError(f"--{unused[0]}: expected in fine-tuning only, got it in pretraining")
    set_seed(training_args.seed)
    modality = caption_args.modality
    read = read_visual_captions if modality == "visual" else read_audiocaps
    captions = [caption for path in caption_args.captions for caption in read(path, caption_args.media_dir)]
    if not caption_args.allow_links:
        refuse_links(Path(caption_args.media_dir), dict.fromkeys(caption.path for caption in captions))
    if is_deepspeed_zero3_enabled():
        raise ValueError("--deepspeed: expected stage 2 or none, got stage 3 (a projector is small; it is not sharded)")
    checkpoint = checkpoint_to_resume(training_args)
    training_args.dataloader_num_workers = min(training_args.dataloader_num_workers, os.cpu_count())
    tokenizer = load_tokenizer(part_path(model_args, "llama_path"), DIRECT_NTP)
    prompts = PromptEncoder(tokenizer, model_args.num_query_tokens)
    prompts.encode_caption(captions[0].medium, 1, captions[0].question, captions[0].answer)  # is there a chat template?
    model = make_captioner(model_args, modality, tokenizer, training_args)
    pixels = pixel_settings(model_args) | square(model.encoder.image_size) if modality == "visual" else None
    transform = pixels and PixelTransform(
        pixels["size"]["height"], tuple(pixels["image_mean"]), tuple(pixels["image_std"])
    )
    data = CaptionDataset(captions, prompts, transform)
    if caption_args.cache_features:
        model.encoder.to(training_args.device)
        by_path = {caption.path: caption for caption in captions}
        data.features = encode_each(
            by_path,
            lambda path: data.read(by_path[path]),
            lambda items: model.encode_each([own.to(training_args.device) for own in items]),
            title="encoding",
            num_workers=training_args.dataloader_num_workers,
        )
    settings = {**vars(model_args), **vars(caption_args), **training_args.to_sanitized_dict()}
    files = [Path(path) for path in caption_args.captions]
    trainer = ProjectorTrainer(
        model=model,
        deciding=deciding_settings(training_args, settings, DECIDING, files),
        args=training_args,
        train_dataset=data,
        data_collator=CaptionCollator(tokenizer.pad_token_id),
        modality=modality,
        file_name=caption_args.file_name,
    )
    with told_once():
        changed = changed_settings(checkpoint, trainer.deciding) if checkpoint else []
    if trainer.is_world_process_zero():
        learning = sum(p.numel() for p in model.projector.parameters())
        logger.info("%d captions; the %s projector learns: %s parameters", len(captions), modality, f"{learning:,}")
        record_run(training_args, checkpoint, changed, settings, files, {"captions": len(captions)})
    trainer.complete(checkpoint)
    logger.info("projector written to %s", Path(training_args.output_dir) / caption_args.file_name)


def make_captioner(
    model_args: ModelArguments,
    modality: str,
    tokenizer: PreTrainedTokenizerBase,
    training_args: ProjectorTrainingArguments,
) -> Captioner:
    """The frozen parts that `model_args` name, and a new projector.

    Under bf16 or fp16 the frozen parts are kept in that type; the projector learns in float32, except under DeepSpeed,
    which keeps its own float32 copy.
    """
    dtype = torch.bfloat16 if training_args.bf16 else torch.float16 if training_args.fp16 else torch.float32
    llm = load_language_model(part_path(model_args, "llama_path"), dtype)
    llm.resize_token_embeddings(len(tokenizer), mean_resizing=False)
    encoder: nn.Module
    if modality == "visual":
        encoder = load_vision_tower(part_path(model_args, "clip_path"), model_args.vision_feature_layer, dtype)
    else:
        encoder = load_beats(part_path(model_args, "beats_path"), dtype)
    qformer = read_qformer_settings(model_args)
    projector = QFormerProjector(encoder.hidden_size, llm.config.hidden_size, model_args.num_query_tokens, qformer)
    if training_args.deepspeed is not None:
        projector.to(dtype)
    placeholders = tokenizer.convert_tokens_to_ids(list(PLACEHOLDERS[modality]))
    return Captioner(llm, encoder, projector, placeholders)
