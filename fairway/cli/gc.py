"""``fairway gc``: delete bytes that nothing needs.

Room: ``fairway.cli``. Calls ``fairway.line.keep``.
"""

from typing import Any

import click

from fairway.cli.call import Call, verb
from fairway.cli.output import number, say, size


@verb
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
def gc(call: Call, dry_run: bool) -> int:
    """Delete blobs that no run, release or pointer needs.

    Releases, their evidence and the journal always stay.
    """
    project = call.project
    from fairway.line.keep import gc as collect

    with call.home() as home:
        answer = collect(home, project, dry_run=dry_run)
    call.answer(answer, lambda told: _show(told, dry_run))
    return 0


def _show(answer: dict[str, Any], dry_run: bool) -> None:
    word = "Would delete" if dry_run else "Deleted"
    say(f"{word} {number(answer.get('n_blobs'))} blobs, {size(answer.get('n_bytes'))}.")
    if dry_run and answer.get("n_blobs"):
        say("Next: fairway gc")
