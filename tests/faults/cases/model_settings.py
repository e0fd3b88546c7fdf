"""Settings of an auditor, its parts and its training that contradict themselves, each other or the weights.

Each row: file, key ("a.b" is a key of an object in it), new value, what is said. `tests/test_settings_files.py` reads
every row without a program.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tests.faults.case import Case, accepted, refused

NAN, GONE = float("nan"), object()
CONFIG, PIXELS = "auditor/config.json", "auditor/preprocessor_config.json"
TOKENIZER, TOKENIZER_CONFIG = "auditor/tokenizer.json", "auditor/tokenizer_config.json"
LLM = "parts/Llama-2-7b-chat-hf"
LLM_CONFIG, GENERATION = f"{LLM}/config.json", f"{LLM}/generation_config.json"
CLIP, BERT = "parts/clip-vit-large-patch14", "parts/google-bert-base-uncased/config.json"
CLIP_CONFIG, CLIP_PIXELS = f"{CLIP}/config.json", f"{CLIP}/preprocessor_config.json"
HUGE = 10**9

AUDITOR_ROWS = [
    (CONFIG, "bases", [], "config.json: bases: expected an object, got []"),
    (CONFIG, "bases.language_model", GONE, "config.json: bases: language_model: expected text, or null, got nothing"),
    (CONFIG, "bases.audio_encoder", 3.5, "config.json: bases: audio_encoder: expected text, or null, got 3.5"),
    (
        CONFIG,
        "num_query_tokens",
        "32",
        "config.json: num_query_tokens: expected a whole number from 1 to 10000, got '3",
    ),
    (
        CONFIG,
        "num_query_tokens",
        32.0,
        "config.json: num_query_tokens: expected a whole number from 1 to 10000, got 32",
    ),
    (CONFIG, "num_query_tokens", HUGE, "num_query_tokens: expected a whole number from 1 to 10000, got 1000000000"),
    (CONFIG, "num_query_tokens", 16, "config.json: num_query_tokens: expected 32, as the weights"),
    (CONFIG, "num_query_tokens", True, "config.json: num_query_tokens: expected a whole number from 1 to 10000, got T"),
    (CONFIG, "vocab_size", HUGE, "config.json: vocab_size: expected a whole number from 1 to 10000000, got 1000000000"),
    (CONFIG, "vocab_size", 507, "config.json: vocab_size: expected 508, as the weights"),
    (CONFIG, "vocab_size", GONE, "config.json: vocab_size: expected a whole number from 1 to 10000000, got nothing"),
    (CONFIG, "hidden_size", 0, "config.json: hidden_size: expected a whole number from 1 to 1000000, got 0"),
    (CONFIG, "hidden_size", 128, "config.json: hidden_size: expected 64, as the weights"),
    (CONFIG, "hidden_size", -64, "config.json: hidden_size: expected a whole number from 1 to 1000000, got -64"),
    (CONFIG, "qformer", None, "config.json: qformer: expected an object, got None"),
    (CONFIG, "qformer.num_hidden_layers", 3, "config.json: qformer.num_hidden_layers: expected 2, the Q-Former's"),
    (CONFIG, "qformer.num_hidden_layers", HUGE, "qformer: num_hidden_layers: expected a whole number from 1 to 1000"),
    (CONFIG, "qformer.num_attention_heads", 3, "num_attention_heads: expected a divisor of hidden_size, 64, got 3"),
    (CONFIG, "qformer.intermediate_size", 64, "config.json: qformer.intermediate_size: expected 128, as the weights"),
    (CONFIG, "qformer.layer_norm_eps", NAN, "config.json: qformer: layer_norm_eps: expected a number, got nan"),
    (CONFIG, "qformer.layer_norm_eps", "1e-12", "qformer: layer_norm_eps: expected a number from 0 to 1, got '1e-12'"),
    (CONFIG, "qformer.hidden_dropout_prob", -0.1, "hidden_dropout_prob: expected a number from 0 to 1, got -0.1"),
    (CONFIG, "qformer.hidden_act", "gulu", "config.json: qformer: hidden_act: expected one of"),
    (CONFIG, "qformer.encoder_hidden_size", 64, "qformer: expected no other keys than hidden_size,"),
    (CONFIG, "lora", None, "config.json: lora: expected an object, got None"),
    (CONFIG, "lora.r", 8, "config.json: lora.r: expected 4, as the weights"),
    (CONFIG, "lora.r", 4.0, "config.json: lora: r: expected a whole number from 1 to 1000000, got 4.0"),
    (CONFIG, "lora.lora_alpha", 0, "config.json: lora: lora_alpha: expected a number above 0, got 0"),
    (CONFIG, "lora.lora_alpha", float("inf"), "config.json: lora: lora_alpha: expected a number, got inf"),
    (CONFIG, "lora.lora_dropout", 2, "config.json: lora: lora_dropout: expected a number from 0 to 1, got 2"),
    (CONFIG, "lora.target_modules", "q_proj", "lora: target_modules: expected a list of at least 1 values"),
    (CONFIG, "lora.use_dora", True, "config.json: lora: expected no other keys than r, lora_alpha,"),
    (CONFIG, "mask_encode_mode", "bogus", "config.json: mask_encode_mode: expected one of mask, masked_frame"),
    (CONFIG, "mask_encode_mode", ["mask"], "config.json: mask_encode_mode: expected one of mask, masked_frame"),
    (CONFIG, "iou_estimation", "regress", "config.json: iou_estimation: expected one of direct_ntp, regress_st"),
    (CONFIG, "iou_estimation", "regress_st", "config.json: token_ids: <iou_value>: expected a whole number from 0"),
    (CONFIG, "without", "audio", "config.json: without: expected a list of values, each one of audio, video"),
    (CONFIG, "vision_feature_layer", 1.5, "vision_feature_layer: expected a whole number from -1000 to 1000, or null"),
    (
        CONFIG,
        "token_ids",
        {},
        "config.json: token_ids: <video>: expected a whole number from 0 to 10000000, got nothing",
    ),
    (CONFIG, "token_ids.<mask>", 504, "config.json: token_ids: <mask>: expected 505, as the tokenizer says, got 504"),
    (CONFIG, "token_ids.<mask>", -1, "config.json: token_ids: <mask>: expected a whole number from 0 to 10000000"),
    (CONFIG, "dtype", "float33", "config.json: expected the settings of an auditor, got AttributeError"),
    (PIXELS, "size", 224, "preprocessor_config.json: size: expected an object, got 224"),
    (PIXELS, "size.width", 14, "preprocessor_config.json: size: expected a square, got 28 x 14"),
    (
        PIXELS,
        "size.height",
        0,
        "preprocessor_config.json: size: height: expected a whole number from 1 to 10000, got 0",
    ),
    (PIXELS, "size.height", HUGE, "size: height: expected a whole number from 1 to 10000, got 1000000000"),
    (PIXELS, "image_std", [0, 0, 0], "image_std: expected a list of 3 values, each a number above 0, got [0, 0, 0]"),
    (PIXELS, "image_std", [1, 1], "image_std: expected a list of 3 values, each a number above 0, got [1, 1]"),
    (PIXELS, "image_std", ["1", "1", "1"], "image_std: expected a list of 3 values, each a number above 0, got ['1'"),
    (PIXELS, "image_std", 0.5, "image_std: expected a list of 3 values, each a number above 0, got 0.5"),
    (PIXELS, "image_mean", [0.5, 0.5, NAN], "preprocessor_config.json: image_mean: expected a number, got nan"),
    (PIXELS, "image_mean", GONE, "preprocessor_config.json: image_mean: expected a list of 3 values"),
    (TOKENIZER, "model", GONE, "tokenizer.json: model: expected an object, got nothing"),
    (TOKENIZER, "model.vocab", {}, "tokenizer.json: model: vocab: expected the words of a vocabulary, got {}"),
    (TOKENIZER, "model.type", "Words", "auditor: expected the model's tokenizer files, got"),
    (
        TOKENIZER,
        "added_tokens",
        [{"id": "x"}],
        "added_tokens: expected a list of values, each an object with a content",
    ),
    (TOKENIZER, "added_tokens", [], "special tokens, got no"),
    (TOKENIZER_CONFIG, "eos_token", 2, "tokenizer_config.json: eos_token: expected text or an object with its content"),
    (TOKENIZER_CONFIG, "padding_side", "middle", "tokenizer_config.json: padding_side: expected one of left, right"),
    (TOKENIZER_CONFIG, "model_max_length", -1, "tokenizer_config.json: model_max_length: expected a number above 0"),
]
PART_ROWS = [
    (
        LLM_CONFIG,
        "model_type",
        "lama",
        "config.json: model_type: expected a type of model that transformers knows, got",
    ),
    (LLM_CONFIG, "model_type", GONE, "config.json: model_type: expected a type of model that transformers knows, got"),
    (LLM_CONFIG, "model_type", "clip_vision_model", "config.json: model_type: expected that of an LLM, got 'clip"),
    (
        LLM_CONFIG,
        "hidden_size",
        "64",
        "config.json: hidden_size: expected a whole number from 1 to 100000000, got '64'",
    ),
    (LLM_CONFIG, "hidden_size", 65, "The hidden size (65) is not a multiple of the number of attention heads (4)"),
    (LLM_CONFIG, "hidden_size", 128, "config.json: hidden_size: expected 64, as the auditor has, got 128"),
    (LLM_CONFIG, "num_hidden_layers", 0, "config.json: num_hidden_layers: expected a whole number from 1 to 1000"),
    (LLM_CONFIG, "num_hidden_layers", HUGE, "config.json: num_hidden_layers: expected a whole number from 1 to 1000"),
    (LLM_CONFIG, "intermediate_size", 64, "expected shape (64, 64), as config.json says, got (128, 64)"),
    (LLM_CONFIG, "intermediate_size", 10**8, "config.json: expected sizes that fit"),
    (
        LLM_CONFIG,
        "vocab_size",
        500,
        "embed_tokens.weight: expected shape (500, 64), as config.json says, got (480, 64)",
    ),
    (LLM_CONFIG, "vocab_size", 10**8, "config.json: expected sizes that fit"),
    (LLM_CONFIG, "num_key_value_heads", 2, "expected shape (32, 64), as config.json says, got (64, 64)"),
    (LLM_CONFIG, "num_key_value_heads", 0, "config.json: num_key_value_heads: expected a whole number from 1"),
    (LLM_CONFIG, "rms_norm_eps", NAN, "config.json: rms_norm_eps: expected a number, got nan"),
    (
        LLM_CONFIG,
        "rms_norm_eps",
        -1e-5,
        "config.json: rms_norm_eps: expected a number from 0 to 1, or null, got -1e-05",
    ),
    (LLM_CONFIG, "rope_theta", 0, "config.json: rope_theta: expected a number above 0, or null, got 0"),
    (LLM_CONFIG, "hidden_act", "sulu", "config.json: hidden_act: expected one of"),
    (LLM_CONFIG, "rope_scaling", [1], "config.json: expected settings of a llama model, got"),
    (LLM_CONFIG, "tie_word_embeddings", "no", "config.json: expected settings of a llama model, got"),
    (LLM_CONFIG, "torch_dtype", "float33", "config.json: expected settings of a llama model, got"),
    (
        LLM_CONFIG,
        "architectures",
        5,
        "config.json: architectures: expected a list of values, each text, or null, got 5",
    ),
    (GENERATION, "eos_token_id", "</s>", "generation_config.json: eos_token_id: expected a whole number from -1"),
    (GENERATION, "temperature", NAN, "generation_config.json: temperature: expected a number, got nan"),
    (CLIP_CONFIG, "model_type", "bert", "holds a 'bert' model, expected a CLIP model"),
    (CLIP_CONFIG, "image_size", 0, "config.json: image_size: expected a whole number from 1 to 100000000, got 0"),
    (CLIP_CONFIG, "image_size", 56, "position_embedding.weight"),
    (CLIP_CONFIG, "image_size", 10**8, "config.json: expected sizes that fit"),
    (CLIP_CONFIG, "hidden_size", 10**8, "config.json: expected sizes that fit"),
    (CLIP_CONFIG, "num_hidden_layers", HUGE, "config.json: num_hidden_layers: expected a whole number from 1 to 1000"),
    (CLIP_CONFIG, "num_hidden_layers", 900, "config.json: num_hidden_layers: expected at most"),
    (CLIP_CONFIG, "num_attention_heads", 7, "config.json: expected settings of a clip_vision_model model, got"),
    (
        CLIP_CONFIG,
        "layer_norm_eps",
        "x",
        "config.json: layer_norm_eps: expected a number from 0 to 1, or null, got 'x'",
    ),
]
TRAINING_ROWS = [
    (BERT, "hidden_size", HUGE, "config.json: hidden_size: expected a whole number from 1 to 100000000"),
    (BERT, "hidden_size", 10**8, "config.json: hidden_size: expected 64, as the weights"),
    (BERT, "intermediate_size", 256, "config.json: intermediate_size: expected 128, as the weights"),
    (BERT, "num_attention_heads", 0, "config.json: num_attention_heads: expected a whole number from 1 to 100000000"),
    (BERT, "num_attention_heads", 5, "config.json: num_attention_heads: expected a divisor of hidden_size, 64, got 5"),
    (BERT, "layer_norm_eps", NAN, "config.json: layer_norm_eps: expected a number, got nan"),
    (BERT, "model_type", "llama", "config.json: model_type: expected bert, got 'llama'"),
    (CLIP_PIXELS, "image_std", [0, 1, 1], "image_std: expected a list of 3 values, each a number above 0, got [0, 1"),
    (CLIP_PIXELS, "image_mean", "0.5", "image_mean: expected a list of 3 values, each a number from -1000 to 1000"),
]
DEEPSPEED_ROWS = [
    ("zero_optimization.stage", 4, "ds.json: zero_optimization: stage: expected a whole number from 0 to 3, got 4"),
    ("zero_optimization.stage", "2", "ds.json: zero_optimization: stage: expected a whole number from 0 to 3, got '2'"),
    ("zero_optimization", [], "ds.json: zero_optimization: expected an object, got []"),
    ("zero_optimization.offload_optimizer.device", "gpu", "device: expected one of cpu, nvme, none, got 'gpu'"),
    ("zero_optimization.reduce_bucket_size", -1, "reduce_bucket_size: expected a number from 0 to 1000000000000000 or"),
    ("train_batch_size", 0, "ds.json: train_batch_size: expected a whole number from 1 to 1000000000 or one of auto"),
    ("gradient_clipping", NAN, "ds.json: gradient_clipping: expected a number, got nan"),
    ("fp16.enabled", "yes", "ds.json: fp16: enabled: expected true or false or one of auto, got 'yes'"),
    ("fp16.loss_scale", "big", "ds.json: fp16: loss_scale: expected a number from 0 to"),
]
TEXTS = {  # of every file of settings
    "a list": (lambda text: "[1]", "expected a JSON object, got [1]"),
    "broken": (lambda text: text[: len(text) // 2], "expected JSON, got something else"),
    "empty": (lambda text: "", "expected JSON, got nothing"),
    "a key twice": (lambda text: text.replace("{", '{"dup": 1, "dup": 2, ', 1), "the key 'dup' is given twice"),
    "byte order mark": (lambda text: "\ufeff" + text, None),
}


def own_files(where: str, root: Path) -> Path:
    """The file in a folder of the case's own: parts are links otherwise, and a manifest would see every change."""
    if where.startswith("parts/"):
        real = (root / "parts").resolve()
        if (root / "parts").is_symlink():
            (root / "parts").unlink()
            (root / "parts").mkdir()
            for path in real.iterdir():
                (root / "parts" / path.name).symlink_to(path)
        folder = root.joinpath(*Path(where).parts[:2])
        if folder.is_symlink():
            original = folder.resolve()
            folder.unlink()
            shutil.copytree(original, folder)
    (root / where).parent.joinpath("manifest.json").unlink(missing_ok=True)
    return root / where


def set_key(where: str, name: str, value: object, root: Path) -> None:
    path = own_files(where, root)
    content = json.loads(path.read_text())
    path.write_text(json.dumps(changed(content, name, value)))


def changed(content: dict, name: str, value: object) -> dict:
    holder, (*parts, last) = content, name.split(".")
    for part in parts:
        holder = holder[part]
    if value is GONE:
        del holder[last]
    else:
        holder[last] = value
    return content


def set_text(where: str, function: Callable[[str], str], root: Path) -> None:
    path = own_files(where, root)
    path.write_text(function(path.read_text()), encoding="utf-8")


def set_deepspeed(name: str, value: object, root: Path) -> None:
    content = json.loads(Path("deepspeed/stage2-offload.json").read_text())
    (root / "ds.json").write_text(json.dumps(changed(content, name, value)))


def row_case(program: str, row: tuple) -> Case:
    where, name, value, says = row
    shown = "missing" if value is GONE else json.dumps(value)
    name = f"{where}: {name} {shown}"
    return Case(name, partial(set_key, *row[:3]), {program: refused(says)})


FILES = {
    "evaluate": (CONFIG, PIXELS, TOKENIZER, TOKENIZER_CONFIG, LLM_CONFIG, GENERATION, CLIP_CONFIG),
    "train": (BERT, CLIP_PIXELS),
}
CASES = [
    *(row_case("evaluate", row) for row in AUDITOR_ROWS[::2] + PART_ROWS[::2]),
    *(row_case("audit", row) for row in AUDITOR_ROWS[1::2] + PART_ROWS[1::2]),
    *(row_case("train", row) for row in TRAINING_ROWS),
    *(
        Case(
            f"ds.json: {name} {json.dumps(value)}",
            partial(set_deepspeed, name, value),
            {"train": refused(says)},
            ("--deepspeed", "{root}/ds.json"),
        )
        for name, value, says in DEEPSPEED_ROWS
    ),
    *(
        Case(
            f"{where}: {how}",
            partial(set_text, where, function),
            {program: refused(f"{Path(where).name}: {says}" if "twice" not in how else says) if says else accepted},
        )
        for program, files in FILES.items()
        for where in files
        for how, (function, says) in TEXTS.items()
    ),
]
