"""What the logbook promises of candidates: all of a run or none, and figures exactly as given."""

import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fairway import digest as naming
from fairway.errors import RequestError, StoreError
from fairway.store.home import Home
from fairway.tracking import log, run, search
from fairway.tracking.log import CandidateRecord, Metric
from fairway.tracking.run import RunId
from tests.unit.tracking.test_run import start

finite = st.floats(allow_nan=False, allow_infinity=False)


@given(value=finite, low=st.none() | finite, threshold=st.none() | finite)
@settings(
    max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
def test_a_candidate_comes_back_as_it_was_noted(
    home: Home, value: float, low: float | None, threshold: float | None
) -> None:
    run_id = start(home)
    noted = CandidateRecord(
        name="lightgbm",
        trial=3,
        model=naming.of_bytes(b"model"),
        state="done",
        cached=True,
        threshold=threshold,
        parameters={"leaves": 31, "kind": "gbdt"},
        metrics={"auc": Metric(value=value, low=low, high=None)},
        body={"why": ["never run"]},
        run=run_id,
    )
    with home.db.transaction() as tx:
        log.record(tx, run_id, "late-arrivals", [noted])

    assert search.search(home.db, project="late-arrivals", run=run_id) == [noted]


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_figure_that_is_not_finite_is_refused_by_name(home: Home, value: float) -> None:
    run_id = start(home)
    faulty = CandidateRecord(name="glm", metrics={"auc": Metric(value=value)})

    with pytest.raises(RequestError, match="auc of glm is"), home.db.transaction() as tx:
        log.record(tx, run_id, "late-arrivals", [CandidateRecord(name="ok"), faulty])
    assert search.search(home.db, project="late-arrivals") == []


def test_candidates_belong_to_a_run_and_say_json(home: Home) -> None:
    with pytest.raises(StoreError, match="refused"), home.db.transaction() as tx:
        log.record(tx, RunId("absent"), "late-arrivals", [CandidateRecord(name="glm")])
    run_id = start(home)
    with pytest.raises(RequestError, match="no JSON"), home.db.transaction() as tx:
        log.record(tx, run_id, "p", [CandidateRecord(name="glm", parameters={"x": math.nan})])


def test_no_candidates_are_no_fault(home: Home) -> None:
    run_id = start(home)
    with home.db.transaction() as tx:
        log.record(tx, run_id, "late-arrivals", [])

    assert search.search(home.db, project="late-arrivals") == []
    assert run.get(home.db, run_id).state == "running"
