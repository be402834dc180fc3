"""``fairway demo``: the whole line on real flights.

Room: ``fairway.cli``. Calls ``fairway.line.demo``.
"""

import io
from contextlib import redirect_stdout
from datetime import UTC, datetime
from typing import Any

from fairway.cli.call import Call, verb
from fairway.cli.output import number, say, short
from fairway.cli.release import show_verdict
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
    from fairway.line.demo import ENVIRONMENTS

    show_run(answer["run"])
    released = answer["release"]
    say("", f"The gate of {released['environment']}:")
    show_verdict(released["verdict"])
    title = f"{released['candidate']} as version {released['version']}"
    say("", f"Released {short(released['release'])}: {title}, signed.")
    say("", f"The gate of {answer['deploy']['environment']}:")
    show_verdict(answer["deploy"]["verdict"])
    standing = answer["at"]["environments"]
    say("")
    for environment in ENVIRONMENTS:
        say(f"{environment:10} points to {short(standing.get(environment))}")
    whole = "every file and signature is as released" if answer["verify"]["ok"] else "DIFFERS"
    say(f"verified   {whole}")
    say("", f"All of it took {number(answer['seconds'], 3)} s; demo-results/ has every answer.")
    say("Look around: cd examples/flights && fairway candidates")
