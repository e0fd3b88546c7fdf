"""Our folder of an auditor or a thinker: written and read.

    config.json                                     what it is made of (AuditorConfig, ThinkerConfig)
    adapter_config.json, adapter_model.safetensors  LoRA, in PEFT's format
    projectors.safetensors                          both projectors (and Regress ST's IoU head)
    token_rows.safetensors                          token embedding and head
    tokenizer files, preprocessor_config.json
    card.json, known_clips.safetensors, calibration.json  what is known of it (`about`); may be missing
    manifest.json                                   size and SHA-256 of each of these files

The same folder with Trainer state in it is a training checkpoint. A folder without a manifest is read, too: those of
earlier versions have none.
"""

from __future__ import annotations

import json
import logging
import re
from dataclasses import dataclass, field, replace
from pathlib import Path

from peft import LoraConfig
from safetensors.torch import save_file
from torch import Tensor
from transformers import PreTrainedTokenizerBase
from transformers.image_utils import OPENAI_CLIP_MEAN, OPENAI_CLIP_STD

from configs.model import ModelArguments
from models.auditor.build import AUDITOR, BASE_ARGUMENTS, Kind, base_path, extend_tokenizer, part_path
from models.auditor.config import lora_settings
from models.encoders.vision import read_clip_config
from models.language.config import AudioVisualConfig
from models.language.tokenizer_files import read_tokenizer
from models.weights.about import ABOUT_FILES, About, read_about, write_about
from models.weights.auditor_settings import PIXELS, check_sizes, check_tokens, read_config, read_pixels
from models.weights.base_folders import TOKENIZER_FILES
from models.weights.published import find_pair, read_pair
from models.weights.weight_files import read_safetensors_file
from utils.manifest import check_manifest, read_manifest, whole_parts
from utils.settings_files import read_object
from utils.whole_files import left_beside

logger = logging.getLogger(__name__)

ADAPTER_FILE = "adapter_model.safetensors"
PROJECTOR_FILE = "projectors.safetensors"
TOKEN_FILE = "token_rows.safetensors"
OUR_FILES = ("config.json", ADAPTER_FILE, PROJECTOR_FILE, TOKEN_FILE)
PIXEL_FILE = "preprocessor_config.json"
KINDS = (*OUR_FILES, "adapter_*", PIXEL_FILE, *TOKENIZER_FILES, *ABOUT_FILES)
QFORMER_LAYERS = "vision_projector.qformer.encoder.layer."
_LORA_SUFFIX = re.compile(r"\.(lora_[AB])\.default\.")


@dataclass(frozen=True)
class ModelParts:
    """What the files of an auditor or a thinker hold, without a model built from it.

    `pixels` says how frames become pixels (`pixel_settings`); `state` is what `trainable.trained_state` gives.
    """

    config: AudioVisualConfig
    tokenizer: PreTrainedTokenizerBase
    pixels: dict
    state: dict[str, Tensor]
    about: About = field(default_factory=About)


def write_folder(parts: ModelParts, folder: str | Path, kind: Kind = AUDITOR) -> Path:
    """Write a folder of this kind of model, and return its path.

    All files are there, or none of them: `utils.manifest.whole_parts`. Raises ValueError as `check_target`.
    """
    check_target(folder, kind)
    with whole_parts(folder, KINDS) as staged:
        _write_files(parts, staged)
    return Path(folder)


def check_target(folder: str | Path, kind: Kind = AUDITOR) -> None:
    """Raises ValueError when a folder written there would replace the config.json of another model."""
    if (Path(folder) / "config.json").is_file() and not is_auditor_folder(folder, kind):
        raise ValueError(f"{folder}: expected a new folder or {kind.a_model}'s, got the config.json of another model")


def _write_files(parts: ModelParts, folder: Path) -> None:
    config = parts.config
    lora = LoraConfig(
        task_type="CAUSAL_LM",
        bias="none",
        inference_mode=True,
        base_model_name_or_path=config.bases["language_model"],
        **lora_settings(config.lora),
    )
    lora.target_modules = sorted(lora.target_modules)  # PEFT keeps a set; a list is written the same way every time
    lora.save_pretrained(folder)
    tensors_of = {ADAPTER_FILE: {}, PROJECTOR_FILE: {}, TOKEN_FILE: {}}
    for name, tensor in parts.state.items():
        tensors_of[_file_of(name)][_name_in_file(name)] = tensor.contiguous()
    for file_name, tensors in tensors_of.items():
        save_file(tensors, folder / file_name, metadata={"format": "pt"})
    parts.tokenizer.save_pretrained(folder)
    (folder / PIXEL_FILE).write_text(json.dumps(parts.pixels, indent=2) + "\n")
    config.save_pretrained(folder)
    write_about(parts.about, folder)


def read_folder(folder: str | Path) -> dict[str, Tensor]:
    """The state of a folder of an auditor or a thinker.

    Raises FileNotFoundError naming a file that is missing, and ValueError when files do not belong together.
    """
    folder = Path(folder)
    check_manifest(folder, KINDS)
    for file_name in OUR_FILES:
        if not (folder / file_name).is_file():
            expected = ", ".join(OUR_FILES)
            raise FileNotFoundError(f"{folder / file_name}: no such file; an auditor folder holds {expected}")
    state = {}
    for file_name in (ADAPTER_FILE, PROJECTOR_FILE, TOKEN_FILE):
        for key, tensor in read_safetensors_file(folder / file_name).items():
            state[_name_from_file(file_name, key)] = tensor
    return state


def is_auditor_folder(folder: str | Path, kind: Kind = AUDITOR) -> bool:
    """True when the folder's config.json is that of an auditor, or of another kind of model that is asked for."""
    path = Path(folder) / "config.json"
    return path.is_file() and read_object(path).get("model_type") == kind.config_class.model_type


def find_auditor(path: str | Path, kind: Kind = AUDITOR) -> Path:
    """The model's folder at `path`, or its newest training checkpoint, or `path` itself when it is a released pair.

    Raises FileNotFoundError when it is none of these.
    """
    path = Path(path)
    if not path.is_dir():
        raise FileNotFoundError(_missing(path, kind))
    if is_auditor_folder(path, kind) or find_pair(path):
        return path
    steps = [p for p in path.glob("checkpoint-*") if re.fullmatch(r"checkpoint-\d+", p.name)]
    steps = [p for p in steps if is_auditor_folder(p, kind)]
    if not steps:
        raise FileNotFoundError(
            f"{kind.word} {path}: expected config.json of {kind.a_model}, or non_lora_trainables.bin and "
            "checkpoint-N/finetune_weights.bin, got neither"
        )
    return max(steps, key=lambda p: int(p.name.rpartition("-")[2]))


def _missing(path: Path, kind: Kind) -> str:
    """What to say of a folder that is not there."""
    for left in left_beside(path):
        if is_auditor_folder(left, kind) and read_manifest(left) is not None:
            whole = f"where its writing was cut off lies a whole one, {left} (rename it)"
            return f"{kind.word} {path}: no such folder; {whole}"
    return f"{kind.word} {path}: no such folder (README.md says where to get one)"


def check_auditor(path: str | Path, args: ModelArguments, kind: Kind = AUDITOR) -> None:
    """Raises FileNotFoundError when the model or one of its bases is missing; loads nothing."""
    path = find_auditor(path, kind)
    if is_auditor_folder(path, kind):
        config = read_config(path, kind)
        read_pixels(path / PIXEL_FILE)
        for base in BASE_ARGUMENTS:
            base_path(args, config, base)
    else:
        for part in (*BASE_ARGUMENTS.values(), "bert_path"):
            part_path(args, part)


def _trained_as(config: AudioVisualConfig, args: ModelArguments, kind: Kind) -> ModelArguments:
    """`args` with the IoU estimation that decides which tokens an auditor has."""
    return replace(args, iou_estimation=config.iou_estimation) if kind is AUDITOR else args


def read_auditor(path: str | Path, args: ModelArguments, kind: Kind = AUDITOR) -> ModelParts:
    """The parts of the auditor, or another kind of model, in our folder or in the released pair.

    The released pair says nothing about its bases and LoRA scale: `args` do. Raises FileNotFoundError, ValueError.
    """
    path = find_auditor(path, kind)
    if is_auditor_folder(path, kind):
        state = read_folder(path)
        config, pixels = read_config(path, kind), read_pixels(path / PIXEL_FILE)
        check_sizes(config, state, path)
        tokenizer = read_tokenizer(path, padding_side="left")
        check_tokens(config, tokenizer, kind.tokens(_trained_as(config, args, kind)), path)
        if kind is AUDITOR and args.mask_encode_mode and args.mask_encode_mode != config.mask_encode_mode:
            logger.warning("%s was trained with masks as %s", path, config.mask_encode_mode)
            config.mask_encode_mode = args.mask_encode_mode
        return ModelParts(config, tokenizer, pixels, state, read_about(path))
    tokenizer = extend_tokenizer(part_path(args, "llama_path"), kind.tokens(args))
    state = read_pair(*find_pair(path))
    ranks = {tensor.shape[0] for name, tensor in state.items() if ".lora_A." in name}
    if ranks != {args.lora_r}:
        got = sorted(ranks)
        raise ValueError(f"{path}: LoRA rank: expected {args.lora_r} (LORA_R, --lora_r), got {got} in the file")
    config = _sized_like(state, kind.new_config(args, tokenizer))
    if config.vocab_size < len(tokenizer) or (kind is not AUDITOR and config.vocab_size != len(tokenizer)):
        rows = (
            f"expected {len(tokenizer)} token rows, as the {kind.word}'s tokenizer has tokens, got {config.vocab_size}"
        )
        raise ValueError(f"{path}: {rows} in the file")
    return ModelParts(config, tokenizer, pixel_settings(args), state, read_about(path))


def _sized_like(state: dict[str, Tensor], config: AudioVisualConfig) -> AudioVisualConfig:
    """What the released files themselves say of their sizes goes before what the configs of the bases say."""
    if rows := [tensor.shape[0] for name, tensor in state.items() if name.endswith("embed_tokens.weight")]:
        config.vocab_size = rows[0]
    if "vision_projector.query_tokens" in state:
        config.num_query_tokens = state["vision_projector.query_tokens"].shape[1]
    if layers := {name.split(".layer.")[1].split(".")[0] for name in state if name.startswith(QFORMER_LAYERS)}:
        config.qformer["num_hidden_layers"] = len(layers)
    return config


def pixel_settings(args: ModelArguments) -> dict:
    """How frames become pixels, as a CLIPImageProcessor's settings: a square resize, then CLIP's statistics.

    Size, mean and std are the CLIP folder's; OpenAI's where no file gives them. Raises ValueError.
    """
    size, folder = 224, Path(part_path(args, "clip_path"))
    statistics = {"image_mean": OPENAI_CLIP_MEAN, "image_std": OPENAI_CLIP_STD}
    if (folder / "config.json").is_file():
        size = read_clip_config(folder).image_size
    if (folder / PIXEL_FILE).is_file():
        content = read_object(folder / PIXEL_FILE, {f"{name}?": PIXELS[name] for name in statistics})
        statistics = {name: content.get(name, default) for name, default in statistics.items()}
    return {"image_processor_type": "CLIPImageProcessor", "do_center_crop": False, **square(size), **statistics}


def square(image_size: int) -> dict:
    """The size of a CLIPImageProcessor that feeds a tower of this image size."""
    return {"size": {"height": image_size, "width": image_size}}


def _file_of(name: str) -> str:
    if ".lora_" in name:
        return ADAPTER_FILE
    return TOKEN_FILE if name.startswith("language_model.") else PROJECTOR_FILE


def _name_in_file(name: str) -> str:
    """PEFT leaves the adapter's own name out of its keys; the token rows have LLaMA's names."""
    name = _LORA_SUFFIX.sub(r".\1.", name).removeprefix("language_model.")
    return name if ".lora_" in name else name.removeprefix("base_model.model.")


def _name_from_file(file_name: str, key: str) -> str:
    if file_name == ADAPTER_FILE:
        return "language_model." + re.sub(r"\.(lora_[AB])\.", r".\1.default.", key)
    return "language_model.base_model.model." + key if file_name == TOKEN_FILE else key
