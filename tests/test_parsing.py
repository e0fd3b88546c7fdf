"""Command lines: what each kind of setting takes, and what --help says first."""

from dataclasses import dataclass, field

import pytest

from configs.construction import BuildArguments, WorldArguments
from configs.data import DataArguments, FeatureArguments
from configs.model import ModelArguments
from configs.parsing import parse_arguments
from configs.runtime import AnsweringArguments
from configs.trainer import FinetuningArguments
from configs.training import FinetuningOptions


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
        ("--name n --limit nan", "expected a number, got 'nan'"),
        ("--name n --limit inf", "expected a number, got 'inf'"),
        ("--name n --limit x", "expected a number, got 'x'"),
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


BOMB = "a: &a [1, 1]\n" + "".join(f"{b}: &{b} [*{a}, *{a}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("name: \xe9".encode("latin-1"), "r.yaml line 1: expected UTF-8 text, got the byte 0xe9"),
        (BOMB, "not valid YAML: aliases (*name) are not taken, line 2 has one"),
        ("name: a\nname: b", "not valid YAML: the key 'name' is given twice"),
        ("name: !!python/object/apply:os.system ['true']", "not valid YAML"),
        ("name: 2026-99-99", "not valid YAML: month must be in 1..12"),
        ("[" * 5000, "not valid YAML"),
        ("{[1]: 2}", "not valid YAML"),
        ("x" * 1_000_001, "expected at most 1000000 characters, got 1000001"),
        ("- a", "expected 'name: value' lines, got a list"),
        ("3: a", "expected the name of a setting, got '3'"),
        ("'a b': c", "expected the name of a setting, got 'a b'"),
        ("name:", "name: expected a value or a list of values, got None"),
        ("name: []", "name: expected a value or a list of values, got []"),
        ("words: [a, [b]]", "words: expected a value or a list of values"),
        ("words: [a, --name]", "words: expected values that begin with no '-', got '--name'"),
        ("name: n\nsize: three", "invalid int value: 'three'"),
        ("name: n\nsise: 3", "unknown flag or key: --sise 3"),
        ("name: n\nlimit: .nan", "expected a number, got 'nan'"),
    ],
)
def test_mistakes_in_a_recipe_end_with_one_sentence(tmp_path, content, sentence, capsys):
    recipe = tmp_path / "r.yaml"
    recipe.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(SystemExit) as ended:
        parse(str(recipe))
    said = capsys.readouterr().err
    assert ended.value.code == 2 and sentence in said and said.count("\n") == 1


def test_a_value_of_a_recipe_is_never_a_flag(tmp_path):
    recipe = tmp_path / "r.yaml"
    recipe.write_bytes(b"\xef\xbb\xbfname: --fast\n")
    assert parse(str(recipe))[1] == Own(name="--fast")


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (AnsweringArguments, {"num_workers": -1}),
        (AnsweringArguments, {"num_workers": 10**9}),
        (AnsweringArguments, {"batch_size": -1}),
        (AnsweringArguments, {"max_memory_gb": float("nan")}),
        (AnsweringArguments, {"max_memory_gb": -1.0}),
        (AnsweringArguments, {"max_new_tokens": 0}),
        (AnsweringArguments, {"max_new_tokens": 10**9}),
        (FeatureArguments, {"feature_cache_gb": float("nan")}),
        (FeatureArguments, {"feature_cache_gb": float("inf")}),
        (DataArguments, {"pos_ratio": float("nan")}),
        (DataArguments, {"masks_per_video": -2}),
        (ModelArguments, {"lora_dropout": float("nan")}),
        (ModelArguments, {"lora_dropout": 1.5}),
        (ModelArguments, {"num_query_tokens": 10**9}),
        (FinetuningOptions, {"projector_lr_scale": float("inf")}),
        (BuildArguments, {"num_workers": 0}),
        (WorldArguments, {"output": "x", "num_train": -1}),
        (FinetuningArguments, {"learning_rate": float("nan")}),
        (FinetuningArguments, {"learning_rate": -1.0}),
        (FinetuningArguments, {"per_device_train_batch_size": 0}),
        (FinetuningArguments, {"gradient_accumulation_steps": 0}),
        (FinetuningArguments, {"num_train_epochs": float("inf")}),
        (FinetuningArguments, {"save_total_limit": 0}),
        (FinetuningArguments, {"seed": -1}),
    ],
)
def test_numbers_that_cannot_be_meant(kind, values):
    (name,) = values.keys() - {"output"}
    with pytest.raises(ValueError, match=f"{'numbers of videos' if name == 'num_train' else f'--{name}'}: expected"):
        kind(**values)
