"""How a command is measured: processor time, wall time and memory, with all that it starts."""

import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
SAMPLE_S = 0.1


@dataclass(frozen=True, kw_only=True)
class Usage:
    """What a command used, together with every process that it started and waited for.

    Attributes:
        cpu_s: Processor seconds, user and system.
        wall_s: Seconds from start to end.
        largest_bytes: The most memory that one of the processes had resident.
        tree_bytes: The most that all had at once, sampled, pages that they share counted in each;
            None away from Linux, or where it was not asked for.
        output: What it wrote to standard output.
    """

    cpu_s: float
    wall_s: float
    largest_bytes: int
    tree_bytes: int | None
    output: bytes


def environment(**more: str) -> Mapping[str, str]:
    """The caller's variables, but byte code is kept, as it is for every user."""
    return {**{k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}, **more}


def run(command: Sequence[str], folder: Path, *, with_tree: bool = False) -> Usage:
    """Run a command to its end.

    Raises:
        RuntimeError: If it fails, with what it said last.
    """
    with tempfile.TemporaryFile() as errors:  # not in the folder: a new name there is a change
        start = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=folder, env=environment(), stdout=subprocess.PIPE, stderr=errors
        )
        watch = Watch(process.pid) if with_tree else None
        assert process.stdout is not None
        with process.stdout:
            output = process.stdout.read()
        _, status, used = os.wait4(process.pid, 0)
        wall_s = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        tree_bytes = watch.end() if watch else None
        errors.seek(0)
        said = errors.read().decode(errors="replace")[-2000:]
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}:\n{said}")
    return Usage(
        cpu_s=used.ru_utime + used.ru_stime,
        wall_s=wall_s,
        largest_bytes=used.ru_maxrss * (1 if os.uname().sysname == "Darwin" else 1024),
        tree_bytes=tree_bytes,
        output=output,
    )


class Watch:
    """Looks at a process and its descendants ten times a second, in a thread."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._most: int | None = None
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def end(self) -> int | None:
        """Stop looking, and tell the most bytes that all had at once."""
        self._ended.set()
        self._thread.join()
        return self._most

    def _look(self) -> None:
        while Path("/proc/self/statm").exists() and not self._ended.wait(SAMPLE_S):
            self._most = max(self._most or 0, sum(map(_resident_bytes, _tree(self._pid))))


def _tree(top: int) -> set[int]:
    parents = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            after_name = status.read_text().rpartition(")")[2]
        except OSError:  # it has ended meanwhile
            continue
        parents[int(status.parent.name)] = int(after_name.split()[1])
    found, grown = {top}, True
    while grown:
        more = {pid for pid, parent in parents.items() if parent in found} - found
        found |= more
        grown = bool(more)
    return found


def _resident_bytes(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE_BYTES
    except OSError:
        return 0
