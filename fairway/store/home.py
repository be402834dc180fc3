"""A home: one folder with the blobs, the database, the keys and the published folders.

Room: ``fairway.store``, the door through which other rooms enter it. It knows no project and no
noun of the rooms above.

The folder holds ``blobs/``, ``fairway.db``, ``keys/``, ``locks/``, ``tmp/``, one folder per shelf
of published trees, and ``home.json``, written last, which says that the home was made whole.
"""

import fcntl
import os
import re
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from fairway import digest as naming
from fairway.digest import Digest
from fairway.errors import RequestError, StoreError
from fairway.store.blobs import Blobs
from fairway.store.crash import CrashPoints
from fairway.store.database import Database
from fairway.store.disk import (
    refusals,
    remove_folder,
    replace_file,
    seal_folder,
    sync_folder,
    write_new,
)

FORMAT = 1
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_OWN = frozenset({"blobs", "keys", "locks", "tmp"})


class Home:
    """An open home; close it, or use it as a context manager.

    Threads may share one. It must not be used in a forked child.

    Attributes:
        root: The folder.
        blobs: Bytes by content.
        db: The database.
        crash: Where the crash tests make this process die.
        is_read_only: Whether every write is refused.
    """

    def __init__(self, root: Path, *, crash: CrashPoints, is_read_only: bool) -> None:
        self.root = root
        self.crash = crash
        self.is_read_only = is_read_only
        self.blobs = Blobs(root / "blobs", scratch=self._own_folder, crash=crash)
        self.db = Database(root / "fairway.db", crash=crash, is_read_only=is_read_only)
        self._own: tuple[Path, int] | None = None  # our folder under tmp, and the lock upon it
        self._owner = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the database and remove this process's scratch folders."""
        self.db.close()
        with self._owner:
            if self._own is not None:
                folder, handle = self._own
                self._own = None
                with suppress(OSError):
                    remove_folder(folder)
                os.close(handle)

    @contextmanager
    def scratch(self, label: str) -> Iterator[Path]:
        """A fresh folder for the block; it is removed at its end.

        What a killed process left behind is removed when a home is next opened: its kernel lock
        is gone, whatever process has its number now.

        Args:
            label: Letters and digits that tell people whose folder it is.

        Raises:
            StoreError: If the home cannot be written.
        """
        with refusals(self.root):
            folder = Path(tempfile.mkdtemp(prefix=f"{_plain(label)}-", dir=self._own_folder()))
        try:
            yield folder
        finally:
            with suppress(OSError):  # a process of the step may still write; close() tries again
                remove_folder(folder)

    def publish(self, tree: Digest, *, shelf: str, name: Digest | None = None) -> Path:
        """Lay a tree out as a read-only folder that appears whole, by one rename.

        The law: publishing again, also by another process at the same time, changes nothing.

        Args:
            tree: The tree.
            shelf: The folder of the home that it goes into.
            name: What to call the folder where not by the tree's own digest.

        Returns:
            ``root/<shelf>/<64 hexadecimal digits>``.

        Raises:
            IntegrityError: If a blob of the tree is damaged.
            NotFoundError: If a blob is not there.
            StoreError: If the home cannot be written.
        """
        if _plain(shelf) in _OWN:
            raise RequestError(f"{shelf!r} is Fairway's own folder.", hint="Name another shelf.")
        digits = naming.parse(name or tree).removeprefix(naming.PREFIX)
        place = self.root / shelf / digits
        if place.is_dir():
            return place
        with self.scratch(f"publish-{shelf}") as scratch:
            whole = scratch / "whole"
            self.blobs.check_out(tree, whole)
            with refusals(place):
                if not whole.is_dir():
                    raise RequestError(f"{tree} is no tree.", hint="Publish a tree.")
                seal_folder(whole)
                place.parent.mkdir(exist_ok=True)
                sync_folder(self.root)
                self.crash.point()
                try:
                    whole.rename(place)
                except OSError:
                    if not place.is_dir():  # else another process was first: its folder is ours
                        raise
                else:
                    sync_folder(place.parent)
                self.crash.point()
                place.chmod(0o555)
        return place

    def secret(self, name: str, make: Callable[[], bytes]) -> bytes:
        """A secret of this home, made at first use and the same ever after for every process.

        Args:
            name: Its file under ``keys``, readable by the owner alone.
            make: Makes it; called at most once.

        Raises:
            StoreError: If it is to be made and the home cannot be written.
        """
        place = self.root / "keys" / _plain(name)
        with refusals(place):
            if place.exists():
                return place.read_bytes()
        with self.lock(f"key-{name}"), refusals(place):
            if place.exists():
                return place.read_bytes()
            place.parent.mkdir(mode=0o700, exist_ok=True)
            data = make()
            temporary = Path(tempfile.mkdtemp(prefix="key-", dir=self._own_folder()), name)
            write_new(temporary, data, mode=0o600)
            self.crash.point()
            temporary.rename(place)
            sync_folder(place.parent)
            self.crash.point()
            return data

    @contextmanager
    def lock(self, name: str) -> Iterator[None]:
        """Keep other processes and threads out of blocks under the same name.

        It waits for as long as it takes. The kernel frees the lock of a process that dies. It is
        not reentrant: taking it twice in one thread waits for ever.

        Raises:
            StoreError: If the home cannot be written.
        """
        place = self.root / "locks" / _plain(name)
        with refusals(place):
            place.parent.mkdir(exist_ok=True)
            handle = os.open(place, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def _own_folder(self) -> Path:
        """This process's folder under ``tmp``, locked for as long as it lives."""
        with self._owner:
            while self._own is None:
                with refusals(self.root):
                    parent = self.root / "tmp"
                    parent.mkdir(exist_ok=True)
                    folder = Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-", dir=parent))
                    handle = _locked(folder, wait=True)
                if handle is not None:
                    self._own = (folder, handle)
            return self._own[0]


def open_home(root: Path, *, crash_at: int | None = None) -> Home:
    """Open a home, made first where there is none; what killed processes left is tidied up.

    Any number of processes may do this at once. A home that may only be read opens too: reading
    works, and the first write raises a StoreError that names it.

    Args:
        root: The folder.
        crash_at: The durable write at which this process kills itself, for the crash tests.

    Raises:
        StoreError: If it is no folder, cannot be made or read, its database is gone or damaged, or
            a newer Fairway wrote it.
    """
    root = root.absolute()
    with refusals(root):
        if root.exists() and not root.is_dir():
            raise StoreError(f"{root} is no folder.", hint="Name a folder as the home (--home).")
        is_whole = (root / "home.json").exists()
        if not is_whole:
            root.mkdir(parents=True, exist_ok=True)
    home = Home(
        root, crash=CrashPoints(crash_at), is_read_only=not os.access(root, os.R_OK | os.W_OK)
    )
    try:
        _make_ready(home, is_whole=is_whole)
    except BaseException:
        home.close()
        raise
    return home


def write_file(path: Path, data: bytes) -> None:
    """Write a file outside the home so that a reader sees the old or the new one, never half.

    Raises:
        StoreError: If the disk refuses.
    """
    with refusals(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, data)


def _make_ready(home: Home, *, is_whole: bool) -> None:
    """Tidy up, then bring the database to the schema that this Fairway writes."""
    from fairway.store import migrations

    if is_whole and _version(home) == migrations.HEAD:
        if not home.is_read_only:
            _tidy(home.root / "tmp")
        return
    if home.is_read_only:
        raise StoreError(
            f"{home.root} cannot be written, and holds no home of this version of Fairway.",
            hint="Choose a home that may be written (--home).",
        )
    with home.lock("schema"):
        with refusals(home.root):
            is_whole = (home.root / "home.json").exists()
            if not is_whole:
                home.db.path.touch()
        found = _version(home) if is_whole else migrations.version(home.db)
        if found != migrations.HEAD:
            home.crash.point()
            migrations.upgrade(home.db)
            home.crash.point()
        with refusals(home.root):
            _finish(home)
    _tidy(home.root / "tmp")


def _finish(home: Home) -> None:
    """Say that the home is whole, once its database is."""
    if not (home.root / ".gitignore").exists():
        replace_file(home.root / ".gitignore", b"*\n")
    if not (home.root / "home.json").exists():
        replace_file(home.root / "home.json", naming.canonical({"format": FORMAT}) + b"\n")
        home.crash.point()


def _version(home: Home) -> str:
    """The schema of a home that was whole: an empty database is never put in the place of its own.

    Raises:
        StoreError: If the database is gone, emptied or damaged, or a newer Fairway wrote it.
    """
    from fairway.store import migrations

    path = home.db.path
    with refusals(path):
        is_there = path.exists()
    found = migrations.version(home.db) if is_there else None
    if found is None:
        raise StoreError(
            f"The database {path} is {'empty' if is_there else 'gone'}.",
            hint="Restore it from a backup, or choose another home (--home).",
        )
    if found > migrations.HEAD:
        raise StoreError(
            f"The database {path} has schema {found}, and this Fairway knows {migrations.HEAD}.",
            hint="Install the newer Fairway that wrote it.",
        )
    return found


def _tidy(folder: Path) -> None:
    """Remove the scratch folders whose process is gone."""
    if not folder.is_dir():
        return
    for leftover in folder.iterdir():
        with suppress(OSError):  # another process tidies up too
            handle = _locked(leftover, wait=False)
            if handle is not None:
                try:
                    remove_folder(leftover)
                finally:
                    os.close(handle)


def _locked(folder: Path, *, wait: bool) -> int | None:
    """The lock upon a folder; None where another process has it, or has just removed it."""
    handle = -1
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(handle, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        if folder.stat().st_ino == os.fstat(handle).st_ino:
            return handle
    except (BlockingIOError, FileNotFoundError):
        pass
    if handle >= 0:
        os.close(handle)
    return None


def _plain(name: str) -> str:
    """A name that is one plain part of a path.

    Raises:
        RequestError: If it is not.
    """
    if not _NAME.fullmatch(name):
        raise RequestError(
            f"{name!r} cannot name a file.", hint="Use letters, digits, '.', '_' and '-'."
        )
    return name
