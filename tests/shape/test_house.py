"""The rules of the house that no linter knows: sizes, names, clocks, renames, who calls whom."""

import ast
import re
import statistics
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = sorted((ROOT / "fairway").rglob("*.py"))
REFUSED = {
    *("manager", "helper", "helpers", "util", "utils", "common", "misc", "base", "impl"),
    *("factory", "service", "processor", "handler", "info"),
}
TEXT_SUFFIXES = {
    ".py",
    ".md",
    ".toml",
    ".yaml",
    ".yml",
    ".lock",
    ".sh",
    ".R",
    ".c",
    ".txt",
    ".json",
    "",
}


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def tracked_text() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    names = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    return [path for path in names if path.suffix in TEXT_SUFFIXES and path.is_file()]


def calls(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield f"{ast.unparse(node.func.value)}.{node.func.attr}"


def imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_has_a_docstring_and_at_most_400_lines(path: Path) -> None:
    text = path.read_text()

    assert ast.get_docstring(ast.parse(text))
    assert len(text.splitlines()) <= 400


def test_the_median_module_is_near_150_lines() -> None:
    sizes = [len(path.read_text().splitlines()) for path in MODULES if path.name != "__init__.py"]

    assert statistics.median(sizes) <= 230


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_no_name_says_nothing(path: Path) -> None:
    named = [
        node.name
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    words = {word for name in [*named, path.stem] for word in re.findall(r"[A-Z]?[a-z]+", name)}

    assert not {word.lower() for word in words} & REFUSED


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_only_cli_and_store_ask_the_system_for_the_date(path: Path) -> None:
    if path.relative_to(ROOT / "fairway").parts[0] in {"cli", "store"}:
        return
    asked = {"datetime.now", "datetime.today", "datetime.utcnow", "date.today", "time.time"}

    assert not asked & {call.removeprefix("dt.") for call in calls(ast.parse(path.read_text()))}


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_only_the_store_renames(path: Path) -> None:
    if path.relative_to(ROOT / "fairway").parts[0] == "store":
        return
    renames = {"os.rename", "os.replace", "shutil.move", "os.link"}
    found = set(calls(ast.parse(path.read_text())))

    assert not renames & found
    assert not [call for call in found if re.fullmatch(r".*path.*\.(rename|hardlink_to)", call)]


@pytest.mark.parametrize("path", sorted((ROOT / "fairway/cli").glob("*.py")), ids=name_of)
def test_the_command_line_calls_the_line_and_adds_nothing_to_it(path: Path) -> None:
    allowed = ("fairway.line", "fairway.project", "fairway.errors", "fairway.cli", "fairway.store")
    rooms = [name for name in imported(ast.parse(path.read_text())) if name.startswith("fairway.")]

    assert not [name for name in rooms if not name.startswith(allowed)]


def test_the_architecture_page_names_the_rooms_that_there_are() -> None:
    layers = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    rooms = [room for layer in layers["contracts"][0]["layers"] for room in layer.split(" | ")]
    page = (ROOT / "ARCHITECTURE.md").read_text()
    drawn = re.findall(r"^\| `(\w+)`", page, flags=re.MULTILINE)

    assert drawn == rooms[::-1]


def test_no_file_holds_an_index_address() -> None:
    address = re.compile(
        r"(index-url|find-links)\s*[= ]\s*\w+://|pypi\.org/simple|files\.pythonhosted"
    )
    holders = [name_of(p) for p in tracked_text() if address.search(p.read_text(errors="replace"))]

    assert [name for name in holders if name != "tests/shape/test_house.py"] == []


def test_the_core_install_resolves_to_at_most_64_packages() -> None:
    pins = [
        line for line in (ROOT / "requirements/core.lock").read_text().splitlines() if "==" in line
    ]

    assert 0 < len(pins) <= 64
