"""Killed at any durable write of run, release, deploy or push: whole or absent, never half.

A verb kills itself by ``kill -9`` at its N-th write (the hidden ``--crash-at N``). After each death
the home is looked at as it is, then the same verb is called again.
"""

import itertools
import json
import os
import select
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from fairway.store import journal, pointer
from fairway.store.home import open_home
from tests.line.place import Place, keep_release, keep_run, write_project

MOST = 200  # more points than any verb has


@pytest.fixture(scope="session")
def kept_run(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return keep_run(tmp_path_factory)


@pytest.fixture(scope="session")
def kept_release(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return keep_release(tmp_path_factory)


def require_whole(root: Path) -> dict[str, Any]:
    """Everything that is there is whole and bears out the rest; returns what is known there."""
    with open_home(root) as home:
        for digest in home.blobs.digests():
            home.blobs.read(digest)
        assert journal.verify(home.db) == []
        assert pointer.verify(home.db) == []
        entries = journal.entries(home.db, project="shop")
        released = [e for e in entries if e.kind in {"released", "received"}]
        decided = [e for e in entries if e.kind == "gate_decided"]
        moves = pointer.history(home.db, project="shop", name="staging")
        for entry in released:
            folder = root / "releases" / entry.body["release"].removeprefix("sha256:")
            assert home.blobs.put_tree(folder) == entry.body["tree"]
        for move in moves:
            (entry,) = (e for e in entries if e.seq == move.entry)
            assert (entry.kind, entry.body["release"]) == ("deployed", move.target)
            (verdict,) = (e for e in decided if e.digest == entry.body["decision"])
            assert verdict.body["verdict"]["pass"] is True
        assert len([e for e in entries if e.kind == "deployed"]) == len(moves)
        for folder in (root / "releases").glob("*"):
            manifest = (folder / "release.json").read_bytes()
            for path, entry in json.loads(manifest)["files"].items():
                assert (folder / path).stat().st_size == entry["bytes"]
        assert len(list(root.glob("tmp/*"))) <= 1  # this process's own
        results = home.db.read("SELECT key, output FROM step_result ORDER BY id")
        assert len({row["key"] for row in results}) == len(results)
        runs = home.db.read("SELECT state FROM run ORDER BY rowid")
    return {
        "released": len(released),
        "decided": len(decided),
        "moves": len(moves),
        "results": results,
        "runs": [row["state"] for row in runs],
    }


def until_it_ends(place: Place, *words: str, step: int = 1) -> Iterator[int]:
    """Kill a verb at each of its writes in turn, in a home that keeps what was finished."""
    for at in range(1, MOST, step):
        if not place.killed(*words, at=at):
            return
        yield at
    pytest.fail(f"{words} passes more than {MOST} points.")


def test_a_run_killed_again_and_again_goes_on_where_it_was(tmp_path: Path) -> None:
    place = write_project(tmp_path / "shop")
    known: list[Any] = []
    n_killed = 0
    for _ in until_it_ends(place, "run"):
        n_killed += 1
        if not (place.home / "home.json").exists():
            continue
        told = require_whole(place.home)
        assert told["results"][: len(known)] == known  # what was finished stays as it was
        assert told["released"] == told["moves"] == 0
        known = told["results"]
    ended = require_whole(place.home)

    assert n_killed > 10
    assert len(ended["results"]) == 5  # sources, dataset, plain, two evaluations: each once
    assert ended["runs"][-1] == "done"
    assert set(ended["runs"][:-1]) == {"interrupted"}
    assert place.ask("run")["best"] == "plain"
    assert place.worked() == []


@pytest.mark.parametrize("at", [15, 40])
def test_a_first_run_killed_once_repeats_no_finished_step(tmp_path: Path, at: int) -> None:
    place = write_project(tmp_path / "shop")
    assert place.killed("run", at=at)
    before = require_whole(place.home)
    place.ask("run")
    after = require_whole(place.home)

    assert after["results"][: len(before["results"])] == before["results"]
    assert len(after["results"]) == 5
    assert len(place.worked()) == 5 - len(before["results"])
    assert after["runs"] == ["interrupted", "done"]


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Let children hear SIGINT, also where the tests run in the background and ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_run_ended_from_outside_ends_its_steps_and_the_next_one_goes_on(
    kept_run: Place, tmp_path: Path, number: signal.Signals
) -> None:
    place = kept_run.copy(tmp_path / "shop")
    os.mkfifo(tmp_path / "told")
    slow = f"head -c 500000 /dev/zero; echo $$ > {tmp_path}/told; exec sleep 98764"
    place.add(f"[candidate.slow]\nrun = '{slow}; : {{model}}'")
    process = place.start("run")
    with (tmp_path / "told").open() as told:  # opens once Fairway reads more than a pipe holds
        pid = int(told.readline())
    step = os.pidfd_open(pid)
    try:
        process.send_signal(number)
        process.communicate(timeout=30)
        has_ended, _, _ = select.select([step], [], [], 10.0)
    finally:
        process.kill()
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(step, signal.SIGKILL)
        os.close(step)

    assert has_ended
    assert process.returncode == (130 if number == signal.SIGINT else -number)
    before = require_whole(place.home)
    place.swap("fairway.toml", slow, "exit 4")
    place.ask("run", code=3)
    after = require_whole(place.home)
    assert after["results"][: len(before["results"])] == before["results"]
    assert after["runs"][-1] == "done"
    assert "running" not in after["runs"]


def copies(kept: Place, folder: Path) -> Iterator[tuple[int, Place]]:
    """A fresh copy for each point."""
    for at in itertools.count(1):
        yield at, kept.copy(folder / str(at) / "shop")


def test_a_release_killed_at_any_write_is_whole_or_absent(kept_run: Place, tmp_path: Path) -> None:
    names = set()
    for at, place in copies(kept_run, tmp_path):
        was_killed = place.killed("release", at=at)
        told = require_whole(place.home)
        assert told["released"] == told["decided"]  # the verdict comes with what it lets through
        if not was_killed:
            break
        if told["released"] == 0 and at % 8 == 0:
            assert "no release" in place.refused("verify", "2024.8.1", code=2)
        names.add(place.ask("release")["version"])
        assert require_whole(place.home)["released"] == 1
        if at % 8 == 0:
            assert place.ask("verify", "2024.8.1")["ok"] is True
            assert place.ask("audit", "verify")["ok"] is True
    assert at > 10
    assert names == {"2024.8.1"}


def test_a_deployment_killed_at_any_write_moved_wholly_or_not_at_all(
    kept_release: Place, tmp_path: Path
) -> None:
    for at, place in copies(kept_release, tmp_path):
        was_killed = place.killed("deploy", "2024.8.1", "--env", "staging", at=at)
        told = require_whole(place.home)
        standing = place.ask("at", "now")["environments"]
        assert len(standing) == told["moves"] == told["decided"] - 1
        if not was_killed:
            break
        place.ask("deploy", "2024.8.1", "--env", "staging")
        assert require_whole(place.home)["moves"] == 1
    assert at > 2
    assert list(standing) == ["staging"]


def test_a_push_killed_at_any_kind_of_write_shows_nothing_half(
    kept_release: Place, tmp_path: Path
) -> None:
    place = kept_release.copy(tmp_path / "shop")

    def push(at: int) -> bool:
        """Push into a home of its own, killed at a point, and again; false if it ended at once."""
        there = tmp_path / f"there-{at}"
        was_killed = place.killed("push", "2024.8.1", str(there), at=at)
        if (there / "home.json").exists():
            told = require_whole(there)
            assert told["released"] == len(list((there / "releases").glob("*"))) or was_killed
        if was_killed:
            place.ask("push", "2024.8.1", str(there))
        assert require_whole(there)["released"] == 1
        return was_killed

    steps = range(1, MOST, 6)  # most points are blobs, which are all alike
    ended = next(at for at in steps if not push(at))
    for at in range(ended - 1, ended - 12, -1):  # the last ones are folder, statements and verdict
        if at not in steps:
            push(at)
    assert ended > 30
    there = str(tmp_path / f"there-{ended - 3}")
    assert place.ask("verify", "2024.8.1", "--home", there)["ok"] is True
    assert require_whole(place.home)["released"] == 1
