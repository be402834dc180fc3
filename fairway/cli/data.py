"""``fairway data``: the acts of snapshots.

Room: ``fairway.cli``. Calls ``fairway.line.look``.
"""

from typing import Any

import click

from fairway.cli.call import Call, verb
from fairway.cli.output import number, say, short, table


@click.group()
def data() -> None:
    """Snapshots of the data."""


@verb
def log(call: Call) -> int:
    """List the snapshots, newest first."""
    project = call.project
    from fairway.line.look import data_log as look

    with call.home(is_made=False) as home:
        answer = look(home, project)
    call.answer(answer, _show_log)
    return 0


def _show_log(answer: dict[str, Any]) -> None:
    rows = answer.get("snapshots", [])
    if not rows:
        say("There is no snapshot yet.", "Next: fairway run")
        return
    table(
        ["snapshot", "rows", "at", "by"],
        [
            [
                short(row.get("snapshot")),
                number(row.get("n_rows")),
                row.get("effective_at", row.get("at")),
                row.get("actor"),
            ]
            for row in rows
        ],
        numbers=["rows"],
    )
    say("Next: fairway data diff OLD NEW")


@verb
@click.argument("old", metavar="OLD")
@click.argument("new", metavar="NEW")
def diff(call: Call, old: str, new: str) -> int:
    """Compare two snapshots: columns, rows and values."""
    project = call.project
    from fairway.line.look import data_diff as look

    with call.home(is_made=False) as home, call.report():
        answer = look(home, project, old, new)
    call.answer(answer, _show_diff)
    return 0


def _show_diff(answer: dict[str, Any]) -> None:
    say(f"{short(answer.get('old'))} -> {short(answer.get('new'))}")
    for word in ("added", "removed", "changed"):
        say(f"  rows {word:8} {number(answer.get(f'n_{word}')):>12}")
    columns = answer.get("columns") or answer.get("n_changed_by_column")
    if isinstance(columns, dict) and columns:
        rows = sorted(columns.items(), key=lambda row: str(row[0]))
        table(
            ["column", "rows changed"],
            [[name, number(n) if isinstance(n, int) else n] for name, n in rows],
            numbers=["rows changed"],
        )
    for word in ("added", "removed", "retyped"):
        names = answer.get(f"columns_{word}")
        if names:
            say(f"  columns {word}: {', '.join(names)}")


data.add_command(log)
data.add_command(diff)
