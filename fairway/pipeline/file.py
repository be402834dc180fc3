"""What a project's files hold now, each looked at as seldom as the truth allows.

Room: ``fairway.pipeline``, below ``trace`` and ``cache``. It reads files and folders of the
project and keeps nothing beyond one run.
"""

import os
import re
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

from fairway.digest import Digest, of_bytes, of_file

IGNORED = frozenset(
    {
        ".git", ".hg", ".svn", ".venv", "__pycache__", ".pytest_cache", ".mypy_cache",
        ".ruff_cache", ".hypothesis", ".ipynb_checkpoints", ".Rproj.user", "node_modules",
    }
)  # fmt: skip
"""Folders whose content is no part of a project: history, environments, caches."""

SOURCE_BYTES = 1 << 20  # a larger file is data, not something that a person wrote

_BYTECODE = re.compile(r"(.*/|)__pycache__/([^/]+?)\.[^/]*pyc")
_FOLDER = of_bytes(b"a folder")
_UNREADABLE = of_bytes(b"may not be read")

Signature = tuple[int, int, int, int, int]


class Files:
    """The files of one project, named relative to its root, ``/`` between the parts.

    A name that ends in ``/`` is a folder's listing: which names it holds, not what they hold.

    The law: ``state`` never answers with what was so before the latest change, however fast it
    came. A remembered digest counts only while the file's size, times and number are the same,
    and while no command has begun or ended since, or its change is too old to hide another in the
    same tick.

    Attributes:
        root: The project's folder, without symbolic links.
        skips: Folders inside it that do not count, absolute.
    """

    def __init__(self, root: Path, *, home: Path) -> None:
        self.root = os.path.realpath(root)
        self.skips = [
            place
            for place in dict.fromkeys(os.path.realpath(p) for p in (home, sys.prefix))
            if place.startswith(self.root + "/")
        ]
        self._memo: dict[str, tuple[Signature, int, Digest]] = {}
        self._absent: dict[str, int] = {}
        self._epoch = 0
        self._settled_ns = 0

    def command_runs(self, start_ns: int) -> None:
        """Say that a command runs from now on: what it may change is looked at again.

        Args:
            start_ns: The file system's clock at its start, in nanoseconds.
        """
        self._epoch += 1
        self._settled_ns = max(self._settled_ns, start_ns)

    def command_ended(self) -> None:
        """Say that a command has ended: what it may have changed is looked at again."""
        self._epoch += 1

    def name(self, path: str) -> str | None:
        """The name of a path that a process used; None where it does not count.

        Bytecode stands for its source.
        """
        if path != self.root and not path.startswith(self.root + "/"):
            return None
        if any(path == skip or path.startswith(skip + "/") for skip in self.skips):
            return None
        name = path[len(self.root) + 1 :]
        if found := _BYTECODE.fullmatch(name):
            name = f"{found[1]}{found[2]}.py"
        if name.endswith("-shm"):  # SQLite's shared memory, rebuilt by whoever opens a database
            return None
        return None if IGNORED.intersection(name.split("/")) else name

    def state(self, name: str) -> Digest | None:
        """What a file, or a folder's listing, holds now; None where there is nothing."""
        if self._absent.get(name) == self._epoch:
            return None
        path = f"{self.root}/{name}"
        try:
            found = os.stat(path)  # noqa: PTH116  this runs hundreds of times in a run of nothing
        except (FileNotFoundError, NotADirectoryError):
            self._absent[name] = self._epoch
            return None
        except OSError:
            return _UNREADABLE
        signature = (
            found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino, found.st_dev,
        )  # fmt: skip
        known = self._memo.get(name)
        if (
            known is not None
            and known[0] == signature
            and (known[1] == self._epoch or found.st_ctime_ns < self._settled_ns)
        ):
            return known[2]
        digest = self._look(name, path, found.st_mode)
        self._memo[name] = (signature, self._epoch, digest)
        return digest

    def has_changed(self, name: str, since_ns: int) -> bool:
        """Whether what stands under a name was written, made or replaced at or after an instant.

        Args:
            name: A file, or a folder's listing.
            since_ns: By the file system's clock, in nanoseconds. A change of times alone counts,
                because no process can set the time of change that is asked for here.
        """
        path = f"{self.root}/{name}"
        try:
            found = os.lstat(path.rstrip("/"))
            if stat.S_ISDIR(found.st_mode) and not name.endswith("/"):
                return False  # opened, not listed
            if found.st_ctime_ns >= since_ns:
                return True
            if stat.S_ISLNK(found.st_mode):
                return os.stat(path).st_ctime_ns >= since_ns  # noqa: PTH116
        except OSError:
            return False
        return False

    def sources(self) -> Iterator[str]:
        """Every file that somebody may have written by hand: all but data, caches and the home."""
        waiting = [self.root]
        while waiting:
            with os.scandir(waiting.pop()) as listing:
                for item in listing:
                    name = self.name(item.path)
                    if name is None:
                        continue
                    if item.is_dir(follow_symlinks=False):
                        waiting.append(item.path)
                    elif item.is_file() and item.stat().st_size <= SOURCE_BYTES:
                        yield name

    def _look(self, name: str, path: str, mode: int) -> Digest:
        try:
            if name.endswith("/") or not name:
                return self._listing(path)
            if stat.S_ISDIR(mode):
                return _FOLDER
            if not stat.S_ISREG(mode):
                return of_bytes(b"a device of mode %d" % mode)
            return of_file(Path(path))
        except OSError:
            return _UNREADABLE

    def _listing(self, path: str) -> Digest:
        folder = path.rstrip("/")
        names = [
            name
            for name in os.listdir(folder)  # noqa: PTH208  names alone, fast
            if not name.startswith(".") and self.name(f"{folder}/{name}") is not None
        ]
        return of_bytes("\n".join(sorted(names)).encode(errors="surrogateescape"))
