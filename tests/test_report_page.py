"""A report's page in a real browser: shown, sorted, filtered, opened, marked, compared; hostile text stays text."""

from __future__ import annotations

import json

import pytest

from scripts.report import main
from scripts.speed.browser import CHROMIUM, open_browser
from tests.right_benchmark import MASKS
from tests.test_report import HOSTILE, benchmark, own_results, report  # noqa: F401  fixtures

expect = pytest.importorskip("playwright.sync_api", reason="no playwright: pages are not opened").expect
pytestmark = pytest.mark.skipif(not CHROMIUM, reason="no Chromium on this machine: pages are not opened")
WIDE = """() => document.documentElement.scrollWidth - document.documentElement.clientWidth"""


@pytest.fixture(scope="module")
def browser():
    with open_browser() as opened:
        yield opened


@pytest.fixture
def page(browser):
    """A page that fails the test if anything goes wrong in it."""
    page, faults = browser.new_page(), []
    page.on("console", lambda message: faults.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("dialog", lambda dialog: (faults.append(dialog.message), dialog.dismiss()))
    yield page
    page.close()
    assert not faults


def cards(page) -> list[str]:
    return page.locator("#cards .said").all_text_contents()  # also of cards that are not in sight


def test_masks_are_sorted_filtered_and_opened(page, report):  # noqa: F811
    page.goto(f"file://{report}/index.html")
    assert len(cards(page)) == len(MASKS)
    page.locator("#sort").select_option("largest IoU error first")
    assert cards(page)[0] == "perfect · 0.4000 · reject"
    page.locator("#answer").select_option("wrong")
    assert cards(page) == ["perfect · 0.4000 · reject"] * 2
    page.locator("#answer").select_option("disagree")
    assert len(cards(page)) >= 2
    page.locator("#answer").select_option("")
    page.locator("#high").fill("0.39")
    assert all(float(text.split(" · ")[1]) <= 0.39 for text in cards(page)) and cards(page)
    page.locator("#search").fill("no such words")
    assert cards(page) == []


def test_an_audit_is_opened_beside_the_other_auditors(page, report):  # noqa: F811
    page.goto(f"file://{report}/index.html#mask-1")
    assert page.locator("#detail").is_visible()
    heads = page.locator("#detail h3").all_inner_texts()
    assert heads[:2] == ["Audit", "Audit of theirs <1>"] and heads[3:] == ["Truth"]
    assert page.get_by_text("it's a cutout that should be rejected.").is_visible()
    assert page.locator("#detail canvas").get_attribute("aria-label") == "what the mask keeps"
    layers = page.locator("#detail .layers img").evaluate_all("all => all.map(one => getComputedStyle(one).background)")
    assert all(colour.startswith("rgba(0, 0, 0, 0)") for colour in layers)  # the frame is seen through the mask
    page.keyboard.press("ArrowRight")
    assert page.evaluate("location.hash") == "#mask-2"
    page.keyboard.press("k")
    assert page.evaluate("location.hash") == "#mask-1"
    page.keyboard.press("Escape")
    assert not page.locator("#detail").is_visible()


def test_marks_are_kept_saved_and_read(page, report, tmp_path):  # noqa: F811
    page.goto(f"file://{report}/index.html#mask-0")
    page.keyboard.press("2")
    assert page.locator("#detail .marks [aria-pressed=true]").inner_text() == "wrong (2)"
    page.keyboard.press("ArrowRight")
    page.locator("#detail .marks button").last.click()
    page.keyboard.press("Escape")
    with page.expect_download() as saved:
        page.locator("#save").click()
    saved.value.save_as(tmp_path / "marks.json")
    rows = json.loads((tmp_path / "marks.json").read_text())["marks"]
    assert [row["mark"] for row in rows] == ["wrong", "again"]
    assert set(rows[0]) == {"uid", "frame_idx", "mask_path", "mark"}
    page.evaluate("localStorage.clear()")
    page.reload()
    page.keyboard.press("Escape")
    page.locator("#marks-file").set_input_files(tmp_path / "marks.json")
    expect(page.locator("#cards").get_by_text("marked: look again")).to_be_visible()
    page.locator("#mark").select_option("again")
    assert page.locator("#count").inner_text() == f"1 of {len(MASKS)} masks"
    (tmp_path / "some.json").write_text(json.dumps({"marks": [*rows, rows[0] | {"uid": "of another report"}]}))
    page.locator("#marks-file").set_input_files(tmp_path / "some.json")
    expect(page.get_by_text("1 of 3 marks in the file are of masks that this page lacks")).to_be_visible()
    (tmp_path / "other.json").write_text("[]")
    page.locator("#marks-file").set_input_files(tmp_path / "other.json")
    expect(page.get_by_text("This file holds no marks")).to_be_visible()


def test_hostile_text_is_shown_as_text(page, report, tmp_path):  # noqa: F811
    page.goto(f"file://{report}/index.html")
    assert page.locator("#cards .words").first.text_content() == HOSTILE
    names = ["<img src=x onerror=alert(1)>.png", "</script><script>alert(2)</script>"]
    assert main([str(own_results(tmp_path / "own", names)), "--output", str(tmp_path / "own/report")]) == 0
    page.goto(f"file://{tmp_path}/own/report/index.html#mask-0")
    assert page.locator("#detail-head").text_content() == names[0]
    bars = page.locator("#detail .chance").all_inner_texts()
    assert len(bars) == 12 and bars[6].split() == ["none", "of", "these", "2.0%"]
    assert page.get_by_text('tags: [1, "<b>"]').is_visible()
    assert page.locator("#detail p.bad").inner_text().startswith("the clip is unlike training's (2.5 times")
    assert page.locator("img[src=x]").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_use_it(browser, report, scheme):  # noqa: F811
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="no axe: accessibility is not checked")
    context = browser.new_context(color_scheme=scheme, viewport={"width": 400, "height": 800})
    page = context.new_page()
    for place in ("", "#mask-0"):
        page.goto(f"file://{report}/index.html{place}")
        found = axe.Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
        assert page.evaluate(WIDE) <= 0
        page.goto("about:blank")
    context.close()
