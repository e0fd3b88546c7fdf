"""Command lines and recipes: numbers that cannot be meant, files that are no settings."""

from __future__ import annotations

from functools import partial

from tests.faults.case import Case, accepted, nothing, refused
from tests.faults.changes import write

BOMB = "a: &a [1, 1]\n" + "".join(f"{b}: &{b} [*{a}, *{a}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True))


def flag(program: str, name: str, value: str, says: str) -> Case:
    told = {program: refused(says)}
    return Case(f"{program}: {name} {value}", nothing, told, (name, value))


def recipe(name: str, content: str | bytes, says: str | None) -> Case:
    expected = {"evaluate by recipe": refused(says) if says else accepted}
    return Case(f"recipe: {name}", partial(write, "recipe.yaml", content), expected)


CASES = [
    flag("evaluate", "--num_workers", "-1", "--num_workers: expected a number from 0 to 1024, got -1"),
    flag("evaluate", "--batch_size", "-1", "--batch_size: expected at least 0, got -1"),
    flag("evaluate", "--batch_size", "two", "invalid int value: 'two'"),
    flag("evaluate", "--max_memory_gb", "nan", "expected a number, got 'nan'"),
    flag("evaluate", "--max_memory_gb", "-1", "--max_memory_gb: expected a number from 0.001"),
    flag("evaluate", "--max_new_tokens", "0", "--max_new_tokens: expected at least 1, got 0"),
    flag("evaluate", "--max_new_tokens", "1000000000", "--max_new_tokens: expected a number from 1 to 100000"),
    flag("evaluate", "--feature_cache_gb", "inf", "expected a number, got 'inf'"),
    flag("evaluate", "--device", "gpu", "--device: expected cpu or cuda:N, got 'gpu'"),
    flag("train", "--learning_rate", "nan", "--learning_rate: expected 0 or more, got nan"),
    flag("train", "--learning_rate", "-1", "--learning_rate: expected 0 or more, got -1"),
    flag("train", "--per_device_train_batch_size", "0", "--per_device_train_batch_size: expected a number from 1"),
    flag("train", "--gradient_accumulation_steps", "0", "--gradient_accumulation_steps: expected a number from 1"),
    flag("train", "--save_total_limit", "0", "--save_total_limit: expected a number from 1"),
    flag("train", "--pos_ratio", "nan", "expected a number, got 'nan'"),
    flag("train", "--lora_dropout", "1.5", "--lora_dropout: expected a number from 0 to 1, got 1.5"),
    flag("train", "--lora_r", "0", "--lora_r: expected at least 1, got 0"),
    flag("build", "--num_workers", "0", "--num_workers: expected at least 1, got 0"),
    flag("build", "--video_mode_test_s", "-1", "--video_mode_test_s: expected 0 or more, got -1"),
    recipe("byte order mark and Windows line ends", b"\xef\xbb\xbfbatch_size: 3\r\nnum_workers: 0\r\n", None),
    recipe("empty", "", None),
    recipe("Latin-1", b"test_name: \xe9", "recipe.yaml line 1: expected UTF-8 text, got the byte 0xe9"),
    recipe("bomb", BOMB, "not valid YAML: aliases (*name) are not taken, line 2 has one"),
    recipe("a key twice", "batch_size: 1\nbatch_size: 2\n", "the key 'batch_size' is given twice"),
    recipe("Python code", "batch_size: !!python/object/apply:os.system ['true']", "not valid YAML"),
    recipe("a list", "- a\n", "expected 'name: value' lines, got a list"),
    recipe("unknown key", "bach_size: 2\n", "unknown flag or key: --bach_size 2"),
    recipe("no value", "batch_size:\n", "batch_size: expected a value or a list of values, got None"),
    recipe("words as a number", "batch_size: two\n", "invalid int value: 'two'"),
    recipe("a value that is a flag", "test_name: --merge_lora\n", "invalid choice: '--merge_lora'"),
]
