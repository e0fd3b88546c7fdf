"""The special tokens of the published system, in the order that fixes their ids.

Knows their spelling and order only; which ids they get depends on the tokenizer they are added to.
"""

from __future__ import annotations

import re

IMAGE, VIDEO, AUDIO, MASK = "<image>", "<video>", "<audio>", "<mask>"
VISUAL_PLACEHOLDERS = (VIDEO, IMAGE, MASK)
PLACEHOLDERS = (*VISUAL_PLACEHOLDERS, AUDIO)
IOU_VALUE = "<iou_value>"
IGNORE_INDEX = -100  # the label of positions that are not learned
NOBODY, EVERYBODY = -1, 0  # owners of a position: padding belongs to no mask, a shared prompt to all its masks

SPECIAL_TOKENS = (
    *("<image>", "<image_start>", "<image_end>"),
    *("<video>", "<video_start>", "<video_end>"),
    *("<audio>", "<audio_start>", "<audio_end>"),
    *("<think>", "</think>", "<answer>", "</answer>"),
    *("<f_object>", "</f_object>", "<s_object>", "</s_object>"),
    *("<audit>", "</audit>", "<mask_type>", "</mask_type>"),
    *("<action>", "</action>", "<iou>", "</iou>"),
    *("<mask>", "<mask_start>", "<mask_end>"),
)

# Control tokens of tokenizers: of LLaMA, Mistral, Qwen, Gemma, Phi, GPT and others.
CONTROL_TOKENS = (
    *("<s>", "</s>", "<unk>", "<pad>", "<bos>", "<eos>"),
    *("<start_of_turn>", "<end_of_turn>", "<start_of_image>", "<end_of_image>", "<image_soft_token>"),
)
_BARRED = re.compile(r"<[|\uff5c][^<>|\uff5c\s]{1,60}[|\uff5c]>")  # such as <|im_end|>
# Ref-Thinker's: the same ids as an auditor's up to </s_object>, others behind it.
THINK_PLACEHOLDERS = (VIDEO, IMAGE, AUDIO)
THINK_TOKENS = (*SPECIAL_TOKENS[: SPECIAL_TOKENS.index("<audit>")], "<frame>", "</frame>", "<box>", "</box>")

DIRECT_NTP, REGRESS_ST = "direct_ntp", "regress_st"
IOU_ESTIMATIONS = (DIRECT_NTP, REGRESS_ST)


def special_tokens(iou_estimation: str = DIRECT_NTP) -> list[str]:
    """The 28 published tokens; `regress_st` (paper Table 5) adds `<iou_value>` as the 29th."""
    return [*SPECIAL_TOKENS, IOU_VALUE] if iou_estimation == REGRESS_ST else list(SPECIAL_TOKENS)


def control_tokens(text: str) -> list[str]:
    """What a text holds that common tokenizers of LLMs read as a command, in any case of letters.

    The tokenizer of a given auditor may know more of them: `dataset.text.prompt` asks it.
    """
    lowered = text.lower()
    found = [token for token in CONTROL_TOKENS if token in lowered]
    return [*found, *dict.fromkeys(_BARRED.findall(lowered))]


def reserved_tokens(text: str) -> list[str]:
    """The special tokens that a text contains, ours and those of common tokenizers, in any case of letters.

    Words of prompts and answers must contain none: the tokenizer would read it as the token, not as words.
    """
    own = dict.fromkeys((*special_tokens(REGRESS_ST), *THINK_TOKENS))
    return [*(token for token in own if token in text.lower()), *control_tokens(text)]
