"""Settings in YAML files, read with care: no tags, no aliases (a few of them can stand for billions of values)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from utils.text_files import read_text, unrepeated

LONGEST = 1_000_000  # characters of a file of settings


class _PlainLoader(yaml.SafeLoader):
    """YAML without aliases, in which a key may stand only once."""

    def compose_node(self, parent, index):
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark
            raise yaml.YAMLError(f"aliases (*name) are not taken, line {mark.line + 1} has one")
        return super().compose_node(parent, index)

    def construct_mapping(self, node, deep=False):
        made = super().construct_mapping(node, deep)  # ConstructorError for a key that cannot be one
        if len(made) < len(node.value):
            unrepeated([(str(self.construct_object(key, deep=True)), None) for key, _ in node.value])
        return made


def read_yaml(path: str | Path, what: str) -> Any:
    """The content of a YAML file. `what` it is begins the messages.

    Raises FileNotFoundError, or ValueError for text that is no YAML, too long, or has aliases or a key twice.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"{what} {path}: no such file")
    text = read_text(path)
    if len(text) > LONGEST:
        raise ValueError(f"{what} {path}: expected at most {LONGEST} characters, got {len(text)}")
    try:
        return yaml.load(text, _PlainLoader)  # a safe loader: makes plain values only
    except (yaml.YAMLError, ValueError, RecursionError, OverflowError) as error:
        raise ValueError(f"{what} {path}: not valid YAML: {' '.join(str(error).split())[:300]}") from None
