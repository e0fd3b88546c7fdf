"""Command lines: an optional YAML recipe first, then flags that override it.

Knows argparse, YAML and dataclasses; what the settings mean is left to the dataclasses. Imports neither torch nor
transformers, so that `--help` answers at once.
"""

from __future__ import annotations

import argparse
import json
import math
import re
import sys
import types
from collections.abc import Callable, Iterator
from dataclasses import MISSING, Field, dataclass, fields
from pathlib import Path
from typing import Any, NoReturn, Union, get_args, get_origin, get_type_hints

from utils.yaml_files import read_yaml

TRUE, FALSE = ("true", "yes", "t", "y", "1"), ("false", "no", "f", "n", "0")
FLAG = re.compile(r"--[\w-]+(=.*)?", re.DOTALL)


@dataclass(frozen=True)
class Extended:
    """The dataclass `own`, whose subclass with a library's settings is imported only when the program's work begins.

    `load` imports the subclass. Its class method `parser(prog)` gives a parser that knows all of its flags.
    """

    own: type
    load: Callable[[], type]


class OneSentence(argparse.ArgumentParser):
    """Says what is wrong in one sentence; the full list of flags is for --help."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message} (see --help)\n")


class ArgumentParser(OneSentence):
    """A flag for every field of some dataclasses.

    --help shows the required flags first, then one group for each dataclass, beginning with the last of
    `dataclass_types`. A group's title is the first line of the docstring. A field's metadata may hold "help",
    "choices", "metavar", "type" (how its text is read) and "positional": the setting then stands on the command line
    without its name.
    """

    def __init__(self, dataclass_types: tuple[type | Extended, ...], prog: str, description: str | None):
        extended = next((kind for kind in dataclass_types if isinstance(kind, Extended)), None)
        shown = [kind.own if isinstance(kind, Extended) else kind for kind in dataclass_types]
        formatter = argparse.RawDescriptionHelpFormatter
        super().__init__(prog, description=description, add_help=False, allow_abbrev=False, formatter_class=formatter)
        required = self.add_argument_group("required")
        for title, own in (pair for kind in reversed(shown) for pair in grouped(kind)):
            group = self.add_argument_group(title)
            for setting, hint in own:
                add_flag(required if is_required(setting) else group, setting, hint)
        group = self.add_argument_group("help")
        group.add_argument("-h", "--help", action="help", help="Show these settings and end.")
        if extended:
            what = "The same, and every flag of the library that the training is made with."
            group.add_argument("--help_all", action=HelpAll, nargs=0, const=extended, help=what)
        self.takes_recipe = not any(is_positional(own) for kind in shown for own in fields(kind))
        self.usage = self._short_usage(required)

    def _short_usage(self, required: argparse._ArgumentGroup) -> str:
        words = ["[RECIPE.yaml]"] if self.takes_recipe else []
        for action in required._group_actions:
            value = action.metavar or action.dest.upper()
            words.append(f"{action.option_strings[0]} {value}" if action.option_strings else str(value))
        return " ".join([self.prog, *words, "[--flag value ...]"]).replace("%", "%%")


class HelpAll(argparse.Action):
    """Prints --help, then all flags of the extended settings."""

    def __call__(self, parser, namespace, values, option_string=None) -> None:
        parser.print_help()
        print()
        self.const.load().parser(parser.prog).print_help()
        parser.exit()


def grouped(kind: type) -> Iterator[tuple[str, list[tuple[Field, Any]]]]:
    """For a dataclass and each one it inherits from: the docstring's first line, and the fields with their types."""
    hints, left = get_type_hints(kind), {own.name: own for own in fields(kind) if own.init}
    for base in kind.__mro__:
        own = [left.pop(name) for name in list(left) if name in vars(base).get("__annotations__", {})]
        if own:
            title = (base.__doc__ or base.__name__).splitlines()[0].rstrip(".")
            yield title, [(setting, hints[setting.name]) for setting in own]


def add_flag(group: argparse._ArgumentGroup, setting: Field, hint: Any) -> None:
    """`--name value` for a field of type str, int, float, bool or list, or one of these or None.

    A bool takes `--name` and `--name true|false`; one that is True by default takes `--no_name`, too.
    """
    settings: dict[str, Any] = {key: setting.metadata[key] for key in ("choices", "metavar") if key in setting.metadata}
    settings |= {"help": help_text(setting), "type": setting.metadata.get("type", without_none(hint))}
    if get_origin(settings["type"]) is list:
        settings |= {"nargs": "+", "type": get_args(settings["type"])[0]}
    elif settings["type"] is float:
        settings["type"] = finite
    elif settings["type"] is bool:
        settings |= {"nargs": "?", "const": True, "type": truth, "metavar": "true|false"}
    if is_positional(setting):
        may_lack = {} if is_required(setting) else {"nargs": "?", "default": default_of(setting)}
        group.add_argument(setting.name, **settings, **may_lack)
    elif is_required(setting):
        group.add_argument(f"--{setting.name}", required=True, **settings)
    else:
        group.add_argument(f"--{setting.name}", default=default_of(setting), **settings)
    if hint is bool and default_of(setting) is True:
        group.add_argument(f"--no_{setting.name}", dest=setting.name, action="store_false", help=argparse.SUPPRESS)


def is_positional(setting: Field) -> bool:
    return bool(setting.metadata.get("positional"))


def is_required(setting: Field) -> bool:
    return setting.default is MISSING and setting.default_factory is MISSING


def default_of(setting: Field) -> Any:
    """None for a field without a default."""
    if setting.default_factory is not MISSING:
        return setting.default_factory()
    return None if setting.default is MISSING else setting.default


def help_text(setting: Field) -> str:
    """The field's help with its default, where it has one, as it is written on a command line."""
    text, default = setting.metadata.get("help", ""), default_of(setting)
    if isinstance(default, bool):
        default = str(default).lower()
    elif isinstance(default, list):
        default = " ".join(map(str, default)) or None
    shown = text if default is None else f"{text} (default: {default})"
    return shown.replace("%", "%%")


def without_none(hint: Any) -> Any:
    """X of `X | None`; any other type as it is."""
    if get_origin(hint) not in (Union, types.UnionType):
        return hint
    (inner,) = (own for own in get_args(hint) if own is not type(None))
    return inner


def truth(text: str) -> bool:
    """Raises ArgumentTypeError for what is neither true nor false."""
    if text.lower() in TRUE:
        return True
    if text.lower() in FALSE:
        return False
    raise argparse.ArgumentTypeError(f"expected true or false, got '{text}'")


def finite(text: str) -> float:
    """Raises ArgumentTypeError for what is no number, or one without bounds."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"expected a number, got '{text}'")
    return value


def parse_arguments(dataclass_types: tuple, argv: list[str] | None, prog: str, description: str | None) -> tuple:
    """`[RECIPE.yaml] [--flag value ...]` -> one instance per dataclass.

    A program that has a positional setting takes no recipe. For an `Extended` dataclass the instance is of the
    subclass, which gets the flags that none of the dataclasses has.

    An unknown key or flag, or a value that a dataclass refuses, ends the program with one sentence and exit code 2.
    """
    argv = list(sys.argv[1:] if argv is None else argv)
    parser = ArgumentParser(dataclass_types, prog, description)
    if argv and argv[0].endswith((".yaml", ".yml")) and parser.takes_recipe:
        argv = _recipe_flags(Path(argv[0]), parser) + argv[1:]
    values, rest = parser.parse_known_args([_underscored(word) for word in argv])
    made = []
    try:
        for kind in dataclass_types:
            shown = kind.own if isinstance(kind, Extended) else kind
            given = {setting.name: getattr(values, setting.name) for setting in fields(shown) if setting.init}
            if isinstance(kind, Extended):
                shown = kind.load()
                more, rest = shown.parser(prog).parse_known_args(rest)
                given = vars(more) | given
            made.append((shown, given))
        if rest:
            parser.error(f"unknown flag or key: {' '.join(rest)}")
        return tuple(kind(**given) for kind, given in made)
    except (OSError, ValueError) as error:
        parser.error(str(error))


def _underscored(word: str) -> str:
    """`--max-steps` means `--max_steps`."""
    if not FLAG.fullmatch(word):
        return word
    name, equals, value = word.partition("=")
    return f"--{name[2:].replace('-', '_')}{equals}{value}"


def _recipe_flags(path: Path, parser: ArgumentParser) -> list[str]:
    """The recipe's settings as flags, so that the same parser checks both."""
    try:
        settings = read_yaml(path, "recipe")
    except (OSError, ValueError) as error:
        parser.error(str(error))
    if not isinstance(settings, dict | None):
        parser.error(f"recipe {path}: expected 'name: value' lines, got a {type(settings).__name__}")
    return [flag for name, value in (settings or {}).items() for flag in _recipe_flag(name, value, path, parser)]


def _recipe_flag(name: object, value: object, path: Path, parser: ArgumentParser) -> list[str]:
    values = value if isinstance(value, list) else [value]
    if not isinstance(name, str) or not re.fullmatch(r"[\w-]+", name):
        parser.error(f"recipe {path}: expected the name of a setting, got {str(name)[:60]!r}")
    if not values or any(isinstance(one, list | None) for one in values):
        parser.error(f"recipe {path}: {name}: expected a value or a list of values, got {str(value)[:60]}")
    texts = [json.dumps(one, default=str) if isinstance(one, dict) else str(one) for one in values]
    if len(texts) == 1 and texts[0].startswith("-"):
        return [f"--{name}={texts[0]}"]  # so that a value that looks like a flag stays a value
    if flag := next((text for text in texts if text.startswith("-")), None):
        parser.error(f"recipe {path}: {name}: expected values that begin with no '-', got {flag[:60]!r}")
    return [f"--{name}", *texts]
