"""The documents name what there is: rooms, exit codes, links and targets; the site is built."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

from fairway.cli.main import EXIT_CODES, VERBS
from tests.shape.house import ROOT


def test_the_architecture_page_names_the_rooms_that_there_are() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    layers = settings["contracts"][0]["layers"]
    rooms = [set(layer.split(" | ")) for layer in layers[::-1]]
    drawn = re.findall(r"(?m)^\| `(\w+)`", (ROOT / "ARCHITECTURE.md").read_text())

    there = {path.stem for path in (ROOT / "fairway").iterdir() if path.suffix == ".py"}
    there |= {path.parent.name for path in (ROOT / "fairway").glob("*/__init__.py")}
    assert {*drawn} == there - {"__init__"}
    for layer in rooms:
        assert {*drawn[: len(layer)]} == layer
        del drawn[: len(layer)]


def test_at_most_30_verbs_and_rooms_stand_at_the_top() -> None:
    assert len({verb.split()[0] for verb in VERBS}) <= 30


def test_the_exit_codes_are_those_of_the_page() -> None:
    page = (ROOT / "docs/reference/wire.md").read_text()
    told = {int(code) for code in re.findall(r"(?m)^\| (\d) \|", page)}

    assert told == {0, *EXIT_CODES.values()}


def test_the_site_is_built_without_a_warning(tmp_path: Path) -> None:
    build = ["-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, *build], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert "WARNING" not in done.stderr, done.stderr
    assert done.returncode == 0
    assert (tmp_path / "decisions/index.html").exists()


def test_every_target_that_a_page_names_is_in_the_makefile() -> None:
    targets = set(re.findall(r"(?m)^([a-z]+):", (ROOT / "Makefile").read_text()))
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "ARCHITECTURE.md"]
    named = {word for page in pages for word in re.findall(r"`make (\w+)", page.read_text())}

    assert {"demo", "test", "check"} <= named <= targets


def test_the_two_commands_are_the_first_lines_of_the_readme() -> None:
    lines = [line.split("#")[0].strip() for line in (ROOT / "README.md").read_text().splitlines()]

    assert [line for line in lines if line][:2] == ["make demo", "make test"]


def test_a_link_between_pages_leads_to_a_file() -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "changes").glob("*.md")]
    broken = [
        f"{page.relative_to(ROOT)}: {link}"
        for page in pages
        for link in re.findall(r"\]\(([^)#:]+)", page.read_text())
        if not (page.parent / Path(link)).exists()
    ]

    assert broken == []
