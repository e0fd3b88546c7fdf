"""Weight files -> tensors on the CPU; the only place that opens them.

Knows torch's and safetensors' files and what is wrong with others; which keys a file should hold is its reader's
business. All functions raise FileNotFoundError for a missing file, and ValueError that names the path for a file of
another kind, a damaged one, and one that holds pickled code, which is never run.
"""

import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file
from torch import Tensor

from utils.settings_files import few
from utils.text_files import read_json

WEIGHT_FILES = (
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
)


@dataclass(frozen=True)
class Entry:
    """What a file says of a tensor before the tensor is read."""

    shape: tuple[int, ...]
    dtype: str  # in the file's own words
    is_float: bool


def read_torch_file(path: str | Path, mapped: bool = False) -> object:
    """The content of a `torch.save` file: tensors and plain containers.

    `mapped` leaves tensors on disk until they are used, where the format allows; the file must then stay as it is.
    """

    def read(path: str | Path) -> object:
        return torch.load(path, map_location="cpu", weights_only=True, mmap=mapped and zipfile.is_zipfile(path))

    return _read(path, "a torch file of tensors", read)


def read_safetensors_file(path: str | Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file, mapped from disk: what is not used is not read."""
    return _read(path, "a safetensors file", load_file)


def read_safetensors_metadata(path: str | Path) -> dict[str, str]:
    """What a safetensors file says of itself; empty where it says nothing."""

    def read(path: str | Path) -> dict[str, str]:
        with safe_open(path, "pt") as file:
            return file.metadata() or {}

    return _read(path, "a safetensors file", read)


def read_mapped_file(path: str | Path) -> object:
    """The content of a file of either kind, by its suffix, mapped from disk where the format allows."""
    if Path(path).suffix == ".safetensors":
        return read_safetensors_file(path)
    return read_torch_file(path, mapped=True)


def read_entries(path: str | Path) -> dict[str, Entry]:
    """The tensors' shapes and types as the head of a file of either kind says; no tensor is read."""
    if Path(path).suffix == ".safetensors":
        return _read(path, "a safetensors file", _safetensors_entries)
    content = _read(path, "a torch file of tensors", lambda p: torch.load(p, map_location="meta", weights_only=True))
    tensors = expect_tensors(content, path).items()
    return {key: Entry(tuple(t.shape), str(t.dtype), t.is_floating_point()) for key, t in tensors}


def _safetensors_entries(path: str | Path) -> dict[str, Entry]:
    with safe_open(path, "pt") as file:
        names = file.keys()
        slices = {key: file.get_slice(key) for key in names}
        types = {key: one.get_dtype() for key, one in slices.items()}
        return {key: Entry(tuple(one.get_shape()), types[key], "F" in types[key]) for key, one in slices.items()}


def weight_files(folder: str | Path) -> list[Path]:
    """The files of a transformers folder's weights: safetensors before bin files, one file or its shards.

    Raises FileNotFoundError without any; ValueError for an index that lists anything but names of files beside it.
    """
    found = next((Path(folder) / name for name in WEIGHT_FILES if (Path(folder) / name).is_file()), None)
    if found is None:
        raise FileNotFoundError(f"{folder}: expected weights in one of {', '.join(WEIGHT_FILES)}, got none of them")
    if found.suffix != ".json":
        return [found]
    content = read_json(found)
    listed = content.get("weight_map") if isinstance(content, dict) else None
    names = list(listed.values()) if isinstance(listed, dict) and listed else [None]
    if wrong := [name for name in names if not isinstance(name, str) or Path(name).name != name]:
        raise ValueError(f"{found}: expected a weight_map with names of files beside it, got {str(wrong[0])[:60]!r}")
    return [Path(folder) / name for name in sorted(set(names))]


def expect_numbers(state: Mapping[str, Tensor], path: str | Path) -> None:
    """Raises ValueError naming the first tensor of `state` that holds no floating-point numbers, or one not finite."""
    for name, tensor in state.items():
        if not tensor.is_floating_point():
            kind = str(tensor.dtype).removeprefix("torch.")
            raise ValueError(f"{path}: {name}: expected weights as floating-point numbers, got {kind}")
        if tensor.numel() and not all(bound.isfinite() for bound in tensor.detach().aminmax()):
            raise ValueError(f"{path}: {name}: expected finite weights, got NaN or Infinity")


def expect_tensors(content: object, path: str | Path) -> dict[str, Tensor]:
    """`content`, read from `path`, if it is a dictionary of names and tensors; otherwise ValueError."""
    if not isinstance(content, dict):
        raise ValueError(f"{path}: expected a dictionary of tensors, got {type(content).__name__}")
    if wrong := [key for key, value in content.items() if not (isinstance(key, str) and isinstance(value, Tensor))]:
        raise ValueError(f"{path}: expected a dictionary of tensors, got something else under {few(map(repr, wrong))}")
    return content


def _read(path: str | Path, kind: str, read: Callable) -> object:
    if not Path(path).exists():
        raise FileNotFoundError(f"{path}: no such file")
    if Path(path).is_dir():
        raise ValueError(f"{path}: expected {kind}, got a folder")
    Path(path).open("rb").close()  # a file that may not be read says so itself
    try:
        return read(path)
    except MemoryError:
        raise
    except Exception as error:  # the libraries raise many kinds for files that are not theirs, OSError among them
        raise ValueError(f"{path}: expected {kind}, got something else ({_reason(error)})") from error


def _reason(error: Exception) -> str:
    """The first sentence of what the library says; torch's next ones recommend to run the pickled code."""
    lines = str(error).splitlines()
    return lines[0].split(". ")[0].rstrip(". ") if lines else type(error).__name__
