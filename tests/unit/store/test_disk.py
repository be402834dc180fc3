"""What file writing promises: old or new, never half, and a refusal that says what to do."""

import errno
import os
from pathlib import Path

import pytest

from fairway.errors import StoreError
from fairway.store import disk


def test_a_replaced_file_is_the_old_one_or_the_new_one(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    path.write_bytes(b"old")
    path.chmod(0o640)
    with path.open("rb") as reader:
        disk.replace_file(path, b"new")

        assert reader.read() == b"old"
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o640
    assert list(tmp_path.iterdir()) == [path]


def test_a_failed_replacement_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "folder"
    (path / "inner").mkdir(parents=True)

    with pytest.raises(OSError, match="directory"):
        disk.replace_file(path, b"new")

    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("number", "fact"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EROFS, "the file system is read-only"),
        (errno.EACCES, "permission is denied"),
        (errno.ENOTDIR, "a part of the path is no folder"),
        (errno.ELOOP, "too many levels of symbolic links"),
    ],
)
def test_a_refusal_names_the_path_the_fact_and_what_to_do(number: int, fact: str) -> None:
    with pytest.raises(StoreError, match=fact) as refused, disk.refusals(Path("/some/where")):
        raise OSError(number, os.strerror(number))

    assert refused.value.problem == f"/some/where cannot be used: {fact}."
    assert refused.value.hint


def test_a_sealed_folder_is_read_only_and_can_still_be_removed(tmp_path: Path) -> None:
    folder = tmp_path / "release"
    (folder / "inner/most").mkdir(parents=True)
    (folder / "inner/most/file").write_bytes(b"x")
    (folder / "run").write_bytes(b"#!")
    (folder / "run").chmod(0o755)

    disk.seal_folder(folder)

    assert (folder / "inner/most/file").stat().st_mode & 0o777 == 0o444
    assert (folder / "inner/most").stat().st_mode & 0o777 == 0o555
    assert (folder / "run").stat().st_mode & 0o777 == 0o555
    disk.remove_folder(folder)
    assert not folder.exists()
    disk.remove_folder(folder)
