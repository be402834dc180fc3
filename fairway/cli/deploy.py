"""``fairway deploy``: point an environment to a release.

Room: ``fairway.cli``. Calls ``fairway.line.deploy``.
"""

from typing import Any

import click

from fairway.cli.call import Call, verb
from fairway.cli.output import say, short
from fairway.cli.release import passed, show_verdict


@verb
@click.argument("release", metavar="RELEASE")
@click.option("--env", "environment", required=True, metavar="ENV", help="A key of [gate].")
def deploy(call: Call, release: str, environment: str) -> int:
    """Judge a release by the environment's gate and point the environment to it.

    What fails moves nothing; the exit code is 1.
    """
    project = call.project
    from fairway.line.deploy import deploy as move

    with call.home() as home:
        answer = move(home, project, call.at, call.actor, release=release, environment=environment)
    call.answer(answer, lambda told: _show(told, environment, list(project.gate)))
    return 0 if passed(answer) else 1


def _show(answer: dict[str, Any], environment: str, environments: list[str]) -> None:
    show_verdict(answer.get("verdict"))
    name = short(answer.get("release"))
    say("")
    if not passed(answer):
        say(f"Refused: {environment} was not moved to {name}.")
        say(f"Next: change what fails, or fairway approve {name} --env {environment}")
        return
    say(f"{environment} now points to {name}.")
    later = (
        environments[environments.index(environment) + 1 :] if environment in environments else []
    )
    if later:
        say(f"Next: fairway deploy {name} --env {later[0]}")
    else:
        say(f"Next: fairway at now   (back again: fairway rollback --env {environment})")
