"""What became of a step, and the record of it in each run.

Room: ``fairway.pipeline``, below ``execution``. The table ``step_run`` is this module's: one row
for each step of each run, cached or not, never changed. It judges nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from fairway.digest import Digest
from fairway.store import instant
from fairway.store.database import Database, Transaction

State = Literal["done", "failed", "timed_out", "out_of_memory", "skipped"]
"""``skipped``: a step that it waits for did not end well."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """What became of one step.

    Attributes:
        name: The step's.
        state: How it ended.
        cached: Whether an earlier run made the output; then nothing was run.
        output: What it made; None unless ``done``.
        reads: The project's files that it read, by content; None where it found nothing.
        log: A blob: what it printed, of all attempts. None where it was skipped.
        seconds: How long the last attempt ran; for a cached result, back then.
        cpu_s: Processor seconds of all attempts; for a cached result, back then.
        exit_code: Of the last attempt; negative: the signal that ended it; None: not run.
        why: What made it run: ``never run``, ``late/train.py changed``, ``input changed: train``;
            or ``cached``.
        problem: What went wrong, as a sentence. For a step that is done: why its result is not
            remembered. Otherwise nothing.
        n_attempts: How often it was started in this run.
    """

    name: str
    state: State
    cached: bool = False
    output: Digest | None = None
    reads: Mapping[str, Digest | None] = field(default_factory=dict)
    log: Digest | None = None
    seconds: float = 0.0
    cpu_s: float = 0.0
    exit_code: int | None = None
    why: str
    problem: str = ""
    n_attempts: int = 0


def write(tx: Transaction, run: str, results: Sequence[Result]) -> None:
    """Add what became of steps to a run's record."""
    at = instant.to_text(instant.now())
    tx.execute(
        _WRITE,
        [
            {
                "run": run,
                "name": result.name,
                "state": result.state,
                "cached": int(result.cached),
                "why": f"{result.why}. {result.problem}" if result.problem else result.why,
                "log": result.log,
                "output": result.output,
                "seconds": result.seconds,
                "cpu_s": result.cpu_s,
                "exit_code": result.exit_code,
                "at": at,
            }
            for result in results
        ],
    )


def of_run(db: Database, run: str, *, name: str | None = None) -> list[Result]:
    """What became of the steps of a run, in the order in which they ended.

    Args:
        db: The database.
        run: The run.
        name: Only steps of that name.
    """
    return [
        Result(
            name=row["name"],
            state=row["state"],
            cached=bool(row["cached"]),
            output=row["output"],
            log=row["log"],
            seconds=row["seconds"],
            cpu_s=row["cpu_s"],
            exit_code=row["exit_code"],
            why=row["why"],
        )
        for row in db.read(_OF_RUN, {"run": run, "name": name})
    ]


_WRITE = """
INSERT INTO step_run
    (run_id, name, state, cached, why, log, output, seconds, cpu_s, exit_code, recorded_at)
VALUES (:run, :name, :state, :cached, :why, :log, :output, :seconds, :cpu_s, :exit_code, :at)
"""

_OF_RUN = """
SELECT name, state, cached, why, log, output, seconds, cpu_s, exit_code FROM step_run
WHERE run_id = :run AND (:name IS NULL OR name = :name) ORDER BY id
"""
