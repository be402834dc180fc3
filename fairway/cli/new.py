"""``fairway new``: write a first project from a table.

Room: ``fairway.cli``. Calls ``fairway.line.new``.
"""

import shlex
from pathlib import Path
from typing import Any

import click

from fairway.cli.call import Call, verb
from fairway.cli.output import note, say


@verb
@click.argument("directory", type=click.Path(path_type=Path), metavar="DIR")
@click.option(
    "--from",
    "table",
    type=click.Path(path_type=Path),
    required=True,
    metavar="FILE",
    help="A table: CSV, Parquet, JSON lines.",
)
@click.option("--target", required=True, metavar="COLUMN", help="What is to be predicted.")
@click.option("--name", "title", metavar="NAME", help="The project's name; else the folder's.")
def new(call: Call, directory: Path, table: Path, target: str, title: str | None) -> int:
    """Write a first project from a table, one that runs as it stands.

    Example: fairway new shop --from orders.csv --target returned
    """
    from fairway.line.new import new as write

    with call.report():
        answer = write(directory, table, target, title)
    call.answer(answer, lambda told: _show(told, directory))
    return 0


def _show(answer: dict[str, Any], directory: Path) -> None:
    say(f"Wrote a project to {directory}:")
    say(*(f"  {name}" for name in answer.get("files", ())))
    for text in answer.get("notes", ()):
        note(text, margin="  ")
    say("", f"Next: cd {shlex.quote(str(directory))} && fairway check && fairway run")
