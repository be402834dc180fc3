import subprocess
from pathlib import Path

import pytest

from fairway.line.commit import Commit, read

NAMED = ("-c", "user.name=Ann", "-c", "user.email=ann@example.org")


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(
        ["git", *NAMED, *words], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A repository with one commit, and a project in one of its folders."""
    project = tmp_path / "clone/project"
    project.mkdir(parents=True)
    (project / "fairway.toml").write_text("format = 1\n")
    git(tmp_path / "clone", "init", "--quiet")
    git(tmp_path / "clone", "add", ".")
    git(tmp_path / "clone", "commit", "--quiet", "-m", "first")
    return tmp_path / "clone"


def test_a_clean_tree_is_named_by_its_whole_commit(clone: Path) -> None:
    found = read(clone / "project")

    assert found == Commit(id=git(clone, "rev-parse", "HEAD"), is_clean=True)
    assert len(found.id or "") == 40


@pytest.mark.parametrize("name", ["fairway.toml", "new.py"])
def test_a_changed_or_a_new_file_of_the_project_makes_it_unclean(clone: Path, name: str) -> None:
    (clone / "project" / name).write_text("# changed\n")

    assert read(clone / "project").is_clean is False


def test_a_change_elsewhere_in_the_repository_does_not(clone: Path) -> None:
    (clone / "notes.txt").write_text("not of the project")

    assert read(clone / "project").is_clean is True


def test_a_repository_without_a_commit_has_none(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")

    assert read(tmp_path) == Commit(id=None, is_clean=False)


def test_outside_a_repository_there_is_no_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))

    assert read(tmp_path) == Commit(id=None, is_clean=False)


def test_without_git_there_is_no_commit(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(clone))

    assert read(clone / "project") == Commit(id=None, is_clean=False)
