"""Tiny projects, built once and copied for each test."""

from pathlib import Path

import pytest

from tests.line.place import Place, keep_release, keep_run, write_project


@pytest.fixture(scope="session")
def kept_run(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return keep_run(tmp_path_factory)


@pytest.fixture(scope="session")
def kept_release(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return keep_release(tmp_path_factory)


@pytest.fixture
def shop(tmp_path: Path) -> Place:
    """A project that was never run, in a folder whose name a shell would take apart."""
    return write_project(tmp_path / "Ann's new shöp")


@pytest.fixture
def ran(kept_run: Place, tmp_path: Path) -> Place:
    """A project after its first run."""
    return kept_run.copy(tmp_path / "shop")


@pytest.fixture
def released(kept_release: Place, tmp_path: Path) -> Place:
    """A project after its first release."""
    return kept_release.copy(tmp_path / "shop")
