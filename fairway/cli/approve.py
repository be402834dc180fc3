"""``fairway approve``: a named person approves a release.

Room: ``fairway.cli``. Calls ``fairway.line.release``.
"""

from typing import Any

import click

from fairway.cli.call import Call, verb
from fairway.cli.output import say, short


@verb
@click.argument("release", metavar="RELEASE")
@click.option("--env", "environment", metavar="ENV", help="For one environment; else for all.")
def approve(call: Call, release: str, environment: str | None) -> int:
    """Approve a release under your name; gates count approvals.

    Example: fairway approve 3f9c01ab --env production --as owner@example.org
    """
    project = call.project
    from fairway.line.release import approve as note

    with call.home() as home:
        answer = note(home, project, call.at, call.actor, release=release, environment=environment)
    call.answer(answer, lambda told: _show(told, call.actor, environment))
    return 0


def _show(answer: dict[str, Any], actor: str, environment: str | None) -> None:
    name = short(answer.get("release"))
    say(f"{actor} approved {name}{f' for {environment}' if environment else ''}.")
    say(f"Next: fairway deploy {name} --env {environment or 'ENVIRONMENT'}")
