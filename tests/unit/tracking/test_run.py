"""What the logbook promises of runs: a sortable name, one end, and no run left running."""

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from fairway.errors import NotFoundError, RequestError, StoreError
from fairway.store.home import Home
from fairway.tracking import run as runs
from fairway.tracking.run import RunId

CLOCK = datetime(2013, 9, 1, tzinfo=UTC)


def start(
    home: Home, *, project: str = "late-arrivals", body: Mapping[str, object] | None = None
) -> RunId:
    with home.db.transaction() as tx:
        return runs.start(tx, project=project, actor="ann", effective_at=CLOCK, body=body or {})


def test_a_run_is_named_by_its_beginning_and_known_from_then_on(home: Home) -> None:
    before = datetime.now(UTC)
    run = runs.get(home.db, start(home, body={"pid": 7}))

    assert run.id[:15] == run.started_at.strftime("%Y%m%dT%H%M%S")
    assert before <= run.started_at <= datetime.now(UTC)
    assert (run.project, run.actor, run.state) == ("late-arrivals", "ann", "running")
    assert run.effective_at == CLOCK
    assert run.body == {"pid": 7}


def test_runs_that_begin_within_a_second_have_different_names(home: Home) -> None:
    assert len({start(home) for _ in range(30)}) == 30


def test_the_end_adds_to_what_is_known(home: Home) -> None:
    run = start(home, body={"pid": 7, "best": None})
    with home.db.transaction() as tx:
        runs.finish(tx, run, state="done", body={"best": "lightgbm"})

    ended = runs.get(home.db, run)
    assert ended.state == "done"
    assert ended.body["pid"] == 7
    assert ended.body["best"] == "lightgbm"
    assert ended.body["finished_at"].endswith("Z")


def test_the_latest_run_is_that_of_the_project(home: Home) -> None:
    assert runs.latest(home.db, project="late-arrivals") is None
    start(home)
    second = start(home)
    start(home, project="other")

    latest = runs.latest(home.db, project="late-arrivals")
    assert latest is not None
    assert latest.id == second


def test_only_running_runs_whose_process_is_gone_are_interrupted(home: Home) -> None:
    living, dead, done = (start(home, body={"pid": pid}) for pid in (1, 2, 3))
    other = start(home, project="other", body={"pid": 2})
    with home.db.transaction() as tx:
        runs.finish(tx, done, state="done", body={})
        marked = runs.mark_interrupted(tx, "late-arrivals", lambda body: body["pid"] == 1)

    assert marked == [dead]
    states = [runs.get(home.db, run).state for run in (living, dead, done, other)]
    assert states == ["running", "interrupted", "done", "running"]


def test_what_is_no_run_no_json_or_no_state_is_refused(home: Home) -> None:
    with pytest.raises(NotFoundError, match="no run 'x'"):
        runs.get(home.db, RunId("x"))
    with pytest.raises(RequestError, match="no JSON"):
        start(home, body={"x": float("inf")})
    run = start(home)
    with pytest.raises(StoreError, match="refused"), home.db.transaction() as tx:
        runs.finish(tx, run, state="undone", body={})  # type: ignore[arg-type]  the fault under test
    assert runs.get(home.db, run).state == "running"
