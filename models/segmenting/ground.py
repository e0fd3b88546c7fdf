"""Loads a model that finds the boxes of named objects: Rex-Omni, as in the paper, or GroundingDINO."""

from __future__ import annotations

from pathlib import Path

import torch

from models.segmenting import grounding_dino
from models.segmenting.folders import check_model_folder
from models.segmenting.grounding_dino import GroundingDino, load_grounding_dino
from models.segmenting.qwen import MODEL_TYPE as REX_OMNI_TYPE  # Rex-Omni is a Qwen2.5-VL model
from models.segmenting.rex_omni import RexOmniGrounder, load_rex_omni


def load_grounder(
    folder: str | Path, device: str | torch.device = "cpu", dtype: torch.dtype = torch.float32
) -> GroundingDino | RexOmniGrounder:
    """The grounder in a transformers folder. Its config.json says which model it is.

    A grounder is called with a picture, RGB uint8 (H, W, 3), and a list of names; it returns a list of `Box`.
    Raises FileNotFoundError or ValueError, naming the folder, when it holds none of these models.
    """
    model_type = check_model_folder(folder, (REX_OMNI_TYPE, *grounding_dino.MODEL_TYPES))
    if model_type == REX_OMNI_TYPE:
        return load_rex_omni(folder, device, dtype)
    return load_grounding_dino(folder, device, dtype)
