"""The words of prompts and answers, of audits and of captions. Token ids are made in `prompt`."""

from __future__ import annotations

from utils.tokens import DIRECT_NTP, IOU_VALUE, REGRESS_ST

IOU_SLOT = "<iou_token>"

VIDEO_HEAD = "video:\n<video_start><video><video_end>\n"
AUDIO_HEAD = "audio:\n<audio_start><audio><audio_end>\n"
EXPRESSION_AND_FRAME = (
    "Given the referential expression: '{expression}', the key frame image <image_start><image><image_end>, "
)
_MEDIA = "{bos}" + VIDEO_HEAD + AUDIO_HEAD
_TRAIN = (
    EXPRESSION_AND_FRAME + "and its corresponding segmentation mask <mask_start><mask><mask_end>, "
    "analyze all cues to audit the mask's quality.\n"
)
_TEST = (
    "Given the referential expression: '{expression}', the {frame} <image_start><image><image_end> "
    "and its segmentation mask <mask_start><mask><mask_end>, please audit the mask quality.\n"
)

SYSTEM = "You are a helpful assistant."
# Instructions of pretraining, by medium.
CAPTIONS = {
    "image": "This is an image:\n<image_start><image><image_end>\nPlease answer the question:\n{question}",
    "video": "This is a video:\n<video_start><video><video_end>\nPlease answer the question:\n{question}",
    "audio": "This is an audio:\n<audio_start><audio><audio_end>\n{question}",
}
AUDIO_QUESTION = "Please describe this audio."


def build_prompt(expression: str, protocol: str, bos: str = "<s>") -> str:
    """The prompt of one sample. `protocol`: train, image or video; the published wording differs between the three."""
    template = _MEDIA + (_TRAIN if protocol == "train" else _TEST)
    frame = "frame" if protocol == "video" else "key frame"
    return template.format(bos=bos, expression="\0", frame=frame).replace("\0", expression.lower())


def build_target(response: str, iou: float | None, iou_estimation: str = DIRECT_NTP, eos: str = "</s>") -> str:
    """The answer to learn: the annotated response with its IoU slot filled, ended by `eos`.

    Direct NTP writes four decimals; Regress ST writes the `<iou_value>` token instead, also over numbers that the
    response already holds between IoU tags.
    """
    number = IOU_VALUE if iou_estimation == REGRESS_ST else "" if iou is None else f"{iou:.4f}"
    text = response.replace(IOU_SLOT, f"<iou> {number} </iou>")
    if iou_estimation == REGRESS_ST:
        before, *rest = text.split("<iou>")
        text = "<iou>".join([before, *(f" {IOU_VALUE} </iou>{part.partition('</iou>')[2]}" for part in rest)])
    return text if text.rstrip().endswith(eos) else text + eos
