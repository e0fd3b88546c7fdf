"""Weight files -> tensors on the CPU; the only place that opens them.

Knows torch's and safetensors' files and what is wrong with others; which keys a file should hold is its reader's
business. All functions raise FileNotFoundError for a missing file, and ValueError that names the path for a file of
another kind, a damaged one, and one that holds pickled code, which is never run.
"""

import zipfile
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file
from torch import Tensor


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


def expect_tensors(content: object, path: str | Path) -> dict[str, Tensor]:
    """`content`, read from `path`, if it is a dictionary of names and tensors; otherwise ValueError."""
    if not isinstance(content, dict):
        raise ValueError(f"{path}: expected a dictionary of tensors, got {type(content).__name__}")
    if wrong := [key for key, value in content.items() if not (isinstance(key, str) and isinstance(value, Tensor))]:
        raise ValueError(f"{path}: expected a dictionary of tensors, got something else under {wrong}")
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
