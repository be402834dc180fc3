"""Which commit of the project's code is at work, and whether the tree was clean.

Room: ``fairway.line``. It asks git and changes nothing.
"""

import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Commit:
    """The code's version.

    Attributes:
        id: The full commit; None outside a repository, before its first commit, or without git.
        is_clean: Whether no file below the project's folder differed from it.
    """

    id: str | None
    is_clean: bool


def read(root: Path) -> Commit:
    """Ask git about the folder ``root``."""
    found = _git(root, "rev-parse", "--verify", "--quiet", "HEAD")
    if found is None:
        return Commit(id=None, is_clean=False)
    changed = _git(root, "status", "--porcelain", "--", ".")
    return Commit(id=found.strip(), is_clean=changed is not None and not changed.strip())


def _git(root: Path, *words: str) -> str | None:
    try:
        done = subprocess.run(["git", *words], cwd=root, capture_output=True, check=True, text=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout
