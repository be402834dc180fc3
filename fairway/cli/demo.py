"""``fairway demo``: the whole line on real flights.

Room: ``fairway.cli``. Calls ``fairway.line.demo``.
"""

import io
from contextlib import redirect_stdout
from datetime import UTC, datetime
from typing import Any

from fairway.cli.call import Call, verb
from fairway.cli.output import number, say, short
from fairway.cli.run import show as show_run

DEMO_AT = datetime(2013, 9, 1, tzinfo=UTC)


@verb
def demo(call: Call) -> int:
    """Run the whole line on the flights of New York, in a clone of Fairway.

    Acts as at 2013-09-01 unless --at says otherwise. Leaves demo-results/.
    """
    from fairway.line.demo import demo as go
    from fairway.line.demo import page

    with call.report() as report:
        answer = go(call.time or DEMO_AT, call.actor, report=report)
    with redirect_stdout(io.StringIO()) as text:
        _show(answer)
    page(text.getvalue())
    call.answer(answer, lambda _: say(text.getvalue().rstrip("\n")))
    return 0


def _show(answer: dict[str, Any]) -> None:
    if isinstance(answer.get("run"), dict):
        show_run({**answer["run"], "skipped": answer.get("skipped", ())})
    released = answer.get("release") or {}
    say("", f"Release {short(released.get('release'))}: {released.get('path')}")
    standing = (answer.get("at") or {}).get("environments") or {}
    for environment, name in standing.items():
        say(f"  {environment} points to {short(name)}")
    say(f"All of it took {number(answer.get('seconds'), 3)} s; demo-results/ has every answer.")
