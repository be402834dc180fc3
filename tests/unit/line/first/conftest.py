"""What is found out about rows, and the project that is made of them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fairway.line.first import found, view
from fairway.line.first.found import Found
from fairway.project import Project
from tests.unit.line.first.shop import Rows, as_csv, make


@pytest.fixture
def looked(tmp_path: Path) -> Callable[..., Found]:
    """Find out about rows what a project file would say; nothing is written."""

    def look(rows: Rows, target: str = "returned", **form: Any) -> Found:
        return found.find(view.look(as_csv(tmp_path, rows, **form)), target)

    return look


@pytest.fixture
def made(tmp_path: Path) -> Callable[..., Project]:
    """Make a project of rows and read it."""

    def made_of(rows: Rows, target: str = "returned", **form: Any) -> Project:
        return make(tmp_path, rows, target, **form)

    return made_of
