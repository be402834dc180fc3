"""What a project's files hold now."""

import os
from pathlib import Path

import pytest

from fairway.digest import of_file
from fairway.pipeline import file
from fairway.pipeline.file import Files


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path, home=tmp_path / ".fairway")


def test_a_file_is_its_content_and_nothing_is_none(files: Files, tmp_path: Path) -> None:
    (tmp_path / "x").write_text("1")
    assert files.state("x") == of_file(tmp_path / "x")
    assert files.state("y") is None
    assert files.state("x/y") is None


def test_a_change_of_the_same_size_in_the_same_tick_is_seen(files: Files, tmp_path: Path) -> None:
    path = tmp_path / "x"
    for n in range(50):
        path.write_text(f"{n:02}")
        files.command_runs(path.stat().st_ctime_ns)
        assert files.state("x") == of_file(path)
        path.write_text(f"{n + 1:02}")
        files.command_runs(path.stat().st_ctime_ns)
        assert files.state("x") == of_file(path)


def test_what_is_changed_in_the_tick_in_which_a_command_starts_is_read_again(
    files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on file systems whose clock is coarse: two changes bear the same time."""
    path = tmp_path / "x"
    path.write_text("1")
    frozen = path.stat()
    monkeypatch.setattr(file.os, "stat", lambda _: frozen)
    before = files.state("x")
    path.write_text("2")
    files.command_runs(frozen.st_ctime_ns)
    assert files.state("x") != before
    files.command_runs(frozen.st_ctime_ns + 1)
    after = files.state("x")
    path.write_text("3")  # a change that the clock would have shown
    assert files.state("x") == after


def test_a_file_is_read_once_while_nothing_runs(
    files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "x").write_text("1")
    read = []
    monkeypatch.setattr(file, "of_file", lambda path: read.append(path) or of_file(path))
    assert files.state("x") == files.state("x")
    assert len(read) == 1


def test_what_a_command_made_or_changed_is_seen_when_it_has_ended(
    files: Files, tmp_path: Path
) -> None:
    files.command_runs(0)
    assert files.state("x") is None
    (tmp_path / "x").write_text("1")
    files.command_ended()
    assert files.state("x") == of_file(tmp_path / "x")


def test_a_listing_changes_with_the_names_that_count_and_with_nothing_else(
    files: Files, tmp_path: Path
) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "x").write_text("1")
    before = files.state("d/")
    (tmp_path / "d" / "x").write_text("2")
    for name in (".hidden", "__pycache__", "node_modules"):
        (tmp_path / "d" / name).mkdir()
    assert files.state("d/") == before
    (tmp_path / "d" / "y").write_text("")
    assert files.state("d/") != before


def test_times_that_a_process_sets_do_not_hide_a_change(files: Files, tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text("1")
    start = path.stat().st_ctime_ns + 1
    assert not files.has_changed("x", start)
    while path.stat().st_ctime_ns < start:
        path.write_text("2")
    os.utime(path, (1, 1))
    assert files.has_changed("x", start)


def test_sources_are_what_people_write(files: Files, tmp_path: Path) -> None:
    for name in ("a.py", "d/b.sql", ".fairway/x", ".git/y", ".venv/z", "d/__pycache__/w.pyc"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    assert sorted(files.sources()) == ["a.py", "d/b.sql"]
