"""``fairway demo``: the whole line on the flights of New York in 2013, each answer kept.

Room: ``fairway.line``; it calls the other verbs in the order of the line and adds nothing to them.
"""

import json
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import fairway
from fairway.errors import GateError, RequestError
from fairway.line import deploy, look, release, run
from fairway.line.progress import Report
from fairway.project import read
from fairway.store.home import open_home, write_file

EXAMPLE = Path("examples/flights/fairway.toml")
HOME = ".fairway"
RESULTS = Path("demo-results")
ENVIRONMENTS = ("staging", "production")


def demo(at: datetime, actor: str, *, report: Report) -> dict[str, Any]:
    """Run, release, approve, deploy and verify; writes ``demo-results/result.json``.

    Raises:
        GateError: If a gate refuses, with the rules that failed.
        RequestError: Outside a clone.
    """
    begun = time.monotonic()
    clone = _clone()
    project = read(clone / EXAMPLE)
    with open_home(project.root / HOME) as home:
        ran = run.run(home, project, at, actor, report=report)
        released = release.release(home, project, at, actor, candidate=None, report=report)
        _require(released)
        name = released["release"]
        release.approve(home, project, at, project.owner, release=name, environment=None)
        for environment in ENVIRONMENTS:
            report.start(f"Deploying to {environment}")
            deployed = deploy.deploy(
                home, project, at, actor, release=name, environment=environment
            )
            _require(deployed)
        answer = {
            "run": ran,
            "release": released,
            "deploy": deployed,
            "verify": release.verify(home, project, name),
            "at": look.at(home, project, at),
            "skipped": ran["skipped"],
            "seconds": round(time.monotonic() - begun, 3),
        }
    text = json.dumps(answer, indent=1, ensure_ascii=False).encode() + b"\n"
    write_file(clone / RESULTS / "result.json", text)
    return answer


def page(text: str) -> None:
    """Keep what the terminal showed as ``demo-results/page.txt``."""
    write_file(_clone() / RESULTS / "page.txt", text.encode())


def _clone() -> Path:
    """The clone of Fairway that this package or the current folder lies in.

    Raises:
        RequestError: If neither does.
    """
    for start in (Path.cwd(), Path(fairway.__file__).parent):
        for folder in (start, *start.parents):
            if (folder / EXAMPLE).is_file():
                return folder
    raise RequestError(
        "The demo's flights are not here: they are not part of the installed package.",
        hint="Clone Fairway's repository with git, and run `make demo` in the clone.",
    )


def _require(answer: dict[str, Any]) -> None:
    verdict = answer["verdict"]
    if not verdict["pass"]:
        failed = [rule["why"] for rule in verdict["rules"] if not rule["pass"]]
        raise GateError(f"The gate refused: {' '.join(failed)}", hint="See: fairway candidates")
