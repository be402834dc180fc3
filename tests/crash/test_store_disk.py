"""What a home promises on a full or read-only disk: clear words, and nothing half.

Disks are mounted, which needs root: where that is not permitted these tests fail and say so.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fairway.errors import StoreError
from fairway.store import journal
from fairway.store.home import Home, open_home

CLOCK = datetime(2013, 9, 1, tzinfo=UTC)


@contextmanager
def mounted(*arguments: str) -> Iterator[Path]:
    """Mount for the block; the last argument is where."""
    done = subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.fail(
            f"This test mounts a disk, which is not permitted here: {done.stderr.strip()} "
            "Run it as root, in a container with CAP_SYS_ADMIN."
        )
    try:
        yield Path(arguments[-1])
    finally:
        subprocess.run(["umount", "-l", arguments[-1]], check=True)


@contextmanager
def small_disk(place: Path, size: str) -> Iterator[Path]:
    place.mkdir()
    with mounted("-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)):
        yield place


@contextmanager
def read_only(folder: Path) -> Iterator[Path]:
    with mounted("-o", "bind", str(folder), str(folder)):
        subprocess.run(["mount", "-o", "remount,bind,ro", str(folder)], check=True)
        yield folder


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("empty") / "home"
    open_home(root).close()
    return root


def append(home: Home, kind: str = "checked") -> None:
    with home.db.transaction() as tx:
        journal.append(
            tx,
            project="p",
            actor="ann",
            effective_at=CLOCK,
            kind=kind,
            subjects=[],
            body={"text": "x" * 2000},
        )


def append_many(home: Home) -> None:
    for _ in range(1000):
        append(home)


def fill(ballast: Path) -> None:
    """Write a file until the disk has no room left."""
    with suppress(OSError), ballast.open("wb", buffering=0) as file:
        while file.write(bytes(4096)):
            pass


def test_a_full_disk_is_said_and_nothing_half_is_kept(empty: Path, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "2m") as disk:
        shutil.copytree(empty, disk / "home")
        with open_home(disk / "home") as home:
            kept = home.blobs.put_bytes(b"kept")
            append(home)
            ballast = disk / "ballast"
            fill(ballast)

            with pytest.raises(StoreError, match="the disk is full") as refused:
                home.blobs.put_bytes(os.urandom(100_000))
            assert "Free some space" in refused.value.hint
            source = tmp_path / "source"
            source.write_bytes(bytes(100_000))
            with pytest.raises(StoreError, match="the disk is full"):
                home.blobs.put_file(source)
            with pytest.raises(StoreError, match="the disk is full"):
                home.secret("salt", lambda: bytes(100_000))
            assert not [path for path in (home.root / "tmp").rglob("*") if path.is_file()]
            with pytest.raises(StoreError, match="the disk is full"):
                append_many(home)
            assert home.blobs.read(kept) == b"kept"
            assert list(home.blobs.digests()) == [kept]
            assert journal.verify(home.db) == []

            os.truncate(ballast, ballast.stat().st_size // 2)
            append(home, "after")
            assert home.blobs.has(home.blobs.put_bytes(b"after"))
            assert journal.verify(home.db) == []
            assert journal.entries(home.db, project="p")[-1].kind == "after"


def test_a_home_that_finds_no_room_at_all_says_so(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "16k") as disk:
        with pytest.raises(StoreError, match="the disk is full"):
            open_home(disk / "home")
        assert not (disk / "home/home.json").exists()


def test_a_read_only_home_answers_reads_and_names_itself_at_the_first_write(
    empty: Path, tmp_path: Path
) -> None:
    shutil.copytree(empty, tmp_path / "home")
    with open_home(tmp_path / "home") as home:
        digest = home.blobs.put_bytes(b"rows")
        secret = home.secret("salt", lambda: b"salt")
        append(home)
    with read_only(tmp_path / "home") as root, open_home(root) as home:
        assert home.blobs.read(digest) == b"rows"
        assert home.secret("salt", lambda: b"other") == secret
        assert len(journal.entries(home.db, project="p")) == 1
        assert journal.verify(home.db) == []
        home.blobs.check_out(digest, tmp_path / "copy")
        writes = (
            lambda: append(home),
            lambda: home.blobs.put_bytes(b"more"),
            lambda: home.blobs.remove(digest),
            lambda: home.secret("new", lambda: b"new"),
            lambda: home.scratch("x").__enter__(),
            lambda: home.lock("x").__enter__(),
        )
        for write in writes:
            with pytest.raises(StoreError, match="read-only") as refused:
                write()
            assert str(root) in refused.value.problem
    with open_home(tmp_path / "home") as home:
        append(home)


def test_a_read_only_home_whose_writer_lives_or_was_killed_can_be_read(
    empty: Path, tmp_path: Path
) -> None:
    shutil.copytree(empty, tmp_path / "home")
    writer = open_home(tmp_path / "home")
    append(writer)
    (tmp_path / "view").mkdir()
    with mounted("-o", "bind", str(tmp_path / "home"), str(tmp_path / "view")) as view:
        subprocess.run(["mount", "-o", "remount,bind,ro", str(view)], check=True)
        with open_home(view) as home:
            assert len(journal.entries(home.db, project="p")) == 1
            append(writer)
            assert len(journal.entries(home.db, project="p")) == 2
    writer.close()


def test_no_home_can_be_made_on_a_read_only_disk(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    with read_only(tmp_path / "disk") as disk:
        with pytest.raises(StoreError, match="the file system is read-only") as refused:
            open_home(disk / "home")
        assert "--home" in refused.value.hint
        with pytest.raises(StoreError, match="holds no home"):
            open_home(disk)
