"""What the logbook's tests share: an empty home."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fairway.store.home import Home, open_home


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """A fresh, empty home."""
    with open_home(tmp_path / "home") as home:
        yield home
