"""Files for llama.cpp with seeded random weights: a LLaMA of one layer, and its eyes (CLIP) and ears (Whisper)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import gguf
import numpy as np
from tokenizers import pre_tokenizers

WIDTH, HEADS, HIDDEN = 64, 4, 128  # of the language model
EYES, EARS = 32, 32
SIDE, PATCH = 56, 14
STACK = 10  # frames of sound that become one token
TEMPLATE = (
    "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}"
    "{% if add_generation_prompt %}assistant: {% endif %}"
)
rng = np.random.default_rng(0)


def weights(*shape: int) -> np.ndarray:
    return (0.05 * rng.normal(size=shape)).astype(np.float32)


@contextmanager
def writing(path: Path, architecture: str) -> Iterator[gguf.GGUFWriter]:
    writer = gguf.GGUFWriter(str(path), architecture)
    yield writer
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def add_norm(writer: gguf.GGUFWriter, name: str, width: int, has_bias: bool = True) -> None:
    writer.add_tensor(f"{name}.weight", np.ones(width, np.float32))
    if has_bias:
        writer.add_tensor(f"{name}.bias", np.zeros(width, np.float32))


def add_linear(writer: gguf.GGUFWriter, name: str, width_out: int, width_in: int, has_bias: bool = True) -> None:
    writer.add_tensor(f"{name}.weight", weights(width_out, width_in))
    if has_bias:
        writer.add_tensor(f"{name}.bias", np.zeros(width_out, np.float32))


def write_language_model(path: Path) -> None:
    """It spells words in bytes."""
    words = [*sorted(pre_tokenizers.ByteLevel.alphabet()), "<s>", "</s>", "<pad>", "th"]
    with writing(path, "llama") as writer:
        writer.add_name("tiny")
        writer.add_context_length(8192)
        writer.add_embedding_length(WIDTH)
        writer.add_block_count(1)
        writer.add_feed_forward_length(HIDDEN)
        writer.add_head_count(HEADS)
        writer.add_head_count_kv(HEADS // 2)
        writer.add_layer_norm_rms_eps(1e-5)
        writer.add_rope_dimension_count(WIDTH // HEADS)
        writer.add_vocab_size(len(words))
        writer.add_tokenizer_model("gpt2")
        writer.add_tokenizer_pre("gpt-2")
        writer.add_token_list(words)
        writer.add_token_types([1] * 256 + [3, 3, 3] + [1])
        writer.add_token_merges(["t h"])
        writer.add_bos_token_id(256)
        writer.add_eos_token_id(257)
        writer.add_pad_token_id(258)
        writer.add_chat_template(TEMPLATE)
        writer.add_tensor("token_embd.weight", weights(len(words), WIDTH))
        writer.add_tensor("output.weight", weights(len(words), WIDTH))
        for name in ("output_norm", "blk.0.attn_norm", "blk.0.ffn_norm"):
            add_norm(writer, name, WIDTH, has_bias=False)
        sizes = {"attn_q": (WIDTH, WIDTH), "attn_k": (WIDTH // 2, WIDTH), "attn_v": (WIDTH // 2, WIDTH)}
        sizes |= {"attn_output": (WIDTH, WIDTH), "ffn_gate": (HIDDEN, WIDTH), "ffn_up": (HIDDEN, WIDTH)}
        for name, size in (sizes | {"ffn_down": (WIDTH, HIDDEN)}).items():
            add_linear(writer, f"blk.0.{name}", *size, has_bias=False)


def write_eyes_and_ears(path: Path) -> None:
    """What llama.cpp calls a multimodal projector."""
    with writing(path, "clip") as writer:
        writer.add_name("tiny")
        add_settings(writer, "vision", "mlp", EYES, 2)
        writer.add_uint32("clip.vision.image_size", SIDE)
        writer.add_uint32("clip.vision.patch_size", PATCH)
        writer.add_array("clip.vision.image_mean", [0.5] * 3)
        writer.add_array("clip.vision.image_std", [0.5] * 3)
        writer.add_bool("clip.use_gelu", False)
        add_eyes(writer)
        add_settings(writer, "audio", "ultravox", EARS, 1)
        writer.add_uint32("clip.audio.num_mel_bins", 80)
        writer.add_uint32("clip.audio.projector.stack_factor", STACK)
        add_ears(writer)


def add_settings(writer: gguf.GGUFWriter, sense: str, projector: str, width: int, layers: int) -> None:
    writer.add_bool(f"clip.has_{sense}_encoder", True)
    writer.add_string(f"clip.{sense}.projector_type", projector)
    numbers = {"embedding_length": width, "feed_forward_length": 2 * width, "projection_dim": WIDTH}
    for name, value in (numbers | {"block_count": layers, "attention.head_count": 2}).items():
        writer.add_uint32(f"clip.{sense}.{name}", value)
    writer.add_float32(f"clip.{sense}.attention.layer_norm_epsilon", 1e-5)


def add_eyes(writer: gguf.GGUFWriter) -> None:
    writer.add_tensor("v.class_embd", weights(EYES))
    writer.add_tensor("v.patch_embd.weight", weights(EYES, 3, PATCH, PATCH))
    writer.add_tensor("v.position_embd.weight", weights((SIDE // PATCH) ** 2 + 1, EYES))
    for name in ("v.pre_ln", "v.post_ln"):
        add_norm(writer, name, EYES)
    for layer in range(2):
        add_block(writer, f"v.blk.{layer}", EYES)
    add_linear(writer, "mm.0", WIDTH, EYES)
    add_linear(writer, "mm.2", WIDTH, WIDTH)


def add_ears(writer: gguf.GGUFWriter) -> None:
    for number, channels in ((1, 80), (2, EARS)):
        writer.add_tensor(f"a.conv1d.{number}.weight", weights(EARS, channels, 3).astype(np.float16))
        writer.add_tensor(f"a.conv1d.{number}.bias", np.zeros((EARS, 1), np.float32))
    writer.add_tensor("a.position_embd.weight", weights(1500, EARS))
    add_norm(writer, "a.post_ln", EARS)
    add_block(writer, "a.blk.0", EARS, without_bias=("attn_k",))
    add_norm(writer, "mm.a.norm_pre", EARS * STACK, has_bias=False)
    add_linear(writer, "mm.a.mlp.1", 128, EARS * STACK, has_bias=False)
    add_norm(writer, "mm.a.norm_mid", 64, has_bias=False)
    add_linear(writer, "mm.a.mlp.2", WIDTH, 64, has_bias=False)


def add_block(writer: gguf.GGUFWriter, name: str, width: int, without_bias: tuple[str, ...] = ()) -> None:
    for part in ("attn_q", "attn_k", "attn_v", "attn_out"):
        add_linear(writer, f"{name}.{part}", width, width, has_bias=part not in without_bias)
    for part in ("ln1", "ln2"):
        add_norm(writer, f"{name}.{part}", width)
    add_linear(writer, f"{name}.ffn_up", 2 * width, width)
    add_linear(writer, f"{name}.ffn_down", width, 2 * width)
