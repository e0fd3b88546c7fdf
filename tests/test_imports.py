"""How the house is built: which way imports point, package maps, and functions of a readable length.

utils, configs <- dataset, models <- scripts; dataset and models do not know each other.
"""

import ast
import graphlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MAY_IMPORT = {
    "configs": {"configs", "utils"},
    "dataset": {"dataset", "configs", "utils"},
    "models": {"models", "configs", "utils"},
    "scripts": {"scripts", "models", "dataset", "configs", "utils"},
}
FILES = [path for room in MAY_IMPORT for path in sorted((ROOT / room).rglob("*.py"))]
SHELL_FILES = sorted(path for room in MAY_IMPORT for path in (ROOT / room).rglob("*.sh"))
PACKAGES = [path for path in FILES if path.name == "__init__.py"]
RUN_TESTS = {
    "test.sh",
    "test_vision_backbones.sh",
    "test_servers.sh",
    "test_demo.sh",
    "test_tools.sh",
}  # the programs whose job is to run the tests
MOST_LINES = 60  # of one function
IMPORTERS = {"import_module", "__import__"}
MAP_LINE = re.compile(r"^- ([\w, ]+):", re.MULTILINE)
TESTS_PATH = re.compile(r"(?<![\w./])(\./)?tests[./]")


def of_repository(path: Path) -> str:
    return str(path.relative_to(ROOT))


each_file = pytest.mark.parametrize("path", FILES, ids=of_repository)


def module_name(path: Path) -> str:
    """dataset/text/prompt.py -> dataset.text.prompt; dataset/text/__init__.py -> dataset.text."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {module_name(path) for path in FILES}


def called_name(call: ast.Call) -> str | None:
    return getattr(call.func, "attr", getattr(call.func, "id", None))


def imported_names(tree: ast.AST) -> set[str]:
    """Everything that a file imports, also inside functions and under TYPE_CHECKING.

    "from a import b" gives a and a.b. Names given to importlib.import_module or __import__ count when they are literal.
    """
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            names |= {module, *(f"{module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Call) and called_name(node) in IMPORTERS:
            arguments = [*node.args, *(keyword.value for keyword in node.keywords)]
            names |= {a.value for a in arguments if isinstance(a, ast.Constant) and isinstance(a.value, str)}
    return names


def imported_rooms(path: Path) -> set[str]:
    names = imported_names(ast.parse(path.read_text()))
    return {name.split(".")[0] for name in names} & {*MAY_IMPORT, "tests"}


def code_strings(tree: ast.AST) -> list[str]:
    """All literal strings of a file but those that stand alone: docstrings."""
    alone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    constants = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in alone]
    return [node.value for node in constants if isinstance(node.value, str)]


def functions(tree: ast.AST) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


@each_file
def test_imports_point_one_way(path):
    assert imported_rooms(path) <= MAY_IMPORT[path.relative_to(ROOT).parts[0]]


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("import a.b", {"a.b"}),
        ("from a import b", {"a", "a.b"}),
        ("def f():\n    from a import b", {"a", "a.b"}),
        ("if TYPE_CHECKING:\n    from a import b", {"a", "a.b"}),
        ("import importlib\nimportlib.import_module('tests.seeded')", {"importlib", "tests.seeded"}),
        ("x = import_module(name='tests.seeded')", {"tests.seeded"}),
        ("__import__('tests')", {"tests"}),
    ],
)
def test_imports_are_seen(code, names):
    assert imported_names(ast.parse(code)) == names


@each_file
def test_imported_modules_exist(path):
    """Also those that are imported late, inside a function."""
    names = {name for name in imported_names(ast.parse(path.read_text())) if name.split(".")[0] in MAY_IMPORT}
    assert not {name for name in names if name not in MODULES and name.rpartition(".")[0] not in MODULES}


def test_verification_shares_no_code_with_construction():
    """A mistake in one of them cannot hide in the other."""
    for path in (ROOT / "dataset/verification").glob("*.py"):
        names = imported_names(ast.parse(path.read_text()))
        assert not [name for name in names if name.startswith("dataset.construction")]


@each_file
def test_no_product_file_reads_tests(path):
    strings = code_strings(ast.parse(path.read_text()))
    assert not [text for text in strings if TESTS_PATH.search(text)]


@pytest.mark.parametrize("path", SHELL_FILES, ids=of_repository)
def test_no_shell_script_reads_tests(path):
    assert path.name in RUN_TESTS or not TESTS_PATH.search(path.read_text())


def test_no_import_cycle():
    """Types count too: an import under TYPE_CHECKING closes a cycle like any other."""
    graph = {module_name(path): imported_names(ast.parse(path.read_text())) & MODULES for path in FILES}
    try:
        list(graphlib.TopologicalSorter(graph).static_order())
    except graphlib.CycleError as error:
        pytest.fail(f"expected no cycle of imports, got {' <- '.join(error.args[1])}")


@pytest.mark.parametrize("package", PACKAGES, ids=of_repository)
def test_package_map_lists_every_file(package):
    """An __init__.py says in one line "- name: ..." or "- name, name: ..." what each file and sub-package is for."""
    docstring = ast.get_docstring(ast.parse(package.read_text())) or ""
    listed = [name.strip() for line in MAP_LINE.findall(docstring) for name in line.split(",")]
    files = [path.stem for path in package.parent.glob("*.py") if path != package]
    packages = [path.parent.name for path in package.parent.glob("*/__init__.py")]
    assert sorted(listed) == sorted(files + packages)


@each_file
def test_functions_are_short(path):
    lengths = {node.name: node.end_lineno - node.lineno + 1 for node in functions(ast.parse(path.read_text()))}
    assert {name: length for name, length in lengths.items() if length > MOST_LINES} == {}


def test_rooms():
    """deepspeed/ holds JSON only: a Python file there would hide the library of that name."""
    assert {path.suffix for path in (ROOT / "deepspeed").iterdir()} == {".json"}
    assert all((ROOT / room / "__init__.py").is_file() for room in MAY_IMPORT)
