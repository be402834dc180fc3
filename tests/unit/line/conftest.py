"""What the tests of the line share: a home, a small project, and who writes into its journal."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fairway.project import Project, read
from fairway.store.home import Home, open_home
from tests.line.place import write_project
from tests.unit.line.scribe import Scribe


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with open_home(tmp_path / "home") as home:
        yield home


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """The tiny shop of ``tests.line``."""
    return read(write_project(tmp_path / "shop", n=20).root)


@pytest.fixture
def scribe(home: Home, project: Project) -> Scribe:
    return Scribe(home, project.name)
