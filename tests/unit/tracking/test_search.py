"""What searching promises: the language as told, values never read as SQL, faults by position."""

from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fairway import digest as naming
from fairway.errors import RequestError
from fairway.store.home import Home
from fairway.tracking import log
from fairway.tracking.log import CandidateRecord, Metric
from fairway.tracking.search import search
from tests.unit.tracking.test_run import start

CANDIDATES = (
    CandidateRecord(name="baseline", metrics={"auc": Metric(value=0.5)}),
    CandidateRecord(
        name="logistic",
        metrics={"auc": Metric(value=0.685, low=0.67, high=0.7)},
        parameters={"C": 1.5, "max depth": 2, "kind": "l2"},
        threshold=0.25,
    ),
    CandidateRecord(
        name="lightgbm",
        trial=0,
        cached=True,
        model=naming.of_bytes(b"m"),
        metrics={"auc": Metric(value=0.7, low=0.69, high=0.71), "log_loss": Metric(value=0.51)},
        parameters={"leaves": 31, "kind": "gbdt", "nested": {"on": True}},
    ),
    CandidateRecord(
        name="lightgbm",
        trial=1,
        metrics={"auc": Metric(value=0.69, low=0.66, high=0.71), "log_loss": Metric(value=0.52)},
        parameters={"leaves": 128, "kind": "it's"},
        body={"why": "cached"},
    ),
    CandidateRecord(name="glm", state="failed"),
)


@pytest.fixture
def logbook(home: Home) -> Home:
    run = start(home)
    with home.db.transaction() as tx:
        log.record(tx, run, "late-arrivals", CANDIDATES)
    return home


def found(home: Home, where: str = "", order: str = "", limit: int = 1000) -> list[str]:
    rows = search(home.db, project="late-arrivals", where=where, order=order, limit=limit)
    return [row.name + ("" if row.trial is None else str(row.trial)) for row in rows]


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("auc > 0.68 and name = 'lightgbm' and parameters.leaves <= 64", ["lightgbm0"]),
        ("auc > 0.685", ["lightgbm0", "lightgbm1"]),
        ("auc >= 0.685 and not name = 'lightgbm'", ["logistic"]),
        ("auc.low > .665", ["logistic", "lightgbm0"]),
        ("auc.high = 0.71", ["lightgbm0", "lightgbm1"]),
        ("log_loss != 0.51", ["lightgbm1"]),
        ("not log_loss = 0.51", ["baseline", "logistic", "lightgbm1", "glm"]),
        ("auc is null", ["glm"]),
        ("auc is not null and threshold is null", ["baseline", "lightgbm0", "lightgbm1"]),
        ("name in ('glm', 'baseline')", ["baseline", "glm"]),
        ("name not in ('glm', 'baseline', 'logistic')", ["lightgbm0", "lightgbm1"]),
        ("trial in (1, 2)", ["lightgbm1"]),
        ("name like 'l%'", ["logistic", "lightgbm0", "lightgbm1"]),
        ("name not like 'l%'", ["baseline", "glm"]),
        ("cached = true", ["lightgbm0"]),
        ("state = 'failed' or name = 'baseline'", ["baseline", "glm"]),
        ("(state = 'failed' or auc > 0.6) and name != 'lightgbm'", ["logistic", "glm"]),
        ("name = 'glm' or name = 'logistic' and auc > 1", ["glm"]),
        ("threshold = 0.25", ["logistic"]),
        ("parameters.kind = 'it''s'", ["lightgbm1"]),
        ('parameters.kind = "it\'s"', ["lightgbm1"]),
        ("parameters.`max depth` >= 2", ["logistic"]),
        ("parameters.nested.on = true", ["lightgbm0"]),
        ("parameters.kind > 5", []),
        ("parameters.leaves = 'x'", []),
        ("parameters.C == 1.5e0", ["logistic"]),
        ("body.why <> 'x'", ["lightgbm1"]),
        ("`auc` > +0.69", ["lightgbm0"]),
        ("auc > -1", ["baseline", "logistic", "lightgbm0", "lightgbm1"]),
        (f"model = '{naming.of_bytes(b'm')}'", ["lightgbm0"]),
        ("name = 'x'' OR 1=1 --'", []),
        ("AUC > 0.5", []),
        ("auc > 0.685 AND NOT trial IS NULL", ["lightgbm0", "lightgbm1"]),
        ("", ["baseline", "logistic", "lightgbm0", "lightgbm1", "glm"]),
        ("  ", ["baseline", "logistic", "lightgbm0", "lightgbm1", "glm"]),
    ],
)
def test_a_filter_means_what_it_says(logbook: Home, where: str, expected: list[str]) -> None:
    assert found(logbook, where) == expected


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("auc desc", ["lightgbm0", "lightgbm1", "logistic", "baseline", "glm"]),
        ("auc", ["baseline", "logistic", "lightgbm1", "lightgbm0", "glm"]),
        ("name asc, auc desc", ["baseline", "glm", "lightgbm0", "lightgbm1", "logistic"]),
        ("parameters.leaves desc", ["lightgbm1", "lightgbm0", "baseline", "logistic", "glm"]),
    ],
)
def test_an_order_sorts_and_puts_what_lacks_the_value_last(
    logbook: Home, order: str, expected: list[str]
) -> None:
    assert found(logbook, order=order) == expected


@pytest.mark.parametrize(
    ("where", "position", "wanted"),
    [
        ("auc >", 6, "a number"),
        ("auc > 'x'", 7, "a number"),
        ("auc 0.68", 5, "an operator"),
        ("auc > 0.68 name = 'x'", 12, "'and', 'or' or the end"),
        ("(auc > 0.68", 12, "')'"),
        ("and", 1, "a field"),
        ("auc > 0.68 and", 15, "a field"),
        ("auc.mid > 1", 1, "METRIC.low or .high"),
        ("parameters = 1", 1, "parameters.KEY"),
        ("name.x = 1", 1, "a column"),
        ("name like 5", 11, "a quoted text"),
        ("name in ()", 10, "a number or text"),
        ("auc not > 5", 9, "'in' or 'like'"),
        ("auc is 5", 8, "'null'"),
        ("auc > 0.68; drop table candidate", 11, "cannot be read"),
        ("name = 'open", 8, "cannot be read"),
        ("auc > 1.2.3", 7, "cannot be read"),
        ("auc > 5x", 7, "cannot be read"),
        ("ü > 5", 1, "cannot be read"),
        ("(" * 60 + "auc > 1" + ")" * 60, 52, "nested too deeply"),
        ("not " * 60 + "auc > 1", 209, "nested too deeply"),
    ],
)
def test_a_bad_filter_is_refused_by_its_position(
    logbook: Home, where: str, position: int, wanted: str
) -> None:
    with pytest.raises(RequestError) as refused:
        found(logbook, where)

    assert refused.value.problem.startswith(f"At character {position} of ")
    assert wanted in refused.value.problem


@pytest.mark.parametrize("order", ["auc up", "auc,", ", auc", "1", "auc desc asc"])
def test_a_bad_order_is_refused(logbook: Home, order: str) -> None:
    with pytest.raises(RequestError, match="At character"):
        found(logbook, order=order)


def test_a_limit_is_kept_and_a_negative_one_refused(logbook: Home) -> None:
    assert found(logbook, order="auc desc", limit=1) == ["lightgbm0"]
    assert found(logbook, limit=0) == []
    with pytest.raises(RequestError, match="limit = -1"):
        found(logbook, limit=-1)
    with pytest.raises(RequestError, match="characters"):
        found(logbook, "x" * 10_001)


def test_another_project_sees_nothing_and_a_run_only_its_own(logbook: Home) -> None:
    second = start(logbook)
    with logbook.db.transaction() as tx:
        log.record(tx, second, "late-arrivals", [CandidateRecord(name="new")])

    assert search(logbook.db, project="other") == []
    assert [row.name for row in search(logbook.db, project="late-arrivals", run=second)] == ["new"]
    every = search(logbook.db, project="late-arrivals")
    assert len(every) == 6
    assert {row.run for row in every if row.name == "new"} == {second}


pieces = st.sampled_from([*"auc>=<!0.5'\"`()[],;:-% ", " and ", " or ", " not ", "name", " in ("])


@given(st.lists(pieces, max_size=30).map("".join))
@settings(
    max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
def test_any_text_is_answered_or_refused_and_never_breaks_the_query(
    logbook: Home, where: str
) -> None:
    with suppress(RequestError):  # any other error would be a broken query
        assert len(found(logbook, where)) <= len(CANDIDATES)
