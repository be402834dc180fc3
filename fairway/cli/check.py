"""``fairway check``: is the project sound, do the contracts hold, does anything leak.

Room: ``fairway.cli``. Calls ``fairway.line.check``.
"""

from typing import Any

import click

from fairway.cli.call import Call, verb
from fairway.cli.output import note, number, say, table
from fairway.cli.run import parts, withheld


@verb
@click.option("--suggest-repairs", is_flag=True, help="Also propose lines for [repair].")
def check(call: Call, suggest_repairs: bool) -> int:
    """Check the project file, the contracts, the split and the columns; train nothing.

    Prints what Fairway took where the file is silent.
    """
    project = call.project
    from fairway.line.check import check as look

    with call.home() as home, call.report() as report:
        answer = look(
            home,
            project,
            call.at,
            call.actor,
            suggest_repairs=suggest_repairs,
            report=report,
        )
    call.answer(answer, _show)
    return 0


def _show(answer: dict[str, Any]) -> None:
    if answer.get("defaults"):
        say("Where the file is silent, Fairway takes:")
        for default in answer["defaults"]:
            note(f"{default['key']} = {default['value']}   ({default['why']})", margin="  ")
        say("")
    if answer.get("contracts"):
        table(
            ["contract", "rules", "broken", "rows aside"],
            [
                [name, number(_count(told, "rules")), number(_broken(told)), _aside(told)]
                for name, told in _named(answer["contracts"])
            ],
            numbers=["rules", "broken", "rows aside"],
        )
        say("")
    parts(answer)
    withheld(answer.get("refused", ()))
    for warning in answer.get("warnings", ()):
        note(f"Warning: {warning}")
    if answer.get("repairs"):
        say("", "Add to fairway.toml, below [repair], what you agree with:")
        for repair in answer["repairs"]:
            say(repair["line"])
    say("", "Next: fairway run")


def _named(told: Any) -> list[tuple[str, dict[str, Any]]]:  # noqa: ANN401  a JSON value
    if isinstance(told, dict):
        return list(told.items())
    return [(str(row.get("name", row.get("contract", ""))), row) for row in told]


def _count(told: dict[str, Any], key: str) -> int | None:
    found = told.get(key)
    return len(found) if isinstance(found, list) else found


def _broken(told: dict[str, Any]) -> int | None:
    rules = told.get("rules")
    if not isinstance(rules, list):
        return told.get("broken")
    return sum(not rule.get("passed", rule.get("pass", True)) for rule in rules)


def _aside(told: dict[str, Any]) -> str:
    return number(told.get("n_aside", told.get("aside")))
