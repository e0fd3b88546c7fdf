"""The page to try an auditor in a real browser. scripts/test_demo.sh runs this where Gradio is not in .venv."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from scripts.demo import main
from scripts.session import AuditSession
from scripts.speed.browser import CHROMIUM, open_browser
from tests.conftest import GOLDEN
from tests.test_clip import encode

pytest.importorskip("gradio", reason="Gradio is not installed (scripts/requirements-demo.txt): the page is not served")
expect = pytest.importorskip("playwright.sync_api", reason="no playwright: pages are not opened").expect
pytestmark = pytest.mark.skipif(not CHROMIUM, reason="no Chromium on this machine: pages are not opened")
ROOT = Path(__file__).parent.parent
HOSTILE = "<img src=x onerror=alert(1)> <b>dog</b>"
expect.set_options(timeout=60_000)
SECONDS = 1000  # of a browser's timeouts, in milliseconds


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("dropped")
    encode(folder / "clip.mp4", codecs=("mpeg4", "aac"), size=(320, 240))
    Image.fromarray(np.tri(120, 160, dtype=bool)).save(folder / "mask.png")
    (folder / "words.mp4").write_text("no video")
    return folder


@pytest.fixture(scope="module")
def auditor(quick_weights_dir, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("auditors") / "MQ-Auditor"
    parts = {"pretrained_weights_dir": str(quick_weights_dir), "lora_r": 4, "lora_alpha": 8, "device": "cpu"}
    AuditSession.from_pretrained(GOLDEN / "weights/ckpt", **parts).bundle.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def address(auditor, tmp_path_factory):
    """The program itself, which a signal ends and which leaves nothing behind."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    scratch = tmp_path_factory.mktemp("scratch")
    flags = ["--auditor", str(auditor), "--port", str(port), "--max_new_tokens", "4", "--device", "cpu"]
    command = [sys.executable, "-m", "scripts.demo", *flags]
    server = subprocess.Popen(
        command, cwd=ROOT, env=os.environ | {"TMPDIR": str(scratch)}, stdout=subprocess.PIPE, text=True
    )
    assert f"the page is at http://127.0.0.1:{port}" in server.stdout.readline()
    yield f"http://127.0.0.1:{port}"
    server.send_signal(signal.SIGTERM)
    assert server.wait(30) == 143
    assert not list(scratch.glob("mq-auditor-*"))


@pytest.fixture(scope="module")
def browser():
    with open_browser() as opened:
        yield opened


@pytest.fixture
def page(browser, address):
    """The page, opened; nothing outside of this machine is asked for, and nothing goes wrong in it."""
    opened, faults = browser.new_page(), []
    opened.set_default_timeout(60 * SECONDS)
    opened.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.on("dialog", lambda dialog: (faults.append(dialog.message), dialog.dismiss()))
    opened.on("request", lambda asked: is_local(asked.url, address) or faults.append(asked.url))
    opened.goto(address)
    yield opened
    opened.close()
    assert not faults


def is_local(url: str, address: str) -> bool:
    return url.startswith((address, "data:", "blob:"))


def beginning(text: str) -> re.Pattern:
    return re.compile(re.escape(text))


def drop(page, field: str, file: Path) -> None:
    page.locator(f"#{field} input[type=file]").set_input_files(file)


def audit(page) -> str:
    page.locator("#ask").click()
    expect(page.locator("#audit textarea")).not_to_have_value("")
    return page.locator("#audit textarea").input_value()


def choose_clip(page, files: Path) -> None:
    drop(page, "video", files / "clip.mp4")
    expect(page.locator("#frames img")).to_have_count(10)
    expect(page.locator("#notes textarea")).to_have_value(beginning("shown: at 0.0, 1.0, 2.0"))


def test_a_mask_that_is_uploaded(page, files):
    choose_clip(page, files)
    page.locator("#frames button").nth(3).click()
    expect(page.locator("#frame input[type=number]")).to_have_value("3")
    page.locator("#expression textarea").fill(HOSTILE)
    drop(page, "uploaded", files / "mask.png")
    expect(page.locator("#uploaded")).to_contain_text("mask")
    assert audit(page).startswith("mask type: not parsed")
    for name in ("types", "actions", "overlay", "kept"):
        expect(page.locator(f"#{name}")).to_be_visible()
    assert page.locator("#types").inner_text().count("%") == 6 and page.locator("#actions").inner_text().count("%") == 4
    assert page.locator("img[src=x]").count() == 0
    notes = page.locator("#notes textarea").input_value()
    assert "\nmask.png: expected the size of its frame" in f"\n{notes}" and "/" not in notes
    page.locator("#frames button").nth(4).click()  # the audit was of another frame
    expect(page.locator("#audit textarea")).to_have_value("")
    expect(page.locator("#types")).not_to_contain_text("%")


def test_a_mask_that_is_drawn(page, files):
    choose_clip(page, files)
    page.locator("#expression textarea").fill("the dog")
    page.locator("#ask").click()
    expect(page.locator("#problem textarea")).to_have_value(beginning("mask: expected one that is drawn"))
    canvas = page.locator("#drawn canvas").first
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x - 40, y)
    page.mouse.down()
    page.mouse.move(x + 40, y + 10, steps=10)
    page.mouse.up()
    page.wait_for_timeout(1 * SECONDS)
    assert audit(page).startswith("mask type: not parsed")


def test_a_sentence_for_wrong_input(page, files):
    page.locator("#ask").click()
    expect(page.locator("#problem textarea")).to_have_value(beginning("video: expected a file, got none"))
    drop(page, "video", files / "words.mp4")
    expect(page.locator("#problem textarea")).to_have_value(re.compile("^words.mp4: expected video"))


def test_programs_that_cannot_start(address, auditor, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main([]) == 2
    assert "results/quickstart/MQ-Auditor: no such folder (bash scripts/quickstart.sh" in capsys.readouterr().err
    assert main(["--auditor", "other"]) == 2
    assert "other: no such" in capsys.readouterr().err
    assert main(["--auditor", str(auditor), "--port", address.rpartition(":")[2], "--device", "cpu"]) == 2
    assert "port" in capsys.readouterr().err
