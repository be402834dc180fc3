"""Processes that a command leaves behind, and those that outlive Fairway: all of them end.

Room: ``fairway.pipeline``, below ``child``. Each process of a step inherits a token in its
environment, which survives ``fork``, ``exec`` and ``setsid``. On Linux this process adopts the
orphans of its steps; elsewhere only process groups are ended. It knows no step.
"""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

TOKEN = "FAIRWAY_STEP"  # noqa: S105  the name of a variable, no secret

_IS_LINUX = sys.platform == "linux"
_SET_SUBREAPER, _GET_SUBREAPER = 36, 37  # prctl(2)

# Ends when its standard input does, that is with Fairway; then ends all that bear the token.
_WATCHDOG = """
read -r never
while found=$(grep -l "$0" /proc/[0-9]*/environ 2>/dev/null); [ "$found" ]; do
    for place in $found; do place=${place#/proc/}; kill -9 "${place%/environ}" 2>/dev/null; done
done
"""


@contextmanager
def adopting() -> Iterator[None]:
    """Become the parent of orphans among all that descends from this process, for the block."""
    if not _IS_LINUX:
        yield
        return
    import ctypes

    libc = ctypes.CDLL(None)
    before = ctypes.c_int(0)
    libc.prctl(_GET_SUBREAPER, ctypes.byref(before), 0, 0, 0)
    libc.prctl(_SET_SUBREAPER, 1, 0, 0, 0)
    try:
        yield
    finally:
        libc.prctl(_SET_SUBREAPER, before.value, 0, 0, 0)


@contextmanager
def watched(token: str) -> Iterator[None]:
    """Have everything that bears a token killed, should this process die within the block.

    ``SIGKILL`` of Fairway leaves it no time to end its steps; a small shell beside it does.

    Args:
        token: Letters that stand in the environment of the steps and of nothing else.
    """
    if not _IS_LINUX:
        yield
        return
    held, kept = os.pipe()
    watchdog = 0
    try:
        watchdog = os.posix_spawn(
            "/bin/sh",
            ["sh", "-c", _WATCHDOG, token],
            {"PATH": os.defpath},
            file_actions=[
                (os.POSIX_SPAWN_DUP2, held, 0),
                (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
                (os.POSIX_SPAWN_DUP2, 1, 2),
            ],
            setsid=True,
        )
        os.close(held)
        held = -1
        yield
    finally:
        if watchdog:
            os.kill(watchdog, signal.SIGKILL)
            os.waitpid(watchdog, 0)
        os.close(kept)
        if held >= 0:
            os.close(held)


def end_group(pid: int) -> None:
    """Kill the process group that a process leads; its leader must not have been waited for."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def end_strays(token: str, session: int, known: set[int]) -> int:
    """Kill what a step left behind, those too that left its session, and tell how many.

    Args:
        token: The step's.
        session: The number of its first process.
        known: First processes of steps that still run: children, but no strays.
    """
    ended = 0
    while True:
        strays = [pid for pid in _children(os.getpid()) if pid not in known]
        ours = [pid for pid in strays if _session(pid) == session or _bears(pid, token)]
        for pid in ours:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            with suppress(ChildProcessError):
                os.waitpid(pid, 0)
        if not ours:  # the children of those killed have become ours meanwhile
            return ended
        ended += len(ours)


def memory_bytes(pid: int, token: str, known: set[int], limit_bytes: int) -> int:
    """Memory that a step's processes hold together; exact only where it passes the limit.

    Args:
        pid: The step's first process.
        token: The step's.
        known: First processes of all steps that run.
        limit_bytes: Above it, pages that processes share are counted once.
    """
    tree = _tree(pid)
    for orphan in _children(os.getpid()):
        if orphan not in known and (_session(orphan) == pid or _bears(orphan, token)):
            tree += _tree(orphan)
    resident = sum(map(_resident_bytes, tree))  # counts shared pages for each; cheap
    return resident if resident <= limit_bytes else sum(map(_proportional_bytes, tree))


def _tree(pid: int) -> list[int]:
    found = [pid]
    for each in found:
        found += _children(each)
    return found


def _children(pid: int) -> list[int]:
    found: list[int] = []
    with suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208  once a step: fast
            with suppress(OSError), open(f"/proc/{pid}/task/{task}/children", "rb") as file:  # noqa: PTH123  fast
                found += map(int, file.read().split())
    return found


def _session(pid: int) -> int:
    with suppress(OSError):
        text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
        return int(text.rpartition(")")[2].split()[3])
    return 0


def _bears(pid: int, token: str) -> bool:
    with suppress(OSError):
        line = f"{TOKEN}={token}".encode()
        return line in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    return False


def _resident_bytes(pid: int) -> int:
    with suppress(OSError):
        return int(Path(f"/proc/{pid}/statm").read_bytes().split()[1]) * os.sysconf("SC_PAGESIZE")
    return 0


def _proportional_bytes(pid: int) -> int:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_bytes().splitlines():
            if line.startswith(b"Pss:"):
                return int(line.split()[1]) * 1024
    return 0
