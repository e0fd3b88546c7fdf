"""Rex-Omni: a Qwen2.5-VL model that says boxes as tokens, <0> to <999> across the picture (arXiv 2510.12798).

Knows how it is asked and how its answers read; running the model is left to `qwen`.
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
    """The grounder in a transformers folder. Raises as `load_qwen`, also without box tokens."""
    qwen = load_qwen(folder, device, dtype)
    missing = {"<0>", f"<{LAST_BIN}>"} - set(qwen.tokenizer.get_vocab())
    if missing:
        raise ValueError(f"{folder}: expected Rex-Omni with its tokens <0> to <{LAST_BIN}>, got a Qwen2.5-VL without")
    return RexOmniGrounder(qwen)


class RexOmniGrounder:
    """Finds the box of each name; the model gives no scores."""

    def __init__(self, qwen: QwenVL):
        self.qwen = qwen

    def __call__(self, image: np.ndarray, names: list[str]) -> list[Box]:
        """RGB uint8 (H, W, 3) and phrases -> for each phrase that is found its largest box, in the phrases' order."""
        found = []
        for name in names:  # asked one by one, as in referring: a comma within a phrase cannot split it then
            answer = self.qwen(image, QUESTION.format(names=name), keep_special_tokens=True)
            boxes = parse_boxes(answer, name, image.shape[:2])
            found += sorted(boxes, key=lambda box: -box.area)[:1]
        return found


def parse_boxes(answer: str, name: str, size: tuple[int, int]) -> list[Box]:
    """The boxes of an answer about one name, in pixels of a picture of this (height, width); those without area go.

    An answer that was cut off keeps its whole boxes; "None" instead of boxes is an answer too.
    """
    height, width = size
    boxes = []
    for _, coordinates in _FOUND.findall(answer):
        for bins in _BOX.findall(coordinates):
            x0, y0, x1, y1 = (int(value) / LAST_BIN for value in bins)
            boxes.append(Box(name, (x0 * width, y0 * height, x1 * width, y1 * height)).clamped(size))
    return [box for box in boxes if box]
