"""``fairway release``: judge a candidate and make it a release.

Room: ``fairway.cli``. Calls ``fairway.line.release``.
"""

from typing import Any

import click

from fairway.cli.call import Call, verb
from fairway.cli.output import note, number, say, short, table


@verb
@click.argument("candidate", required=False, metavar="[CANDIDATE]")
def release(call: Call, candidate: str | None) -> int:
    """Judge a candidate (the best, if none is named) by the first environment's gate.

    What passes becomes a signed folder named by its digest. What fails releases nothing; the exit
    code is 1.
    """
    project = call.project
    from fairway.line.release import release as make

    with call.home() as home, call.report() as report:
        answer = make(home, project, call.at, call.actor, candidate=candidate, report=report)
    call.answer(answer, lambda told: _show(told, list(project.gate)))
    return 0 if passed(answer) else 1


def passed(answer: dict[str, Any]) -> bool:
    """Tell whether the verdict in an answer lets it through; without one, it was not judged."""
    verdict = answer.get("verdict")
    return verdict is None or bool(verdict["pass"])


def show_verdict(verdict: dict[str, Any] | None) -> None:
    """Print the rules of a verdict, and why those that fail do."""
    if not verdict:
        return
    rules = verdict.get("rules", [])
    table(
        ["", "rule", "value"],
        [["ok" if rule["pass"] else "NO", rule["rule"], number(rule["value"])] for rule in rules],
        numbers=["value"],
    )
    for rule in rules:
        if not rule["pass"]:
            note(f"{rule['rule']}: {rule['why']}")
    for text in verdict.get("notes", ()):
        note(f"Note: {text}")


def _show(answer: dict[str, Any], environments: list[str]) -> None:
    show_verdict(answer.get("verdict"))
    say("")
    if not passed(answer):
        say("Refused: nothing was released.", "Next: fairway candidates, or change what fails.")
        return
    name = short(answer.get("release"))
    say(f"Released {name}", f"  {answer.get('path')}")
    environment = environments[0] if environments else "ENVIRONMENT"
    say(f"Next: fairway deploy {name} --env {environment}")
