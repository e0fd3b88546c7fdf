"""Reads the tokenizer in a model's folder. Damaged files end in one sentence that names the file, or the folder."""

from __future__ import annotations

import codecs
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from transformers import AutoTokenizer, PreTrainedTokenizerBase

from utils.settings_files import TEXT, Kind, either, many, one_line, one_of, or_null, read_object

TOKENIZER_FILES = ("tokenizer.json", "vocab.txt", "vocab.json", "tokenizer.model")
TOKEN = or_null(
    either(TEXT, Kind("an object with its content", lambda v: isinstance(v, dict) and TEXT.holds(v.get("content"))))
)
ENTRY = Kind(
    "an object with a content and an id",
    lambda v: isinstance(v, dict) and TEXT.holds(v.get("content")) and type(v.get("id")) is int and v["id"] >= 0,
)
VOCABULARY = Kind("the words of a vocabulary", lambda v: isinstance(v, dict | list) and bool(v))
SPECIAL = {f"{name}_token?": TOKEN for name in ("bos", "eos", "unk", "pad", "sep", "cls", "mask")}
SETTINGS = {
    "tokenizer.json": {"model": {"vocab": VOCABULARY}, "added_tokens?": many(ENTRY)},
    "tokenizer_config.json": SPECIAL
    | {
        "tokenizer_class?": or_null(TEXT),
        "model_max_length?": or_null(Kind("a number above 0", lambda v: type(v) in (int, float) and v > 0)),
        "padding_side?": one_of(("left", "right")),
    },
    "special_tokens_map.json": SPECIAL,
    "added_tokens.json": {},
    "config.json": {},  # transformers asks it for the kind of tokenizer
}
PANIC = "PanicException"  # of tokenizers, which is no Exception
PROBE = "<s> The dog, 3 m\u00e8tres behind the \u8f66.\n"


def read_tokenizer(folder: str | Path, **options) -> PreTrainedTokenizerBase:
    """`options` are those of AutoTokenizer. No code of the folder runs, and nothing is downloaded.

    Raises FileNotFoundError, or ValueError when its files are damaged.
    """
    if not any((Path(folder) / name).is_file() for name in TOKENIZER_FILES):  # transformers would make an empty one
        raise FileNotFoundError(f"{folder}: expected the tokenizer's {' or '.join(TOKENIZER_FILES)}, got none of them")
    for name, table in SETTINGS.items():
        if (Path(folder) / name).is_file():
            read_object(Path(folder) / name, table)
    try:
        with _without_marks(Path(folder)) as place:
            made = AutoTokenizer.from_pretrained(place, local_files_only=True, trust_remote_code=False, **options)
        made.name_or_path = str(folder)
        made.decode(made(PROBE)["input_ids"])  # some damage shows itself only at work
        return made
    except BaseException as error:  # which error it is depends on the kind of tokenizer, and on what is damaged
        if isinstance(error, MemoryError) or not isinstance(error, Exception) and type(error).__name__ != PANIC:
            raise
        raise ValueError(f"{folder}: expected the model's tokenizer files, got {one_line(error)}") from error


@contextmanager
def _without_marks(folder: Path) -> Iterator[Path]:
    """The folder, or a copy of its small files without byte order marks, if one has such a mark."""
    names = [name for name in SETTINGS if (folder / name).is_file()]
    marked = [name for name in names if (folder / name).read_bytes().startswith(codecs.BOM_UTF8)]
    if not marked:
        yield folder
        return
    with TemporaryDirectory(prefix="tokenizer-") as place:
        for path in folder.iterdir():
            if path.name in marked:
                (Path(place) / path.name).write_bytes(path.read_bytes().removeprefix(codecs.BOM_UTF8))
            elif path.name in (*SETTINGS, *TOKENIZER_FILES, "merges.txt", "chat_template.jinja"):
                shutil.copy(path, place)
        yield Path(place)
