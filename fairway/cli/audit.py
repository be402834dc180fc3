"""``fairway audit``: the acts of the journal.

Room: ``fairway.cli``. Calls ``fairway.line.look``.
"""

from typing import Any

import click

from fairway.cli.call import Call, verb
from fairway.cli.output import number, say

BROKEN = 5


@click.group()
def audit() -> None:
    """The journal, in which nothing is changed or deleted."""


@verb
def verify(call: Call) -> int:
    """Check that no entry of the journal was changed, deleted or swapped.

    The exit code is 5 where one was.
    """
    from fairway.line.look import audit as look

    with call.home(is_made=False) as home:
        answer = look(home)
    call.answer(answer, _show)
    return 0 if answer["ok"] else BROKEN


def _show(answer: dict[str, Any]) -> None:
    if answer["ok"]:
        say(f"The journal is whole: {number(answer.get('n_entries'))} entries.")
        return
    for row in answer.get("breaks", ()):
        say(f"Entry {row['seq']}: {row['problem']}")
    say("", "The journal was changed by hand. Restore it from a copy.")


audit.add_command(verify)
