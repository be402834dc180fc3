"""The demo and the run on the whole year: made once for all workers, in one copy and one home."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.flights import EXAMPLE, YEAR, ask, copy_example
from tests.line.place import Place, once


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """What the demo left in its clone; ``first.json`` is its first answer."""
    assert shutil.which("Rscript"), "Install R: one of the candidates is written in it."

    def make(root: Path) -> None:
        copy_example(root / EXAMPLE)
        answer = ask(root, "demo")
        kept = json.loads((root / "demo-results/result.json").read_text())
        assert kept == answer
        (root / "first.json").write_text(json.dumps(answer))

    return once(tmp_path_factory, "flights", make)


@pytest.fixture(scope="session")
def first(demo: Place) -> dict[str, Any]:
    """The first answer of the demo."""
    return dict(json.loads((demo.root / "first.json").read_text()))


@pytest.fixture(scope="session")
def flights(demo: Place) -> Place:
    """The example's folder, with the home that all share."""
    return Place(demo.root / EXAMPLE)


@pytest.fixture(scope="session")
def year(flights: Place, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The answer of a run on the whole year."""

    def make(root: Path) -> None:
        root.mkdir()
        (root / "run.json").write_text(json.dumps(ask(flights.root, "run", *YEAR)))

    kept = once(tmp_path_factory, "flights-year", make)
    return dict(json.loads((kept.root / "run.json").read_text()))
