"""``fairway pull``: copy a release from another home.

Room: ``fairway.cli``. Calls ``fairway.line.move``.
"""

import click

from fairway.cli.call import Call, verb
from fairway.cli.push import show
from fairway.cli.release import passed


@verb
@click.argument("release", metavar="RELEASE")
@click.argument("source", metavar="HOME")
def pull(call: Call, release: str, source: str) -> int:
    """Copy a release with its statements from another home; digests stay equal.

    The gate here judges again; the exit code is 1 where it refuses.
    """
    project = call.project
    from fairway.line.move import pull as copy

    with call.home() as home:
        answer = copy(home, project, call.at, call.actor, release=release, source=source)
    call.answer(answer, lambda told: show(told, f"Pulled from {source}"))
    return 0 if passed(answer) else 1
