"""How good are scores? One function per metric: (outcomes, scores) -> a value with its interval.

Room: ``fairway.evaluation``, after ``ranking`` and ``calibration``, before ``comparison`` and
``measure``. It sees two columns of numbers: no model, no table, no money (``payoff`` has that).

Each metric but two is smooth in its rows. Such a metric is written once, as an ``Expansion``: its
value and what each row moves it. Its interval and the interval of a paired difference both follow.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fairway.evaluation import calibration, ranking
from fairway.evaluation.estimate import UNKNOWN, Estimate, from_influence, vectors

Vector = NDArray[np.float64]

CLIP = 1e-15
"""Scores of 0 and 1 are read as this far from certain: a wrong certainty costs 34.5 nats."""

LN2 = math.log(2)


@dataclass(frozen=True, kw_only=True)
class Expansion:
    """A metric's value and the first-order effect of each row on it.

    Attributes:
        value: The metric; NaN or infinite where it is undefined on these rows.
        influence: (n,) with mean zero.
        floor: No value can be lower.
        ceiling: No value can be higher.
    """

    value: float
    influence: Vector
    floor: float = -math.inf
    ceiling: float = math.inf


def _mean(rows: Vector, *, floor: float = -math.inf, ceiling: float = math.inf) -> Expansion:
    value = float(rows.mean())
    return Expansion(value=value, influence=rows - value, floor=floor, ceiling=ceiling)


def _ratio(upper: Vector, lower: Vector) -> tuple[float, Vector]:
    """Divide two means; the effect of a row on the ratio by the delta method.

    NaN where the lower mean is nothing beside the upper one: the ratio would say nothing.
    """
    top, bottom = float(upper.mean()), float(lower.mean())
    if not bottom > 1e-100 * top:
        return math.nan, np.zeros_like(upper)
    ratio = top / bottom
    return ratio, (upper - ratio * lower) / bottom


def _nats(y: Vector, score: Vector | float) -> Vector:
    """Give each row's surprise at its outcome in nats: (n,) -> (n,)."""
    chance = np.clip(score, CLIP, 1 - CLIP)
    return np.asarray(-np.where(y > 0.5, np.log(chance), np.log1p(-chance)), dtype=np.float64)


def _or_own(y: Vector, train_mean: float | None) -> float:
    return float(y.mean()) if train_mean is None else train_mean


def _log_loss(y: Vector, score: Vector, _: float | None) -> Expansion:
    return _mean(_nats(y, score), floor=0.0)


def _brier(y: Vector, score: Vector, _: float | None) -> Expansion:
    return _mean((score - y) ** 2, floor=0.0, ceiling=1.0)


def _information_gain(y: Vector, score: Vector, train_mean: float | None) -> Expansion:
    base = _nats(y, _or_own(y, train_mean))
    return _mean((base - _nats(y, score)) / LN2)


def _relative_information_gain(y: Vector, score: Vector, train_mean: float | None) -> Expansion:
    base = _nats(y, _or_own(y, train_mean))
    if y.min() == y.max() and train_mean is None:
        return Expansion(value=math.nan, influence=np.zeros_like(y))  # H = 0: nothing to tell
    ratio, influence = _ratio(_nats(y, score), base)
    return Expansion(value=1 - ratio, influence=-influence, ceiling=1.0)


def _mae(y: Vector, score: Vector, _: float | None) -> Expansion:
    return _mean(np.abs(score - y), floor=0.0)


def _bias(y: Vector, score: Vector, _: float | None) -> Expansion:
    return _mean(score - y)


def _rmse(y: Vector, score: Vector, _: float | None) -> Expansion:
    squared = (score - y) ** 2
    value = math.sqrt(float(squared.mean()))
    influence = (squared - value**2) / (2 * value) if value > 0 else np.zeros_like(y)
    return Expansion(value=value, influence=influence, floor=0.0)


def _bits(y: Vector, score: Vector, train_mean: float | None) -> Expansion:
    ratio, influence = _ratio((y - _or_own(y, train_mean)) ** 2, (score - y) ** 2)
    if not ratio > 0:
        return Expansion(value=math.nan, influence=influence)
    return Expansion(value=0.5 * math.log2(ratio), influence=influence / (2 * LN2 * ratio))


def _r2(y: Vector, score: Vector, _: float | None) -> Expansion:
    if y.min() == y.max():  # where rounding would leave a variance of 1e-34
        return Expansion(value=math.nan, influence=np.zeros_like(y))
    ratio, influence = _ratio((score - y) ** 2, (y - y.mean()) ** 2)
    return Expansion(value=1 - ratio, influence=-influence, ceiling=1.0)


Smooth = Callable[[Vector, Vector, float | None], Expansion]

SMOOTH: Mapping[str, Smooth] = MappingProxyType(
    {
        "log_loss": _log_loss,
        "brier": _brier,
        "information_gain": _information_gain,
        "relative_information_gain": _relative_information_gain,
        "mae": _mae,
        "rmse": _rmse,
        "bias": _bias,
        "bits": _bits,
        "r2": _r2,
    }
)
"""The metrics that have an expansion; ``comparison`` subtracts two of them row by row."""


def _estimate(
    name: str, y: ArrayLike, score: ArrayLike, train_mean: float | None = None
) -> Estimate:
    outcome, scores = vectors(y, score)
    if len(outcome) == 0:
        return UNKNOWN
    found = SMOOTH[name](outcome, scores, train_mean)
    if not math.isfinite(found.value):
        return UNKNOWN
    return from_influence(found.value, found.influence, floor=found.floor, ceiling=found.ceiling)


def auc(y: ArrayLike, score: ArrayLike, train_mean: float | None = None) -> Estimate:  # noqa: ARG001  one shape for all metrics
    """Measure the chance that a random positive is ranked above a random negative, ties half.

    Interval: DeLong's (1988), see ``ranking.auc``. Unknown where a class is absent.
    """
    return ranking.auc(*vectors(y, score))


def log_loss(y: ArrayLike, score: ArrayLike, train_mean: float | None = None) -> Estimate:  # noqa: ARG001  one shape for all metrics
    """Measure the mean surprise in nats: ``-log p(what happened)``, scores clipped at 1e-15.

    Interval: Student's, of a mean over rows. Divide by ln 2 for bits.

    Source: Good, "Rational decisions", 1952.
    """
    return _estimate("log_loss", y, score)


def brier(y: ArrayLike, score: ArrayLike, train_mean: float | None = None) -> Estimate:  # noqa: ARG001  one shape for all metrics
    """Measure the mean of ``(score - y)^2``, in [0, 1]. Interval: Student's, of a mean over rows.

    Source: Brier, "Verification of forecasts expressed in terms of probability", 1950.
    """
    return _estimate("brier", y, score)


def calibration_error(y: ArrayLike, score: ArrayLike, train_mean: float | None = None) -> Estimate:  # noqa: ARG001  one shape for all metrics
    """Measure the mean of |predicted - observed| over ten bins of equal count.

    Interval: conservative, from seeded normal draws, see ``calibration.calibration_error``.
    """
    return calibration.calibration_error(*vectors(y, score))


def information_gain(y: ArrayLike, score: ArrayLike, train_mean: float | None = None) -> Estimate:
    """Measure bits per decision gained over a constant forecast of the *training* base rate.

    That constant is what one would say without the model, so it is the honest opponent: where the
    rate has moved since training, it errs too. ``information_gain_over_prior`` takes the rows' own
    rate, which nobody knows beforehand. They differ by the divergence between the two rates, and
    the gain over training's rate is never smaller. Negative values are shown.

    Args:
        y: (n,) outcomes, 0 or 1.
        score: (n,) probabilities.
        train_mean: Share of positives in the training part; ``None`` means the rows' own.

    Interval: Student's, of the mean gain over rows.
    """
    return _estimate("information_gain", y, score, train_mean)


def information_gain_over_prior(y: ArrayLike, score: ArrayLike) -> Estimate:
    """Measure ``H(prior) - log loss`` in bits per decision, the prior being the rows' own rate.

    Interval: Student's. That the prior is estimated has no first-order effect, as entropy is the
    least log loss that a constant can have.
    """
    return _estimate("information_gain", y, score)


def relative_information_gain(
    y: ArrayLike, score: ArrayLike, train_mean: float | None = None
) -> Estimate:
    """Measure the share of the bits there were to gain: 1 tells all, 0 nothing, below 0 misleads.

    ``1 - log loss / log loss of the constant``; with ``train_mean=None`` this is IG / H(prior).
    Interval: Student's, of a ratio by the delta method. Unknown where there is nothing to tell.
    """
    return _estimate("relative_information_gain", y, score, train_mean)


def mae(y: ArrayLike, score: ArrayLike, train_mean: float | None = None) -> Estimate:  # noqa: ARG001  one shape for all metrics
    """Measure the mean absolute error in the target's unit. Interval: Student's, of a mean."""
    return _estimate("mae", y, score)


def rmse(y: ArrayLike, score: ArrayLike, train_mean: float | None = None) -> Estimate:  # noqa: ARG001  one shape for all metrics
    """Measure the root of the mean squared error. Interval: Student's, by the delta method."""
    return _estimate("rmse", y, score)


def bias(y: ArrayLike, score: ArrayLike, train_mean: float | None = None) -> Estimate:  # noqa: ARG001  one shape for all metrics
    """Measure the mean of ``score - y``: above 0 predicts too much. Interval: Student's."""
    return _estimate("bias", y, score)


def bits(y: ArrayLike, score: ArrayLike, train_mean: float | None = None) -> Estimate:
    """Measure ``1/2 log2(MSE_base / MSE_model)``: bits per prediction under Gaussian errors.

    The base forecasts the *training* mean (``None``: the rows' own). Interval: Student's, by the
    delta method on the logarithm of the ratio. Unknown where an error is zero.
    """
    return _estimate("bits", y, score, train_mean)


def r2(y: ArrayLike, score: ArrayLike, train_mean: float | None = None) -> Estimate:  # noqa: ARG001  one shape for all metrics
    """Measure the share of the rows' own variance that is explained, as scikit-learn does.

    Its base is the rows' own mean (``bits`` has training's). Interval: Student's, by the delta
    method. Unknown where the outcome never varies.
    """
    return _estimate("r2", y, score)


MetricFunction = Callable[[ArrayLike, ArrayLike, float | None], Estimate]
"""(outcomes (n,), scores (n,), training mean or ``None``) -> value with interval."""

METRICS: Mapping[str, MetricFunction] = MappingProxyType(
    {
        "auc": auc,
        "log_loss": log_loss,
        "brier": brier,
        "calibration_error": calibration_error,
        "information_gain": information_gain,
        "relative_information_gain": relative_information_gain,
        "mae": mae,
        "rmse": rmse,
        "bias": bias,
        "bits": bits,
        "r2": r2,
    }
)
"""Every metric that Fairway has, by the name that a project file writes."""
