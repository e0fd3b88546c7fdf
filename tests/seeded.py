"""Tiny pretrained weights for tests, made from the recipes in tests/golden/weights.

`python -m tests.seeded OUT_DIR` writes a complete folder of pretrained weights (about 0.5 GB, mostly CLIP).
"""

import argparse
import json
import math
import shutil
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor
from transformers import CLIPVisionConfig, CLIPVisionModel

WEIGHTS_DIR = Path(__file__).parent / "golden" / "weights"
BEATS_NAME = "BEATs_iter3_plus_AS2M_finetuned_on_AS2M_cpt2.pt"
CLIP_NAME = "clip-vit-large-patch14/model.safetensors"

_MASK64 = 2**64 - 1
_CHUNK = 2**15  # small enough for the cache: large tensors fill several times faster


def seeded_tensor(name_hashed: str, shape: Sequence[int], k: int, offset: float = 0.0, seed: int = 11) -> Tensor:
    """Float32 tensor whose values are offset + (an integer in [-k, k]) / 1024, drawn from a hash of its name.

    Recipe in tests/golden/README.md: splitmix64 over the flat C-order index, upper 24 bits.
    """
    base = ((seed << 32) + zlib.crc32(name_hashed.encode())) & _MASK64
    values = np.empty(math.prod(shape), dtype=np.float32)
    for start in range(0, values.size, _CHUNK):
        part = values[start : start + _CHUNK]
        draws = _hash24(base, start, part.size) * np.uint64(2 * k + 1) >> np.uint64(24)
        part[:] = offset + (draws.astype(np.int64) - k) / 1024
    return torch.from_numpy(values.reshape(shape))


def _hash24(base: int, start: int, count: int) -> np.ndarray:
    """`count` integers below 2**24 (uint64), for the flat indices from `start` on."""
    z = np.arange(start + 1, start + count + 1, dtype=np.uint64)
    z *= np.uint64(0x9E3779B97F4A7C15)
    z += np.uint64(base)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        z ^= z >> np.uint64(shift)
        z *= np.uint64(factor)
    z ^= z >> np.uint64(31)
    return z >> np.uint64(40)


def read_recipe(name: str) -> dict:
    """`recipe_<name>.json`: seed, tensor entries and, for BEATs, its cfg."""
    return json.loads((WEIGHTS_DIR / f"recipe_{name}.json").read_text())


def recipe_tensors(recipe: dict) -> dict[str, Tensor]:
    """{key: tensor} of a recipe; keys with one hashed name get equal values."""
    arguments = ("name_hashed", "shape", "k", "offset")
    return {
        entry["key"]: seeded_tensor(*(entry[name] for name in arguments), seed=recipe["seed"])
        for entry in recipe["tensors"]
    }


def make_beats_checkpoint(path: str | Path) -> Path:
    """Write a two-layer BEATs checkpoint `{'cfg', 'model'}` in the official file format."""
    recipe = read_recipe("beats")
    torch.save({"cfg": recipe["cfg"], "model": recipe_tensors(recipe)}, path)
    return Path(path)


def make_clip_weights(path: str | Path) -> Path:
    """Write a CLIP ViT-L/14 vision tower with narrow MLPs as safetensors (about 0.4 GB)."""
    save_file(recipe_tensors(read_recipe("clip")), path, metadata={"format": "pt"})
    return Path(path)


def make_small_clip(folder: str | Path) -> None:
    """Write a random CLIP vision tower of two layers at 28 pixels, a hundred times faster than the golden one."""
    sizes = {"hidden_size": 1024, "intermediate_size": 64, "num_attention_heads": 16, "num_hidden_layers": 2}
    config = CLIPVisionConfig(**sizes, image_size=28, patch_size=14)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        CLIPVisionModel(config).save_pretrained(folder)


def assemble_pretrained_weights(out_dir: str | Path, small_clip: bool = False) -> Path:
    """Fill `out_dir` as a complete folder of pretrained weights: LLaMA, CLIP, BERT, BEATs and the two projectors."""
    out_dir = Path(out_dir)
    shutil.copytree(WEIGHTS_DIR / "pretrained_weights", out_dir, copy_function=shutil.copyfile, dirs_exist_ok=True)
    if small_clip:
        make_small_clip((out_dir / CLIP_NAME).parent)
    else:
        make_clip_weights(out_dir / CLIP_NAME)
    make_beats_checkpoint(out_dir / BEATS_NAME)
    return out_dir


def main() -> None:
    """Write the folder named on the command line."""
    parser = argparse.ArgumentParser(description="Write tiny pretrained weights for tests.")
    parser.add_argument("out_dir", type=Path)
    parser.add_argument("--small_clip", action="store_true", help="a CLIP of two layers at 28 pixels")
    args = parser.parse_args()
    print(assemble_pretrained_weights(args.out_dir, args.small_clip))


if __name__ == "__main__":
    main()
