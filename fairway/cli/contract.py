"""``fairway contract``: the acts of data contracts.

Room: ``fairway.cli``. Calls ``fairway.line.contract``.
"""

from typing import Any

import click

from fairway.cli.call import Call, verb
from fairway.cli.output import say


@click.group()
def contract() -> None:
    """Data contracts in the Open Data Contract Standard."""


@verb
@click.argument("source", metavar="SOURCE")
def suggest(call: Call, source: str) -> int:
    """Write a first contract for a source (or for: dataset) from its data.

    It is printed; keep it with: fairway contract suggest flights > flights.odcs.yaml
    """
    project = call.project
    from fairway.line.contract import suggest as look

    with call.home() as home, call.report():
        answer = look(home, project, call.at, source=source)
    call.answer(answer, _show)
    return 0


def _show(answer: dict[str, Any]) -> None:
    say(str(answer["text"]).rstrip("\n"))


contract.add_command(suggest)
