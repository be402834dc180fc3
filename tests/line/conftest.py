"""Tiny projects, built once and copied for each test."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.line.place import Place, write_project


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Keep the other workers out."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Place:
    """A project that the first worker that needs it makes, for all of them."""
    shared = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    root, whole = shared / name, shared / f"{name}.whole"
    with alone(shared / f"{name}.lock"):
        if not whole.exists():
            make(root)
            whole.touch()
    return Place(root)


def run(root: Path) -> None:
    write_project(root).ask("run", "--as", "ann")


@pytest.fixture(scope="session")
def kept_run(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return once(tmp_path_factory, "kept-run", run)


@pytest.fixture(scope="session")
def kept_release(tmp_path_factory: pytest.TempPathFactory, kept_run: Place) -> Place:
    def release(root: Path) -> None:
        kept_run.copy(root).ask("release", "--as", "ann")

    return once(tmp_path_factory, "kept-release", release)


@pytest.fixture
def shop(tmp_path: Path) -> Place:
    """A project that was never run."""
    return write_project(tmp_path / "shop")


@pytest.fixture
def ran(kept_run: Place, tmp_path: Path) -> Place:
    """A project after its first run."""
    return kept_run.copy(tmp_path / "shop")


@pytest.fixture
def released(kept_release: Place, tmp_path: Path) -> Place:
    """A project after its first release."""
    return kept_release.copy(tmp_path / "shop")
