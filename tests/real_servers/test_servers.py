"""Tiny random models behind llama.cpp and `transformers serve`: probed, asked, scored, never asked twice."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from scripts.baselines.kept import PROBED, read_rows
from scripts.evaluate.baseline import main
from tests.conftest import BENCHMARK
from tests.other_models import save_llava
from tests.real_servers.tiny_gguf import write_eyes_and_ears, write_language_model

RUN = "test_s_image_mask-erode_rank-all"
PATIENCE = 120  # seconds until a server has to be there


@contextmanager
def running(command: list[str], port: int, log: Path, **environment: str) -> Iterator[str]:
    """A server's address before /chat/completions. The server ends with the block."""
    with log.open("wb") as file:
        process = subprocess.Popen(command, stdout=file, stderr=file, env=os.environ | environment)
        try:
            until = time.monotonic() + PATIENCE
            while not _is_ready(port):
                assert process.poll() is None and time.monotonic() < until, log.read_text()[-3000:]
                time.sleep(0.2)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.terminate()
            process.wait(20)


def _is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2) as reply:
            return reply.status == 200
    except (urllib.error.URLError, OSError):
        return False


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@pytest.fixture(scope="module")
def llama_cpp(tmp_path_factory) -> Iterator[str]:
    folder, port = tmp_path_factory.mktemp("llama.cpp"), free_port()
    write_language_model(folder / "model.gguf")
    write_eyes_and_ears(folder / "projector.gguf")
    script = Path(__file__).with_name("llama_server.py")
    command = [sys.executable, str(script), str(folder / "model.gguf"), str(folder / "projector.gguf"), str(port)]
    with running(command, port, folder / "log") as url:
        yield url


def settings_of(url: str, model: str, output: Path, *more: str) -> list[str]:
    flags = ["--server", url, "--model", model, "--data_dir", str(BENCHMARK), "--output_dir", str(output)]
    return [*flags, "--mask_type_filter", "erode", "--max_videos", "1", "--max_new_tokens", "12", *more]


def check(output: Path) -> dict:
    """Replies that came, each with its tokens; returns the settings of run.json."""
    rows = read_rows(output / RUN / "replies.jsonl")
    answers = [row for row in rows if row["outcome"] != PROBED]
    assert answers and {row["outcome"] for row in answers} <= {"answered", "cut_off"}
    assert all(row["usage"]["input"] > 100 and row["usage"]["output"] > 0 and row["tries"] == 1 for row in answers)
    return json.loads((output / RUN / "run.json").read_text())["settings"]


def test_llama_cpp_sees_and_hears(llama_cpp, tmp_path):
    assert main(settings_of(llama_cpp, "tiny", tmp_path)) == 0
    assert check(tmp_path)["probe"]["dropped"] == []
    rows = len(read_rows(tmp_path / RUN / "replies.jsonl"))
    assert main(settings_of(llama_cpp, "tiny", tmp_path)) == 0
    assert len(read_rows(tmp_path / RUN / "replies.jsonl")) == rows


def test_llama_cpp_does_not_know_a_kind_of_medium(llama_cpp, tmp_path, capsys):
    """A video of JPEG frames is vLLM's own: the run ends with the server's words."""
    flags = ["--video_as", "jpeg_frames", "--most_tries", "2", "--same_errors", "1"]
    assert main(settings_of(llama_cpp, "tiny", tmp_path, *flags)) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.fixture(scope="module")
def transformers_serve(tmp_path_factory) -> Iterator[tuple[str, str]]:
    folder, port = tmp_path_factory.mktemp("serve"), free_port()
    save_llava(folder / "model")
    command = [sys.executable, "-m", "transformers.cli.transformers", "serve", str(folder / "model")]
    command += ["--host", "127.0.0.1", "--port", str(port), "--device", "cpu"]
    (folder / "hub").mkdir()
    with running(command, port, folder / "log", HF_HUB_CACHE=str(folder / "hub")) as url:
        yield url, str(folder / "model")


def test_transformers_serve_drops_sound_and_is_found_out(transformers_serve, tmp_path, capsys):
    url, model = transformers_serve
    assert main(settings_of(url, model, tmp_path)) == 2
    assert "drops sound" in capsys.readouterr().err
    assert main(settings_of(url, model, tmp_path, "--media", "video", "frame", "mask")) == 0
    assert check(tmp_path)["probe"]["dropped"] == []
