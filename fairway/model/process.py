"""Predict with a program of any language: rows go in as CSV lines, one score a row comes back.

Room: ``fairway.model``. A long-lived process reads a header once, then batches of rows, each ended
by an empty line; it answers one score per row, one a line, then flushes. This module starts,
feeds, watches and ends it. It knows nothing of what the program computes.
"""

import contextlib
import io
import os
import re
import selectors
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, NoReturn

from fairway.errors import StepError
from fairway.model import score
from fairway.model.text import header_line, write_csv

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

N_ROWS_AT_ONCE = 10_000  # of one batch
N_LINE_BYTES = 4_096  # an answer this long is no number
N_STDERR_BYTES = 16_384  # of its last words, kept to be shown
N_CHUNK_BYTES = 65_536
PINNED = (  # one thread, and no compiled files beside a release's code
    "OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE=1"
)
SLOW_HINT = "Read line by line, and flush after each batch (mawk: -W interactive; Python: -u)."
PLACE = re.compile(r"(?<!\$)\{(\{?)([A-Za-z][A-Za-z0-9_]*)\}(\}?)")  # as in a step's command
NOTHING = memoryview(b"")
LOOK_S = 0.5  # how often to look whether it lives, should a child of it keep its output open
END_S = 5.0  # grace to end by itself once its input is closed


class Process:
    """A running program that scores rows. Use ``start``; ``close`` it when done.

    Not for several threads at once. After an error it is dead and stays so.
    """

    def __init__(
        self,
        process: "subprocess.Popen[bytes]",
        *,
        shown: str,
        columns: Sequence[str],
        timeout_s: float,
        task: str,
    ) -> None:
        self._process = process
        self._shown = shown
        self._columns = list(columns)
        self._timeout_s = timeout_s
        self._task = task
        self._pending = header_line(self._columns)  # sent with the first batch
        self._answer = b""
        self._stderr = b""
        self._failed = False
        self._selector = selectors.DefaultSelector()
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        self._stdin, self._stdout, self._stderr_pipe = process.stdin, process.stdout, process.stderr
        for pipe in (self._stdin, self._stdout, self._stderr_pipe):
            os.set_blocking(pipe.fileno(), False)
        self._selector.register(self._stdout, selectors.EVENT_READ)
        self._selector.register(self._stderr_pipe, selectors.EVENT_READ)

    def predict(self, table: "pa.Table") -> "np.ndarray":
        """Score rows: (n rows, at least the columns) -> (n,) float64.

        Raises:
            StepError: If the process dies, says nothing in time, or answers with anything but one
                number per row (for a binary task: a probability). It is ended then.
        """
        import numpy as np

        if self._failed:
            raise StepError(
                f"The predictor `{self._shown}` has ended.", hint="Start it again after the repair."
            )
        rows = table.select(self._columns)
        starts = range(0, rows.num_rows, N_ROWS_AT_ONCE)
        parts = [self._batch(rows.slice(start, N_ROWS_AT_ONCE), start) for start in starts]
        scores = np.concatenate(parts) if parts else np.empty(0)
        try:
            return score.check(scores, n_rows=rows.num_rows, task=self._task, model=self._shown)
        except StepError:
            self._end()
            raise

    def close(self) -> None:
        """End the process and all that it started.

        Raises:
            StepError: If it answered more scores than there were rows.
        """
        if self._failed:
            return
        with contextlib.suppress(OSError):
            self._stdin.close()
        deadline = time.monotonic() + min(END_S, self._timeout_s)
        while self._selector.get_map() and time.monotonic() < deadline:
            self._exchange(deadline)
            if len(self._answer) > N_LINE_BYTES:
                break
        surplus = self._answer.strip()
        self._end()
        if surplus:
            raise self._error(f"answered more than one score per row: {_text(surplus)!r} is left.")

    def _batch(self, rows: "pa.Table", first: int) -> "np.ndarray":
        """Send rows and read as many scores; ``first`` is their position, for messages."""
        import numpy as np

        text = io.BytesIO()
        write_csv(rows, text, header=False)
        data = memoryview(self._pending + text.getvalue() + b"\n")
        self._pending = b""
        deadline = time.monotonic() + self._timeout_s
        self._selector.register(self._stdin, selectors.EVENT_WRITE)
        scores: list[float] = []
        self._exchange(time.monotonic())  # what is there already is no answer to these rows
        if self._answer.strip():
            self._fail(f"answered more than one score per row: {_text(self._answer)!r} is left.")
        while len(scores) < rows.num_rows or data:
            if time.monotonic() >= deadline:
                self._fail(
                    f"answered {len(scores)} of {rows.num_rows} rows within "
                    f"{self._timeout_s:g} s and was ended.",
                    hint=SLOW_HINT,
                )
            has_ended = self._process.poll() is not None  # asked before reading its last answer
            data = self._exchange(min(deadline, time.monotonic() + LOOK_S), data)
            is_silent = not self._answer
            self._take(scores, first)
            is_closed = self._stdout not in self._selector.get_map()
            if (is_closed or (has_ended and is_silent)) and len(scores) < rows.num_rows:
                self._die(len(scores), rows.num_rows)
        with contextlib.suppress(KeyError):
            self._selector.unregister(self._stdin)
        if len(scores) > rows.num_rows:
            self._fail(f"answered {len(scores)} scores for {rows.num_rows} rows.")
        return np.array(scores)

    def _exchange(self, deadline: float, data: memoryview = NOTHING) -> memoryview:
        """Wait until something moves, move it, and give back what is still to be sent."""
        for key, _ in self._selector.select(max(0.0, deadline - time.monotonic())):
            if key.fileobj is self._stdin:
                if not data:
                    continue
                try:
                    data = data[os.write(self._stdin.fileno(), data[:N_CHUNK_BYTES]) :]
                except BlockingIOError:
                    continue
                except BrokenPipeError:
                    data = NOTHING
                if not data:
                    self._selector.unregister(self._stdin)
            elif key.fileobj is self._stdout:
                self._answer += self._read(self._stdout)
            else:
                self._stderr = (self._stderr + self._read(self._stderr_pipe))[-N_STDERR_BYTES:]
        return data

    def _read(self, pipe: IO[bytes]) -> bytes:
        try:
            chunk = os.read(pipe.fileno(), N_CHUNK_BYTES)
        except BlockingIOError:
            return b""
        if not chunk:
            self._selector.unregister(pipe)
        return chunk

    def _take(self, scores: list[float], first: int) -> None:
        """Move whole lines of the answer into scores; empty lines say nothing."""
        *lines, rest = self._answer.split(b"\n")
        if len(rest) > N_LINE_BYTES:
            self._fail(f"answered {_text(rest)!r}... for row {first + len(scores)}, not a number.")
        for line in filter(bytes.strip, lines):
            try:
                scores.append(float(line))
            except ValueError:
                self._fail(
                    f"answered {_text(line)!r} for row {first + len(scores)}, which is no number.",
                    hint="Print nothing but scores on stdout, one a line, and all else on stderr.",
                )
        self._answer = rest

    def _die(self, n_scores: int, n_rows: int) -> NoReturn:
        try:
            code = self._process.wait(timeout=END_S)
        except subprocess.TimeoutExpired:
            self._fail(f"closed its output after {n_scores} of {n_rows} rows.")
        how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        self._fail(f"died after {n_scores} of {n_rows} rows ({how}).")

    def _fail(self, what: str, *, hint: str = "") -> NoReturn:
        self._exchange(time.monotonic())  # its last words
        self._end()
        raise self._error(what, hint=hint)

    def _error(self, what: str, *, hint: str = "") -> StepError:
        lines = self._stderr.decode(errors="replace").splitlines()[-10:]
        said = " Its last words: " + " | ".join(lines) if lines else ""
        return StepError(
            f"The predictor `{self._shown}` {what}{said}",
            hint=hint or "Repair the program; it must answer one score per row.",
        )

    def _end(self) -> None:
        """Kill whatever is left of the process and its children, and let go of the pipes."""
        self._failed = True
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._selector.close()
        for pipe in (self._stdin, self._stdout, self._stderr_pipe):
            with contextlib.suppress(OSError):
                pipe.close()


def start(
    command: Sequence[str] | str,
    *,
    columns: Sequence[str],
    cwd: Path,
    timeout_s: float,
    model: Path | None = None,
    environment: Mapping[str, str] | None = None,
    task: str = "binary",
) -> Process:
    """Start a predictor; it lives until ``close``.

    Args:
        command: Program and arguments, or one line for ``/bin/sh``, in which ``{python}`` and,
            where a model is given, ``{model}`` stand for paths (quoted; do not quote them again).
            ``{{name}}`` is a literal ``{name}``, and ``${name}`` is left to the shell.
        columns: What it is sent, in this order: the model's features, never the target. They are
            the header's names.
        cwd: Its folder.
        model: The folder that ``{model}`` stands for.
        environment: All variables that it sees; None: those of this process.
        timeout_s: Seconds for each batch of at most 10,000 rows; the start counts with the first.
        task: ``binary`` or ``regression``; decides which scores are possible.

    Raises:
        StepError: If there is no such program.
    """
    shown = command if isinstance(command, str) else " ".join(command)
    if isinstance(command, str):
        places = {"python": sys.executable}
        if model is not None:
            places["model"] = str(model.resolve())
        words = ["/bin/sh", "-c", f"export {PINNED}; {_filled(command, places)}"]
    else:
        words = list(command)
    try:
        process = subprocess.Popen(
            words,
            cwd=cwd,
            env=None if environment is None else dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,
        )
    except OSError as error:
        raise StepError(
            f"The predictor `{shown}` cannot be started: {error.strerror}.",
            hint=f"Install {words[0]}, or correct predict.",
        ) from error
    return Process(process, shown=shown, columns=columns, timeout_s=timeout_s, task=task)


def _filled(command: str, places: Mapping[str, str]) -> str:
    """The command with its places filled in; what has none is left as it is."""

    def fill(found: re.Match[str]) -> str:
        opening, name, closing = found.groups()
        if opening and closing:
            return f"{{{name}}}"
        return opening + shlex.quote(places[name]) + closing if name in places else found[0]

    return PLACE.sub(fill, command)


def _text(data: bytes) -> str:
    return data[:60].decode(errors="replace").strip()
