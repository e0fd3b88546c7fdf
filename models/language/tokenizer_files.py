"""Reads the tokenizer in a model's folder. Damaged files end in one sentence that names the folder."""

from __future__ import annotations

from pathlib import Path

from transformers import AutoTokenizer, PreTrainedTokenizerBase

TOKENIZER_FILES = ("tokenizer.json", "vocab.txt", "vocab.json", "tokenizer.model")


def read_tokenizer(folder: str | Path, **options) -> PreTrainedTokenizerBase:
    """`options` are those of AutoTokenizer. No code of the folder runs, and nothing is downloaded.

    Raises FileNotFoundError, or ValueError when its files are damaged.
    """
    if not any((Path(folder) / name).is_file() for name in TOKENIZER_FILES):  # transformers would make an empty one
        raise FileNotFoundError(f"{folder}: expected the tokenizer's {' or '.join(TOKENIZER_FILES)}, got none of them")
    try:
        return AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False, **options)
    except Exception as error:  # which error it is depends on the kind of tokenizer, and on what is damaged
        reason = " ".join(str(error).split())[:200]
        raise ValueError(
            f"{folder}: expected the model's tokenizer files, got {type(error).__name__}: {reason}"
        ) from error
