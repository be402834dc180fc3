"""What scripts rely on: one object on stdout, its keys, exit codes, errors, clocks and names."""

import json
import re
import subprocess
from collections.abc import Mapping
from dataclasses import astuple
from pathlib import Path
from typing import Any

import pytest

from tests.line.place import CLOCK, OWNER, PROJECT, Place, Said, by_name, once, write_project

DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
TOP = {
    "check": {"defaults", "contracts", "split", "refused", "warnings"},
    "run": {"snapshot", "split", "refused", "candidates", "best", "seconds"},
    "candidates": {"candidates"},
    "logs": {"run", "steps"},
    "release": {"release", "path", "verdict"},
    "approve": {"release", "environment", "actor"},
    "verify": {"release", "ok", "differs"},
    "deploy": {"environment", "release", "verdict"},
    "rollback": {"environment", "release", "verdict"},
    "at": {"at", "environments"},
    "trace": {"name", "runs", "releases", "environments", "entries"},
    "push": {"release", "n_blobs", "n_bytes", "verdict"},
    "pull": {"release", "n_blobs", "n_bytes", "verdict"},
    "new": {"directory", "files", "notes"},
    "contract suggest": {"source", "text"},
    "data log": {"snapshots"},
    "data diff": {"old", "new"},
    "audit verify": {"ok", "n_entries", "breaks"},
    "gc": {"n_blobs", "n_bytes"},
}


def calls(place: Place, other: Path) -> dict[str, list[str]]:
    """Every verb of a released project, in an order in which each can do its work."""
    (release,) = {path.name for path in (place.home / "releases").iterdir()}
    (snapshot,) = {one["snapshot"] for one in place.ask("data", "log")["snapshots"]}
    return {
        "check": ["check"],
        "run": ["run"],
        "candidates": ["candidates", "--where", "auc > 0.5"],
        "logs": ["logs", "plain"],
        "release": ["release"],
        "approve": ["approve", release, "--as", OWNER],
        "verify": ["verify", release],
        "deploy": ["deploy", release, "--env", "staging"],
        "at": ["at", "now"],
        "trace": ["trace", release],
        "push": ["push", release, str(other)],
        "pull": ["pull", release, str(other)],
        "data log": ["data", "log"],
        "data diff": ["data", "diff", snapshot, snapshot],
        "audit verify": ["audit", "verify"],
        "gc": ["gc", "--dry-run"],
        "contract suggest": ["contract", "suggest", "orders"],
        "new": ["new", "more", "--from", "orders.csv", "--target", "returned"],
    }


@pytest.fixture(scope="session")
def said(kept_release: Place, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Said]:
    """What each verb says with --json."""

    def make(root: Path) -> None:
        place = kept_release.copy(root / "shop")
        words = calls(place, root / "home")
        told = {name: astuple(place.call(*words[name], "--json")) for name in words}
        (root / "said.json").write_text(json.dumps(told))

    told = json.loads((once(tmp_path_factory, "kept-wire", make).root / "said.json").read_bytes())
    return {name: Said(*one) for name, one in told.items()}


@pytest.mark.parametrize("name", [name for name in TOP if name != "rollback"])
def test_a_verb_prints_one_object_with_its_keys_and_nothing_else(
    said: Mapping[str, Said], name: str
) -> None:
    assert said[name].code == 0, said[name]
    assert TOP[name] <= set(said[name].json)


def test_keys_are_snake_case_and_times_end_with_z(said: Mapping[str, Said]) -> None:
    def look(value: Any, key: str = "") -> None:
        if isinstance(value, Mapping):
            for name, item in value.items():
                look(item, name)
        elif isinstance(value, list):
            for item in value:
                look(item, key)
        elif isinstance(value, str) and key.endswith("_at"):
            assert INSTANT.fullmatch(value), (key, value)
        if isinstance(value, Mapping) and key not in {"metrics", "environments", "contracts"}:
            assert all(re.fullmatch(r"[a-z][a-z0-9_]*", name) for name in value), value

    for answer in said.values():
        look(answer.json)


def test_run_says_what_the_wire_promises(said: Mapping[str, Said]) -> None:
    told = said["run"].json
    plain = by_name(told)["plain"]

    assert DIGEST.fullmatch(told["snapshot"])
    assert set(told["split"]) == {"train", "validation", "test"}
    assert {"name", "model", "state", "cached", "metrics", "threshold"} <= set(plain)
    assert DIGEST.fullmatch(plain["model"])
    assert plain["state"] == "done"
    assert plain["cached"] is True
    assert {"value", "low", "high"} <= set(plain["metrics"]["auc"])
    assert plain["metrics"]["auc"]["low"] < plain["metrics"]["auc"]["value"]
    assert told["best"] == "plain"
    assert told["seconds"] >= 0


def test_release_and_deploy_say_what_the_wire_promises(said: Mapping[str, Said]) -> None:
    told = said["release"].json

    assert DIGEST.fullmatch(told["release"])
    assert Path(told["path"]).name == told["release"].removeprefix("sha256:")
    assert (Path(told["path"]) / "release.json").is_file()
    for name, environment in (("release", "staging"), ("deploy", "staging")):
        verdict = said[name].json["verdict"]
        assert said[name].json["environment"] == environment
        assert verdict["pass"] is True
        assert [set(rule) for rule in verdict["rules"]] == [{"rule", "pass", "value", "why"}] * 2


def test_verify_and_at_say_what_the_wire_promises(said: Mapping[str, Said]) -> None:
    release = said["release"].json["release"]

    assert said["verify"].json["differs"] == []
    assert said["verify"].json["ok"] is True
    assert said["at"].json == {
        "at": "2024-08-01T00:00:00Z",
        "environments": {"staging": release},
    }


def test_plain_answers_fit_eighty_columns(kept_release: Place, tmp_path: Path) -> None:
    place = kept_release.copy(tmp_path / "shop")
    for name, words in calls(place, tmp_path / "home").items():
        told = place.call(*words)
        assert told.code == 0, told
        assert told.out, name
        long = [line for line in told.out.splitlines() if len(line) > 80]
        paths = [line for line in long if str(tmp_path) in line or "/" in line]
        assert long == paths, (name, long)  # a path is never cut
        assert "\x1b" not in told.out + told.err


def test_progress_and_whatever_commands_print_go_to_stderr(shop: Place) -> None:
    shop.write("noisy.py", 'print("hello")\n\n\ndef build(orders):\n    print("build")\n')
    shop.write("noisy.py", (shop.root / "noisy.py").read_text() + "    return orders\n")
    shop.swap(
        "fairway.toml",
        'target = "returned"',
        'target = "returned"\nbuild = "noisy:build"\nkey = "order_id"\ntime = "ordered_at"',
    )
    told = shop.call("check", "--json")

    assert told.code == 0, told
    assert set(told.json) > {"split"}
    assert "Building the dataset" in told.err


@pytest.mark.parametrize(
    ("old", "new", "line", "problem"),
    [
        ('owner = "owner', 'ownr = "owner', 5, "ownr"),
        ('target = "returned"', "target = 7", 11, "target"),
        ("format = 1", "format = 2", 1, "newer"),
        (
            'run     = "{python} train.py {train.csv} {model}"',
            'run = "{python} {trian}"',
            19,
            "trian",
        ),
        ('"orders.csv"', '"order.csv"', 8, "order.csv"),
        ('"auc >= 0.55"', '"auk >= 0.55"', 32, "auk"),
        ("[split]", "[split", 13, "TOML"),
    ],
)
def test_a_fault_of_the_project_file_names_file_and_line(
    tmp_path: Path, old: str, new: str, line: int, problem: str
) -> None:
    assert PROJECT.count(old) == 1
    place = write_project(tmp_path, project=PROJECT.replace(old, new), n=10)
    told = place.call("run", "--json")
    plain = place.call("run")

    assert told.code == plain.code == 2
    error = told.json["errors"][0]
    assert list(error) == ["file", "line", "problem", "hint"]
    assert (error["file"], error["line"]) == ("fairway.toml", line)
    assert problem in error["problem"]
    assert error["hint"]
    assert plain.out == ""
    assert plain.err.splitlines()[0] == f"fairway.toml:{line}: {error['problem']} {error['hint']}"
    assert not place.home.exists()


def test_every_fault_is_told_in_one_reading(tmp_path: Path) -> None:
    text = PROJECT.replace('owner = "', 'ownr = "').replace("fn   = -10", "fn   = []")
    told = write_project(tmp_path, project=text, n=10).call("check", "--json")

    assert told.code == 2
    assert {5, 29} <= {error["line"] for error in told.json["errors"]}


@pytest.mark.parametrize(
    "words",
    [
        ["relase"],
        ["run", "--frobnicate"],
        ["run", "--at", "yesterday"],
        ["deploy", "abcdef"],
        ["deploy", "abcdef", "--env", "nowhere"],
        ["verify", "abcdef"],
        ["rollback", "--env", "staging"],
        ["trace", "abcdef"],
        ["logs", "nobody"],
        ["candidates", "--where", "auc >"],
        ["data", "diff", "abc", "abd"],
        ["release", "nobody"],
        ["release", "baseline"],
        ["pull", "abcdef", "nowhere"],
        ["run", "--home", "https://example.org"],
        ["at", "teatime"],
    ],
    ids=" ".join,
)
def test_wrong_usage_is_an_error_with_a_hint_and_exit_code_2(
    kept_run: Place, words: list[str]
) -> None:
    told = kept_run.plain(*words, "--json")

    assert told.code == 2, told
    (error,) = told.json["errors"]
    assert list(error) == ["file", "line", "problem", "hint"]
    assert error["problem"]
    assert error["hint"]
    plain = kept_run.plain(*words)
    assert (plain.code, plain.out) == (2, "")
    assert "Traceback" not in plain.err


def test_outside_any_project_a_verb_says_what_to_do(tmp_path: Path) -> None:
    told = Place(tmp_path).plain("run", "--json")

    assert told.code == 2
    assert "fairway new" in told.problems


def test_a_verb_works_from_below_the_project_and_from_elsewhere(
    kept_run: Place, tmp_path: Path
) -> None:
    below = kept_run.copy(tmp_path / "shop").root / "some/folder"
    below.mkdir(parents=True)
    elsewhere = Place(tmp_path)

    assert Place(below).plain("run", "--json", "--at", CLOCK).json["best"] == "plain"
    told = elsewhere.plain(
        "run", "--json", "--at", CLOCK, "--project", str(tmp_path / "shop/fairway.toml")
    )
    assert told.json["best"] == "plain"
    told = elsewhere.plain("data", "log", "--json", "--project", "shop", "--home", "other")
    assert (told.code, "no home" in told.problems) == (2, True)
    assert not (tmp_path / "other").exists()  # who only looks makes nothing


def test_who_acts_is_said_or_asked_of_git(released: Place) -> None:
    (release,) = {path.name for path in (released.home / "releases").iterdir()}
    assert released.ask("approve", release, "--as", "Bo B")["actor"] == "Bo B"
    subprocess.run(["git", "init", "-q"], cwd=released.root, check=True)
    subprocess.run(["git", "config", "user.email", "cy@example.org"], cwd=released.root, check=True)
    assert released.ask("approve", release)["actor"] == "cy@example.org"

    actors = [row[0] for row in released.rows("SELECT actor FROM journal WHERE kind = 'approved'")]
    assert actors == ["Bo B", "cy@example.org"]


def test_both_times_are_kept(released: Place) -> None:
    (release,) = {path.name for path in (released.home / "releases").iterdir()}
    released.ask("deploy", release, "--env", "staging", "--at", "2024-09-01")
    ((effective, recorded),) = released.rows(
        "SELECT effective_at, recorded_at FROM journal WHERE kind = 'deployed'"
    )

    assert effective.startswith("2024-09-01T00:00:00")
    assert recorded > "2025"


def test_a_project_file_with_a_mark_of_its_encoding_is_read(tmp_path: Path) -> None:
    place = write_project(tmp_path, n=10)
    place.write("fairway.toml", b"\xef\xbb\xbf" + PROJECT.encode())

    assert "no home" in place.refused("data", "log", code=2)  # not: no project


def test_help_of_every_verb_fits_eighty_columns(kept_run: Place) -> None:
    overview = kept_run.plain("--help")
    verbs = re.findall(r"^  ([a-z]+(?: [a-z]+)?)  ", overview.out, re.MULTILINE)
    assert len(verbs) == 20
    for verb in ("", *verbs):
        told = kept_run.plain(*verb.split(), "--help")
        assert told.code == 0
        assert max(map(len, told.out.splitlines())) <= 80, verb
        assert "crash" not in told.out


def test_a_reader_who_leaves_early_is_no_error(kept_run: Place) -> None:
    done = subprocess.run(
        f"{json.dumps(kept_run.command('candidates')[0])} candidates | head -0; exit 0",
        shell=True,
        cwd=kept_run.root,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stderr == ""
