"""Say what a long verb is doing, on stderr, once it has taken longer than two seconds.

Room: ``fairway.cli``. On a terminal it is one moving line; elsewhere plain lines, each with the
seconds since the start. It measures durations only and knows nothing of what it reports.
"""

import sys
import threading
import time
from types import TracebackType
from typing import TYPE_CHECKING, Self, TextIO

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

PATIENCE_S = 2.0


class Progress:
    """A sink for progress; ``fairway.line`` calls it and never prints.

    ``report("text")`` and ``report.step("text")`` say that something was reached;
    ``report.start("text", total)`` opens a stage of ``total`` steps, ``report.done()`` ends it.
    Calls may come from several threads. Nothing is shown before ``patience_s`` have passed.
    """

    def __init__(self, stream: TextIO | None = None, *, patience_s: float = PATIENCE_S) -> None:
        self._stream = stream if stream is not None else sys.stderr
        self._patience_s = patience_s
        self._lock = threading.RLock()
        self._begun = time.monotonic()
        self._held: list[str] = []
        self._shown = False
        self._timer: threading.Timer | None = None
        self._bar: Bar | None = None
        self._task: TaskID | None = None
        self._stage = ""
        self._total: int | None = None
        self._n_done = 0

    def __enter__(self) -> Self:
        self._timer = threading.Timer(self._patience_s, self._show)
        self._timer.daemon = True
        self._timer.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            self._held.clear()
            if self._bar is not None:
                self._bar.stop()
                self._bar = None

    def __call__(self, text: str) -> None:
        """The same as ``step``."""
        self.step(text)

    def start(self, text: str, total: int | None = None) -> None:
        """Open a stage; ``total`` is the number of steps in it, where that is known."""
        with self._lock:
            self._stage, self._total, self._n_done = text, total, 0
            self._line(text)
            if self._bar is not None and self._task is not None:
                self._bar.reset(self._task, total=total, description=text)

    def step(self, text: str) -> None:
        """Say that one step of the stage is done, or just what is going on."""
        with self._lock:
            self._n_done += 1
            self._line(text)
            if self._bar is not None and self._task is not None:
                self._bar.update(self._task, completed=self._n_done, description=text, refresh=True)

    def done(self) -> None:
        """End the stage."""
        with self._lock:
            self._stage, self._total, self._n_done = "", None, 0

    def _line(self, text: str) -> None:
        if self._stream.isatty():
            return
        line = f"{time.monotonic() - self._begun:6.1f} s  {text}"
        if self._shown:
            print(line, file=self._stream, flush=True)
        else:
            self._held.append(line)

    def _show(self) -> None:
        """Called by the timer once patience is over."""
        with self._lock:
            if self._timer is None:  # the work ended meanwhile
                return
            self._shown = True
            if self._stream.isatty():
                self._open_bar()
                return
            for line in self._held:
                print(line, file=self._stream, flush=True)
            self._held.clear()

    def _open_bar(self) -> None:
        from rich.console import Console
        from rich.progress import Progress as Bar
        from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

        self._bar = Bar(
            SpinnerColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.description}", markup=False),
            console=Console(file=self._stream),
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._task = self._bar.add_task(
            self._stage or "Working", total=self._total, completed=self._n_done
        )
        self._bar.start()
