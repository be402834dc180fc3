"""``fairway push``: copy a release to another home.

Room: ``fairway.cli``. Calls ``fairway.line.move``.
"""

from typing import Any

import click

from fairway.cli.call import Call, verb
from fairway.cli.output import number, say, short, size


@verb
@click.argument("release", metavar="RELEASE")
@click.argument("target", metavar="HOME")
def push(call: Call, release: str, target: str) -> int:
    """Copy a release with its statements to another home; digests stay equal."""
    project = call.project
    from fairway.line.move import push as copy

    with call.home() as home:
        answer = copy(home, project, call.at, call.actor, release=release, target=target)
    call.answer(answer, lambda told: show(told, f"Pushed to {target}"))
    return 0


def show(answer: dict[str, Any], done: str) -> None:
    """Tell people what was copied."""
    say(f"{done}: release {short(answer.get('release'))}")
    if answer.get("n_blobs") is not None:
        say(f"  {number(answer['n_blobs'])} blobs, {size(answer.get('n_bytes'))}")
    say("The receiving home's gate judges it again when it is deployed there.")
    say(f"Next, there: fairway deploy {short(answer.get('release'))} --env ENV")
