"""Parts from local files -> an auditor, or another model of the same parts.

Knows where the parts lie and that they must fit each other; what becomes trainable is left to `trainable`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from torch import nn
from transformers import (
    AutoModelForCausalLM,
    BertConfig,
    GenerationConfig,
    PreTrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING
from transformers.pytorch_utils import Conv1D

from configs.model import ModelArguments
from models.auditor.auditor import Auditor
from models.auditor.config import DEFAULT_MASK_MODE, AuditorConfig, lora_settings, qformer_settings
from models.auditor.trainable import expected_shapes
from models.encoders.beats import load_beats
from models.encoders.vision import load_vision_tower
from models.language.audio_visual import AudioVisualLM
from models.language.config import AudioVisualConfig
from models.language.tokenizer_files import read_tokenizer
from models.weights.model_configs import check_fits, check_generation, check_heads, read_model_config
from models.weights.quantization import quantized_layers
from models.weights.unused_keys import RECOMPUTED_LLM_KEYS
from models.weights.weight_files import WEIGHT_FILES, expect_numbers
from utils.manifest import check_manifest
from utils.settings_files import few, one_line
from utils.tokens import IOU_VALUE, PLACEHOLDERS, REGRESS_ST, special_tokens

logger = logging.getLogger(__name__)

PUBLISHED_NAMES = {
    "llama_path": "Llama-2-7b-chat-hf",
    "clip_path": "clip-vit-large-patch14",
    "beats_path": "BEATs_iter3_plus_AS2M_finetuned_on_AS2M_cpt2.pt",
    "bert_path": "google-bert-base-uncased",
    "audio_pretrain_path": "audio_pretrain.bin",
    "visual_pretrain_path": "visual_pretrain.bin",
}
BASE_ARGUMENTS = {"language_model": "llama_path", "vision_encoder": "clip_path", "audio_encoder": "beats_path"}


def part_path(args: ModelArguments, name: str) -> str:
    """Where a part lies: the path given, or its published name under `pretrained_weights_dir`.

    A part that was published as a torch file may lie there as safetensors instead. Raises FileNotFoundError when
    nothing is there.
    """
    path = getattr(args, name) or _published_place(Path(args.pretrained_weights_dir) / PUBLISHED_NAMES[name])
    if not path.startswith(("open_clip:", "timm:")) and not Path(path).exists():
        raise FileNotFoundError(f"--{name}: expected {path}, got nothing there (see pretrained_weights/README.md)")
    return path


def _published_place(path: Path) -> str:
    converted = path.with_suffix(".safetensors")
    return str(converted if path.suffix in (".bin", ".pt") and not path.exists() and converted.exists() else path)


def base_path(args: ModelArguments, config: AudioVisualConfig, base: str) -> str:
    """Where a base of a saved auditor lies: the path given, the recorded one, or its name under the weights folder."""
    argument, recorded = BASE_ARGUMENTS[base], config.bases[base]
    if getattr(args, argument) or not recorded:
        return part_path(args, argument)
    if recorded.startswith(("open_clip:", "timm:")) or Path(recorded).exists():
        return recorded
    moved = Path(_published_place(Path(args.pretrained_weights_dir) / Path(recorded).name))
    if not moved.exists():
        raise FileNotFoundError(f"{base}: expected {recorded} or {moved}, got neither (give --{argument})")
    return str(moved)


def load_tokenizer(folder: str | Path, iou_estimation: str) -> PreTrainedTokenizerBase:
    """The LLM's tokenizer with an auditor's special tokens; see `extend_tokenizer`."""
    return extend_tokenizer(folder, special_tokens(iou_estimation))


def extend_tokenizer(folder: str | Path, tokens: list[str]) -> PreTrainedTokenizerBase:
    """The LLM's tokenizer with special tokens behind its vocabulary, padding on the left with eos.

    Raises ValueError when the special tokens do not get consecutive ids in the published order.
    """
    tokenizer = read_tokenizer(folder, padding_side="left")
    tokenizer.add_tokens(tokens, special_tokens=True)
    ids = tokenizer.convert_tokens_to_ids(tokens)
    if ids != list(range(ids[0], ids[0] + len(tokens))):
        raise ValueError(f"{folder}: expected consecutive ids for the {len(tokens)} special tokens, got {ids}")
    if getattr(tokenizer, "legacy", False):
        logger.warning("%s: a tokenizer with legacy: true; the released auditor was trained without", folder)
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token  # LLaMA has no pad token; eos stands in
    return tokenizer


def new_config(args: ModelArguments, tokenizer: PreTrainedTokenizerBase) -> AuditorConfig:
    """The configuration of an auditor made from the parts that `args` name."""
    placeholders = [*PLACEHOLDERS, IOU_VALUE] if args.iou_estimation == REGRESS_ST else PLACEHOLDERS
    return AuditorConfig(
        mask_encode_mode=args.mask_encode_mode or DEFAULT_MASK_MODE,
        iou_estimation=args.iou_estimation,
        without=args.without,
        **shared_settings(args, tokenizer, placeholders),
    )


def shared_settings(args: ModelArguments, tokenizer: PreTrainedTokenizerBase, placeholders: Sequence[str]) -> dict:
    """What the configuration of any model from these parts says (`AudioVisualConfig`)."""
    llm_config = read_llm_config(part_path(args, "llama_path"))
    return {
        "bases": {base: part_path(args, argument) for base, argument in BASE_ARGUMENTS.items()},
        "qformer": read_qformer_settings(args),
        "num_query_tokens": args.num_query_tokens,
        "vision_feature_layer": args.vision_feature_layer,
        "lora": {"r": args.lora_r, "lora_alpha": args.lora_alpha, "lora_dropout": args.lora_dropout}
        | ({"target_modules": sorted(args.lora_targets)} if args.lora_targets else {}),
        "token_ids": {token: tokenizer.convert_tokens_to_ids(token) for token in placeholders},
        "vocab_size": len(tokenizer),
        "hidden_size": llm_config.hidden_size,
    }


def read_qformer_settings(args: ModelArguments) -> dict:
    """The Q-Former's sizes, from BERT's config.json. Raises FileNotFoundError, ValueError."""
    path = Path(part_path(args, "bert_path")) / "config.json"
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file (it gives the Q-Former's sizes)")
    bert = read_model_config(path.parent)
    if not isinstance(bert, BertConfig):
        raise ValueError(f"{path}: model_type: expected bert, got {bert.model_type!r}")
    settings = qformer_settings(bert, args.num_qformer_layers)
    check_heads(settings, path)
    return settings


def read_llm_config(folder: str) -> PreTrainedConfig:
    """The LLM's config.json. Raises ValueError naming the file and the key, also for a model that writes no text."""
    config = read_model_config(folder)
    if type(config) not in MODEL_FOR_CAUSAL_LM_MAPPING:
        raise ValueError(f"{folder}/config.json: model_type: expected that of an LLM, got {config.model_type!r}")
    return config


def empty_language_model(config: PreTrainedConfig) -> PreTrainedModel:
    """An LLM of these sizes; under `torch.device("meta")` it takes no memory.

    Made by its class: with ZeRO-3 `from_config` would shard it, and its shapes would be gone.
    """
    return MODEL_FOR_CAUSAL_LM_MAPPING[type(config)](deepcopy(config))


def load_language_model(folder: str, dtype: torch.dtype, quantization: str = "none") -> PreTrainedModel:
    """Any decoder LLM folder that AutoModelForCausalLM reads.

    `quantization`: none, 8bit or 4bit (NF4 with doubly quantised scales, as QLoRA has it) of its linear layers but the
    head. Raises ValueError when keys are missing or left over or files do not belong together, ImportError without
    bitsandbytes.
    """
    check_manifest(folder)
    config = read_llm_config(folder)
    check_generation(folder)
    check_fits(folder, config, lambda: empty_language_model(config))
    options = quantized_layers(quantization, dtype)
    try:
        model, info = AutoModelForCausalLM.from_pretrained(
            folder,
            config=config,
            dtype=dtype,
            local_files_only=True,
            trust_remote_code=False,
            output_loading_info=True,
            **options,
        )
    except (MemoryError, torch.OutOfMemoryError, ImportError):
        raise
    except Exception as error:  # those of several libraries, for damaged files and for settings that fit no layer
        raise ValueError(f"{folder}: expected an LLM and its weights, got {one_line(error)}") from error
    unexpected = sorted(key for key in info["unexpected_keys"] if not RECOMPUTED_LLM_KEYS.search(key))
    if info["missing_keys"] or unexpected:
        listed = f"missing {few(sorted(info['missing_keys'])) or 'none'}, unexpected {few(unexpected) or 'none'}"
        raise ValueError(f"{folder}: weights do not fit the config; {listed}")
    expect_numbers({name: p for name, p in model.named_parameters() if p.is_floating_point()}, folder)
    return model


def prepare_language_model(model: PreTrainedModel, config: AudioVisualConfig, eos_token_id: int) -> PeftModel:
    """As many token rows as tokens (new ones random, as published), greedy decoding, and LoRA.

    Raises ValueError when the LLM has not all layers that LoRA is for.
    """
    if model.get_input_embeddings().weight.shape[0] != config.vocab_size:
        model.resize_token_embeddings(config.vocab_size, mean_resizing=False)
    eos = model.generation_config.eos_token_id if model.generation_config.eos_token_id is not None else eos_token_id
    model.generation_config = GenerationConfig(eos_token_id=eos)
    lora = LoraConfig(task_type="CAUSAL_LM", bias="none", **lora_settings(config.lora))
    check_lora_targets(model, lora.target_modules)
    return get_peft_model(model, lora, autocast_adapter_dtype=False)


def check_lora_targets(model: PreTrainedModel, targets: Collection[str]) -> None:
    """Raises ValueError that names the LLM's own linear layers if it has not all of the targets.

    PEFT would leave out those that it does not find, as long as it finds one.
    """
    layers = {name.rpartition(".")[2]: module for name, module in model.named_modules()}
    linear = {name for name, module in layers.items() if isinstance(module, (nn.Linear, Conv1D))}
    if missing := sorted(set(targets) - linear):
        own, kind = " ".join(sorted(linear - {"lm_head"})), model.config.model_type
        wanted = f"expected linear layers that the LLM ({kind}) has, some of {own}"
        raise ValueError(f"--lora_targets: {wanted}; got {' '.join(missing)}, which it does not have")


@dataclass(frozen=True)
class Kind:
    """One kind of model on the audio-visual language model.

    `word` names it in messages. `tokens`: settings -> its special tokens; `new_config`: settings and tokenizer -> its
    configuration.
    """

    word: str
    config_class: type[AudioVisualConfig]
    model_class: type[AudioVisualLM]
    tokens: Callable[[ModelArguments], list[str]]
    new_config: Callable[[ModelArguments, PreTrainedTokenizerBase], AudioVisualConfig]

    @property
    def a_model(self) -> str:
        return f"{'an' if self.word[0] in 'aeiou' else 'a'} {self.word}"


AUDITOR = Kind("auditor", AuditorConfig, Auditor, lambda args: special_tokens(args.iou_estimation), new_config)


def build_model(
    kind: Kind,
    config: AudioVisualConfig,
    args: ModelArguments,
    tokenizer: PreTrainedTokenizerBase,
    dtype: torch.dtype,
) -> AudioVisualLM:
    """Load the bases that `config` names and join them; projectors, new token rows and LoRA are freshly made."""
    language_model = load_language_model(base_path(args, config, "language_model"), dtype, args.quantization)
    vision = load_vision_tower(base_path(args, config, "vision_encoder"), config.vision_feature_layer, dtype)
    audio = load_beats(base_path(args, config, "audio_encoder"), dtype)
    language_model = prepare_language_model(language_model, config, tokenizer.eos_token_id)
    return kind.model_class(config, language_model, vision, audio).to(dtype)


def expected_state(
    kind: Kind, config: AudioVisualConfig, args: ModelArguments, state: dict
) -> dict[str, tuple[int, ...]]:
    """Name and shape of everything that learns in a model of this configuration, without loading any weights."""
    folder = base_path(args, config, "language_model")
    llm_config = read_llm_config(folder)
    if getattr(llm_config, "hidden_size", config.hidden_size) != config.hidden_size:
        expected = f"expected {config.hidden_size}, as the {kind.word} has"
        raise ValueError(f"{folder}/config.json: hidden_size: {expected}, got {llm_config.hidden_size}")
    if any((Path(folder) / name).is_file() for name in WEIGHT_FILES):
        check_fits(folder, llm_config, lambda: empty_language_model(llm_config))
    norms = [f"{projector}.norm.weight" for projector in ("vision_projector", "audio_projector")]
    widths = {name: state[name].shape[0] if name in state else 1 for name in norms}
    with torch.device("meta"):
        language_model = empty_language_model(llm_config)
        encoders = [_Width(width) for width in widths.values()]
        return expected_shapes(kind.model_class(config, prepare_language_model(language_model, config, 0), *encoders))


class _Width(torch.nn.Module):
    """Stands in for an encoder where only the width of its features matters."""

    def __init__(self, hidden_size: int):
        super().__init__()
        self.hidden_size = hidden_size
