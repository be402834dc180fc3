"""``fairway logs``: what a step or a candidate printed.

Room: ``fairway.cli``. Calls ``fairway.line.look``.
"""

from typing import Any

import click

from fairway.cli.call import Call, verb
from fairway.cli.output import number, say, table


@verb
@click.argument("step", required=False, metavar="[NAME]")
@click.option("--run", "run_id", metavar="RUN", help="A run; else the latest.")
def logs(call: Call, step: str | None, run_id: str | None) -> int:
    """Show what a step or candidate printed; without NAME, what happened to each.

    Example: fairway logs lightgbm
    """
    project = call.project
    from fairway.line.look import logs as look

    with call.home(is_made=False) as home:
        answer = look(home, project, step=step, run=run_id)
    call.answer(answer, _show)
    return 0


def _show(answer: dict[str, Any]) -> None:
    rows = answer.get("steps", [])
    if rows:
        table(
            ["step", "state", "seconds", "why"],
            [
                [row.get("name"), row.get("state"), number(row.get("seconds"), 3), row.get("why")]
                for row in rows
            ],
            numbers=["seconds"],
        )
    texts = [row for row in rows if row.get("text")] or [answer]
    for row in texts:
        if row.get("text"):
            say("", str(row["text"]).rstrip("\n"))
    if not rows and not answer.get("text"):
        say("Nothing was run yet.", "Next: fairway run")
