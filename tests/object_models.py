"""Tiny folders of the object models with seeded random weights, of the very classes that published folders hold."""

from pathlib import Path

import torch
from tokenizers import Tokenizer, pre_tokenizers
from tokenizers.models import BPE
from transformers import (
    BertConfig,
    BertTokenizer,
    CLIPSegConfig,
    CLIPSegForImageSegmentation,
    CLIPTokenizer,
    GroundingDinoConfig,
    GroundingDinoForObjectDetection,
    MMGroundingDinoConfig,
    MMGroundingDinoForObjectDetection,
    Owlv2Config,
    Owlv2ForObjectDetection,
    PreTrainedModel,
    PreTrainedTokenizerFast,
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
    Sam2Config,
    Sam2MaskDecoderConfig,
    Sam2Model,
    Sam2VideoConfig,
    Sam2VideoMaskDecoderConfig,
    Sam2VideoModel,
    Sam3Config,
    Sam3Model,
    SwinConfig,
)

from models.segmenting.detect import VOCABULARY
from models.segmenting.qwen import IMAGE_TOKEN

BERT_IDS = {"[PAD]": 0, "[UNK]": 100, "[CLS]": 101, "[SEP]": 102, "[MASK]": 103, ".": 1012, "?": 1029}  # as published
LETTERS = "abcdefghijklmnopqrstuvwxyz"
SAM2_SIDE = 64  # pixels of the tiny SAM2's square input
MEMORY_WIDTH = 128  # transformers has the memory's width of 64 in its code, and splits wider pointers into parts of it


CHAT_TOKENS = ["<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>", IMAGE_TOKEN, "<|video_pad|>"]
CHAT_FORM = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}<|vision_start|><|image_pad|><|vision_end|>{% else %}{{ part['text'] }}{% endif %}"
    "{% endfor %}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def save_seeded(model_class: type[PreTrainedModel], config, folder: Path) -> Path:
    """Write a model with random weights, wide enough to give distinct answers, the same from run to run."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = model_class(config)
        for weight in model.parameters():
            if weight.ndim > 1:
                torch.nn.init.normal_(weight, std=0.2)
        model.save_pretrained(folder)
    return folder


def save_grounding_dino(folder: Path, mm: bool = False) -> Path:
    """A GroundingDINO, or an MM-GroundingDINO, with a BERT tokenizer that spells unknown words in letters."""
    swin = SwinConfig(embed_dim=8, depths=[1, 1, 1, 1], num_heads=[1, 1, 2, 2], window_size=4, out_indices=[2, 3, 4])
    bert = BertConfig(vocab_size=1200, hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32)
    config_class = MMGroundingDinoConfig if mm else GroundingDinoConfig
    config = config_class(
        backbone_config=swin,
        text_config=bert,
        d_model=32,
        num_queries=12,
        encoder_layers=1,
        decoder_layers=2,
        encoder_ffn_dim=32,
        decoder_ffn_dim=32,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
    )
    unused = {f"[unused{i}]": i for i in range(1030) if i not in BERT_IDS.values()}
    words = dict.fromkeys([*LETTERS, *(f"##{letter}" for letter in LETTERS), *" ".join(VOCABULARY).split()])
    vocab = BERT_IDS | unused | {word: 1030 + i for i, word in enumerate(words)}
    BertTokenizer(vocab=vocab).save_pretrained(folder)
    return save_seeded(MMGroundingDinoForObjectDetection if mm else GroundingDinoForObjectDetection, config, folder)


SMALL = {"hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}


def save_owlv2(folder: Path) -> Path:
    """An OWLv2 of 64 pixels with a CLIP tokenizer that spells words in letters."""
    text = _save_clip_tokenizer(folder)
    vision = {**SMALL, "image_size": 64, "patch_size": 16}
    return save_seeded(
        Owlv2ForObjectDetection, Owlv2Config(text_config=text, vision_config=vision, projection_dim=32), folder
    )


def save_clipseg(folder: Path) -> Path:
    """A CLIPSeg of 64 pixels with the same tokenizer."""
    config = CLIPSegConfig(
        text_config=_save_clip_tokenizer(folder),
        vision_config={**SMALL, "num_hidden_layers": 2, "image_size": 64, "patch_size": 16},
        projection_dim=32,
        extract_layers=[0, 1],
        reduce_dim=16,
        decoder_num_attention_heads=2,
        decoder_intermediate_size=32,
    )
    return save_seeded(CLIPSegForImageSegmentation, config, folder)


def save_sam3(folder: Path) -> Path:
    """A SAM3 of 64 pixels with the same tokenizer."""
    detr = {"hidden_size": 32, "intermediate_size": 32, "num_attention_heads": 2, "num_layers": 1}
    vit = {**SMALL, "image_size": 64, "pretrain_image_size": 64, "patch_size": 8, "window_size": 4}
    config = Sam3Config(
        vision_config={
            "backbone_config": {**vit, "model_type": "sam3_vit_model", "global_attn_indexes": [0]},
            "fpn_hidden_size": 32,
            "backbone_feature_sizes": [[32, 32], [16, 16], [8, 8]],
        },
        text_config={**_save_clip_tokenizer(folder), "projection_dim": 32},
        geometry_encoder_config={**detr, "roi_size": 3},
        detr_encoder_config=detr,
        detr_decoder_config={**detr, "num_queries": 6},
        mask_decoder_config={"hidden_size": 32, "num_attention_heads": 2},
    )
    return save_seeded(Sam3Model, config, folder)


def _save_clip_tokenizer(folder: Path) -> dict:
    """A tokenizer that spells words in letters; returns the settings of a text model for it."""
    tokens = ["!", *LETTERS, *(f"{letter}</w>" for letter in LETTERS), "<|startoftext|>", "<|endoftext|>"]
    special = {"pad_token_id": 0, "bos_token_id": len(tokens) - 2, "eos_token_id": len(tokens) - 1}
    CLIPTokenizer(vocab={token: i for i, token in enumerate(tokens)}, merges=[], pad_token="!").save_pretrained(folder)
    return {**SMALL, **special, "vocab_size": len(tokens)}


def save_sam2(folder: Path, video: bool = False) -> Path:
    """A SAM2 of 64 pixels; `video` gives the type of the published folders, with the parts that follow objects."""
    hiera = {
        "model_type": "sam2_hiera_det_model",
        "hidden_size": 8,
        "image_size": [SAM2_SIDE, SAM2_SIDE],
        "blocks_per_stage": [1, 1, 2, 1],
        "embed_dim_per_stage": [8, 16, 24, 32],
        "num_attention_heads_per_stage": [1, 1, 1, 1],
        "window_size_per_stage": [4, 4, 4, 2],
        "window_positional_embedding_background_size": [2, 2],
        "global_attention_blocks": [3],
    }
    width = MEMORY_WIDTH if video else 32
    vision = {
        "backbone_config": hiera,
        "backbone_channel_list": [32, 24, 16, 8],
        "backbone_feature_sizes": [[16, 16], [8, 8], [4, 4]],
        "fpn_hidden_size": width,
    }
    memory = {
        "image_size": SAM2_SIDE,
        "memory_attention_hidden_size": width,
        "memory_attention_num_layers": 1,
        "memory_attention_feed_forward_hidden_size": 32,
        "memory_attention_rope_feat_sizes": [4, 4],
        "memory_encoder_hidden_size": width,
        "mask_downsampler_embed_dim": width,
        "memory_fuser_embed_dim": width,
        "memory_fuser_intermediate_dim": 32,
    }
    config_class = Sam2VideoConfig if video else Sam2Config
    decoder_class = Sam2VideoMaskDecoderConfig if video else Sam2MaskDecoderConfig
    config = config_class(
        vision_config=vision,
        prompt_encoder_config={"hidden_size": width, "image_size": SAM2_SIDE},
        mask_decoder_config=decoder_class(hidden_size=width, mlp_dim=32, iou_head_hidden_dim=32, num_attention_heads=2),
        **(memory if video else {}),
    )
    return save_seeded(Sam2VideoModel if video else Sam2Model, config, folder)


def save_qwen(folder: Path, boxes: bool = False) -> Path:
    """A Qwen2.5-VL with a tokenizer that spells words in letters, and the chat form of the published one in short.

    `boxes`: with the tokens of Rex-Omni.
    """
    tokenizer = _save_chat_tokenizer(folder, [f"<{i}>" for i in range(1000)] if boxes else [])
    ids = dict(zip(CHAT_TOKENS, tokenizer.convert_tokens_to_ids(CHAT_TOKENS), strict=True))
    config = Qwen2_5_VLConfig(
        text_config={
            "vocab_size": len(tokenizer),
            "hidden_size": 32,
            "intermediate_size": 48,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "max_position_embeddings": 4096,
            "rope_scaling": {"type": "mrope", "mrope_section": [1, 1, 2], "rope_type": "default"},
            "bos_token_id": None,
            "eos_token_id": ids["<|im_end|>"],
            "pad_token_id": ids["<|im_end|>"],
        },
        vision_config={
            "depth": 2,
            "hidden_size": 16,
            "intermediate_size": 24,
            "num_heads": 2,
            "out_hidden_size": 32,
            "fullatt_block_indexes": [1],
            "window_size": 56,
        },
        image_token_id=ids[IMAGE_TOKEN],
        video_token_id=ids["<|video_pad|>"],
        vision_start_token_id=ids["<|vision_start|>"],
        vision_end_token_id=ids["<|vision_end|>"],
    )
    return save_seeded(Qwen2_5_VLForConditionalGeneration, config, folder)


def _save_chat_tokenizer(folder: Path, more_tokens: list[str]) -> PreTrainedTokenizerFast:
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: i for i, token in enumerate([*letters, *CHAT_TOKENS, *more_tokens])}
    tokenizer = Tokenizer(BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|im_end|>", pad_token="<|im_end|>")
    fast.add_special_tokens({"additional_special_tokens": [*CHAT_TOKENS, *more_tokens]})
    fast.chat_template = CHAT_FORM
    fast.save_pretrained(folder)
    return fast
