"""``fairway rollback``: point an environment to an earlier release.

Room: ``fairway.cli``. Calls ``fairway.line.deploy``.
"""

from typing import Any

import click

from fairway.cli.call import Call, verb
from fairway.cli.output import say, short


@verb
@click.option("--env", "environment", required=True, metavar="ENV", help="A key of [gate].")
@click.option("--to", metavar="RELEASE", help="Which; else the one before.")
def rollback(call: Call, environment: str, to: str | None) -> int:
    """Point an environment to the release that stood there before."""
    project = call.project
    from fairway.line.deploy import rollback as move

    with call.home() as home:
        answer = move(home, project, call.at, call.actor, environment=environment, to=to)
    call.answer(answer, lambda told: _show(told, environment))
    return 0


def _show(answer: dict[str, Any], environment: str) -> None:
    say(f"{environment} points to {short(answer.get('release'))} again.")
    say("Next: fairway at now")
