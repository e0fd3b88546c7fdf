"""Makes torchvision importable beside a CPU-only torch, before any test module imports it.

The default torchvision wheel is compiled against CUDA. Its Python part only needs two operators to be declared;
nothing here calls them. Run these tests with scripts/test_vision_backbones.sh.
"""

import importlib.util
from pathlib import Path

import torch

OPERATORS = ("nms", "qnms")


def torchvision_fits_torch() -> bool:
    """Whether torchvision's compiled part loads, which registers the operators itself."""
    package = Path(importlib.util.find_spec("torchvision").origin).parent  # found, not imported
    try:
        for compiled in package.glob("_C*.so"):
            torch.ops.load_library(compiled)
    except OSError:
        return False
    return True


def declare_operators() -> torch.library.Library:
    """The operators' names and types; they vanish with the returned object."""
    library = torch.library.Library("torchvision", "DEF")
    for name in OPERATORS:
        library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    return library


TORCHVISION_OPERATORS = None if torchvision_fits_torch() else declare_operators()
