"""``fairway candidates``: list, filter and sort what was trained.

Room: ``fairway.cli``. Calls ``fairway.line.look``.
"""

from typing import Any

import click

from fairway.cli.call import Call, verb
from fairway.cli.output import say
from fairway.cli.run import candidates as show_rows


@verb
@click.option("--where", default="", metavar="FILTER", help="auc > 0.68 and name = 'glm'")
@click.option("--order", default="", metavar="ORDER", help="auc desc, log_loss")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(min=1))
def candidates(call: Call, where: str, order: str, limit: int) -> int:
    """List the candidates of all runs, each trial of a search too.

    Example: fairway candidates --where "auc > 0.68 and parameters.leaves <= 64"
    """
    project = call.project
    from fairway.line.look import candidates as look

    with call.home(is_made=False) as home:
        answer = look(home, project, where=where, order=order, limit=limit)
    call.answer(answer, lambda told: _show(told, limit))
    return 0


def _show(answer: dict[str, Any], limit: int) -> None:
    rows = answer.get("candidates", [])
    if not rows:
        say("There are no such candidates.", "Next: fairway run")
        return
    show_rows(rows)
    if len(rows) >= limit:
        say(f"The first {limit} are shown; --limit shows more.")
