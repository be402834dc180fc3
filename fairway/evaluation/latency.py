"""How long does one prediction take?

Room: ``fairway.evaluation``. It times whatever predicts one row; loading a model and choosing rows
is the caller's business. Only a monotonic clock is read, never the date.
"""

import math
import time
from collections.abc import Callable

from fairway.errors import RequestError
from fairway.evaluation.estimate import CONFIDENCE, Estimate

N_CALLS = 1000
WARM_UP = 20
_SHARE = 0.99


def latency(predict_one: Callable[[int], None], n: int = N_CALLS) -> Estimate:
    """Time ``n`` one-row predictions one after another: the 99th percentile in milliseconds.

    Args:
        predict_one: Predicts the row of this number, 0 to ``n - 1``. Twenty calls go before that
            are not counted, as a first call may still be loading. The caller sees to one thread.
        n: How many calls.

    Interval: between order statistics, exact for any distribution of times, see ``percentile``.

    Raises:
        RequestError: If ``n`` is not positive.
    """
    if n < 1:
        raise RequestError(f"{n} predictions cannot be timed.", hint="Time at least one.")
    for number in range(WARM_UP):
        predict_one(number % n)
    times_ms = []
    for number in range(n):
        begin = time.perf_counter_ns()
        predict_one(number)
        times_ms.append((time.perf_counter_ns() - begin) / 1e6)
    return percentile(times_ms)


def percentile(times: list[float], share: float = _SHARE) -> Estimate:
    """Give the smallest time that ``share`` of the times do not exceed, with its interval.

    The interval runs between two of the times, picked so that the binomial count of times below
    the true percentile lies between them in 95 of 100 repetitions. An end for which the times are
    too few is ``None``: below 368 times nothing bounds a 99th percentile from above.

    Source: David and Nagaraja, "Order Statistics", 2003, section 7.1.
    """
    from scipy.special import bdtr

    n = len(times)
    in_order = sorted(times)
    value = in_order[math.ceil(share * n) - 1]
    tail = (1 - CONFIDENCE) / 2
    # The true percentile lies above time l with P(at least l below), under time u with P(< u).
    below = [float(chance) for chance in bdtr(list(range(n)), n, share)]
    lows = [rank for rank in range(1, n + 1) if below[rank - 1] <= tail]
    highs = [rank for rank in range(1, n + 1) if below[rank - 1] >= 1 - tail]
    low = in_order[lows[-1] - 1] if lows else None
    high = in_order[highs[0] - 1] if highs else None
    return Estimate(value=value, low=low, high=high)
