"""Candidates that do not behave: each is an outcome that says why, and the others go on."""

import json
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.line.place import Place, by_name, once

BAD = {
    "crashes": 'run = "echo it breaks here >&2; exit 7; : {model}"',
    "hangs": 'run = "echo waiting; sleep 100; : {model}"\ntimeout = "2s"',
    "empty": 'run = "echo nothing to say; : {train} {model}"',
    "other": 'run = "echo hello > {model}/notes.md"',
    "pickled": 'run = "{python} pickled.py {model}/model.pkl"',
    "renamed": 'run = "{python} pickled.py {model}/model.txt"',
    "zipped": 'run = "{python} pickled.py {model}/model.skops zip"',
    "loud": 'run = "head -c 1000000000 /dev/zero; echo the end; exit 3; : {model}"',
    "lost": 'run = "no-such-program-here {train.csv} {model}"',
    "lies": """run = "cp -r {train.csv} {model}/rows"\npredict = '''{python} -c "print(7)"'''""",
    "mute": """run = "cp {train.csv} {model}/rows"\npredict = "sleep 100"\ntimeout = "2s\"""",
    "dies": """run = "cp {train.csv} {model}/rows"\npredict = "echo no more rows >&2; exit 5\"""",
    "greedy": """run = '''{python} -c "x = b'x' * 400_000_000" {model}'''\nmemory = "100MB\"""",
}
FORKS = """
[candidate.forks]
run     = "(setsid sleep 98765 &) ; sleep 98765 & {python} train.py {train.csv} {model}"
predict = "cd . && sleep 98765 & exec {python} predict.py {model}"
"""
PICKLED = """
    import pickle
    import sys
    import zipfile

    data = pickle.dumps({"coefficients": [0.1, 0.2]})
    if "zip" in sys.argv:
        with zipfile.ZipFile(sys.argv[1], "w") as file:
            file.writestr("weights.bin", data)
    else:
        with open(sys.argv[1], "wb") as file:
            file.write(data)
"""


@pytest.fixture(scope="session")
def kept_bad(kept_run: Place, tmp_path_factory: pytest.TempPathFactory) -> tuple[Place, Any]:
    """A project whose candidates are nearly all bad, and what running it answers."""

    def make(root: Path) -> None:
        place = kept_run.copy(root)
        place.write("pickled.py", textwrap.dedent(PICKLED))
        for name, text in BAD.items():
            place.add(f"[candidate.{name}]\n{text}")
        place.add(FORKS)
        place.write("answer.json", json.dumps(place.ask("run", code=3)))

    place = once(tmp_path_factory, "kept-bad", make)
    return place, json.loads((place.root / "answer.json").read_bytes())


@pytest.fixture
def bad(kept_bad: tuple[Place, Any]) -> Place:
    return kept_bad[0]


@pytest.fixture
def told(kept_bad: tuple[Place, Any]) -> Mapping[str, dict[str, Any]]:
    return by_name(kept_bad[1])


def test_the_good_one_goes_on_and_is_the_best(
    kept_bad: tuple[Place, Any], told: Mapping[str, dict[str, Any]]
) -> None:
    assert list(told) == ["plain", *BAD, "forks", "baseline"]
    assert told["plain"]["state"] == "done"
    assert told["baseline"]["state"] == "done"
    assert kept_bad[1]["best"] == "plain"
    assert all(not told[name]["metrics"] for name in BAD)


@pytest.mark.parametrize(
    ("name", "state", "why"),
    [
        ("crashes", "failed", "exit code 7"),
        ("hangs", "timed_out", "longer than 2 s"),
        ("empty", "failed", "left {model} empty"),
        ("other", "failed", "nothing loadable, only notes.md"),
        ("pickled", "failed", "model.pkl"),
        ("renamed", "failed", "model.txt"),
        ("zipped", "failed", "model.skops"),
        ("loud", "failed", "exit code 3"),
        ("lies", "failed", "7"),
        ("mute", "failed", "within 2 s"),
        ("dies", "failed", "no more rows"),
        ("greedy", "out_of_memory", "100000000 bytes"),
    ],
)
def test_a_bad_candidate_is_listed_with_what_happened(
    told: Mapping[str, dict[str, Any]], name: str, state: str, why: str
) -> None:
    assert told[name]["state"] == state
    assert why in told[name]["why"]


@pytest.mark.parametrize("name", ["pickled", "renamed", "zipped"])
def test_a_pickle_is_called_one(told: Mapping[str, dict[str, Any]], name: str) -> None:
    assert "pickle" in told[name]["why"].lower()


def test_a_missing_program_is_skipped_and_said(
    kept_bad: tuple[Place, Any], told: Mapping[str, dict[str, Any]]
) -> None:
    assert told["lost"]["state"] == "skipped"
    assert [one["name"] for one in kept_bad[1]["skipped"]] == ["lost"]
    assert "no-such-program-here" in kept_bad[1]["skipped"][0]["why"]


@pytest.mark.parametrize(
    ("name", "text"),
    [("crashes", "it breaks here"), ("hangs", "waiting"), ("empty", "nothing to say")],
)
def test_its_log_shows_what_it_printed(bad: Place, name: str, text: str) -> None:
    assert bad.log(name) == text


def test_of_a_gigabyte_head_and_tail_are_kept(bad: Place) -> None:
    text = bad.log("loud")

    assert text.endswith("the end")
    assert len(text) < 1_000_000


def test_what_a_candidate_leaves_running_is_ended_and_its_model_counts(
    told: Mapping[str, dict[str, Any]],
) -> None:
    assert told["forks"]["state"] == "done"
    assert told["forks"]["model"] == told["plain"]["model"]
    assert not [line for line in processes() if "98765" in line]


def test_logs_tell_people_why(bad: Place) -> None:
    said = bad.call("logs")

    assert said.code == 0
    assert max(map(len, said.out.splitlines())) <= 80
    assert "hangs" in said.out
    assert "timed_out" in said.out.replace(" ", "_")


def test_a_bad_candidate_cannot_be_released(bad: Place) -> None:
    assert "crashes" in bad.refused("release", "crashes", code=2)


def test_a_failed_candidate_is_tried_again_and_a_mended_one_is_done(ran: Place) -> None:
    ran.write("recipe.sh", "exit 7\n")
    ran.add("""\
[candidate.more]
run     = "sh recipe.sh {python} {train.csv} {model}"
predict = "{python} predict.py {model}"
""")
    for _ in range(2):
        ran.ask("run", code=3)
        assert ran.worked() == ["more"]

    ran.write("recipe.sh", "exec $1 train.py $2 $3\n")
    told = ran.ran()
    assert told["more"]["state"] == "done"
    assert told["more"]["model"] == told["plain"]["model"]


def test_a_candidate_never_receives_the_test_part(ran: Place) -> None:
    ran.add('[candidate.more]\nrun = "cat {test} > {model}/x"')

    assert "{test} has no value" in ran.refused("run", code=2)


def processes() -> list[str]:
    """The command lines of all processes."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue
    return found
