"""``fairway run``: from the sources to measured candidates.

Room: ``fairway.cli``. Calls ``fairway.line.run``.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from fairway.cli.call import Call, verb
from fairway.cli.output import note, number, say, short, table

STEP_FAILED = 3


@verb
def run(call: Call) -> int:
    """Take a snapshot, train every candidate and measure it on the test part.

    What has not changed since the last run is not run again. Where a candidate fails the others go
    on, and the exit code is 3.
    """
    project = call.project
    from fairway.line.run import run as go

    with call.home() as home, call.report() as report:
        answer = go(home, project, call.at, call.actor, report=report)
    call.answer(answer, _show)
    return STEP_FAILED if has_failed(answer) else 0


def has_failed(answer: dict[str, Any]) -> bool:
    """Tell whether a whole candidate failed; one skipped, or a trial of a search, is no failure."""
    rows = [row for row in answer.get("candidates", ()) if row.get("trial") is None]
    return any(row.get("state") not in {"done", "skipped"} for row in rows)


PARTS = ("train", "validation", "test")


def _show(answer: dict[str, Any]) -> None:
    show(answer)
    show_next(answer)


def show(answer: dict[str, Any]) -> None:
    """Tell people what a run came to."""
    parts(answer)
    withheld(answer.get("refused", ()))
    for skipped in answer.get("skipped", ()):
        note(f"Skipped {skipped['name']}: {skipped['why']}")
    for warning in answer.get("warnings", ()):
        note(f"Warning: {warning}")
    say("")
    candidates(answer.get("candidates", ()), answer.get("best"))
    for row in answer.get("candidates", ()):
        if row.get("state") not in {"done", "skipped"}:
            note(f"{row['name']} {str(row['state']).replace('_', ' ')}: {row.get('why', '')}")
    looks = answer.get("looks_at_test")
    models = "model has" if looks == 1 else "models have"
    say("", f"Measured on the test part, which {number(looks)} {models} seen so far.")
    say(f"Took {number(answer.get('seconds'), 3)} s.")


def show_next(answer: dict[str, Any]) -> None:
    """Say what to do after a run."""
    best = answer.get("best")
    if best:
        say(f"Next: fairway release   (judges {best}, the best on the validation part)")
    else:
        say("Next: fairway logs NAME   (says why a candidate failed)")


def parts(answer: dict[str, Any]) -> None:
    """Say how many rows each part has, and for a split by time from when to when."""
    say(f"Snapshot {short(answer.get('snapshot'))}")
    windows, counts = answer.get("windows") or {}, answer.get("split") or {}
    for part in PARTS:
        say(f"  {part:10} {number(counts.get(part)):>10} rows   {windows.get(part, '')}".rstrip())


def withheld(findings: Sequence[Mapping[str, Any]]) -> None:
    """Say which columns no candidate sees, each with every test that hit and the first evidence."""
    for column in dict.fromkeys(one["column"] for one in findings):
        hits = [one for one in findings if one["column"] == column]
        tests = ", ".join(one["test"] for one in hits)
        note(f"Withheld {column} ({tests}): {hits[0]['evidence']} {hits[0].get('example', '')}")


SHOWN: Mapping[str, str] = {
    "validation_log_loss": "valid. loss",
    "validation_rmse": "valid. rmse",
    "payoff": "payoff",
    "auc": "auc",
    "log_loss": "log loss",
    "information_gain": "bits",
    "calibration_error": "calib.",
    "mae": "mae",
    "rmse": "rmse",
    "bias": "bias",
    "bits": "bits",
}
"""The metrics that a table has room for, in order, and what their columns are called."""


def candidates(rows: Sequence[Mapping[str, Any]], best: str | None = None) -> None:
    """Print candidates with the metrics that tell most; --json has all, with their intervals."""
    measured = {name for row in rows for name in row.get("metrics") or {}}
    named = [name for name in SHOWN if name in measured]
    own = sorted(name for name in measured if ":" in name)
    names = [*named, *own][:6]
    heads = [SHOWN.get(name, name.rpartition(":")[2]) for name in names]
    table(
        ["", "candidate", "state", *heads, "model"],
        [
            [
                "*" if best is not None and row.get("name") == best else "",
                _label(row),
                "cached" if row.get("cached") else row.get("state"),
                *(_value(row, name) for name in names),
                short(row.get("model"))[:8],
            ]
            for row in rows
        ],
        numbers=heads,
    )


def _label(row: Mapping[str, Any]) -> str:
    trial = row.get("trial")
    return str(row.get("name")) if trial is None else f"{row.get('name')} #{trial}"


def _value(row: Mapping[str, Any], name: str) -> str:
    metric = (row.get("metrics") or {}).get(name)
    return number(metric.get("value") if isinstance(metric, dict) else metric)
