"""Where commands run: a scratch folder with their inputs, what they see, and one runner for each.

Room: ``fairway.pipeline``, after ``child`` and ``cache``, before ``execution``. It starts an
attempt and takes in what it left; which step runs when is decided in ``execution``.
"""

import os
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from fairway.digest import Digest
from fairway.errors import RequestError, StepError
from fairway.pipeline import stray, trace
from fairway.pipeline.child import Child, Ending
from fairway.pipeline.file import Files
from fairway.pipeline.result import Result, State
from fairway.pipeline.step import Step, Value, expand, placeholders
from fairway.store.disk import refusals
from fairway.store.home import Home

USUAL_VARIABLES = ("PATH", "HOME", "LANG", "TMPDIR")

Accept = Callable[[Step, Digest], bool]
"""Whether a step's output will do; a StepError that it raises says why not."""

_Marks = dict[Path, tuple[int, int, int]]


@dataclass(kw_only=True)
class Task:
    """A step that is being run, from its lock to its result.

    Attributes:
        step: The step.
        about: All that was known of it beforehand.
        key: The digest of that.
        why: Why it runs.
        child: The attempt that runs now.
        out: Where the command is to write.
        record: Where its processes tell what they read.
        start_ns: The file system's clock when the attempt started.
        inputs: Files given to the command, with what would change if it wrote to them.
        endings: The attempts that have ended.
    """

    step: Step
    about: Mapping[str, Any]
    key: Digest
    why: str
    child: Child | None = None
    out: Path = field(default_factory=Path)
    record: Path = field(default_factory=Path)
    start_ns: int = 0
    inputs: _Marks = field(default_factory=dict)
    endings: list[Ending] = field(default_factory=list)


class Workplace:
    """The place where the commands of one run are executed.

    Nothing is made before the first command. At the end of the block every process that was
    started is gone, and so are all files that are not in the store.
    """

    def __init__(
        self, home: Home, files: Files, *, environ: Mapping[str, str], n_threads: int, python: str
    ) -> None:
        self._home = home
        self._files = files
        self._python = python
        self._observer = trace.observer()
        self._around = ExitStack()
        self._folder: Path | None = None
        self._n_started = 0
        self._token = f"{os.getpid()}-{os.urandom(8).hex()}"
        self._given: dict[tuple[Digest, str], tuple[Path, _Marks]] = {}
        self._running: dict[int, Task] = {}
        self._empty: Digest | None = None
        threads = dict.fromkeys(
            ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), str(n_threads)
        )
        self._environment = {
            "PATH": os.defpath,
            **{name: environ[name] for name in USUAL_VARIABLES if name in environ},
            **threads,
            "PYTHONHASHSEED": "0",
            "SOURCE_DATE_EPOCH": "315532800",  # 1980-01-01: the first date that a zip file can say
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for task in [*self._running.values()]:
            if task.child is not None:
                task.child.finish(self.pids)
        self._running.clear()
        self._around.close()

    @property
    def is_open(self) -> bool:
        """Whether a command has been started."""
        return self._folder is not None

    @property
    def pids(self) -> set[int]:
        """First processes of the attempts that run."""
        return set(self._running)

    def start(self, task: Task) -> Child:
        """Start the next attempt at a step.

        Raises:
            IntegrityError: If an input's bytes are damaged.
            NotFoundError: If an input is not in the store.
            StoreError: If the home cannot be written.
        """
        if self._folder is None:
            self._folder = self._open()
        with refusals(self._folder):
            return self._start(task, self._folder)

    def _start(self, task: Task, folder: Path) -> Child:
        step = task.step
        self._n_started += 1
        task.record = folder / f"{self._n_started}-read"
        task.start_ns = _tick(folder)
        task.out = folder / f"{self._n_started}-{step.output}{step.output_suffix}"
        if step.output_kind == "folder":
            task.out.mkdir()
        values: dict[str, Value] = {**step.parameters, "python": self._python}
        task.inputs = {}
        for place, digest in step.inputs.items():
            path, marks = self._give(digest, _file_name(step, place))
            values[place] = str(path)
            task.inputs.update(marks)
        values[step.output] = str(task.out)
        self._files.command_runs(task.start_ns)
        observed = self._observer.environment(
            self._files, task.record, step.variables.get("PYTHONPATH", "")
        )
        task.child = Child(
            expand(step.command, values),
            root=self._files.root,
            environment={**self._environment, **step.variables, **observed},
            token=f"{self._token}-{self._n_started}",
            timeout_s=step.timeout_s,
            memory_bytes=step.memory_bytes,
        )
        self._running[task.child.pid] = task
        return task.child

    def take_in(self, task: Task, accept: Accept | None) -> tuple[Result | None, bool]:
        """Take in what an attempt left that has ended.

        Returns:
            The result, or None when the step is to be tried again; and whether it may be
            remembered.
        """
        assert task.child is not None
        ending = task.child.finish(self.pids)
        del self._running[task.child.pid]
        self._files.command_ended()
        task.child = None
        task.endings.append(ending)
        state, problem = _judge(task)
        output = None
        if state == "done":
            output, problem = self._keep(task, accept)
            state = "done" if output is not None else "failed"
        retry = state in {"failed", "timed_out"} and len(task.endings) <= task.step.retries
        seen = trace.Reads(files={})
        if state == "done":
            seen = trace.reads(
                self._observer,
                self._files,
                task.record,
                task.step.command,
                start_ns=task.start_ns,
            )
            if seen.changed is not None:
                problem = f"{seen.changed or 'A file'} changed while it ran: not remembered."
        _remove(task.record, task.out)
        if retry:
            return None, False
        result = Result(
            name=task.step.name,
            state=state,
            output=output,
            reads=seen.files,
            log=self._keep_log(_log(task)),
            seconds=ending.seconds,
            cpu_s=sum(each.cpu_s for each in task.endings),
            exit_code=ending.exit_code,
            why=task.why,
            problem=problem,
            n_attempts=len(task.endings),
        )
        return result, state == "done" and seen.changed is None

    def _keep(self, task: Task, accept: Accept | None) -> tuple[Digest | None, str]:
        """Bring an output into the store; or say what is wrong with it."""
        step, out = task.step, task.out
        place = f"{{{step.output}}}"
        must_write = step.output in placeholders(step.command)
        if step.output_kind == "file":
            if not out.is_file():
                return None, f"It ended well but wrote no {place}."
        elif not out.is_dir() or out.is_symlink():
            return None, f"It put something else in the place of the folder {place}."
        elif must_write and not any(out.iterdir()):
            return None, f"It ended well but left {place} empty."
        blobs = self._home.blobs
        keep = blobs.put_file if step.output_kind == "file" else blobs.put_tree
        try:
            output = keep(out, move=True)
            if accept is not None and not accept(step, output):
                return None, f"What it left in {place} was not accepted."
        except (RequestError, StepError) as error:
            return None, error.problem
        return output, ""

    def _keep_log(self, text: bytes) -> Digest:
        if text:
            return self._home.blobs.put_bytes(text)
        if self._empty is None:
            self._empty = self._home.blobs.put_bytes(b"")
        return self._empty

    def _open(self) -> Path:
        folder = self._around.enter_context(self._home.scratch("steps"))
        self._around.enter_context(stray.adopting())
        self._around.enter_context(stray.watched(self._token))
        with refusals(folder):
            _let_clock_tick(folder)
        return folder

    def _give(self, digest: Digest, name: str) -> tuple[Path, _Marks]:
        """Lay an input out once for all steps of the run; they may read it, not write to it."""
        known = self._given.get((digest, name))
        if known is not None and _marks(known[1]) == known[1]:
            return known
        assert self._folder is not None
        path = self._folder / f"{self._n_started}-{name}"
        self._home.blobs.check_out(digest, path)
        found = [path] if path.is_file() else [each for each in path.rglob("*") if each.is_file()]
        for each in found:
            each.chmod(0o555 if os.access(each, os.X_OK) else 0o444)
        self._given[digest, name] = (path, _marks(found))
        return self._given[digest, name]


def n_cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _judge(task: Task) -> tuple[State, str]:
    """What an ending says, before anybody looks at the output."""
    ending = task.endings[-1]
    if ending.is_late:
        return "timed_out", f"It took longer than {task.step.timeout_s:g} s and was killed."
    if ending.is_too_large:
        return "out_of_memory", f"It held more than {task.step.memory_bytes} bytes of memory."
    if ending.exit_code < 0:
        told = " The system does so when memory runs out." if ending.exit_code == -9 else ""
        return "failed", f"It was ended by signal {-ending.exit_code}.{told}"
    if ending.exit_code:
        return "failed", f"It ended with exit code {ending.exit_code}."
    if _marks(task.inputs) != task.inputs:
        return "failed", "An input was written to while it ran."
    return "done", ""


def _log(task: Task) -> bytes:
    if len(task.endings) == 1:
        return task.endings[0].log
    return b"".join(
        b"[attempt %d: exit code %d]\n%s\n" % (n, ending.exit_code, ending.log)
        for n, ending in enumerate(task.endings, 1)
    )


def _file_name(step: Step, place: str) -> str:
    given = step.suffixes.get(place, "")
    return f"{place}{given}" if not given or given.startswith(".") else given


def _marks(paths: "_Marks | list[Path]") -> _Marks:
    """What changes when somebody writes to a file, whatever he does to hide it."""
    marks = {}
    for path in paths:
        with suppress(FileNotFoundError):
            found = path.stat()
            marks[path] = (found.st_ctime_ns, found.st_size, found.st_ino)
    return marks


def _remove(*places: Path) -> None:
    """Remove what an attempt left, now; what resists goes with the run's scratch folder."""
    for place in places:
        with suppress(FileNotFoundError):
            if place.is_dir() and not place.is_symlink():
                import shutil

                shutil.rmtree(place, ignore_errors=True)
            else:
                place.unlink()


def _tick(folder: Path) -> int:
    """The file system's clock now, in nanoseconds: what is changed from now on is no older."""
    probe = folder / "clock"
    os.utime(probe)
    return probe.stat().st_ctime_ns


def _let_clock_tick(folder: Path) -> None:
    """Wait, at most some milliseconds, until what was written before is seen to be older.

    File systems tell time in ticks; within one, before and after look the same.
    """
    (folder / "clock").touch()
    before = _tick(folder)
    while _tick(folder) == before:
        time.sleep(0.001)
