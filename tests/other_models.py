"""Tiny folders of multimodal LLMs with seeded random weights, of the very classes that published folders hold."""

from __future__ import annotations

from pathlib import Path

from tokenizers import Tokenizer, decoders, pre_tokenizers
from tokenizers.models import BPE
from transformers import (
    CLIPImageProcessorPil,
    Gemma4Config,
    Gemma4ForConditionalGeneration,
    LlamaConfig,
    LlamaForCausalLM,
    LlavaConfig,
    LlavaForConditionalGeneration,
    LlavaProcessor,
    PreTrainedTokenizerFast,
    Qwen2_5OmniThinkerConfig,
    Qwen2_5OmniThinkerForConditionalGeneration,
    Qwen2VLImageProcessorPil,
    Qwen3OmniMoeThinkerForConditionalGeneration,
    Qwen3VLConfig,
    Qwen3VLForConditionalGeneration,
    VideoLlama3Config,
    VideoLlama3ForConditionalGeneration,
    VideoLlama3ImageProcessorPil,
)
from transformers.models.gemma4.image_processing_pil_gemma4 import Gemma4ImageProcessorPil
from transformers.models.qwen3_omni_moe.configuration_qwen3_omni_moe import Qwen3OmniMoeThinkerConfig

from tests.object_models import save_seeded

TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{% if m['content'] is string %}{{ m['content'] }}"
    "{% else %}{% for c in m['content'] %}{% if c['type'] == 'text' %}{{ c['text'] }}"
    "{% elif c['type'] == 'image' %}IMAGE{% elif c['type'] == 'video' %}VIDEO"
    "{% elif c['type'] == 'audio' %}AUDIO{% endif %}{% endfor %}{% endif %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
ENDS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
SMALL = {"hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 2}
TEXT = SMALL | {"num_hidden_layers": 1, "num_key_value_heads": 1, "max_position_embeddings": 16384}
ROPE = {"rope_type": "default", "rope_theta": 1e6, "mrope_section": [2, 3, 3]}
EARS = {"num_mel_bins": 128, "encoder_layers": 1, "encoder_attention_heads": 2, "encoder_ffn_dim": 32, "d_model": 32}
EYES = {"hidden_size": 32, "intermediate_size": 64, "num_heads": 2, "spatial_merge_size": 2, "temporal_patch_size": 2}
EYES |= {"out_hidden_size": 32}
PIXELS = {"size": {"shortest_edge": 56 * 56, "longest_edge": 128 * 28 * 28}}


def save_tokenizer(folder: Path, tokens: list[str], image: str = "", video: str = "", audio: str = "") -> dict:
    """A tokenizer that spells words in bytes; returns the id of each token, and their number as "size"."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    backend = Tokenizer(BPE(vocab={letter: i for i, letter in enumerate(letters)}, merges=[]))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    fast = PreTrainedTokenizerFast(tokenizer_object=backend, eos_token="<|im_end|>", pad_token="<|endoftext|>")
    fast.add_tokens([*ENDS, *tokens], special_tokens=True)
    fast.chat_template = TEMPLATE.replace("IMAGE", image).replace("VIDEO", video).replace("AUDIO", audio)
    fast.save_pretrained(folder)
    return {token: fast.convert_tokens_to_ids(token) for token in [*ENDS, *tokens]} | {"size": len(fast)}


def save_qwen25_omni(folder: Path) -> Path:
    vision, audio = ("<|vision_bos|>", "<|vision_eos|>"), ("<|audio_bos|>", "<|audio_eos|>")
    tokens = ["<|AUDIO|>", "<|IMAGE|>", "<|VIDEO|>", *vision, *audio]
    ids = save_tokenizer(
        folder,
        tokens,
        f"{vision[0]}<|IMAGE|>{vision[1]}",
        f"{vision[0]}<|VIDEO|>{vision[1]}",
        f"{audio[0]}<|AUDIO|>{audio[1]}",
    )
    config = Qwen2_5OmniThinkerConfig(
        audio_config=EARS | {"n_window": 100, "output_dim": 32, "max_source_positions": 1500},
        vision_config=EYES | {"depth": 1, "patch_size": 14, "window_size": 112, "fullatt_block_indexes": [0]},
        text_config=TEXT | {"vocab_size": ids["size"], "rope_parameters": ROPE},
        audio_token_index=ids["<|AUDIO|>"],
        image_token_index=ids["<|IMAGE|>"],
        video_token_index=ids["<|VIDEO|>"],
        audio_start_token_id=ids[audio[0]],
        audio_end_token_id=ids[audio[1]],
        vision_start_token_id=ids[vision[0]],
        vision_end_token_id=ids[vision[1]],
    )
    Qwen2VLImageProcessorPil(**PIXELS).save_pretrained(folder)
    return save_seeded(Qwen2_5OmniThinkerForConditionalGeneration, config, folder)


def save_qwen3_omni(folder: Path) -> Path:
    vision, audio = ("<|vision_start|>", "<|vision_end|>"), ("<|audio_start|>", "<|audio_end|>")
    tokens = ["<|audio_pad|>", "<|image_pad|>", "<|video_pad|>", *vision, *audio]
    ids = save_tokenizer(
        folder,
        tokens,
        f"{vision[0]}<|image_pad|>{vision[1]}",
        f"{vision[0]}<|video_pad|>{vision[1]}",
        f"{audio[0]}<|audio_pad|>{audio[1]}",
    )
    experts = {"head_dim": 16, "num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 16}
    sizes = {"num_hidden_layers": 2, "rope_parameters": ROPE | {"mrope_interleaved": True}}
    ears = {"n_window": 50, "n_window_infer": 800, "output_dim": 32, "downsample_hidden_size": 16}
    config = Qwen3OmniMoeThinkerConfig(
        audio_config=EARS | ears | {"conv_chunksize": 500},
        vision_config=EYES
        | {"depth": 2, "patch_size": 16, "num_position_embeddings": 64, "deepstack_visual_indexes": [0]},
        text_config=TEXT | sizes | experts | {"vocab_size": ids["size"]},
        audio_token_id=ids["<|audio_pad|>"],
        image_token_id=ids["<|image_pad|>"],
        video_token_id=ids["<|video_pad|>"],
        audio_start_token_id=ids[audio[0]],
        vision_start_token_id=ids[vision[0]],
    )
    return save_seeded(Qwen3OmniMoeThinkerForConditionalGeneration, config, folder)


def save_qwen3_vl(folder: Path) -> Path:
    vision = ("<|vision_start|>", "<|vision_end|>")
    ids = save_tokenizer(folder, ["<|image_pad|>", "<|video_pad|>", *vision], f"{vision[0]}<|image_pad|>{vision[1]}")
    sizes = {"num_hidden_layers": 2, "head_dim": 16, "rope_parameters": ROPE | {"mrope_interleaved": True}}
    config = Qwen3VLConfig(
        vision_config=EYES
        | {"depth": 2, "patch_size": 16, "num_position_embeddings": 64, "deepstack_visual_indexes": [0]},
        text_config=TEXT | sizes | {"vocab_size": ids["size"]},
        image_token_id=ids["<|image_pad|>"],
        video_token_id=ids["<|video_pad|>"],
        vision_start_token_id=ids[vision[0]],
        vision_end_token_id=ids[vision[1]],
    )
    return save_seeded(Qwen3VLForConditionalGeneration, config, folder)


def save_video_llama3(folder: Path) -> Path:
    ids = save_tokenizer(folder, ["<|image_pad|>", "<|video_pad|>"], "<|image_pad|>\n", "<|video_pad|>\n")
    config = VideoLlama3Config(
        text_config=TEXT | {"model_type": "qwen2", "vocab_size": ids["size"]},
        vision_config=SMALL | {"num_hidden_layers": 1, "patch_size": 14},
        image_token_id=ids["<|image_pad|>"],
        video_token_id=ids["<|video_pad|>"],
    )
    VideoLlama3ImageProcessorPil(**PIXELS).save_pretrained(folder)
    return save_seeded(VideoLlama3ForConditionalGeneration, config, folder)


def save_gemma4(folder: Path) -> Path:
    tokens = ["<|image|>", "<image|>", "<|image>", "<|audio|>", "<audio|>", "<|audio>", "<|video|>"]
    ids = save_tokenizer(folder, tokens, "<|image|>", audio="<|audio|>")
    layers = {"num_hidden_layers": 2, "layer_types": ["sliding_attention", "full_attention"]}
    heads = {"head_dim": 16, "global_head_dim": 16, "num_key_value_heads": 1, "max_position_embeddings": 8192}
    words = {"vocab_size": ids["size"], "vocab_size_per_layer_input": ids["size"], "hidden_size_per_layer_input": 8}
    ends = {"pad_token_id": ids[ENDS[0]], "eos_token_id": ids[ENDS[2]], "bos_token_id": ids[ENDS[1]]}
    eyes = {"num_hidden_layers": 1, "num_key_value_heads": 2, "head_dim": 16, "patch_size": 16}
    config = Gemma4Config(
        text_config=SMALL | layers | heads | words | ends,
        vision_config=SMALL | eyes | {"pooling_kernel_size": 3, "position_embedding_size": 512},
        audio_config={
            "hidden_size": 32,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "subsampling_conv_channels": [128, 4],
            "output_proj_dims": 32,
        },
        image_token_id=ids["<|image|>"],
        audio_token_id=ids["<|audio|>"],
        video_token_id=ids["<|video|>"],
    )
    Gemma4ImageProcessorPil(max_soft_tokens=70).save_pretrained(folder)
    return save_seeded(Gemma4ForConditionalGeneration, config, folder)


def save_text_only(folder: Path) -> Path:
    ids = save_tokenizer(folder, [])
    config = LlamaConfig(**TEXT, vocab_size=ids["size"], eos_token_id=ids[ENDS[2]], bos_token_id=None)
    return save_seeded(LlamaForCausalLM, config, folder)


def save_llava(folder: Path) -> Path:
    """A LLaVA, whose processor makes the inputs: it is none of the kinds that are known."""
    ids = save_tokenizer(folder, ["<image>"], "<image>")
    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
    pictures = CLIPImageProcessorPil(size={"shortest_edge": 56}, crop_size={"height": 56, "width": 56})
    settings = {"patch_size": 14, "vision_feature_select_strategy": "default", "num_additional_image_tokens": 1}
    LlavaProcessor(pictures, tokenizer, chat_template=tokenizer.chat_template, **settings).save_pretrained(folder)
    eyes = SMALL | {"model_type": "clip_vision_model", "num_hidden_layers": 2, "image_size": 56, "patch_size": 14}
    config = LlavaConfig(
        vision_config=eyes,
        text_config=TEXT | {"model_type": "llama", "vocab_size": ids["size"], "eos_token_id": ids["<|im_end|>"]},
        image_token_index=ids["<image>"],
        vision_feature_layer=-1,
        vision_feature_select_strategy="default",
        image_seq_length=16,
    )
    return save_seeded(LlavaForConditionalGeneration, config, folder)


FOLDERS = {
    "Qwen25Omni": save_qwen25_omni,
    "Qwen3Omni": save_qwen3_omni,
    "QwenVL": save_qwen3_vl,
    "VideoLlama3": save_video_llama3,
    "Gemma4": save_gemma4,
    "TextOnly": save_text_only,
}
