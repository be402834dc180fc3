"""Files that are whole or absent, and what the disk says when it refuses.

Room: ``fairway.store``, below ``blobs`` and ``home``. It knows paths and bytes; it names nothing
by content and keeps no state.
"""

import errno
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from fairway.errors import StoreError

BLOCK_BYTES = 1 << 20

_REASONS = {
    errno.ENOSPC: ("the disk is full", "Free some space, then repeat the command."),
    errno.EDQUOT: ("the disk quota is used up", "Free some space, then repeat the command."),
    errno.EFBIG: ("a file may not grow that large", "Raise the limit on file sizes (ulimit -f)."),
    errno.EROFS: ("the file system is read-only", "Choose a home that may be written (--home)."),
    errno.EACCES: ("permission is denied", "Choose a home that may be written (--home)."),
    errno.EPERM: ("permission is denied", "Choose a home that may be written (--home)."),
    errno.ENOTDIR: ("a part of the path is no folder", "Name a folder, or a path not yet taken."),
    errno.EEXIST: ("a file is in the way", "Remove it, or name another path."),
    errno.EMFILE: ("too many files are open", "Raise the limit on open files (ulimit -n)."),
    errno.ENFILE: ("too many files are open", "Close other programs, then repeat the command."),
    errno.EIO: ("the disk reports an error", "Check the disk before anything is trusted to it."),
}


@contextmanager
def refusals(path: Path) -> Iterator[None]:
    """Turn what the operating system refuses inside the block into a StoreError naming ``path``.

    Raises:
        StoreError: If the block raised an OSError.
    """
    try:
        yield
    except OSError as error:
        fact, hint = _REASONS.get(
            error.errno or 0,
            ((error.strerror or str(error)).lower(), "Look at that path, then repeat the command."),
        )
        raise StoreError(f"{path} cannot be used: {fact}.", hint=hint) from error


def sync_folder(folder: Path) -> None:
    """Make the names in a folder survive a loss of power."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def whole_or_gone(path: Path) -> Iterator[None]:
    """Remove a file that the block was writing if it fails: the space is free again."""
    try:
        yield
    except BaseException:
        with suppress(OSError):
            path.unlink()
        raise


def write_new(path: Path, data: bytes, *, mode: int) -> None:
    """Write a file that is not yet there, down to the disk."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with whole_or_gone(path):
            view = memoryview(data)
            while view:
                view = view[os.write(handle, view) :]
            os.fsync(handle)
    finally:
        os.close(handle)


def replace_file(path: Path, data: bytes) -> None:
    """Put bytes at a path by one rename: a reader sees the old file or the new one, whole."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    temporary = Path(name)
    with whole_or_gone(temporary):
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(path.stat().st_mode & 0o777 if path.exists() else 0o644)
        temporary.replace(path)
    sync_folder(path.parent)


def remove_folder(folder: Path) -> None:
    """Remove a folder with all in it, read-only folders too; absent is fine."""
    for inner, names, _ in os.walk(folder):
        for name in names:
            child = Path(inner, name)
            mode = child.lstat().st_mode
            if stat.S_ISDIR(mode) and not mode & stat.S_IWUSR:
                child.chmod(0o700)
    with suppress(FileNotFoundError):
        folder.chmod(0o700)
        shutil.rmtree(folder)


def seal_folder(folder: Path) -> None:
    """Make a folder's files and inner folders read-only and durable; the folder itself is last.

    The outermost folder stays writable, because renaming it needs that.
    """
    for inner, _, names in os.walk(folder, topdown=False):
        for name in names:
            path = Path(inner, name)
            with path.open("rb") as file:
                os.fsync(file.fileno())
            path.chmod(0o555 if path.stat().st_mode & stat.S_IXUSR else 0o444)
        sync_folder(Path(inner))
        if Path(inner) != folder:
            Path(inner).chmod(0o555)
