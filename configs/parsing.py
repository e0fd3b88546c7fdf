"""Command lines: an optional YAML recipe first, then flags that override it.

The dataclasses say what the settings mean and which values are allowed.
"""

from __future__ import annotations

import sys
from argparse import ArgumentDefaultsHelpFormatter, RawDescriptionHelpFormatter
from dataclasses import fields
from pathlib import Path

import yaml
from transformers import HfArgumentParser


class HelpFormatter(ArgumentDefaultsHelpFormatter, RawDescriptionHelpFormatter):
    """Shows defaults, and the examples of a description line by line."""


class ArgumentParser(HfArgumentParser):
    """Says what is wrong in one sentence; the full list of flags is for --help.

    A setting whose metadata say `positional` stands on the command line without its name.
    """

    def add_argument(self, *names: str, positional: bool = False, **settings):
        if positional:
            settings.pop("required", None)  # argparse refuses it: a positional setting is always required
            names = (names[0].lstrip("-"),)
        return super().add_argument(*names, **settings)

    def error(self, message: str):
        self.exit(2, f"{self.prog}: {message} (see --help)\n")


def parse_arguments(dataclass_types: tuple, argv: list[str] | None, prog: str, description: str | None) -> tuple:
    """`[RECIPE.yaml] [--flag value ...]` -> one instance per dataclass.

    A program that has a positional setting takes no recipe.

    An unknown key or flag, or a value that a dataclass refuses, ends the program with one sentence and exit code 2.
    """
    argv = list(sys.argv[1:] if argv is None else argv)
    parser = ArgumentParser(
        dataclass_types, prog=prog, description=description, allow_abbrev=False, formatter_class=HelpFormatter
    )
    takes_file = any(own.metadata.get("positional") for kind in dataclass_types for own in fields(kind))
    if argv and argv[0].endswith((".yaml", ".yml")) and not takes_file:
        argv = _recipe_flags(Path(argv[0]), parser) + argv[1:]
    _, unknown = parser.parse_known_args(argv)
    if unknown:
        parser.error(f"unknown flag or key: {' '.join(unknown)}")
    try:
        return tuple(parser.parse_args_into_dataclasses(args=argv))
    except ValueError as error:
        parser.error(str(error))


def _recipe_flags(path: Path, parser: ArgumentParser) -> list[str]:
    """The recipe's settings as flags, so that the same parser checks both."""
    if not path.is_file():
        parser.error(f"recipe {path}: no such file")
    try:
        settings = yaml.safe_load(path.read_text()) or {}
    except yaml.YAMLError as error:
        parser.error(f"recipe {path}: not valid YAML: {' '.join(str(error).split())}")
    if not isinstance(settings, dict):
        parser.error(f"recipe {path}: expected 'name: value' lines, got a {type(settings).__name__}")
    flags = []
    for name, value in settings.items():
        values = value if isinstance(value, list) else [value]
        flags += [f"--{name}", *map(str, values)]
    return flags
