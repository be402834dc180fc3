"""``fairway trace``: where something came from and where it went.

Room: ``fairway.cli``. Calls ``fairway.line.look``.
"""

from typing import Any

import click

from fairway.cli.call import Call, verb
from fairway.cli.output import say, short


@verb
@click.argument("name", metavar="DIGEST|COMMIT")
def trace(call: Call, name: str) -> int:
    """Follow a digest or a commit both ways: what made it, and where it stands."""
    project = call.project
    from fairway.line.look import trace as look

    with call.home(is_made=False) as home:
        answer = look(home, project, name)
    call.answer(answer, _show)
    return 0


def _show(answer: dict[str, Any]) -> None:
    for key, value in answer.items():
        _tell(key, value, "")


def _tell(key: str, value: Any, margin: str) -> None:  # noqa: ANN401  a JSON value
    """Print any answer as an indented outline."""
    head = f"{margin}{key.replace('_', ' ')}"
    if isinstance(value, dict):
        say(f"{head}:")
        for inner, item in value.items():
            _tell(str(inner), item, f"{margin}  ")
    elif isinstance(value, list):
        say(f"{head}:{'' if value else ' none'}")
        for item in value:
            if isinstance(item, dict):
                parts = "  ".join(f"{name} {short(part)}" for name, part in item.items())
                say(f"{margin}  {parts}"[:80])
            else:
                say(f"{margin}  {short(item)}")
    else:
        say(f"{head}: {short(value)}")
