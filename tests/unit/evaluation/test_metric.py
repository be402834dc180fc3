"""What the metrics promise: known answers, laws, and honest intervals."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as oracle

from fairway.errors import RequestError
from fairway.evaluation import metric
from fairway.evaluation.estimate import Estimate
from fairway.evaluation.metric import METRICS
from fairway.evaluation.vocabulary import BINARY, NAMES, REGRESSION

Y = [1, 0, 1, 1, 0, 0, 1, 0]
P = [0.9, 0.2, 0.7, 0.4, 0.1, 0.6, 0.8, 0.3]

binary_rows = st.lists(
    st.tuples(st.integers(0, 1), st.floats(0, 1, allow_subnormal=False)), min_size=1, max_size=60
)
number_rows = st.lists(st.tuples(st.floats(-100, 100), st.floats(-100, 100)), min_size=1)


def known(estimate: Estimate) -> float:
    assert estimate.value is not None
    return estimate.value


def test_the_eight_rows_of_the_definitions_give_their_known_bits() -> None:
    assert known(metric.log_loss(Y, P)) / math.log(2) == pytest.approx(0.577608, abs=5e-7)
    assert known(metric.information_gain_over_prior(Y, P)) == pytest.approx(0.422392, abs=5e-7)
    assert known(metric.information_gain(Y, P)) == pytest.approx(0.422392, abs=5e-7)


def test_the_ten_rows_of_the_definitions_give_their_known_bits() -> None:
    y, p = [1] + [0] * 9, [0.5] + [0.05] * 9

    assert known(metric.information_gain_over_prior(y, p)) == pytest.approx(0.302395, abs=5e-7)
    assert known(metric.relative_information_gain(y, p)) == pytest.approx(0.644772, abs=5e-7)


def test_the_gain_over_trainings_rate_exceeds_the_one_over_the_prior_by_their_divergence() -> None:
    prior, train = 0.5, 0.2
    divergence = prior * math.log2(prior / train) + (1 - prior) * math.log2(
        (1 - prior) / (1 - train)
    )

    gain = known(metric.information_gain(Y, P, train))

    assert gain == pytest.approx(known(metric.information_gain_over_prior(Y, P)) + divergence)


def test_three_quarters_of_the_variance_explained_is_one_bit() -> None:
    y = np.array([-2.0, -2.0, 2.0, 2.0])
    score = y + np.array([1.0, -1.0, 1.0, -1.0])

    assert known(metric.r2(y, score)) == pytest.approx(0.75)
    assert known(metric.bits(y, score)) == pytest.approx(1.0)
    assert known(metric.bits(y, score, train_mean=0.0)) == pytest.approx(1.0)


def test_the_registry_holds_what_the_vocabulary_names() -> None:
    assert tuple(METRICS) == NAMES


@settings(max_examples=40, deadline=None)
@given(rows=binary_rows)
def test_binary_metrics_agree_with_scikit_learn(rows: list[tuple[int, float]]) -> None:
    y, p = np.array(rows).T

    clipped = np.clip(p, metric.CLIP, 1 - metric.CLIP)
    assert known(metric.log_loss(y, p)) == pytest.approx(
        oracle.log_loss(y, clipped, labels=[0, 1]), rel=1e-6, abs=1e-12
    )
    assert known(metric.brier(y, p)) == pytest.approx(np.mean((y - p) ** 2))


@settings(max_examples=40, deadline=None)
@given(rows=number_rows)
def test_regression_metrics_agree_with_scikit_learn(rows: list[tuple[float, float]]) -> None:
    y, score = np.array(rows).T

    assert known(metric.mae(y, score)) == pytest.approx(oracle.mean_absolute_error(y, score))
    assert known(metric.rmse(y, score)) == pytest.approx(
        math.sqrt(oracle.mean_squared_error(y, score))
    )
    assert known(metric.bias(y, score)) == pytest.approx(np.mean(score - y), abs=1e-9)
    found = metric.r2(y, score).value
    if found is not None:
        assert found == pytest.approx(oracle.r2_score(y, score), rel=1e-6)


@settings(max_examples=60, deadline=None)
@given(rows=binary_rows, train_mean=st.floats(0, 1))
def test_intervals_of_binary_metrics_hold_their_value(
    rows: list[tuple[int, float]], train_mean: float
) -> None:
    y, p = np.array(rows).T

    for name in BINARY:
        found = METRICS[name](y, p, train_mean)
        if found.value is not None and found.low is not None and found.high is not None:
            assert found.low <= found.value <= found.high, name


@settings(max_examples=60, deadline=None)
@given(rows=number_rows)
def test_intervals_of_regression_metrics_hold_their_value(rows: list[tuple[float, float]]) -> None:
    y, score = np.array(rows).T

    for name in REGRESSION:
        found = METRICS[name](y, score, None)
        if found.value is not None and found.low is not None and found.high is not None:
            assert found.low <= found.value <= found.high, name


@settings(max_examples=60, deadline=None)
@given(outcomes=st.lists(st.integers(0, 1), min_size=2, max_size=50), share=st.floats(0, 1))
def test_brier_of_a_constant_is_uncertainty_plus_its_squared_miss(
    outcomes: list[int], share: float
) -> None:
    y = np.array(outcomes)
    rate = y.mean()

    brier = known(metric.brier(y, np.full(len(y), share)))

    assert brier == pytest.approx(rate * (1 - rate) + (share - rate) ** 2)


@pytest.mark.parametrize("name", NAMES)
def test_no_rows_leave_every_metric_unknown(name: str) -> None:
    assert METRICS[name]([], [], 0.5) == Estimate(value=None, low=None, high=None)


@pytest.mark.parametrize("name", NAMES)
def test_one_row_has_no_interval(name: str) -> None:
    found = METRICS[name]([1.0], [0.25], 0.5)

    assert (found.low, found.high) == (None, None)


def test_one_class_leaves_ranking_unknown_and_measures_the_rest() -> None:
    y, p = [1, 1, 1], [0.5, 0.75, 0.9]

    assert metric.auc(y, p).value is None
    assert metric.relative_information_gain(y, p).value is None  # nothing was left to tell
    assert known(metric.brier(y, p)) > 0
    assert known(metric.information_gain(y, p, 0.25)) > 0


def test_a_wrong_certainty_costs_much_and_not_infinitely_much() -> None:
    assert known(metric.log_loss([1, 0], [0.0, 1.0])) == pytest.approx(34.539, abs=0.01)


def test_a_training_part_of_one_class_still_has_a_gain() -> None:
    assert known(metric.information_gain([1, 0], [0.5, 0.5], 0.0)) == pytest.approx(23.9, abs=0.1)


def test_a_perfect_forecast_of_numbers_has_no_finite_bits() -> None:
    assert metric.bits([1.0, 2.0], [1.0, 2.0], 0.0).value is None
    assert known(metric.r2([1.0, 2.0], [1.0, 2.0])) == 1.0


def test_a_target_that_never_varies_has_no_r2() -> None:
    assert metric.r2([0.1] * 3, [0.0, 0.1, 0.2]).value is None
    assert metric.r2([0.0, 2.4e-114], [0.0, 1.0]).value is None


def test_columns_of_unequal_length_are_refused() -> None:
    with pytest.raises(RequestError, match=r"shape \(2,\), scores \(1,\)"):
        metric.brier([0, 1], [0.5])


def test_a_missing_score_is_refused() -> None:
    with pytest.raises(RequestError, match="missing or infinite"):
        metric.brier([0, 1], [0.5, math.nan])


def test_intervals_hold_the_truth_about_95_times_in_100() -> None:
    # Scores uniform, outcomes drawn by them: the true values follow by integration.
    truth = {
        "auc": 5 / 6,
        "log_loss": 0.5,
        "brier": 1 / 6,
        "information_gain": 1 - 0.5 / math.log(2),
        "relative_information_gain": 1 - 0.5 / math.log(2),
    }
    number_truth = {"mae": math.sqrt(2 / math.pi), "rmse": 1.0, "bias": 0.0, "bits": 0.5, "r2": 0.5}
    generator = np.random.default_rng(7)
    repeats, n_rows = 300, 300
    hits = dict.fromkeys([*truth, *number_truth], 0)
    for _ in range(repeats):
        p = generator.random(n_rows)
        y = (generator.random(n_rows) < p).astype(float)
        score, noise = generator.standard_normal((2, n_rows))
        for name, true in truth.items():
            found = METRICS[name](y, p, 0.5)
            hits[name] += (found.low or 0) <= true <= (found.high or 0)
        for name, true in number_truth.items():
            found = METRICS[name](score + noise, score, 0.0)
            low, high = found.low, found.high
            assert low is not None
            assert high is not None
            hits[name] += low <= true <= high
    # Four standard errors around 95 %: 4 * sqrt(.95 * .05 / 300) = 0.05.
    assert {name: hit for name, hit in hits.items() if hit < 0.9 * repeats} == {}
    assert min(hits.values()) < repeats  # intervals that never miss would be too wide
