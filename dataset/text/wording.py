"""The words of an audit: its prompt, and the answer to learn. Token ids are made in `prompt`."""

from __future__ import annotations

from utils.tokens import DIRECT_NTP, IOU_VALUE, REGRESS_ST

IOU_SLOT = "<iou_token>"

_MEDIA = "{bos}video:\n<video_start><video><video_end>\naudio:\n<audio_start><audio><audio_end>\n"
_TRAIN = (
    "Given the referential expression: '{expression}', the key frame image <image_start><image><image_end>, "
    "and its corresponding segmentation mask <mask_start><mask><mask_end>, "
    "analyze all cues to audit the mask's quality.\n"
)
_TEST = (
    "Given the referential expression: '{expression}', the {frame} <image_start><image><image_end> "
    "and its segmentation mask <mask_start><mask><mask_end>, please audit the mask quality.\n"
)


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
