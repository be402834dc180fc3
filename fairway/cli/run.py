"""``fairway run``: from the sources to measured candidates.

Room: ``fairway.cli``. Calls ``fairway.line.run``.
"""

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
    call.answer(answer, show)
    return STEP_FAILED if has_failed(answer) else 0


def has_failed(answer: dict[str, Any]) -> bool:
    """Tell whether a whole candidate failed; one skipped, or a trial of a search, is no failure."""
    rows = [row for row in answer.get("candidates", ()) if row.get("trial") is None]
    return any(row.get("state") not in {"done", "skipped"} for row in rows)


def show(answer: dict[str, Any]) -> None:
    """Tell people what a run came to."""
    split = answer.get("split") or {}
    parts = ", ".join(f"{name} {number(n)}" for name, n in split.items())
    say(f"Snapshot {short(answer.get('snapshot'))}: {parts}")
    for refused in answer.get("refused", ()):
        note(f"Withheld {refused['column']} ({refused['test']}): {refused['evidence']}")
    for skipped in answer.get("skipped", ()):
        note(f"Skipped {skipped}")
    say("")
    candidates(answer.get("candidates", ()), answer.get("best"))
    for text in answer.get("notes", ()):
        note(f"Note: {text}")
    best = answer.get("best")
    say("", f"Took {number(answer.get('seconds'), 3)} s.")
    if best:
        say(f"Next: fairway release   (judges {best}, the best)")
    else:
        say("Next: fairway logs NAME   (says why a candidate failed)")


def candidates(rows: Any, best: Any = None) -> None:  # noqa: ANN401  JSON values
    """Print candidates with up to five of their metrics."""
    names = list(dict.fromkeys(name for row in rows for name in row.get("metrics") or {}))[:5]
    table(
        ["", "candidate", "state", *names, "model"],
        [
            [
                "*" if best is not None and row.get("name") == best else "",
                _label(row),
                "cached" if row.get("state") == "done" and row.get("cached") else row.get("state"),
                *(_value(row, name) for name in names),
                short(row.get("model")),
            ]
            for row in rows
        ],
        numbers=names,
    )


def _label(row: dict[str, Any]) -> str:
    trial = row.get("trial")
    return str(row.get("name")) if trial is None else f"{row.get('name')} #{trial}"


def _value(row: dict[str, Any], name: str) -> str:
    metric = (row.get("metrics") or {}).get(name)
    return number(metric.get("value") if isinstance(metric, dict) else metric)
