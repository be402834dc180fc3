"""What calibration error and its bins promise."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairway.evaluation.calibration import (
    N_BINS,
    bins,
    calibration_difference,
    calibration_error,
    table,
)

rows_strategy = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 20)), min_size=1, max_size=80)


def test_the_error_is_the_mean_gap_over_ten_bins_of_equal_count() -> None:
    score = np.repeat(np.linspace(0.05, 0.95, 10), 10)
    y = np.tile([1.0] * 3 + [0.0] * 7, 10)  # 0.3 observed in each bin

    found = calibration_error(y, score)

    assert found.value == pytest.approx(np.abs(np.linspace(0.05, 0.95, 10) - 0.3).mean())


@settings(max_examples=60, deadline=None)
@given(rows=rows_strategy, seed=st.integers(0, 100))
def test_the_order_of_rows_has_no_effect_even_with_ties(
    rows: list[tuple[int, int]], seed: int
) -> None:
    y, score = np.array(rows, dtype=np.float64).T
    order = np.random.default_rng(seed).permutation(len(y))

    shuffled = calibration_error(y[order], score[order] / 20)

    assert shuffled.value == pytest.approx(calibration_error(y, score / 20).value)


@settings(max_examples=60, deadline=None)
@given(rows=rows_strategy)
def test_bins_hold_every_row_once_and_differ_by_one_row_at_most(
    rows: list[tuple[int, int]],
) -> None:
    y, score = np.array(rows, dtype=np.float64).T

    dealt = bins(y, score / 20)

    assert dealt.n_rows.sum() == len(y)
    assert dealt.n_rows.max() - dealt.n_rows.min() <= 1
    assert len(dealt.n_rows) == min(N_BINS, len(y))
    assert (dealt.observed * dealt.n_rows).sum() == pytest.approx(y.sum())


def test_a_constant_at_the_base_rate_has_no_error_whatever_the_order_in_time() -> None:
    y = np.repeat([0.0, 1.0], 500)  # sorted by time, so that naive bins would be off by a half

    found = calibration_error(y, np.full(1000, 0.5))

    assert found.value == pytest.approx(0.0)
    assert found.low == 0.0


def test_the_interval_holds_the_truth_whether_it_is_zero_or_large() -> None:
    generator = np.random.default_rng(11)
    repeats, hits = 200, {0.0: 0, 0.1: 0}
    for _ in range(repeats):
        p = 0.2 + 0.5 * generator.random(500)
        y = (generator.random(500) < p).astype(float)
        for shift in hits:
            found = calibration_error(y, p + shift)
            assert found.low is not None
            assert found.high is not None
            hits[shift] += found.low <= shift <= found.high + 1e-12
    assert {shift: hit for shift, hit in hits.items() if hit < 0.92 * repeats} == {}


def test_a_model_that_is_clearly_off_is_shown_to_be_off() -> None:
    p = np.linspace(0.1, 0.6, 5000)
    y = (np.random.default_rng(2).random(5000) < p).astype(float)

    assert (calibration_error(y, p + 0.1).low or 0) > 0.07


def test_the_difference_turns_round_and_is_repeatable() -> None:
    generator = np.random.default_rng(5)
    p = generator.random(400)
    y = (generator.random(400) < p).astype(float)
    worse = np.clip(p + 0.2, 0, 1)

    there, back = calibration_difference(y, worse, p), calibration_difference(y, p, worse)

    assert there == calibration_difference(y, worse, p)
    assert back.value == pytest.approx(-(there.value or 0))
    assert (back.low, back.high) == pytest.approx((-(there.high or 0), -(there.low or 0)))
    assert (there.low or 0) > 0


def test_the_table_lists_ten_bins_with_the_observed_inside_its_interval() -> None:
    p = np.linspace(0, 1, 200)
    y = (p > 0.5).astype(float)

    listed = table(y, p, "binary")

    assert len(listed) == 10
    assert sum(int(row["n_rows"] or 0) for row in listed) == 200
    for row in listed:
        assert 0 <= row["low"] <= row["observed"] <= row["high"] <= 1  # type: ignore[operator]  # none is None here


def test_the_table_of_a_regression_shows_means_of_the_outcome() -> None:
    score = np.arange(100.0)

    listed = table(score * 2, score, "regression")

    assert listed[0]["predicted"] == pytest.approx(4.5)
    assert listed[0]["observed"] == pytest.approx(9.0)
