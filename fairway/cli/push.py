"""``fairway push``: copy a release to another home.

Room: ``fairway.cli``. Calls ``fairway.line.move``.
"""

from typing import Any

import click

from fairway.cli.call import Call, verb
from fairway.cli.output import number, say, short, size
from fairway.cli.release import passed, show_verdict


@verb
@click.argument("release", metavar="RELEASE")
@click.argument("target", metavar="HOME")
def push(call: Call, release: str, target: str) -> int:
    """Copy a release with its statements to another home; digests stay equal.

    The gate there judges again; the exit code is 1 where it refuses.
    """
    project = call.project
    from fairway.line.move import push as copy

    with call.home() as home:
        answer = copy(home, project, call.at, call.actor, release=release, target=target)
    call.answer(answer, lambda told: show(told, f"Pushed to {target}"))
    return 0 if passed(answer) else 1


def show(answer: dict[str, Any], done: str) -> None:
    """Tell people what was copied, and how the receiving gate judged it."""
    name = short(answer.get("release"))
    if not passed(answer):
        show_verdict(answer.get("verdict"))
        say("", f"Refused: the receiving gate does not let {name} in, and nothing shows there.")
        return
    say(f"{done}: release {name}")
    if answer.get("n_blobs") is not None:
        say(f"  {number(answer['n_blobs'])} blobs, {size(answer.get('n_bytes'))}")
    say("The receiving home's gate has judged it again.")
    say(f"Next, there: fairway deploy {name} --env ENV")
