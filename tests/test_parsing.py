"""Command lines: what each kind of setting takes, and what --help says first."""

from dataclasses import dataclass, field

import pytest

from configs.parsing import parse_arguments


@dataclass
class Shared:
    """What several programs share."""

    device: str = field(default="cpu", metadata={"help": "Where."})


@dataclass(kw_only=True)
class Own(Shared):
    """What this program does."""

    name: str = field(metadata={"help": "Who."})
    size: int = field(default=3, metadata={"help": "100% is all.", "choices": (3, 4)})
    limit: float | None = None
    words: list[str] = field(default_factory=lambda: ["a"])
    fast: bool = False
    checked: bool = True

    def __post_init__(self):
        if self.limit == 0:
            raise ValueError("--limit: expected another number")


@dataclass
class Other:
    """Another part."""

    more: list[str] | None = None


def parse(*argv: str) -> tuple:
    return parse_arguments((Other, Own), list(argv), "prog", "About.")


def test_defaults_and_every_kind_of_value():
    assert parse("--name", "n") == (Other(), Own(name="n"))
    argv = "--name n --size 4 --limit -0.01 --words b c --fast --checked false --device cuda --more x"
    expected = Own(name="n", size=4, limit=-0.01, words=["b", "c"], fast=True, checked=False, device="cuda")
    assert parse(*argv.split()) == (Other(["x"]), expected)
    assert parse("--name=n", "--no-checked", "--fast", "no")[1] == Own(name="n", checked=False)


def test_flags_override_a_recipe(tmp_path):
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text("name: of the recipe\nsize: 4\nwords: [b, c]\nchecked: false\n")
    assert parse(str(recipe), "--size", "3")[1] == Own(name="of the recipe", words=["b", "c"], checked=False)


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        ("", "the following arguments are required: --name"),
        ("--name n --nam m", "unknown flag or key: --nam m"),
        ("--name n --fast maybe", "expected true or false, got 'maybe'"),
        ("--name n --size 5", "invalid choice: 5"),
        ("--name n --limit 0", "--limit: expected another number"),
        ("absent.yaml", "recipe absent.yaml: no such file"),
    ],
)
def test_mistakes_end_with_one_sentence(argv, sentence, capsys):
    with pytest.raises(SystemExit) as ended:
        parse(*argv.split())
    said = capsys.readouterr().err
    assert ended.value.code == 2 and sentence in said and said.count("\n") == 1


def test_help_begins_with_what_is_required_then_with_the_programs_own(capsys):
    with pytest.raises(SystemExit) as ended:
        parse("--help")
    said = capsys.readouterr().out
    order = ["required:", "  --name", "What this program does:", "--size", "What several", "--device"]
    places = [said.index(words) for words in [*order, "Another part:", "--more", "help:"]]
    assert ended.value.code == 0 and places == sorted(places)
    assert "100% is all. (default: 3)" in said and said.startswith("usage: prog [RECIPE.yaml] --name NAME [--flag")
