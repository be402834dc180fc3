"""Runs steps, as many at once as there are cores, and none whose result is known.

Room: ``fairway.pipeline``, its door for the rooms below. ``cache`` finds results, ``workplace``
runs commands; this file decides which step runs when. A failed step is a result, not an error:
the caller decides what it means.
"""

import os
import selectors
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from fairway.digest import Digest, of_json
from fairway.errors import StepError
from fairway.pipeline import result as results
from fairway.pipeline.cache import Cache, Found, Miss
from fairway.pipeline.child import MEMORY_WATCH_S, Child
from fairway.pipeline.file import Files
from fairway.pipeline.interpreter import Interpreters
from fairway.pipeline.lock import Locks
from fairway.pipeline.plan import order
from fairway.pipeline.result import Result
from fairway.pipeline.step import Step, check
from fairway.pipeline.workplace import Accept, Task, Workplace, n_cores
from fairway.store.home import Home

GROUP_S = 0.02  # results that come within this time are committed together
POLL_S = 0.02  # where only looking tells: another process's lock, or an end without a descriptor


def run_steps(
    home: Home,
    steps: Sequence[Step],
    *,
    root: Path,
    project: str,
    jobs: int | None = None,
    run: str | None = None,
    accept: Accept | None = None,
    environ: Mapping[str, str] | None = None,
) -> Iterator[Result]:
    """Bring steps about, each after those that it waits for, and tell of each when it is done.

    The law: a result is the one that the command makes with its inputs, its declared variables and
    the project's files as they are now. A result that is known, and whose bytes are whole, is not
    made again. What is told as done is in the store, and its record is committed; a run that is
    killed leaves nothing half, and its steps end with it. Two processes that need the same step run
    it once.

    Args:
        home: Where results are kept.
        steps: What is wanted; ``after`` names others among them.
        root: The project's folder, where commands run.
        project: The project's name.
        jobs: How many run at once; as many as there are cores where not said.
        run: The run whose record tells of these steps; none is written where not said.
        accept: Whether an output will do. A known result that is refused is made again; a new one
            that is refused makes the step fail and is not remembered.
        environ: The variables of this process, of which commands see PATH, HOME, LANG and TMPDIR;
            this process's own where not said.

    Yields:
        One result for each step, in the order in which they end.

    Raises:
        ProjectError: If steps wait in a circle or for what is not there, or a command is wrong.
        IntegrityError: If an input's bytes are damaged.
        NotFoundError: If an input is not in the store.
        StoreError: If the home cannot be read or written.
    """
    for step in steps:
        check(step)
    ordered = order(steps)
    cores = n_cores()
    n_at_once = max(1, jobs or cores)
    seen = os.environ if environ is None else environ
    files = Files(root, home=home.root)
    cache = Cache(
        home,
        project=project,
        files=files,
        interpreters=Interpreters(root, seen.get("PATH", os.defpath)),
        language=seen.get("LANG", ""),
    )
    n_threads = max(1, cores // max(1, min(n_at_once, len(ordered))))
    with (
        Workplace(
            home, files, environ=seen, n_threads=n_threads, python=sys.executable
        ) as workplace,
        Locks(home.root) as locks,
    ):
        line = _Line(cache, workplace, locks, n_at_once, run=run, accept=accept)
        yield from line.bring_about(ordered)


def run_step(
    home: Home,
    step: Step,
    *,
    root: Path,
    project: str,
    run: str | None = None,
    accept: Callable[[Digest], bool] | None = None,
    environ: Mapping[str, str] | None = None,
) -> Result:
    """Bring one step about; see ``run_steps``."""
    judge = None if accept is None else lambda _, output: accept(output)
    found = run_steps(
        home, [step], root=root, project=project, run=run, accept=judge, environ=environ
    )
    return next(iter([*found]))


class _Line:
    """The state of one run: what waits, what is asked for, what runs."""

    def __init__(
        self,
        cache: Cache,
        workplace: Workplace,
        locks: Locks,
        n_at_once: int,
        *,
        run: str | None,
        accept: Accept | None,
    ) -> None:
        self._cache = cache
        self._workplace = workplace
        self._locks = locks
        self._n_at_once = n_at_once
        self._run = run
        self._accept = accept
        self._made: dict[str, Digest] = {}
        self._lost: set[str] = set()
        self._queue: deque[tuple[Step, Mapping[str, Any], str]] = deque()
        self._tasks: list[Task] = []
        self._selector = selectors.DefaultSelector()
        self._waits_for_lock = False
        self._pending: list[tuple[Task, Result, Found | None]] = []
        self._pending_since_s = 0.0

    def bring_about(self, waiting: list[Step]) -> Iterator[Result]:
        """Results of all steps, in the order in which they end."""
        try:
            while waiting or self._queue or self._tasks or self._pending:
                ready = [s for s in waiting if self._made.keys() >= {*s.after.values()}]
                lost = [s for s in waiting if not self._lost.isdisjoint(s.after.values())]
                if ready or lost:
                    gone = {step.name for step in (*ready, *lost)}
                    waiting = [step for step in waiting if step.name not in gone]
                    yield from self._tell([self._skipped(s) for s in lost] + self._known(ready))
                    continue
                yield from self._tell(self._start())
                if self._tasks or self._waits_for_lock:
                    self._collect(self._wait())
                if self._is_time_to_commit():
                    yield from self._commit()
        finally:
            self._selector.close()

    def _known(self, steps: list[Step]) -> list[Result]:
        """Results of steps that are known; the other steps join the queue."""
        asked = []
        told = []
        for step in steps:
            given = step.given(self._made)
            asked.append((given, self._cache.about(given)))
        if self._workplace.is_open and len(self._queue) + len(self._tasks) < self._n_at_once:
            # They are likely to run, and are looked up under their lock.
            n_places = self._n_at_once - len(self._queue) - len(self._tasks)
            self._queue.extend((step, about, "") for step, about in asked[:n_places])
            asked = asked[n_places:]
        found = self._cache.look_up(asked) if asked else []
        for (step, about), each in zip(asked, found, strict=True):
            answer = self._accepted(step, each)
            if isinstance(answer, Miss):
                self._queue.append((step, about, answer.why))
            else:
                told.append(answer)
        return told

    def _start(self) -> list[Result]:
        """Start what there is room for; what another process has made meanwhile is a result."""
        locked: list[Task] = []
        left: deque[tuple[Step, Mapping[str, Any], str]] = deque()
        while self._queue and len(self._tasks) + len(locked) < self._n_at_once:
            step, about, why = self._queue.popleft()
            key = of_json(about)
            if self._locks.take(key):
                locked.append(Task(step=step, about=about, key=key, why=why))
            else:
                left.append((step, about, why))
        self._waits_for_lock = bool(left)
        self._queue.extendleft(reversed(left))
        self._tasks += locked
        told = []
        found = self._cache.look_up((task.step, task.about) for task in locked) if locked else []
        for task, answer in zip(locked, found, strict=True):
            known = self._accepted(task.step, answer)
            if isinstance(known, Miss):
                task.why = task.why or known.why
                self._follow(task, self._workplace.start(task))
            else:
                self._tasks.remove(task)
                self._locks.release(task.key)
                told.append(known)
        return told

    def _follow(self, task: Task, child: Child) -> None:
        self._selector.register(child.output, selectors.EVENT_READ, (task, False))
        if child.ends >= 0:
            self._selector.register(child.ends, selectors.EVENT_READ, (task, True))

    def _wait(self) -> list[Task]:
        """Read what is printed until a task ends, a limit passes, or a lock may be free."""
        ended: list[Task] = []
        events = self._selector.select(self._patience_s())
        for event, _ in events:
            task, is_end = event.data
            if is_end:
                ended.append(task)
            elif task.child is not None and not task.child.read():
                self._selector.unregister(task.child.output)
        for task in self._tasks:
            if task.child is not None and task not in ended:
                task.child.watch(self._workplace.pids)
                if task.child.ends < 0 and task.child.has_ended():
                    ended.append(task)
        return ended

    def _patience_s(self) -> float | None:
        """How long nothing need be looked at; None: until something happens."""
        limits: list[float] = [POLL_S] if self._waits_for_lock else []
        now = time.monotonic()
        if self._pending:
            limits.append(max(0.0, self._pending_since_s + GROUP_S - now))
        for task in self._tasks:
            child = task.child
            if child is None:
                continue
            if child.deadline_s is not None:
                limits.append(max(0.0, child.deadline_s - now))
            if child.memory_bytes is not None:
                limits.append(MEMORY_WATCH_S)
            if child.ends < 0:
                limits.append(POLL_S)
        return min(limits, default=None)

    def _collect(self, ended: list[Task]) -> None:
        """Take in what has ended; steps that wait for it may start at once."""
        for task in ended:
            assert task.child is not None
            for handle in (task.child.output, task.child.ends):
                if handle in self._selector.get_map():
                    self._selector.unregister(handle)
            result, may_remember = self._workplace.take_in(task, self._accept)
            if result is None:
                self._follow(task, self._workplace.start(task))
                continue
            found = None
            if may_remember and result.output is not None and result.log is not None:
                found = Found(
                    output=result.output,
                    log=result.log,
                    reads=result.reads,
                    seconds=result.seconds,
                    cpu_s=result.cpu_s,
                )
            self._tasks.remove(task)
            if not self._pending:
                self._pending_since_s = time.monotonic()
            self._pending.append((task, result, found))
            self._note(result)

    def _is_time_to_commit(self) -> bool:
        return bool(self._pending) and (
            not self._tasks or time.monotonic() - self._pending_since_s >= GROUP_S
        )

    def _commit(self) -> Iterator[Result]:
        """Remember a group of results in one transaction, then tell them."""
        group, self._pending = self._pending, []
        keep = [(task, found) for task, _, found in group if found is not None]
        told = [result for _, result, _ in group]
        if keep or self._run is not None:
            with self._cache.home.db.transaction() as tx:
                for task, found in keep:
                    self._cache.record(tx, task.step, task.about, found)
                if self._run is not None:
                    results.write(tx, self._run, told)
        for task, _, _ in group:
            self._locks.release(task.key)
        yield from told

    def _tell(self, told: list[Result]) -> Iterator[Result]:
        """Record and tell results for which nothing was run."""
        if told and self._run is not None:
            with self._cache.home.db.transaction() as tx:
                results.write(tx, self._run, told)
        for result in told:
            self._note(result)
        yield from told

    def _note(self, result: Result) -> None:
        if result.output is not None:
            self._made[result.name] = result.output
        else:
            self._lost.add(result.name)

    def _accepted(self, step: Step, found: Found | Miss) -> Result | Miss:
        if isinstance(found, Miss):
            return found
        try:
            if self._accept is not None and not self._accept(step, found.output):
                return Miss(why="its earlier output is not accepted")
        except StepError as error:
            return Miss(why=f"its earlier output is not accepted: {error.problem}")
        return Result(
            name=step.name,
            state="done",
            cached=True,
            output=found.output,
            reads=found.reads,
            log=found.log,
            seconds=found.seconds,
            cpu_s=found.cpu_s,
            why="cached",
        )

    def _skipped(self, step: Step) -> Result:
        cause = min(self._lost.intersection(step.after.values()))
        return Result(
            name=step.name,
            state="skipped",
            why="never run",
            problem=f"Step {cause!r}, which it waits for, did not end well.",
        )
