"""What no file of the repository may hold, whatever its language, and what no test may do."""

import ast
import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

from tests.shape.house import ROOT

REFUSED = {
    "the address of a package index": (
        r"(?:index-url|find-links)\s*[= ]\s*\S*[:/]|pypi[.]org/simple|files[.]pythonhosted"
    ),
    "a path of one machine": r"(?<![\w.}])/(?:work|root|opt/wheels|opt/pypi|home/\w+|Users/\w+)/",
    "a tool of the workplace": (
        r"(?i)\bclaud[e]\b|\banthropi[c]\b|\bllm[s]?\b|"
        r"\b(?:sub-?)?agen[t]s?\b|\bissue[s] (?:show|all)\b"
    ),
    "work that is left": r"\b(?:TOD[O]|FIXM[E]|XX[X])\b",
    "an unsolved merge": r"(?m)^(?:<{7}|>{7}) ",
}
PLANTED = {
    "the address of a package index": [
        "--index" + "-url https://example.org/simple",
        "find" + "-links = /wheels",
        "https://pypi" + ".org/simple/x",
    ],
    "a path of one machine": ["see /wor" + "k/main/x", "'/hom" + "e/ann/x'"],
    "a tool of the workplace": ["as Claud" + "e said", "two agen" + "ts", "issue" + "s show 2"],
    "work that is left": ["# TOD" + "O later"],
    "an unsolved merge": ["a\n" + "<" * 7 + " HEAD\n"],
}


@cache
def texts() -> dict[str, str]:
    """Every text that git keeps or would add, by name; data and other bytes are left out."""
    ask = ["git", "-c", "safe.directory=*", "ls-files", "-coz", "--exclude-standard"]
    listed = subprocess.run(ask, cwd=ROOT, capture_output=True, check=True).stdout
    found = {}
    for name in listed.decode().split("\0"):
        path = ROOT / name
        if not path.is_file() or path.parent.name == "data" or "/data/" in name[:20]:
            continue
        content = path.read_bytes()
        if b"\0" not in content:
            found[name] = content.decode()
    return found


def python() -> dict[str, str]:
    return {name: text for name, text in texts().items() if name.endswith(".py")}


@pytest.mark.parametrize("what", REFUSED)
def test_no_text_holds(what: str) -> None:
    found = {
        f"{name}:{text[: match.start()].count(chr(10)) + 1}": match.group()
        for name, text in texts().items()
        for match in re.finditer(REFUSED[what], text)
    }

    assert found == {}


@pytest.mark.parametrize(("what", "text"), [(w, t) for w, all_ in PLANTED.items() for t in all_])
def test_a_planted_word_is_found(what: str, text: str) -> None:
    assert re.search(REFUSED[what], text)


def test_the_texts_are_all_there() -> None:
    assert {"README.md", "Makefile", "tests/shape/house.py", ".ci/run"} <= texts().keys()
    assert len(texts()) > 200


def test_no_python_file_has_more_than_400_lines() -> None:
    sizes = {name: len(text.splitlines()) for name, text in python().items()}

    assert {name: size for name, size in sizes.items() if size > 400} == {}


def test_no_test_sleeps_or_mocks() -> None:
    """A test waits for what it wants to see, and meets the real thing."""
    found = {
        f"{name}:{node.lineno}"
        for name, text in python().items()
        if name.startswith("tests/")
        for node in ast.walk(ast.parse(text))
        if (isinstance(node, ast.Call) and ast.unparse(node.func) in {"time.sleep", "sleep"})
        or (isinstance(node, ast.Import | ast.ImportFrom) and "mock" in ast.unparse(node))
    }

    assert found == set()


def test_the_core_install_resolves_to_at_most_64_packages() -> None:
    lock = (ROOT / "requirements/core.lock").read_text()

    assert 0 < sum("==" in line for line in lock.splitlines()) <= 64


def test_every_pin_of_the_core_is_a_pin_of_the_developers() -> None:
    core, dev = (
        set(re.findall(r"(?m)^([\w.-]+==\S+)", (ROOT / f"requirements/{name}.lock").read_text()))
        for name in ("core", "dev")
    )

    assert core <= dev


def test_scripts_can_be_run() -> None:
    for name in ("scripts/install.sh", ".ci/run"):
        assert Path(ROOT / name).stat().st_mode & 0o111
