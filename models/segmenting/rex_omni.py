"""Rex-Omni: a Qwen2.5-VL model that writes coordinates of boxes as tokens (arXiv 2510.12798).

A coordinate is one of the tokens <0> (left or top edge of the picture) to <999> (right or bottom edge).
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import torch

from models.segmenting.boxes import Box
from models.segmenting.qwen import QwenVL, load_qwen

QUESTION = "Detect {names}. Output the bounding box coordinates in [x0, y0, x1, y1] format."
LAST_BIN = 999
_FOUND = re.compile(
    r"<\|object_ref_start\|>(.*?)<\|object_ref_end\|>\s*<\|box_start\|>(.*?)(?:<\|box_end\|>|(?=<\|object_ref_start\|>)|$)",
    re.DOTALL,
)
_BOX = re.compile(r"<(\d{1,3})>\s*<(\d{1,3})>\s*<(\d{1,3})>\s*<(\d{1,3})>")


def load_rex_omni(
    folder: str | Path, device: str | torch.device = "cpu", dtype: torch.dtype = torch.float32
) -> RexOmniGrounder:
    """The grounder in a transformers folder.

    Raises the errors of `load_qwen`, and ValueError for a Qwen2.5-VL model without coordinate tokens.
    """
    qwen = load_qwen(folder, device, dtype)
    missing = {"<0>", f"<{LAST_BIN}>"} - set(qwen.tokenizer.get_vocab())
    if missing:
        raise ValueError(f"{folder}: expected Rex-Omni with its tokens <0> to <{LAST_BIN}>, got a Qwen2.5-VL without")
    return RexOmniGrounder(qwen)


class RexOmniGrounder:
    """Finds the box of each name. The boxes have no scores."""

    def __init__(self, qwen: QwenVL):
        self.qwen = qwen

    def __call__(self, image: np.ndarray, names: list[str]) -> list[Box]:
        """RGB uint8 (H, W, 3) and phrases -> the largest box of each phrase that was found, in the phrases' order."""
        found = []
        for name in names:  # one question for each phrase: in a list, a comma inside a phrase would split it
            answer = self.qwen(image, QUESTION.format(names=name), keep_special_tokens=True)
            boxes = parse_boxes(answer, name, image.shape[:2])
            found += sorted(boxes, key=lambda box: -box.area)[:1]
        return found


def parse_boxes(answer: str, name: str, size: tuple[int, int]) -> list[Box]:
    """The boxes of an answer about one name, in pixels of a picture of `size` = (height, width).

    Boxes without area are left out. Of an answer that was cut off, the complete boxes are returned. An answer that says
    "None" has no boxes.
    """
    height, width = size
    boxes = []
    for _, coordinates in _FOUND.findall(answer):
        for bins in _BOX.findall(coordinates):
            x0, y0, x1, y1 = (int(value) / LAST_BIN for value in bins)
            boxes.append(Box(name, (x0 * width, y0 * height, x1 * width, y1 * height)).clamped(size))
    return [box for box in boxes if box]
