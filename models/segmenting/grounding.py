"""A local folder -> the grounder that it holds: (picture, phrases) -> boxes.

Knows which model types can ground; how each does it is its own file's business. The paper grounds with Rex-Omni.
"""

from __future__ import annotations

from pathlib import Path

import torch

from models.segmenting import grounding_dino
from models.segmenting.folders import check_model_folder
from models.segmenting.grounding_dino import GroundingDino, load_grounding_dino
from models.segmenting.qwen import MODEL_TYPE as REX_OMNI_TYPE
from models.segmenting.rex_omni import RexOmniGrounder, load_rex_omni


def load_grounder(
    folder: str | Path, device: str | torch.device = "cpu", dtype: torch.dtype = torch.float32
) -> GroundingDino | RexOmniGrounder:
    """The grounder in a transformers folder, of the kind that its config.json names; call it with (image, names).

    Raises FileNotFoundError or ValueError, naming the folder, when it holds none of the kinds.
    """
    model_type = check_model_folder(folder, (REX_OMNI_TYPE, *grounding_dino.MODEL_TYPES))
    if model_type == REX_OMNI_TYPE:
        return load_rex_omni(folder, device, dtype)
    return load_grounding_dino(folder, device, dtype)
