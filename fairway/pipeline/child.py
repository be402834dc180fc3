"""One attempt at a step: a process group, what it prints, and its limits.

Room: ``fairway.pipeline``, after ``stray`` and before ``execution``. It starts a shell, reads what
comes, and ends it; it knows no cache and no store.
"""

import fcntl
import os
import signal
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from fairway.pipeline import stray

CAPTURE_BYTES = 256 << 10  # kept of what a step prints: as much of its head and of its tail
BLOCK_BYTES = 256 << 10
LARGE_PIPE_BYTES = 1 << 20
SHELL = "/bin/sh"
MEMORY_WATCH_S = 0.02

_HAS_PIDFD = hasattr(os, "pidfd_open")


class Capture:
    """The head and the tail of an endless text, in bounded memory."""

    def __init__(self) -> None:
        self.n_bytes = 0
        self._head = bytearray()
        self._tail = bytearray()

    def add(self, block: bytes) -> None:
        """Take the next bytes."""
        self.n_bytes += len(block)
        room = CAPTURE_BYTES - len(self._head)
        if room > 0:
            self._head += block[:room]
            block = block[room:]
        if block:
            self._tail += block
            if len(self._tail) > 2 * CAPTURE_BYTES + BLOCK_BYTES:
                del self._tail[:-CAPTURE_BYTES]

    def text(self) -> bytes:
        """What is kept; a line in the middle says how much is left out."""
        tail = self._tail[-CAPTURE_BYTES:]
        n_left_out = self.n_bytes - len(self._head) - len(tail)
        between = b"\n[... %d bytes left out ...]\n" % n_left_out if n_left_out else b""
        return bytes(self._head + between + tail)


@dataclass(frozen=True, kw_only=True)
class Ending:
    """How an attempt ended.

    Attributes:
        exit_code: The shell's; negative: the signal that ended it.
        seconds: How long it ran.
        cpu_s: Processor seconds of the process and of the children that it waited for.
        n_strays: Processes that it left behind; they were killed.
        log: What it printed, both streams as they came.
        is_late: Whether it was killed for taking too long.
        is_too_large: Whether it was killed for holding too much memory.
    """

    exit_code: int
    seconds: float
    cpu_s: float
    n_strays: int
    log: bytes
    is_late: bool
    is_too_large: bool


class Child:
    """A running attempt. ``finish`` must be called once, at the latest when all is given up.

    Attributes:
        pid: Its first process, leader of a session and of a process group.
        ends: A descriptor that becomes readable when that process ends; -1 where there is none.
        output: A descriptor with what it prints.
        deadline_s: When it must have ended, by ``time.monotonic``; None: no limit.
        memory_bytes: What it may hold; None: no limit.
    """

    def __init__(
        self,
        command: str,
        *,
        root: str,
        environment: Mapping[str, str],
        token: str,
        timeout_s: float | None,
        memory_bytes: int | None,
    ) -> None:
        self.memory_bytes = memory_bytes
        self._token = token
        self._capture = Capture()
        self._is_late = self._is_too_large = False
        self.output, writing = os.pipe()
        os.set_blocking(self.output, False)
        # posix_spawn needs no copy of this process's memory, however large it is; it cannot change
        # the folder, which the shell does first.
        quoted = "'" + root.replace("'", "'\\''") + "'"
        try:
            self._started_s = time.monotonic()
            self.pid = os.posix_spawn(
                SHELL,
                ["sh", "-c", f"cd {quoted} && unset OLDPWD || exit 126\n{command}"],
                {**environment, stray.TOKEN: token},
                file_actions=[
                    (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                    (os.POSIX_SPAWN_DUP2, writing, 1),
                    (os.POSIX_SPAWN_DUP2, writing, 2),
                ],
                setsid=True,
                setsigdef=[signal.SIGPIPE, signal.SIGXFSZ],
            )
        except BaseException:
            os.close(self.output)
            raise
        finally:
            os.close(writing)
        self.deadline_s = None if timeout_s is None else self._started_s + timeout_s
        self.ends = os.pidfd_open(self.pid) if _HAS_PIDFD else -1

    def read(self) -> bool:
        """Take what was printed and is waiting; false when nobody can print any more."""
        for _ in range(16):  # then the others have their turn
            try:
                block = os.read(self.output, BLOCK_BYTES)
            except BlockingIOError:
                return True
            if not block:
                return False
            if not self._capture.n_bytes and sys.platform == "linux" and len(block) > 32 << 10:
                with suppress(OSError):
                    fcntl.fcntl(self.output, fcntl.F_SETPIPE_SZ, LARGE_PIPE_BYTES)
            self._capture.add(block)
        return True

    def has_ended(self) -> bool:
        """Whether the first process has ended; asks the system where no descriptor tells."""
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is not None

    def watch(self, known: set[int]) -> None:
        """Kill the attempt if a limit is passed; it then ends as any other.

        Args:
            known: First processes of all attempts that run.
        """
        if self.deadline_s is not None and time.monotonic() >= self.deadline_s:
            self._is_late = True
        elif self.memory_bytes is not None:
            limit = self.memory_bytes
            self._is_too_large = stray.memory_bytes(self.pid, self._token, known, limit) > limit
        if self._is_late or self._is_too_large:
            stray.end_group(self.pid)

    def finish(self, known: set[int]) -> Ending:
        """End everything that the attempt started, and tell how it went.

        Args:
            known: First processes of all attempts that run.
        """
        stray.end_group(self.pid)  # before it is waited for: its number cannot be another's yet
        _, status, used = os.wait4(self.pid, 0)
        seconds = time.monotonic() - self._started_s
        n_strays = stray.end_strays(self._token, self.pid, known - {self.pid})
        self.read()  # all that a pipe can still hold
        os.close(self.output)
        if self.ends >= 0:
            os.close(self.ends)
        return Ending(
            exit_code=os.waitstatus_to_exitcode(status),
            seconds=seconds,
            cpu_s=used.ru_utime + used.ru_stime,
            n_strays=n_strays,
            log=self._capture.text(),
            is_late=self._is_late,
            is_too_large=self._is_too_large,
        )
