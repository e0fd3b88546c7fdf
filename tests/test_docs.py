"""What the documents name exists: linked files and headings, programs, and files of the repository."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted(ROOT.glob("pretrained_weights/**/*.md"))]
LINK = re.compile(r"\]\(([^)\s]+)\)")
PROGRAM = re.compile(r"python -m (scripts[\w.]*)|`(scripts\.[\w.]+)`")
FILE = re.compile(r"\b(?:configs|dataset|deepspeed|models|scripts|tests|utils)/[\w./-]*\.(?:json|py|sh|txt|yaml)\b")
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def anchors(page: Path) -> set[str]:
    """The names that GitHub gives to a page's headings."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@each_page
def test_links(page):
    for link in LINK.findall(page.read_text()):
        if not link.startswith("http"):
            name, _, anchor = link.partition("#")
            target = (page.parent / name).resolve() if name else page
            assert target.exists(), link
            assert not anchor or anchor in anchors(target), link


@each_page
def test_programs(page):
    for name in {a or b for a, b in PROGRAM.findall(page.read_text())}:
        place = ROOT / name.replace(".", "/")
        assert place.with_suffix(".py").is_file(), name


@each_page
def test_files(page):
    for name in FILE.findall(page.read_text()):
        assert (ROOT / name).is_file(), name
