"""The area under the ROC curve: does a model rank those who will above those who will not?

Room: ``fairway.evaluation``, used by ``metric`` and ``comparison``. Only the order of scores counts
here; how right they are as probabilities is for ``metric`` and ``calibration``.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fairway.evaluation.estimate import UNKNOWN, Estimate, Z, wilson

Vector = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Placement:
    """Where each row stands among the rows of the other class.

    Attributes:
        positives: (m,) share of negatives ranked below each positive, ties half.
        negatives: (k,) share of positives ranked above each negative, ties half.
    """

    positives: Vector
    negatives: Vector

    @property
    def auc(self) -> float:
        """The chance that a random positive is ranked above a random negative, ties half."""
        return float(self.positives.mean())


def placement(y: Vector, score: Vector) -> Placement | None:
    """Place every row in O(n log n): (n,), (n,) -> shares; ``None`` if a class is absent.

    Source: DeLong, DeLong and Clarke-Pearson, "Comparing the areas under two or more correlated
    receiver operating characteristic curves", 1988; computed from one sort, as in Sun and Xu,
    "Fast implementation of DeLong's algorithm", 2014.
    """
    is_positive = y > 0.5
    n_positive = int(is_positive.sum())
    n_negative = len(y) - n_positive
    if n_positive == 0 or n_negative == 0:
        return None
    order = np.argsort(score)
    in_order, positive_in_order = score[order], is_positive[order]
    starts = np.flatnonzero(np.r_[True, in_order[1:] != in_order[:-1]])  # where a new score begins
    sizes = np.diff(np.r_[starts, len(y)])
    positives = np.add.reduceat(positive_in_order.astype(np.float64), starts)
    negatives = sizes - positives
    below = np.cumsum(negatives) - negatives / 2  # negatives under each score, ties half
    above = n_positive - np.cumsum(positives) + positives / 2
    of_group = np.repeat(np.arange(len(starts)), sizes)
    group = np.empty(len(y), dtype=np.intp)
    group[order] = of_group
    return Placement(
        positives=below[group[is_positive]] / n_negative,
        negatives=above[group[~is_positive]] / n_positive,
    )


def auc(y: Vector, score: Vector) -> Estimate:
    """Measure the area under the ROC curve with DeLong's interval, cut to [0, 1].

    Laws: equal to counting all pairs; unchanged by any strictly increasing map of the scores. When
    ranking is perfect (or perfectly wrong) DeLong's variance is zero, which promises too much: then
    the interval is Wilson's, as if each row of the rarer class were one trial.
    """
    placed = placement(y, score)
    if placed is None:
        return UNKNOWN
    value = placed.auc
    m, k = len(placed.positives), len(placed.negatives)
    if min(m, k) < 2:
        return Estimate(value=value, low=None, high=None)
    variance = placed.positives.var(ddof=1) / m + placed.negatives.var(ddof=1) / k
    if value in {0.0, 1.0}:
        low, high = wilson(value * min(m, k), min(m, k))
        return Estimate(value=value, low=low, high=high)
    half = Z * math.sqrt(variance)
    return Estimate(value=value, low=max(0.0, value - half), high=min(1.0, value + half))


def auc_difference(y: Vector, score: Vector, other: Vector) -> Estimate:
    """Measure by how much ``score`` ranks better than ``other`` on the same rows.

    Law: exchanging the two models changes the sign. DeLong's covariance counts that both models
    find the same rows hard, so the interval is narrower than from two separate ones.
    """
    first, second = placement(y, score), placement(y, other)
    if first is None or second is None:
        return UNKNOWN
    value = first.auc - second.auc
    positives = first.positives - second.positives
    negatives = first.negatives - second.negatives
    m, k = len(positives), len(negatives)
    if min(m, k) < 2:
        return Estimate(value=value, low=None, high=None)
    half = Z * math.sqrt(positives.var(ddof=1) / m + negatives.var(ddof=1) / k)
    return Estimate(value=value, low=value - half, high=value + half)
