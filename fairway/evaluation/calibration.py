"""Are probabilities what they say? Predicted against observed, in ten bins of equal count.

Room: ``fairway.evaluation``, used by ``metric``, ``comparison`` and ``measure``. It measures and
corrects nothing: no model is recalibrated unless its project asks for it.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from fairway.evaluation.estimate import (
    CONFIDENCE,
    SEED,
    UNKNOWN,
    Estimate,
    bootstrap,
    mean,
    wilson,
)
from fairway.evaluation.vocabulary import Task

Vector = NDArray[np.float64]

N_BINS = 10
_DRAWS = 2000
_CLEAR = 3.0  # a bin this many standard errors off has a gap whose sign is known


@dataclass(frozen=True, kw_only=True)
class Binning:
    """Rows sorted by score and dealt into bins of equal count, lowest scores first.

    Attributes:
        of_row: (n,) the bin of each row.
        n_rows: (b,) rows in each bin; sizes differ by one at most.
        predicted: (b,) mean score.
        observed: (b,) mean outcome; rows of equal score share their mean outcome, so that the
            order of the rows has no effect.
        error: (b,) standard error of ``predicted - observed``.
    """

    of_row: NDArray[np.intp]
    n_rows: Vector
    predicted: Vector
    observed: Vector
    error: Vector

    @property
    def gap(self) -> Vector:
        """(b,) predicted less observed."""
        return self.predicted - self.observed


def bins(y: Vector, score: Vector) -> Binning:
    """Deal rows into at most ten bins: (n,), (n,) -> bins; fewer than ten rows, a bin each."""
    n = len(y)
    n_bins = min(N_BINS, n)
    order = np.argsort(score, kind="stable")
    in_order, outcome = score[order], y[order]
    starts = np.flatnonzero(np.r_[True, in_order[1:] != in_order[:-1]]) if n else np.empty(0, int)
    if len(starts) < n:  # ties
        sizes = np.diff(np.r_[starts, n])
        shared = np.repeat(np.add.reduceat(outcome, starts) / sizes, sizes)
    else:
        shared = outcome
    edges = np.linspace(0, n, n_bins + 1).round().astype(np.intp)
    sizes = np.diff(edges)
    bin_in_order = np.repeat(np.arange(n_bins), sizes)
    of_row = np.empty(n, dtype=np.intp)
    of_row[order] = bin_in_order
    counts = sizes.astype(np.float64)

    def average(rows: Vector) -> Vector:
        return np.bincount(bin_in_order, rows, n_bins) / counts

    predicted, observed = average(in_order), average(shared)
    residual = in_order - outcome
    spread = np.maximum(average(residual**2) - average(residual) ** 2, 0.0)
    chance = average(np.clip(in_order * (1 - in_order), 0.0, None))  # where all outcomes agree
    error = np.sqrt(np.maximum(spread, chance) / counts)
    return Binning(
        of_row=of_row, n_rows=counts, predicted=predicted, observed=observed, error=error
    )


@lru_cache(maxsize=1)
def _noise() -> Vector:
    """Draw standard normal noise once, always the same: (draws, bins)."""
    return np.random.default_rng(SEED).standard_normal((_DRAWS, N_BINS))


def calibration_error(y: Vector, score: Vector) -> Estimate:
    """Measure the mean of |predicted - observed| over ten bins of equal count.

    The interval needs care, as noise alone makes absolute gaps: a perfect model of few rows shows
    an error above zero. By the triangle inequality the measured error is off by no more than the
    mean of |noise| over the bins, and of the signed sum over bins whose sign is clear (three
    standard errors). The half-width is the 95 % quantile of that, from 2,000 seeded normal draws.
    It is conservative, reaches down to 0 for a model without proven fault, and holds the value.

    Source: equal-count bins as in Naeini, Cooper and Hauskrecht, "Obtaining well calibrated
    probabilities using Bayesian binning", 2015.
    """
    if len(y) == 0:
        return UNKNOWN
    dealt = bins(y, score)
    value = float(np.abs(dealt.gap).mean())
    if len(y) < 2:
        return Estimate(value=value, low=None, high=None)
    noise = _noise()[:, : len(dealt.error)] * dealt.error
    is_clear = np.abs(dealt.gap) > _CLEAR * dealt.error
    signed = np.abs((noise * np.sign(dealt.gap))[:, is_clear].sum(axis=1))
    folded = np.abs(noise[:, ~is_clear]).sum(axis=1)
    half = float(np.quantile((signed + folded) / len(dealt.error), CONFIDENCE))
    return Estimate(value=value, low=max(0.0, value - half), high=value + half)


def calibration_difference(y: Vector, score: Vector, other: Vector) -> Estimate:
    """Measure by how much ``score`` is further off than ``other``, on the same rows.

    Each model keeps its own bins; rows are drawn anew for both at once (seeded bootstrap).
    """
    if len(y) == 0:
        return UNKNOWN
    first, second = bins(y, score), bins(y, other)
    value = float(np.abs(first.gap).mean() - np.abs(second.gap).mean())

    def error(dealt: Binning, residual: Vector, rows: NDArray[np.intp]) -> float:
        drawn = dealt.of_row[rows]
        n_bins = len(dealt.n_rows)
        counts = np.maximum(np.bincount(drawn, minlength=n_bins), 1)
        return float(np.abs(np.bincount(drawn, residual[rows], n_bins) / counts).mean())

    def again(rows: NDArray[np.intp]) -> float:
        return error(first, score - y, rows) - error(second, other - y, rows)

    return bootstrap(value, len(y), again)


def table(y: Vector, score: Vector, task: Task) -> list[dict[str, float | int | None]]:
    """List the bins for a reliability chart, lowest scores first.

    Each is ``{"n_rows", "predicted", "observed", "low", "high"}``; the interval is of ``observed``
    (Wilson's for shares, Student's for numbers).
    """
    dealt = bins(y, score)
    rows: list[dict[str, float | int | None]] = []
    for number, n_rows in enumerate(dealt.n_rows):
        observed = float(dealt.observed[number])
        low: float | None
        high: float | None
        if task == "binary":
            low, high = wilson(observed * n_rows, n_rows)
        else:
            inside = mean(y[dealt.of_row == number])
            half = None if inside.low is None else (inside.value or 0.0) - inside.low
            low = None if half is None else observed - half
            high = None if half is None else observed + half
        rows.append(
            {
                "n_rows": math.floor(n_rows),
                "predicted": float(dealt.predicted[number]),
                "observed": observed,
                "low": low,
                "high": high,
            }
        )
    return rows
