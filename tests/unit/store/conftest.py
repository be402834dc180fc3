"""What the store's tests share: one empty home."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from fairway.store.home import Home, open_home


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home that was made once; its files are copied for each test."""
    root = tmp_path_factory.mktemp("empty") / "home"
    open_home(root).close()
    return root


@pytest.fixture
def home(empty: Path, tmp_path: Path) -> Iterator[Home]:
    """A fresh, empty home."""
    shutil.copytree(empty, tmp_path / "home")
    with open_home(tmp_path / "home") as home:
        yield home
