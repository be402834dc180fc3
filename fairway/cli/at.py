"""``fairway at``: what stood where at a time.

Room: ``fairway.cli``. Calls ``fairway.line.look``.
"""

from typing import Any

import click

from fairway.cli.call import Call, Instant, verb
from fairway.cli.output import say, short, table

NOW = "now"


@verb
@click.argument("moment", metavar="[TIME]", default=NOW)
def at(call: Call, moment: str) -> int:
    """Say which release each environment pointed to at TIME (or now).

    Example: fairway at 2026-01-31T08:00Z
    """
    project = call.project
    from fairway.line.look import at as look

    time = call.at if moment == NOW else Instant().convert(moment, None, None)
    with call.home(is_made=False) as home:
        answer = look(home, project, time)
    call.answer(answer, _show)
    return 0


def _show(answer: dict[str, Any]) -> None:
    environments = answer.get("environments") or {}
    say(f"At {answer.get('at')}:")
    if not environments:
        say("No environment pointed to a release.", "Next: fairway deploy RELEASE --env ENV")
        return
    table(["environment", "release"], [[name, short(to)] for name, to in environments.items()])
    say("Next: fairway trace RELEASE   (says where it came from)")
