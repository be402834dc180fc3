"""What the area under the ROC curve promises."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from fairway.evaluation.estimate import Estimate, Z
from fairway.evaluation.ranking import Vector, auc, auc_difference, placement

# Few distinct scores, so that ties are frequent; whole numbers, so that maps stay strict.
ranked = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 12)), min_size=2, max_size=50)


def columns(rows: list[tuple[int, int]]) -> tuple[Vector, Vector]:
    y, score = np.array(rows, dtype=np.float64).T
    assume(0 < y.sum() < len(y))
    return y, score


def pairs(y: Vector, score: Vector) -> Vector:
    """Compare every positive with every negative: (m, k), ties half."""
    gap = score[y == 1][:, None] - score[y == 0][None, :]
    return np.asarray((np.sign(gap) + 1) / 2)


@settings(max_examples=80, deadline=None)
@given(rows=ranked)
def test_auc_equals_counting_all_pairs(rows: list[tuple[int, int]]) -> None:
    y, score = columns(rows)

    assert auc(y, score).value == pytest.approx(pairs(y, score).mean())


@settings(max_examples=80, deadline=None)
@given(rows=ranked)
def test_the_interval_is_delongs_as_written_in_the_paper(rows: list[tuple[int, int]]) -> None:
    y, score = columns(rows)
    won = pairs(y, score)
    assume(min(won.shape) >= 2 and 0 < won.mean() < 1)
    variance = won.mean(axis=1).var(ddof=1) / won.shape[0]
    variance += won.mean(axis=0).var(ddof=1) / won.shape[1]

    found = auc(y, score)

    assert found.low == pytest.approx(max(0, won.mean() - Z * variance**0.5))
    assert found.high == pytest.approx(min(1, won.mean() + Z * variance**0.5))


@settings(max_examples=60, deadline=None)
@given(rows=ranked, map_number=st.integers(0, 3))
def test_auc_does_not_change_under_increasing_maps(
    rows: list[tuple[int, int]], map_number: int
) -> None:
    y, score = columns(rows)
    mapped = [np.exp(score), score**3 - 5, np.log1p(score), 1 / (1 + np.exp(-score))][map_number]

    assert auc(y, mapped) == auc(y, score)


@settings(max_examples=40, deadline=None)
@given(rows=ranked)
def test_reversed_scores_rank_as_well_the_other_way_round(rows: list[tuple[int, int]]) -> None:
    y, score = columns(rows)
    found, reverse = auc(y, score), auc(y, -score)

    assert reverse.value == pytest.approx(1 - (found.value or 0))


def test_a_constant_score_ranks_by_chance_without_error() -> None:
    assert auc(np.array([1.0, 0, 1, 0]), np.full(4, 0.3)) == Estimate(value=0.5, low=0.5, high=0.5)


def test_perfect_ranking_of_few_rows_is_not_believed_without_limit() -> None:
    y = np.repeat([0.0, 1.0], 10)
    found = auc(y, np.arange(20.0))

    assert (found.value, found.high) == (1.0, 1.0)
    assert found.low == pytest.approx(10 / (10 + Z * Z))  # Wilson's lower end of 10 in 10


def test_a_single_row_of_a_class_gives_no_interval() -> None:
    found = auc(np.array([1.0, 0, 0]), np.array([0.9, 0.1, 0.95]))

    assert found == Estimate(value=0.5, low=None, high=None)


def test_a_class_without_rows_leaves_nothing_to_rank() -> None:
    assert placement(np.ones(3), np.arange(3.0)) is None


@settings(max_examples=40, deadline=None)
@given(
    rows=st.lists(
        st.tuples(st.integers(0, 1), st.integers(0, 9), st.integers(0, 9)), min_size=2, max_size=40
    )
)
def test_the_difference_turns_round_with_the_models(rows: list[tuple[int, int, int]]) -> None:
    y, first, second = np.array(rows, dtype=np.float64).T

    there, back = auc_difference(y, first, second), auc_difference(y, second, first)

    if there.value is None:
        assert back.value is None
    else:
        assert back.value == -there.value
    if there.low is not None and there.high is not None:
        assert (back.low, back.high) == pytest.approx((-there.high, -there.low))


def test_pairing_makes_the_difference_surer_than_two_intervals() -> None:
    generator = np.random.default_rng(3)
    y = generator.integers(0, 2, 500).astype(float)
    first = y + generator.normal(0, 1.5, 500)
    second = first + generator.normal(0, 0.1, 500)
    gap, alone = auc_difference(y, first, second), auc(y, first)
    assert None not in {gap.low, gap.high, alone.low, alone.high}

    assert (gap.high or 0) - (gap.low or 0) < 0.2 * ((alone.high or 0) - (alone.low or 0))
