"""Keys and tokens are not written to run.json."""

import json

import pytest

from utils.credentials import HIDDEN, command_without_secrets, is_secret_name, without_secrets
from utils.run_record import write_run_record

TOKEN = "hf_" + "aB3" * 10
SECRETS = [
    "hub_token",
    "HF_TOKEN",
    "api_key",
    "wandb-api-key",
    "password",
    "aws_secret_access_key",
    "auth",
    "OPENAI_API_KEY",
]
SETTINGS = ["max_new_tokens", "num_query_tokens", "tokenizer", "author", "key_frame", "keys", "data_dir", "monkey"]


@pytest.mark.parametrize("name", SECRETS)
def test_names_of_secrets(name):
    assert is_secret_name(name) and without_secrets({name: "abc"}) == {name: HIDDEN}


@pytest.mark.parametrize("name", SETTINGS)
def test_names_of_settings(name):
    assert without_secrets({name: "abc"}) == {name: "abc"}


def test_values_that_look_like_secrets():
    settings = {
        "proxy": "http://me:pass@host:80/x",
        "model": TOKEN,
        "url": "https://x.y/z?sig=abc&b=1",
        "n": 3,
        "x": None,
    }
    assert without_secrets(settings) == {
        "proxy": f"http://{HIDDEN}@host:80/x",
        "model": HIDDEN,
        "url": f"https://x.y/z?sig={HIDDEN}&b=1",
        "n": 3,
        "x": None,
    }


def test_a_command_line():
    words = ["finetune.py", "--hub-token", "abc", "--seed", "1", "--api_key=abc", "--lr=2"]
    shown = ["finetune.py", "--hub-token", HIDDEN, "--seed", "1", f"--api_key={HIDDEN}", "--lr=2"]
    assert command_without_secrets(words) == shown


def test_run_json_holds_none(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.argv", ["finetune.py", "--hub_token", "s3cret", "--data_dir", "bench"])
    settings = {"hub_token": "s3cret", "nested": {"wandb_api_key": "s3cret"}, "data_dir": "bench"}
    write_run_record(tmp_path, settings, [], seed=0, counts={"endpoint": "https://user:s3cret@host"})
    text = (tmp_path / "run.json").read_text()
    assert "s3cret" not in text and json.loads(text)["settings"]["data_dir"] == "bench"
