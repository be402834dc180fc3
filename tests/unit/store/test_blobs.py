"""What the blob store promises: whole or absent, equal names for equal bytes, verified reads."""

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fairway import digest as naming
from fairway.digest import Digest
from fairway.errors import IntegrityError, NotFoundError, RequestError
from fairway.store.blobs import Blobs
from fairway.store.crash import CrashPoints
from fairway.store.tree import TreeEntry, read_tree, write_tree

ABSENT = naming.of_bytes(b"nobody wrote this")


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    return Blobs(tmp_path / "blobs", scratch=lambda: scratch, crash=CrashPoints())


def file_of(blobs: Blobs, digest: Digest) -> Path:
    digits = digest.removeprefix("sha256:")
    return blobs.folder / "sha256" / digits[:2] / digits[2:]


def damage(blobs: Blobs, digest: Digest, data: bytes) -> None:
    place = file_of(blobs, digest)
    place.chmod(0o644)
    place.write_bytes(data)


def folder_of(path: Path, files: dict[str, bytes]) -> Path:
    path.mkdir()
    for name, data in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(data)
    return path


@given(data=st.binary(max_size=5000))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_bytes_come_back_as_they_went_in_under_their_own_name(blobs: Blobs, data: bytes) -> None:
    digest = blobs.put_bytes(data)

    assert digest == naming.of_bytes(data)
    assert blobs.read(digest) == data
    assert blobs.n_bytes(digest) == len(data)


def test_a_blob_lies_under_its_digits_read_only_and_leaves_no_temporary_file(
    blobs: Blobs, tmp_path: Path
) -> None:
    digest = blobs.put_bytes(b"rows")

    assert stat.S_IMODE(file_of(blobs, digest).stat().st_mode) == 0o444
    assert blobs.path(digest) == file_of(blobs, digest)
    assert list((tmp_path / "scratch").iterdir()) == []


def test_each_read_refuses_a_changed_blob_and_names_both_digests(
    blobs: Blobs, tmp_path: Path
) -> None:
    digest = blobs.put_bytes(b"rows of value")
    damage(blobs, digest, b"rows of other")
    reads = (
        lambda: blobs.read(digest),
        lambda: blobs.path(digest),
        lambda: blobs.check_out(digest, tmp_path / "copy"),
        lambda: blobs.check_out(digest, tmp_path / "link", link=True),
        lambda: blobs.read_json(digest),
        lambda: blobs.entries(digest),
    )

    for read in reads:
        with pytest.raises(IntegrityError) as refused:
            read()
        assert digest in refused.value.problem
        assert naming.of_bytes(b"rows of other") in refused.value.problem
    assert not (tmp_path / "copy").exists()
    assert not (tmp_path / "link").exists()


def test_writing_the_right_bytes_again_heals_a_damaged_blob(blobs: Blobs, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"right")
    digest = blobs.put_bytes(b"right")
    damage(blobs, digest, b"wrong")
    blobs.put_bytes(b"right")
    assert blobs.read(digest) == b"right"

    damage(blobs, digest, b"")
    blobs.put_file(source)
    assert blobs.read(digest) == b"right"


def test_a_blob_that_nobody_wrote_is_not_found(blobs: Blobs, tmp_path: Path) -> None:
    for read in (blobs.read, blobs.path, blobs.n_bytes, blobs.entries, blobs.remove):
        with pytest.raises(NotFoundError, match=ABSENT):
            read(ABSENT)
    with pytest.raises(NotFoundError):
        blobs.check_out(ABSENT, tmp_path / "target")
    assert not blobs.has(ABSENT)


def test_a_name_that_is_no_digest_reaches_no_file(blobs: Blobs) -> None:
    for name in ("sha256:../../../etc/passwd", "../x", "sha256:" + "A" * 64, ""):
        with pytest.raises(RequestError, match="is no digest"):
            blobs.read(Digest(name))


def test_a_moved_file_is_gone_and_a_copied_one_stays(blobs: Blobs, tmp_path: Path) -> None:
    kept, moved = tmp_path / "kept", tmp_path / "moved"
    kept.write_bytes(b"kept")
    moved.write_bytes(b"moved")

    assert blobs.read(blobs.put_file(kept)) == b"kept"
    assert blobs.read(blobs.put_file(moved, move=True)) == b"moved"
    assert kept.exists()
    assert not moved.exists()


def test_a_moved_file_with_another_name_elsewhere_does_not_lend_it_to_the_store(
    blobs: Blobs, tmp_path: Path
) -> None:
    outside, moved = tmp_path / "outside", tmp_path / "moved"
    outside.write_bytes(b"model")
    moved.hardlink_to(outside)

    digest = blobs.put_file(moved, move=True)
    outside.write_bytes(b"other")

    assert blobs.read(digest) == b"model"


def test_only_regular_files_are_stored(blobs: Blobs, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(RequestError, match="no regular file"):
        blobs.put_file(tmp_path / "pipe")
    with pytest.raises(RequestError, match="no regular file"):
        blobs.put_file(tmp_path)
    with pytest.raises(NotFoundError, match="absent"):
        blobs.put_file(tmp_path / "absent")


def test_json_is_kept_in_its_canonical_bytes_and_nan_is_refused(blobs: Blobs) -> None:
    value = {"b": [1, 2.5, None], "a": "ü"}

    digest = blobs.put_json(value)

    assert digest == naming.of_json(value)
    assert blobs.read_json(digest) == value
    with pytest.raises(RequestError, match="no JSON"):
        blobs.put_json({"x": float("nan")})
    with pytest.raises(IntegrityError, match="no JSON"):
        blobs.read_json(blobs.put_bytes(b"{"))


@pytest.mark.parametrize("move", [False, True])
def test_a_tree_comes_back_with_its_names_content_and_executable_files(
    blobs: Blobs, tmp_path: Path, *, move: bool
) -> None:
    folder = folder_of(tmp_path / "in", {"a.txt": b"a", "deep/er/b.bin": b"\0", "deep/run": b"#!"})
    (folder / "deep/run").chmod(0o755)

    tree = blobs.put_tree(folder, move=move)
    blobs.check_out(tree, tmp_path / "out")

    assert list(blobs.entries(tree)) == ["a.txt", "deep/er/b.bin", "deep/run"]
    assert blobs.entries(tree)["deep/run"] == TreeEntry(
        digest=naming.of_bytes(b"#!"), n_bytes=2, executable=True
    )
    assert (tmp_path / "out/deep/er/b.bin").read_bytes() == b"\0"
    assert os.access(tmp_path / "out/deep/run", os.X_OK)
    assert not (tmp_path / "out/a.txt").stat().st_mode & 0o111
    assert blobs.put_tree(tmp_path / "out") == tree


def test_a_tree_is_a_json_blob_of_the_promised_shape(blobs: Blobs, tmp_path: Path) -> None:
    tree = blobs.put_tree(folder_of(tmp_path / "in", {"a/b.txt": b"hi"}))

    assert blobs.read_json(tree) == {
        "tree": {"a/b.txt": {"digest": naming.of_bytes(b"hi"), "bytes": 2, "executable": False}}
    }


def test_an_empty_folder_is_a_tree_without_entries(blobs: Blobs, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()

    tree = blobs.put_tree(tmp_path / "in")
    blobs.check_out(tree, tmp_path / "out")

    assert blobs.entries(tree) == {}
    assert (tmp_path / "out").is_dir()


def test_links_and_pipes_in_a_folder_are_refused_by_name(blobs: Blobs, tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "in", {"real": b"x"})
    (folder / "link").symlink_to("real")
    with pytest.raises(RequestError, match="link is a link"):
        blobs.put_tree(folder)
    (folder / "link").unlink()
    os.mkfifo(folder / "pipe")
    with pytest.raises(RequestError, match="pipe is a link or a device"):
        blobs.put_tree(folder)
    (tmp_path / "to").symlink_to(folder)
    with pytest.raises(RequestError, match="no folder"):
        blobs.put_tree(tmp_path / "to")


@pytest.mark.parametrize(
    "name", ["../x", "/etc/x", "a/../../x", "a//b", "./a", "", ".", "a/", "a\0b"]
)
def test_a_tree_from_elsewhere_cannot_lead_outside_its_folder(
    blobs: Blobs, tmp_path: Path, name: str
) -> None:
    file = blobs.put_bytes(b"evil")
    tree = blobs.put_json({"tree": {name: {"bytes": 4, "digest": file, "executable": False}}})

    for read in (lambda: blobs.entries(tree), lambda: blobs.check_out(tree, tmp_path / "in/out")):
        with pytest.raises(IntegrityError, match="outside"):
            read()
    assert not (tmp_path / "in/x").exists()


def test_a_name_cannot_be_both_a_file_and_a_folder() -> None:
    entry = TreeEntry(digest=ABSENT, n_bytes=0)

    with pytest.raises(RequestError, match="both a file and a folder"):
        write_tree({"a": entry, "a/b": entry})


def test_a_file_that_only_looks_like_a_tree_is_checked_out_as_a_file(
    blobs: Blobs, tmp_path: Path
) -> None:
    for n, text in enumerate([b'{"tree":{"oak":1}}', b'{"tree":{', b'{"tree":{}} ']):
        blobs.check_out(blobs.put_bytes(text), tmp_path / str(n))
        assert (tmp_path / str(n)).read_bytes() == text


def test_a_damaged_file_of_a_tree_is_refused_when_it_is_checked_out(
    blobs: Blobs, tmp_path: Path
) -> None:
    tree = blobs.put_tree(folder_of(tmp_path / "in", {"a": b"a", "b": b"b"}))
    damage(blobs, naming.of_bytes(b"b"), b"B")

    with pytest.raises(IntegrityError, match=naming.of_bytes(b"b")):
        blobs.check_out(tree, tmp_path / "out")


def test_a_copy_may_be_changed_without_harm_and_a_link_is_read_only(
    blobs: Blobs, tmp_path: Path
) -> None:
    digest = blobs.put_bytes(b"rows")
    blobs.check_out(digest, tmp_path / "copy")
    (tmp_path / "copy").write_bytes(b"changed")
    assert blobs.read(digest) == b"rows"

    blobs.check_out(digest, tmp_path / "link", link=True)
    assert (tmp_path / "link").stat().st_ino == file_of(blobs, digest).stat().st_ino
    assert stat.S_IMODE((tmp_path / "link").stat().st_mode) == 0o444


def test_nothing_is_checked_out_over_what_is_there(blobs: Blobs, tmp_path: Path) -> None:
    digest = blobs.put_bytes(b"rows")
    (tmp_path / "there").write_bytes(b"mine")

    with pytest.raises(RequestError, match="is there already"):
        blobs.check_out(digest, tmp_path / "there")
    assert (tmp_path / "there").read_bytes() == b"mine"


def test_writers_of_equal_content_may_race(blobs: Blobs) -> None:
    contents = [bytes([n % 5]) * 1000 for n in range(100)]

    with ThreadPoolExecutor(8) as pool:
        digests = list(pool.map(blobs.put_bytes, contents))

    assert [blobs.read(digest) for digest in digests] == contents
    assert len(list(blobs.digests())) == 5


def test_blobs_are_listed_in_order_and_a_removed_one_is_gone(blobs: Blobs) -> None:
    digests = sorted(blobs.put_bytes(bytes([n])) for n in range(20))
    (blobs.folder / "sha256/00").mkdir(exist_ok=True)
    (blobs.folder / "sha256/00/stray").write_bytes(b"not ours")

    assert list(blobs.digests()) == digests
    assert blobs.remove(digests[0]) == 1
    assert list(blobs.digests()) == digests[1:]


names = st.lists(
    st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=4).filter(
        lambda part: part not in {".", ".."}
    ),
    min_size=1,
    max_size=3,
).map("/".join)


@given(names=st.sets(names, max_size=6))
def test_a_tree_is_spelled_in_exactly_one_way(names: set[str]) -> None:
    folders = {name[:n] for name in names for n, sign in enumerate(name) if sign == "/"}
    entries = {
        name: TreeEntry(digest=ABSENT, n_bytes=len(name), executable=len(name) % 2 == 0)
        for name in names - folders
    }
    data = write_tree(dict(reversed(entries.items())))

    assert read_tree(naming.of_bytes(data), data) == entries
    assert write_tree(dict(sorted(entries.items()))) == data
