"""The flights on disk, the real command, and what lies in its home: for the tests."""

import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.line.place import FAIRWAY, Place, by_name, environ

CLONE = Path(__file__).parents[2]
EXAMPLE = Path("examples/flights")
DEMO_AT = ("--at", "2013-09-01T00:00Z")
YEAR = ("--project", "right.toml", "--at", "2014-01-02")
WHOLE_YEAR = "late-arrivals-whole-year"  # the name of the project in right.toml
PATIENCE_S = 1200.0


def ask(folder: Path, *words: str, **variables: str) -> dict[str, Any]:
    """The JSON answer of a verb that must end well."""
    done = subprocess.run(
        [str(FAIRWAY), *words, "--json"],
        cwd=folder,
        env=environ(**variables),
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )
    assert done.returncode == 0, (words, done.returncode, done.stdout, done.stderr)
    answer = json.loads(done.stdout)
    assert isinstance(answer, dict)
    return answer


def copy_example(target: Path) -> Path:
    ignored = shutil.ignore_patterns(".fairway", "__pycache__", ".pytest_cache")
    return Path(shutil.copytree(CLONE / EXAMPLE, target, ignore=ignored))


def read_json(place: Place, digest: str) -> dict[str, Any]:
    return dict(json.loads(place.blob(digest).read_bytes()))


def record(place: Place, project: str) -> dict[str, Any]:
    """What the latest finished run of a project left behind, by digest."""
    found = place.rows(
        "SELECT json_extract(body, '$.record') FROM journal WHERE kind = 'run_finished'"
        f" AND project = '{project}' ORDER BY seq DESC LIMIT 1"
    )
    return read_json(place, found[0][0])


def part_of(place: Place, tree: str, name: str) -> Path:
    """A file of a tree."""
    return place.blob(read_json(place, tree)["tree"][name]["digest"])


def measured(place: Place, name: str) -> dict[str, Any]:
    """What the evaluation of a candidate of the whole year says of the test part."""
    outcomes = {one["name"]: one for one in record(place, WHOLE_YEAR)["outcomes"]}
    file = part_of(place, outcomes[name]["evaluation"], "evaluation.json")
    return dict(json.loads(file.read_bytes())["test"])


def values(answer: Mapping[str, Any], name: str) -> dict[str, float]:
    """A candidate's metrics without their intervals."""
    return {key: one["value"] for key, one in by_name(answer)[name]["metrics"].items()}
