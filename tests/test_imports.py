"""Which way imports point: utils, configs <- dataset, models <- scripts; dataset and models do not know each other."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MAY_IMPORT = {
    "utils": {"utils"},
    "configs": {"configs", "utils"},
    "dataset": {"dataset", "configs", "utils"},
    "models": {"models", "configs", "utils"},
    "scripts": {"scripts", "models", "dataset", "configs", "utils"},
}
FILES = [path for room in MAY_IMPORT for path in sorted((ROOT / room).rglob("*.py"))]


def imported_rooms(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return {name.split(".")[0] for name in names} & {*MAY_IMPORT, "tests"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_one_way(path):
    assert imported_rooms(path) <= MAY_IMPORT[path.relative_to(ROOT).parts[0]]


def test_rooms():
    """deepspeed/ holds JSON only: a Python file there would hide the library of that name."""
    assert {path.suffix for path in (ROOT / "deepspeed").iterdir()} == {".json"}
    assert all((ROOT / room / "__init__.py").is_file() for room in MAY_IMPORT)
