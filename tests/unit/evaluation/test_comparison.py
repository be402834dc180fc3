"""What a paired comparison promises."""

import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairway.errors import ProjectError, RequestError
from fairway.evaluation.comparison import check_same_rows, compare, difference
from fairway.evaluation.metric import METRICS
from fairway.evaluation.payoff import Payoff, value
from fairway.evaluation.vocabulary import BINARY, REGRESSION

PAYOFF = Payoff(unit="USD", tp=-30, fp=-30, fn=-120, tn=0)
score = st.floats(0, 1, allow_subnormal=False)


@settings(max_examples=30, deadline=None)
@given(rows=st.lists(st.tuples(st.integers(0, 1), score, score), min_size=2, max_size=40))
def test_exchanging_the_models_changes_the_sign(rows: list[tuple[int, float, float]]) -> None:
    y, first, second = np.array(rows).T

    for name in (*BINARY, "payoff"):
        there = difference(name, y, first, second, train_mean=0.3, payoff=PAYOFF)
        back = difference(name, y, second, first, train_mean=0.3, payoff=PAYOFF)
        if there.value is None:
            assert back.value is None
            continue
        assert back.value == pytest.approx(-there.value, abs=1e-9), name
        if there.low is not None and there.high is not None:
            assert there.low <= there.value <= there.high
            assert (back.low, back.high) == pytest.approx((-there.high, -there.low), abs=1e-9), name


@settings(max_examples=30, deadline=None)
@given(rows=st.lists(st.tuples(st.integers(0, 1), score, score), min_size=2, max_size=40))
def test_the_difference_is_that_of_the_two_values(rows: list[tuple[int, float, float]]) -> None:
    y, first, second = np.array(rows).T

    for name in BINARY:
        one, two = METRICS[name](y, first, 0.3).value, METRICS[name](y, second, 0.3).value
        gap = difference(name, y, first, second, train_mean=0.3).value
        if one is not None and two is not None:
            assert gap == pytest.approx(one - two, abs=1e-9), name
    paid = (value(PAYOFF, y, first, 0.25).value or 0) - (value(PAYOFF, y, second, 0.25).value or 0)
    assert difference("payoff", y, first, second, payoff=PAYOFF).value == pytest.approx(paid)


def test_a_model_against_itself_is_nought_without_doubt() -> None:
    generator = np.random.default_rng(1)
    y, p = generator.integers(0, 2, 50), generator.random(50)

    for name in BINARY:
        found = difference(name, y, p, p, train_mean=0.5)
        assert (found.value, found.low, found.high) == (0, 0, 0), name
    for name in REGRESSION:
        found = difference(name, p, p + 1, p + 1, train_mean=0.5)
        assert found.value == pytest.approx(0), name


def test_pairing_sees_a_small_gain_that_two_intervals_would_hide() -> None:
    generator = np.random.default_rng(8)
    p = generator.random(2000)
    y = (generator.random(2000) < p).astype(float)
    dull = 0.9 * p + 0.05

    gap = difference("log_loss", y, p, dull)
    alone, other = METRICS["log_loss"](y, p, None), METRICS["log_loss"](y, dull, None)

    assert (gap.high or 0) < 0  # lower loss, surely
    assert (alone.high or 0) > (other.low or 0)  # the single intervals overlap


def test_intervals_of_differences_hold_the_truth_about_95_times_in_100() -> None:
    # p uniform against the constant 1/2: AUC 5/6 - 1/2, log loss 1/2 - ln 2, money as integrated.
    truth = {
        "auc": 5 / 6 - 0.5,
        "log_loss": 0.5 - math.log(2),
        "payoff": 1000 * (-30 * 0.75 - 120 * 0.25**2 / 2 + 30),
    }
    generator = np.random.default_rng(9)
    repeats, hits = 300, dict.fromkeys(truth, 0)
    for _ in range(repeats):
        p = generator.random(300)
        y = (generator.random(300) < p).astype(float)
        for name, true in truth.items():
            found = difference(name, y, p, np.full(300, 0.5), payoff=PAYOFF)
            hits[name] += (found.low or 0) <= true <= (found.high or 0)
    assert {name: hit for name, hit in hits.items() if not 0.9 <= hit / repeats < 1} == {}


def test_each_model_may_act_at_its_own_threshold() -> None:
    y, p = [1, 0], [0.5, 0.5]

    gap = difference("payoff", y, p, p, payoff=PAYOFF, threshold=0.25, other_threshold=0.75)

    assert gap.value == pytest.approx(1000 * (-30 + 60))


def test_a_function_of_the_project_is_compared_on_the_same_draws() -> None:
    generator = np.random.default_rng(2)
    y, p = generator.integers(0, 2, 80).astype(float), generator.random(80)

    def loss(y: np.ndarray, score: np.ndarray) -> float:
        return float(np.abs(y - score).mean())

    gap = difference("mine:loss", y, p, p + 0.1, function=loss)

    assert gap == difference("mine:loss", y, p, p + 0.1, function=loss)
    assert gap.value == pytest.approx(loss(y, p) - loss(y, p + 0.1))
    assert (gap.low or 0) <= (gap.value or 0) <= (gap.high or 0)


def test_the_document_names_the_other_and_holds_every_metric() -> None:
    y, p, q = [1, 0, 1, 0], [0.9, 0.1, 0.6, 0.4], [0.5] * 4

    told = compare(
        y,
        p,
        q,
        metrics=["auc", "brier"],
        keys="sha256:rows",
        other_keys="sha256:rows",
        against="baseline",
        payoff=PAYOFF,
        other_metrics={"p99_ms": {"value": 1.0, "low": 1.0, "high": 1.0}},
    )

    assert told["against"] == "baseline"
    assert told["n_rows"] == 4
    assert list(told["differences"]) == ["auc", "brier", "payoff"]
    assert told["differences"]["auc"]["value"] == pytest.approx(0.5)
    assert told["metrics"]["p99_ms"]["value"] == 1.0


@pytest.mark.parametrize(
    ("keys", "other", "problem"),
    [
        ("sha256:a", "sha256:b", "sha256:a against sha256:b"),
        ([1, 2, 3], [1, 2], "3 against 2 keys"),
        (["a", "b"], ["a", "c"], "from row 1: key 'b' against 'c'"),
        (pa.array([1, 2]), np.array([2, 1]), "from row 0: key 1 against 2"),
        (["a"], "sha256:a", "The rows differ"),
        (object(), ["a"], "holds no keys"),
    ],
)
def test_models_asked_about_other_rows_are_not_compared(
    keys: object, other: object, problem: str
) -> None:
    with pytest.raises(RequestError, match=problem):
        compare([1], [0.5], [0.5], metrics=[], keys=keys, other_keys=other, against="x")


def test_the_same_keys_in_any_column_are_the_same_rows() -> None:
    check_same_rows(pa.chunked_array([["a"], ["b"]]), ["a", "b"])
    check_same_rows(np.array([1, 2]), (1, 2))


def test_what_nobody_can_compare_is_refused() -> None:
    with pytest.raises(ProjectError, match="'payoff' cannot be compared"):
        difference("payoff", [1, 0], [0.5, 0.5], [0.5, 0.5])


def test_no_rows_leave_the_difference_unknown() -> None:
    assert difference("auc", [], [], []).value is None
