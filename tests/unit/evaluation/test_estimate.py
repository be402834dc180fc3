"""What intervals promise, whatever they are put around."""

import math

import numpy as np
import pytest
from scipy import stats

from fairway.evaluation.estimate import (
    RESAMPLES,
    Estimate,
    bootstrap,
    exact,
    from_influence,
    mean,
    student,
    wilson,
)


def test_the_interval_of_a_mean_is_students() -> None:
    rows = np.array([1.0, 2.0, 4.0, 9.0])
    low, high = stats.t.interval(0.95, 3, rows.mean(), rows.std(ddof=1) / 2)

    assert mean(rows) == Estimate(value=4.0, low=pytest.approx(low), high=pytest.approx(high))


def test_students_quantile_nears_the_normal_one() -> None:
    assert student(10**6) == pytest.approx(stats.norm.ppf(0.975), abs=1e-5)


def test_an_interval_stops_where_values_are_impossible_but_holds_its_value() -> None:
    found = from_influence(0.01, np.array([-1.0, 1.0, 0.0]), floor=0.0, ceiling=1.0)

    assert (found.low, found.high) == (0.0, 1.0)


def test_wilsons_interval_is_open_where_all_or_none_succeed() -> None:
    assert wilson(0, 20) == (0.0, pytest.approx(0.1611, abs=1e-4))
    assert wilson(20, 20) == (pytest.approx(0.8389, abs=1e-4), 1.0)
    assert wilson(0, 0) == (0.0, 1.0)


def test_a_bootstrap_is_the_same_each_time_and_near_the_analytic_interval() -> None:
    rows = np.random.default_rng(0).normal(0, 1, 400)

    def average(drawn: np.ndarray) -> float:
        return float(rows[drawn].mean())

    found, wanted = bootstrap(rows.mean(), 400, average), mean(rows)

    assert found == bootstrap(rows.mean(), 400, average)
    assert found.low == pytest.approx(wanted.low, abs=0.03)
    assert found.high == pytest.approx(wanted.high, abs=0.03)


def test_a_bootstrap_whose_draws_mostly_fail_gives_no_interval() -> None:
    counter = iter(range(RESAMPLES))

    found = bootstrap(1.0, 10, lambda _: 1.0 if next(counter) % 3 == 0 else None)

    assert found == Estimate(value=1.0, low=None, high=None)


def test_json_never_holds_what_json_cannot_say() -> None:
    told = Estimate(value=math.nan, low=-math.inf, high=1.0).to_json()

    assert told == {"value": None, "low": None, "high": 1.0}
    assert exact(3).to_json() == {"value": 3.0, "low": 3.0, "high": 3.0}
