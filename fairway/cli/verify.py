"""``fairway verify``: are a release's bytes those that were signed.

Room: ``fairway.cli``. Calls ``fairway.line.release``.
"""

from typing import Any

import click

from fairway.cli.call import Call, verb
from fairway.cli.output import say, short

DIFFERS = 5


@verb
@click.argument("release", metavar="RELEASE")
def verify(call: Call, release: str) -> int:
    """Compare every file of a release with its digest, and check the signatures.

    RELEASE is a digest or its first digits. The exit code is 5 where anything differs.
    """
    project = call.project
    from fairway.line.release import verify as compare

    with call.home(is_made=False) as home:
        answer = compare(home, project, release)
    call.answer(answer, show)
    return 0 if answer["ok"] else DIFFERS


def show(answer: dict[str, Any]) -> None:
    """Tell people which files differ."""
    name = short(answer.get("release"))
    if answer["ok"]:
        say(f"{name} is whole: every file and signature is as released.")
        return
    for row in answer.get("differs", ()):
        say(str(row["file"]))
        for word in ("expected", "found"):
            n_bytes = row.get(f"{word}_bytes")
            told = f" ({n_bytes:,} bytes)" if isinstance(n_bytes, int) else ""
            say(f"  {word:8} {row.get(word) or 'nothing'}{told}")
    say("", f"{name} is not what was released. Do not use it.")
    say("Next: fairway pull it again from a home that holds it whole.")
