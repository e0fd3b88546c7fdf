"""The settings in our folder of an auditor or a thinker: what each key may hold, and what has to agree with what.

config.json and preprocessor_config.json are read here; the tokenizer and the weights are compared with them.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor
from transformers import PreTrainedTokenizerBase

from configs.model import ABLATED_INPUTS, ModelArguments
from models.auditor.build import AUDITOR, BASE_ARGUMENTS, Kind, part_path, read_qformer_settings
from models.language.config import AudioVisualConfig
from models.weights.model_configs import ACTIVATION, check_heads
from models.weights.published import read_pretrained_projector
from utils.mask_modes import MASK_MODES
from utils.settings_files import (
    POSITIVE,
    SHARE,
    TEXT,
    Closed,
    check_settings,
    few,
    many,
    number,
    one_line,
    one_of,
    or_null,
    read_object,
    whole,
)
from utils.tokens import IOU_ESTIMATIONS, IOU_VALUE, PLACEHOLDERS, REGRESS_ST, THINK_PLACEHOLDERS

WIDTH, TOKEN_ID = whole(1, 10**6), whole(0, 10**7)
SHARED = {
    "bases": {base: or_null(TEXT) for base in BASE_ARGUMENTS},
    "qformer": Closed(
        dict.fromkeys(("hidden_size", "num_attention_heads", "intermediate_size"), WIDTH)
        | dict.fromkeys(("hidden_dropout_prob", "attention_probs_dropout_prob", "initializer_range"), SHARE)
        | {"num_hidden_layers": whole(1, 1000), "hidden_act": ACTIVATION, "layer_norm_eps": SHARE}
    ),
    "num_query_tokens": whole(1, 10**4),
    "vision_feature_layer": or_null(whole(-1000, 1000)),
    "lora": Closed(
        {"r": WIDTH, "lora_alpha": POSITIVE, "lora_dropout": SHARE, "target_modules?": or_null(many(TEXT, least=1))}
    ),
    "vocab_size": whole(1, 10**7),
    "hidden_size": WIDTH,
}
AUDITORS_OWN = {
    "mask_encode_mode": one_of(MASK_MODES),
    "iou_estimation": one_of(IOU_ESTIMATIONS),
    "without": many(one_of(ABLATED_INPUTS)),
}
PIXELS = {
    "size": {"height": whole(1, 10**4), "width": whole(1, 10**4)},
    "image_mean": many(number(-1000, 1000), count=3),
    "image_std": many(POSITIVE, count=3),
}
# A size in our config.json, and where the weights show it: the end of a name, an axis
SIZES = (
    ("vocab_size", "embed_tokens.weight", 0),
    ("hidden_size", "embed_tokens.weight", 1),
    ("num_query_tokens", "_projector.query_tokens", 1),
    ("qformer.hidden_size", "_projector.query_tokens", 2),
    ("qformer.intermediate_size", ".intermediate_query.dense.weight", 0),
    ("hidden_size", "_projector.mlp.2.weight", 0),
    ("lora.r", ".lora_A.default.weight", 0),
)
BERTS_SIZES = tuple((name.removeprefix("qformer."), *rest) for name, *rest in SIZES if name.startswith("qformer."))
PRETRAINED_PROJECTORS = {"vision_projector": "visual_pretrain_path", "audio_projector": "audio_pretrain_path"}
LAYER = "_projector.qformer.encoder.layer."


def read_config(folder: str | Path, kind: Kind = AUDITOR) -> AudioVisualConfig:
    """The configuration in our folder. Raises FileNotFoundError, or ValueError naming the file and the key."""
    path = Path(folder) / "config.json"
    content = read_object(path, SHARED | (AUDITORS_OWN if kind is AUDITOR else {}))
    check_heads(content["qformer"], f"{path}: qformer")
    regressed = kind is AUDITOR and content["iou_estimation"] == REGRESS_ST
    names = (*PLACEHOLDERS, IOU_VALUE) if regressed else PLACEHOLDERS if kind is AUDITOR else THINK_PLACEHOLDERS
    check_settings(content, {"token_ids": Closed(dict.fromkeys(names, TOKEN_ID))}, path)
    try:
        return kind.config_class.from_dict(content)
    except Exception as error:  # what transformers says of keys that all of its configurations share
        raise ValueError(f"{path}: expected the settings of {kind.a_model}, got {one_line(error)}") from error


def check_sizes(config: AudioVisualConfig, state: Mapping[str, Tensor], folder: str | Path) -> None:
    """Compares the sizes in our config.json with the weights beside it.

    Raises ValueError naming the first size that the weights do not have. Weights that are missing are not its business.
    """
    path, settings = Path(folder) / "config.json", vars(config)
    flat = settings | {f"{part}.{key}": own for part in ("qformer", "lora") for key, own in settings[part].items()}
    _compare(flat, SIZES, state, path, folder)
    layers = {name.partition(LAYER)[2].partition(".")[0] for name in state if LAYER in name}
    asked = config.qformer["num_hidden_layers"]
    if layers and len(layers) != asked:
        expected = f"expected {len(layers)}, the Q-Former's layers in the weights"
        raise ValueError(f"{path}: qformer.num_hidden_layers: {expected}, got {asked}")


def check_projectors(args: ModelArguments) -> None:
    """Compares BERT's config.json, which gives a new projector's sizes, with the pretrained projectors.

    Raises FileNotFoundError, ValueError.
    """
    qformer, path = read_qformer_settings(args), Path(part_path(args, "bert_path")) / "config.json"
    for projector, argument in PRETRAINED_PROJECTORS.items():
        source = part_path(args, argument)
        _compare(qformer, BERTS_SIZES, read_pretrained_projector(source, projector), path, source)


def _compare(asked: Mapping, sizes: tuple, state: Mapping[str, Tensor], path: Path, source: str | Path) -> None:
    for name, end, axis in sizes:
        found = next(((key, tensor) for key, tensor in state.items() if key.endswith(end)), None)
        if found and found[1].ndim > axis and found[1].shape[axis] != asked[name]:
            expected = f"expected {found[1].shape[axis]}, as {found[0]} in {source}"
            raise ValueError(f"{path}: {name}: {expected}, got {asked[name]}")


def check_tokens(
    config: AudioVisualConfig, tokenizer: PreTrainedTokenizerBase, tokens: list[str], folder: str | Path
) -> None:
    """Compares a tokenizer with the configuration. Raises ValueError naming the tokens that do not agree with it."""
    ids = dict(zip(tokens, tokenizer.convert_tokens_to_ids(tokens), strict=True))
    vocabulary = tokenizer.get_vocab()
    if missing := [token for token in tokens if token not in vocabulary]:
        raise ValueError(f"{folder}/tokenizer.json: expected all {len(tokens)} special tokens, got no {few(missing)}")
    for token, asked in config.token_ids.items():
        if ids.get(token) != asked:
            expected = f"expected {ids.get(token)}, as the tokenizer says"
            raise ValueError(f"{folder}/config.json: token_ids: {token}: {expected}, got {asked}")
    if (last := max(vocabulary.values())) >= config.vocab_size:
        token = next(name for name, number in vocabulary.items() if number == last)
        expected = f"expected ids below {config.vocab_size}, the vocab_size of config.json"
        raise ValueError(f"{folder}/tokenizer.json: {expected}, got {last} for {token[:60]!r}")
    for name in ("eos_token", "pad_token"):
        if getattr(tokenizer, f"{name}_id") is None:
            raise ValueError(f"{folder}/tokenizer_config.json: {name}: expected a token of the vocabulary, got none")


def read_pixels(path: Path) -> dict:
    """The settings that turn frames into pixels. Raises FileNotFoundError, ValueError."""
    content = read_object(path, PIXELS)
    height, width = content["size"]["height"], content["size"]["width"]
    if height != width:
        raise ValueError(f"{path}: size: expected a square, got {height} x {width}")
    return content
