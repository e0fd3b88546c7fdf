"""Settings of an auditor, its parts and its training that contradict themselves, each other or the weights.

settings_table.tsv has file, key ("a.b" is a key of an object in it), new value as JSON ("-": it is left out), and what
is said. `tests/test_settings_files.py` reads every row without a program.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.faults.case import Case, accepted, refused

GONE = object()
CONFIG, PIXELS = "auditor/config.json", "auditor/preprocessor_config.json"
TOKENIZER, TOKENIZER_CONFIG = "auditor/tokenizer.json", "auditor/tokenizer_config.json"
LLM, CLIP = "parts/Llama-2-7b-chat-hf", "parts/clip-vit-large-patch14"
LLM_CONFIG, GENERATION, CLIP_CONFIG = f"{LLM}/config.json", f"{LLM}/generation_config.json", f"{CLIP}/config.json"
BERT, CLIP_PIXELS = "parts/google-bert-base-uncased/config.json", f"{CLIP}/preprocessor_config.json"
DEEPSPEED = "deepspeed.json"
FOR_TRAINING = (BERT, CLIP_PIXELS, DEEPSPEED)
FLAGS = {
    DEEPSPEED: ("--deepspeed", "{root}/deepspeed.json"),
    # otherwise the auditor's own config.json says where its bases lie
    **dict.fromkeys((LLM_CONFIG, GENERATION), ("--llama_path", f"{{root}}/{LLM}")),
    CLIP_CONFIG: ("--clip_path", f"{{root}}/{CLIP}"),
}
TABLE = Path(__file__).parent.parent / "settings_table.tsv"


@dataclass(frozen=True)
class Row:
    where: str
    key: str
    value: object
    says: str

    @property
    def name(self) -> str:
        return f"{self.where}: {self.key} {'missing' if self.value is GONE else json.dumps(self.value)}"

    @property
    def program(self) -> str:
        """The program that is the first to read such a file."""
        return "train" if self.where in FOR_TRAINING else "evaluate" if len(self.key) % 2 else "audit"


def read_rows() -> list[Row]:
    rows = [line.split("\t") for line in TABLE.read_text(encoding="utf-8").splitlines()[1:]]
    return [Row(where, key, GONE if text == "-" else json.loads(text), says) for where, key, text, says in rows]


TEXTS = {  # of every file of settings
    "a list": (lambda text: "[1]", "expected a JSON object, got list"),
    "broken": (lambda text: text[: len(text) // 2], "expected JSON, got something else"),
    "empty": (lambda text: "", "expected JSON, got nothing"),
    "a key twice": (lambda text: text.replace("{", '{"dup": 1, "dup": 2, ', 1), "the key 'dup' is given twice"),
    "byte order mark": (lambda text: "\ufeff" + text, None),
}


def own_files(where: str, root: Path) -> Path:
    """The file in a folder of the case's own: parts are links otherwise, and a manifest would see every change."""
    if where.startswith("parts/"):
        real = (root / "parts").resolve()
        if (root / "parts").is_symlink():
            (root / "parts").unlink()
            (root / "parts").mkdir()
            for path in real.iterdir():
                (root / "parts" / path.name).symlink_to(path)
        folder = root.joinpath(*Path(where).parts[:2])
        if folder.is_symlink():
            original = folder.resolve()
            folder.unlink()
            shutil.copytree(original, folder)
    if where == DEEPSPEED:
        shutil.copy("deepspeed/stage2-offload.json", root / where)
    (root / where).parent.joinpath("manifest.json").unlink(missing_ok=True)
    return root / where


def set_key(where: str, name: str, value: object, root: Path) -> None:
    path = own_files(where, root)
    content = json.loads(path.read_text())
    path.write_text(json.dumps(changed(content, name, value)))


def changed(content: dict, name: str, value: object) -> dict:
    holder, (*parts, last) = content, name.split(".")
    for part in parts:
        holder = holder[part]
    if value is GONE:
        del holder[last]
    else:
        holder[last] = value
    return content


def set_text(where: str, function: Callable[[str], str], root: Path) -> None:
    path = own_files(where, root)
    path.write_text(function(path.read_text()), encoding="utf-8")


FILES = {
    "evaluate": (CONFIG, PIXELS, TOKENIZER, TOKENIZER_CONFIG, LLM_CONFIG, GENERATION, CLIP_CONFIG),
    "train": FOR_TRAINING,
}
CASES = [
    *(
        Case(
            row.name,
            partial(set_key, row.where, row.key, row.value),
            {row.program: refused(row.says)},
            FLAGS.get(row.where, ()),
        )
        for row in read_rows()
    ),
    *(
        Case(
            f"{where}: {how}",
            partial(set_text, where, function),
            {program: refused(says) if says else accepted},
            FLAGS.get(where, ()),
        )
        for program, files in FILES.items()
        for where in files
        for how, (function, says) in TEXTS.items()
        if says or where != DEEPSPEED  # one process alone does not train with DeepSpeed
    ),
]
