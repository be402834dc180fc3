"""Who runs a step: one of all processes and threads that use a home, never two.

Room: ``fairway.pipeline``, below ``workplace``. ``Home.lock`` waits; here one asks, so that a run
goes on with its other steps meanwhile. The kernel frees what a dead process held.
"""

import fcntl
import os
import struct
from pathlib import Path
from types import TracebackType
from typing import Self

from fairway.digest import Digest
from fairway.errors import StoreError


class Locks:
    """The steps that one run has made its own.

    On Linux all are byte ranges of one file, owned by this object; elsewhere each is a file.
    """

    def __init__(self, home: Path) -> None:
        self._folder = home / "locks"
        self._is_ranged = hasattr(fcntl, "F_OFD_SETLK")
        self._file = -1
        self._held: dict[Digest, int] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for key in [*self._held]:
            self.release(key)
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def take(self, key: Digest) -> bool:
        """Become the only one that runs a step; false where somebody is already.

        Raises:
            StoreError: If the home cannot be written.
        """
        if key in self._held:
            return False
        try:
            if self._is_ranged:
                if self._file < 0:
                    self._file = self._open("steps")
                fcntl.fcntl(self._file, fcntl.F_OFD_SETLK, _range(key, fcntl.F_WRLCK))
                self._held[key] = self._file
                return True
            handle = self._open(f"step-{_digits(key)[:3]}")
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(handle)
                return False
            self._held[key] = handle
        except (BlockingIOError, PermissionError) as error:
            if self._file >= 0:  # fcntl(2): EACCES or EAGAIN, as the system likes
                return False
            raise self._refused(error) from error
        except OSError as error:
            raise self._refused(error) from error
        return True

    def release(self, key: Digest) -> None:
        """Let others run a step; nothing happens where it was not taken."""
        handle = self._held.pop(key, -1)
        if handle < 0:
            return
        if self._is_ranged:
            fcntl.fcntl(handle, fcntl.F_OFD_SETLK, _range(key, fcntl.F_UNLCK))
        else:
            os.close(handle)

    def _open(self, name: str) -> int:
        self._folder.mkdir(exist_ok=True)
        return os.open(self._folder / name, os.O_RDWR | os.O_CREAT, 0o644)

    def _refused(self, error: OSError) -> StoreError:
        return StoreError(
            f"{self._folder} cannot be written: {(error.strerror or str(error)).lower()}.",
            hint="Choose a home that may be written (--home).",
        )


def _digits(key: Digest) -> str:
    return key.rpartition(":")[2]


def _range(key: Digest, kind: int) -> bytes:
    """A ``struct flock`` for the byte that stands for a step."""
    return struct.pack("hhqqi4x", kind, os.SEEK_SET, int(_digits(key)[:15], 16), 1, 0)
