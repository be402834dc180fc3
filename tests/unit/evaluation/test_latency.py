"""What the latency measurement promises."""

import time

import numpy as np
import pytest

from fairway.errors import RequestError
from fairway.evaluation.latency import N_CALLS, WARM_UP, latency, percentile


def test_a_thousand_rows_are_predicted_once_each_after_a_warm_up() -> None:
    asked: list[int] = []

    found = latency(asked.append)

    assert len(asked) == N_CALLS + WARM_UP
    assert asked[WARM_UP:] == list(range(N_CALLS))
    assert found.low is not None
    assert found.value is not None
    assert found.high is not None
    assert 0 < found.low <= found.value <= found.high


def test_slow_calls_are_seen_in_milliseconds() -> None:
    def slow(row: int) -> None:
        end = time.perf_counter() + (0.002 if row % 10 == 0 else 0.0)
        while time.perf_counter() < end:
            pass

    found = latency(slow, n=400)

    assert (found.low or 0) >= 2.0


def test_the_percentile_is_the_990th_of_a_thousand_with_its_order_statistics() -> None:
    found = percentile([float(number) for number in range(1000, 0, -1)])

    # Of 1,000 times 18 or more exceed the true percentile in 1.4 %, three or fewer in 1.0 %.
    assert (found.value, found.low, found.high) == (990.0, 983.0, 997.0)


def test_too_few_times_bound_nothing_from_above() -> None:
    found = percentile([float(number) for number in range(100)])

    assert found.value == 98.0
    assert found.high is None
    assert percentile([1.0]).value == 1.0


def test_the_interval_holds_the_true_percentile_at_least_95_times_in_100() -> None:
    generator = np.random.default_rng(6)
    truth, hits = -np.log(0.01), 0
    for _ in range(300):
        found = percentile(generator.exponential(size=1000).tolist())
        hits += (found.low or 0) <= truth <= (found.high or 0)
    assert hits / 300 > 0.92


def test_no_calls_are_refused() -> None:
    with pytest.raises(RequestError, match="0 predictions"):
        latency(lambda _: None, n=0)
