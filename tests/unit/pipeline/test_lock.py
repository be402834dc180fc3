"""Who may run a step."""

import threading
from pathlib import Path

import pytest

from fairway.digest import of_bytes
from fairway.errors import StoreError
from fairway.pipeline.lock import Locks

ONE, TWO = of_bytes(b"1"), of_bytes(b"2")


@pytest.fixture(params=[True, False], ids=["ranges", "files"])
def is_ranged(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if not request.param:
        monkeypatch.delattr("fcntl.F_OFD_SETLK")  # as on macOS


@pytest.mark.usefixtures("is_ranged")
def test_a_step_has_one_runner_among_threads_and_within_one(tmp_path: Path) -> None:
    with Locks(tmp_path) as mine, Locks(tmp_path) as theirs:
        assert mine.take(ONE)
        assert not mine.take(ONE)
        taken: list[bool] = []
        thread = threading.Thread(target=lambda: taken.append(theirs.take(ONE)))
        thread.start()
        thread.join()
        assert taken == [False]
        assert theirs.take(TWO)
        mine.release(ONE)
        assert theirs.take(ONE)


@pytest.mark.usefixtures("is_ranged")
def test_the_end_of_a_run_frees_its_steps(tmp_path: Path) -> None:
    with Locks(tmp_path) as mine:
        assert mine.take(ONE)
    with Locks(tmp_path) as theirs:
        assert theirs.take(ONE)


@pytest.mark.usefixtures("is_ranged")
def test_a_home_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "locks").write_text("a file in its place")
    with Locks(tmp_path) as locks, pytest.raises(StoreError, match=f"{tmp_path}/locks cannot"):
        locks.take(ONE)
