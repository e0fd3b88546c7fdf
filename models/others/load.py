"""A local transformers folder -> the model in it, with the processors that its kind needs. Nothing is downloaded."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoProcessor, PreTrainedTokenizerBase

from models.language.tokenizer_files import read_tokenizer
from models.others.any_processor import AnyProcessor
from models.others.chat_model import ChatModel
from models.others.gemma4 import Gemma4
from models.others.qwen_omni import Qwen3Omni, Qwen25Omni
from models.others.qwen_vl import QwenVL
from models.others.text_only import TextOnly
from models.others.video_llama3 import VideoLlama3
from models.segmenting.folders import load_folder
from models.weights.quantization import quantized_layers
from utils.settings_files import one_line, read_object

WHISPER = {"feature_size": 128, "n_fft": 400, "hop_length": 160, "return_attention_mask": True}
SETTINGS_FILES = ("preprocessor_config.json", "processor_config.json")
SMALL_FILE, PIECE = 64 * 2**20, 2**20


@dataclass(frozen=True)
class Kind:
    """`model`: the transformers class. `processors`: module and class of each, and its settings where a folder has
    none.
    """

    chat: Callable[..., ChatModel]
    model: str
    processors: tuple[tuple[str, str, dict], ...] = ()


QWEN_PICTURES = ("transformers", "Qwen2VLImageProcessorPil", {})
QWEN3_PICTURES = (*QWEN_PICTURES[:2], {"patch_size": 16, "image_mean": [0.5] * 3, "image_std": [0.5] * 3})
WHISPER_SOUND = ("transformers", "WhisperFeatureExtractor", {**WHISPER, "chunk_length": 300})
GEMMA = "transformers.models.gemma4"
QWEN25_OMNI = Kind(Qwen25Omni, "Qwen2_5OmniThinkerForConditionalGeneration", (QWEN_PICTURES, WHISPER_SOUND))
QWEN3_OMNI = Kind(Qwen3Omni, "Qwen3OmniMoeThinkerForConditionalGeneration", (QWEN3_PICTURES, WHISPER_SOUND))
KINDS = {  # model_type in config.json -> its kind
    "qwen2_5_omni": QWEN25_OMNI,
    "qwen2_5_omni_thinker": QWEN25_OMNI,
    "qwen3_omni_moe": QWEN3_OMNI,
    "qwen3_omni_moe_thinker": QWEN3_OMNI,
    "video_llama_3": Kind(
        VideoLlama3, "VideoLlama3ForConditionalGeneration", (("transformers", "VideoLlama3ImageProcessorPil", {}),)
    ),
    "gemma4": Kind(
        Gemma4,
        "Gemma4ForConditionalGeneration",
        (
            (f"{GEMMA}.image_processing_pil_gemma4", "Gemma4ImageProcessorPil", {}),
            (f"{GEMMA}.feature_extraction_gemma4", "Gemma4AudioFeatureExtractor", {}),
        ),
    ),
    "qwen2_vl": Kind(QwenVL, "Qwen2VLForConditionalGeneration", (QWEN_PICTURES,)),
    "qwen2_5_vl": Kind(QwenVL, "Qwen2_5_VLForConditionalGeneration", (QWEN_PICTURES,)),
    "qwen3_vl": Kind(QwenVL, "Qwen3VLForConditionalGeneration", (QWEN3_PICTURES,)),
    "qwen3_vl_moe": Kind(QwenVL, "Qwen3VLMoeForConditionalGeneration", (QWEN3_PICTURES,)),
    "qwen3_5": Kind(QwenVL, "Qwen3_5ForConditionalGeneration", (QWEN3_PICTURES,)),
    "qwen3_5_moe": Kind(QwenVL, "Qwen3_5MoeForConditionalGeneration", (QWEN3_PICTURES,)),
}


def load_chat_model(
    folder: str | Path, device: torch.device, dtype: torch.dtype, quantization: str = "none"
) -> ChatModel:
    """The model in a folder: one of KINDS, a language model without eyes and ears, or any other that its own processor
    can feed.

    Raises FileNotFoundError or ValueError, naming the folder, for what is no such model or not whole; ImportError for a
    processor that needs torchvision where there is none, and for bitsandbytes.
    """
    folder = Path(folder)
    if not (folder / "config.json").is_file():
        raise FileNotFoundError(f"{folder}: expected a folder with a model and its config.json, got none")
    settings = read_object(folder / "config.json")
    kind, options = KINDS.get(settings.get("model_type")), quantized_layers(quantization, dtype)
    if kind:
        model = load_folder(_class("transformers", kind.model), folder, device, dtype, **options)
        processors = [_processor(folder, *wanted) for wanted in kind.processors]
        return _named(kind.chat(model, _tokenizer(folder), *processors), folder)
    if not any(name in settings for name in ("vision_config", "audio_config", "thinker_config")):
        model = load_folder(AutoModelForCausalLM, folder, device, dtype, **options)
        return _named(TextOnly(model, read_tokenizer(folder)), folder)
    return _named(_load_any(folder, device, dtype, options), folder)


def folder_digest(folder: str | Path) -> str:
    """What names the model in a folder: all its file names and sizes, small files whole, large ones by both ends."""
    found = hashlib.sha256()
    for path in sorted(Path(folder).iterdir()):
        if not path.is_file() or path.name.startswith("."):
            continue
        size = path.stat().st_size
        found.update(f"{path.name}\n{size}\n".encode())
        with path.open("rb") as file:
            if size <= SMALL_FILE:
                found.update(file.read())
            else:
                found.update(file.read(PIECE))
                file.seek(-PIECE, 2)
                found.update(file.read())
    return found.hexdigest()


def _load_any(folder: Path, device: torch.device, dtype: torch.dtype, options: dict) -> ChatModel:
    known = ", ".join(sorted(KINDS))
    if find_spec("torchvision") is None:
        raise ImportError(f"{folder}: expected one of {known}, or torchvision for models of other kinds, got neither")
    try:
        processor = AutoProcessor.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except Exception as error:  # which error it is depends on the processor
        raise ValueError(f"{folder}: expected a model's processor, got {one_line(error)}") from error
    model_class = _class("transformers", "AutoModelForMultimodalLM")
    return AnyProcessor(load_folder(model_class, folder, device, dtype, **options), processor)


def _processor(folder: Path, module: str, name: str, settings: dict) -> object:
    """With the folder's settings; with `settings` where the folder says nothing of this processor."""
    made = _class(module, name)
    files = [folder / file for file in SETTINGS_FILES if (folder / file).is_file()]
    known = {key for file in files for key in _keys(file)}
    if not files or (settings and not known & settings.keys()):
        return made(**settings)
    try:
        return made.from_pretrained(folder, local_files_only=True)
    except (OSError, TypeError, ValueError, KeyError, AttributeError) as error:
        raise ValueError(f"{folder}: expected the settings of a {name}, got {one_line(error)}") from error


def _keys(path: Path) -> list[str]:
    """Of a settings file, and of the processors in it."""
    content = read_object(path)
    return [*content, *(key for value in content.values() if isinstance(value, dict) for key in value)]


def _tokenizer(folder: Path) -> PreTrainedTokenizerBase:
    tokenizer = read_tokenizer(folder)
    if not tokenizer.chat_template and (folder / "chat_template.json").is_file():
        tokenizer.chat_template = read_object(folder / "chat_template.json").get("chat_template")
    return tokenizer


def _class(module: str, name: str) -> type:
    try:
        return getattr(import_module(module), name)
    except (ImportError, AttributeError):
        raise ImportError(f"expected a version of transformers with {name}, got one without") from None


def _named(model: ChatModel, folder: Path) -> ChatModel:
    model.tokenizer.name_or_path = str(folder)
    return model
