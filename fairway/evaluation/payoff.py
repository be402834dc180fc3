"""What decisions are worth in money, when one acts on every score at or above a threshold.

Room: ``fairway.evaluation``. ``Payoff`` is the noun that ``project`` reads from ``[payoff]``; the
functions beside it value scores against outcomes. numpy is loaded when something is valued, never
by importing this module. Money is float64 here; the ledger's money is decimal.

Amounts are per 1,000 decisions in the pay-off's unit. Negative ones are ordinary: where acting and
erring both cost, the best policy is the cheapest one.
"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from fairway.errors import ProjectError, RequestError
from fairway.evaluation.estimate import UNKNOWN, Estimate, mean, vectors

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    Vector = NDArray[np.float64]

PER = 1000
"""Decisions that an amount is stated for."""

N_POINTS = 101
"""Points of a curve at most."""

Action = Literal["always", "never"]


@dataclass(frozen=True, kw_only=True)
class Payoff:
    """Money earned (above 0) or spent (below 0) by one decision of each kind.

    Law: acting pays exactly where the true probability is ``implied_threshold`` or more.

    Attributes:
        unit: Currency or other unit, such as ``USD``.
        tp: Acted, and it happened.
        fp: Acted, and it did not happen.
        fn: Did not act, and it happened.
        tn: Did not act, and it did not happen.

    Raises:
        ProjectError: If an amount is not finite, or the four make one action right whatever
            happens, so that no model could be worth anything.
    """

    unit: str
    tp: float
    fp: float
    fn: float = 0.0
    tn: float = 0.0

    def __post_init__(self) -> None:
        for name in ("tp", "fp", "fn", "tn"):
            amount = getattr(self, name)
            if not math.isfinite(amount):
                raise ProjectError(
                    f"Pay-off {name} = {amount} is no amount.", hint="Give a number."
                )
            object.__setattr__(self, name, float(amount))
        if self.tp <= self.fn:
            raise ProjectError(
                f"Pay-off: acting on what happens earns tp = {self.tp:g}, "
                f"not acting fn = {self.fn:g}, so one would never act.",
                hint="Make tp larger than fn, or exchange what counts as acting.",
            )
        if self.tn <= self.fp:
            raise ProjectError(
                f"Pay-off: acting on what does not happen earns fp = {self.fp:g}, "
                f"not acting tn = {self.tn:g}, so one would always act.",
                hint="Make tn larger than fp: acting in vain must cost something.",
            )

    @property
    def implied_threshold(self) -> float:
        """The probability at which both actions are worth the same; it lies inside (0, 1).

        It is right for a calibrated score whatever the base rate is.

        Source: Elkan, "The foundations of cost-sensitive learning", 2001, equation 2.
        """
        regret_of_acting = self.tn - self.fp
        return regret_of_acting / (regret_of_acting + (self.tp - self.fn))


@dataclass(frozen=True, kw_only=True)
class Confusion:
    """Counts of decisions at one threshold."""

    tp: int
    fp: int
    fn: int
    tn: int

    def worth(self, payoff: Payoff) -> float:
        """Total money of these decisions, in the pay-off's unit."""
        return self.tp * payoff.tp + self.fp * payoff.fp + self.fn * payoff.fn + self.tn * payoff.tn


@dataclass(frozen=True, kw_only=True)
class Point:
    """One threshold on the pay-off curve.

    Attributes:
        threshold: Act on scores at or above it; infinite means never act.
        payoff: Money per 1,000 decisions.
        act_share: Share of decisions that act.
        net_benefit: True positives gained per decision, see ``net_benefit``; NaN at 1 and above.
    """

    threshold: float
    payoff: float
    act_share: float
    net_benefit: float


def confusion(y: "ArrayLike", score: "ArrayLike", threshold: float) -> Confusion:
    """Count decisions when one acts on scores at or above ``threshold``."""
    outcome, scores = vectors(y, score)
    acts, happens = scores >= threshold, outcome > 0.5
    return Confusion(
        tp=int((acts & happens).sum()),
        fp=int((acts & ~happens).sum()),
        fn=int((~acts & happens).sum()),
        tn=int((~acts & ~happens).sum()),
    )


def amounts(payoff: Payoff, y: "ArrayLike", score: "ArrayLike", threshold: float) -> "Vector":
    """Give the money of each single decision, in the pay-off's unit: (n,), (n,) -> (n,)."""
    import numpy as np

    outcome, scores = vectors(y, score)
    acts, happens = scores >= threshold, outcome > 0.5
    return np.where(
        acts,
        np.where(happens, payoff.tp, payoff.fp),
        np.where(happens, payoff.fn, payoff.tn),
    )


def value(payoff: Payoff, y: "ArrayLike", score: "ArrayLike", threshold: float) -> Estimate:
    """Measure money per 1,000 decisions at a threshold. Interval: Student's, of a mean."""
    return mean(amounts(payoff, y, score, threshold), scale=PER)


def always(payoff: Payoff, y: "ArrayLike") -> Estimate:
    """Measure money per 1,000 decisions when one always acts."""
    return value(payoff, y, y, -math.inf)


def never(payoff: Payoff, y: "ArrayLike") -> Estimate:
    """Measure money per 1,000 decisions when one never acts."""
    return value(payoff, y, y, math.inf)


def perfect(payoff: Payoff, y: "ArrayLike") -> Estimate:
    """Measure money per 1,000 decisions of one who knows every outcome beforehand."""
    return value(payoff, y, y, 0.5)


def best_fixed(payoff: Payoff, y: "ArrayLike") -> Action:
    """Choose the better of always and never acting on these very rows; of equals, never."""
    acting, idle = always(payoff, y).value, never(payoff, y).value
    return "always" if acting is not None and idle is not None and acting > idle else "never"


def _threshold_of(action: Action) -> float:
    return -math.inf if action == "always" else math.inf


def over_fixed(payoff: Payoff, y: "ArrayLike", score: "ArrayLike", threshold: float) -> Estimate:
    """Measure what the model earns above the best fixed action, per 1,000 decisions.

    Interval: Student's, of the paired difference row by row. That the better of the two fixed
    actions is picked on the same rows is not in it.
    """
    fixed = amounts(payoff, y, score, _threshold_of(best_fixed(payoff, y)))
    return mean(amounts(payoff, y, score, threshold) - fixed, scale=PER)


def perfect_over_fixed(payoff: Payoff, y: "ArrayLike") -> Estimate:
    """Measure what perfect information is worth above the best fixed action."""
    return over_fixed(payoff, y, y, 0.5)


def net_benefit(y: "ArrayLike", score: "ArrayLike", threshold: float) -> Estimate:
    """Measure ``TP/n - FP/n * t / (1 - t)``: true positives per decision, net of false alarms.

    To act on nobody has net benefit 0; to act on all has ``net_benefit_of_all``.
    Interval: Student's, of a mean over rows. Unknown unless 0 <= t < 1.

    Source: Vickers and Elkin, "Decision curve analysis", 2006.
    """
    import numpy as np

    outcome, scores = vectors(y, score)
    if not 0 <= threshold < 1:
        return UNKNOWN
    odds = threshold / (1 - threshold)
    gain = np.where(outcome > 0.5, 1.0, -odds)
    return mean(np.where(scores >= threshold, gain, 0.0))


def net_benefit_of_all(y: "ArrayLike", threshold: float) -> Estimate:
    """Measure the net benefit of acting on everybody, at this threshold's odds."""
    import numpy as np

    return net_benefit(y, np.ones(len(np.asarray(y))), threshold)


def _points(payoff: Payoff, y: "Vector", score: "Vector", thresholds: "Vector") -> list[Point]:
    """Value many thresholds by one sort: O((n + points) log n)."""
    import numpy as np

    n = len(y)
    order = np.argsort(score)
    positives = np.r_[0.0, np.cumsum(y[order] > 0.5)]  # positives among the i lowest scores
    first = np.searchsorted(score[order], thresholds, side="left")  # acts from this rank upwards
    tp = positives[-1] - positives[first]
    fp = (n - first) - tp
    fn, tn = positives[first], first - positives[first]
    worth = (tp * payoff.tp + fp * payoff.fp + fn * payoff.fn + tn * payoff.tn) * PER / n
    is_priced = (thresholds >= 0) & (thresholds < 1)
    safe = np.where(is_priced, thresholds, 0.5)
    benefit = np.where(is_priced, tp / n - fp / n * safe / (1 - safe), np.nan)
    columns = zip(thresholds, worth, (n - first) / n, benefit, strict=True)
    return [
        Point(threshold=float(t), payoff=float(w), act_share=float(a), net_benefit=float(b))
        for t, w, a, b in columns
    ]


def curve(payoff: Payoff, y: "ArrayLike", score: "ArrayLike") -> list[Point]:
    """Value up to 101 thresholds: 100 quantiles of the scores and the implied one, rising.

    Law: each point's pay-off equals ``value`` at its threshold.
    """
    import numpy as np

    outcome, scores = vectors(y, score)
    if len(outcome) == 0:
        return []
    quantiles = np.quantile(scores, np.linspace(0, 1, N_POINTS - 1), method="lower")
    thresholds = np.unique(np.r_[quantiles, payoff.implied_threshold])
    return _points(payoff, outcome, scores, thresholds)


def best(payoff: Payoff, y: "ArrayLike", score: "ArrayLike") -> Point | None:
    """Find the threshold that earns most on these rows, among all scores and never acting.

    Of equals the highest is taken. The rows chose it, so it flatters: judge a model by the implied
    threshold. ``None`` without rows.
    """
    import numpy as np

    outcome, scores = vectors(y, score)
    if len(outcome) == 0:
        return None
    thresholds = np.r_[np.unique(scores), math.inf]
    n, order = len(outcome), np.argsort(scores)
    positives = np.r_[0.0, np.cumsum(outcome[order] > 0.5)]
    first = np.searchsorted(scores[order], thresholds, side="left")
    # Only the part of the worth that changes with the threshold decides.
    gain = (positives[-1] - positives[first]) * (payoff.tp - payoff.fn)
    loss = (n - first - positives[-1] + positives[first]) * (payoff.tn - payoff.fp)
    worth = gain - loss
    winners = np.flatnonzero(worth >= worth.max() - 1e-9 * max(1.0, float(np.abs(worth).max())))
    return _points(payoff, outcome, scores, thresholds[winners[-1:]])[0]


def information_yield(over: Estimate, perfect_over: Estimate) -> float | None:
    """Give V_model / V_perfect: the share of perfect information's worth that the model brings.

    ``None`` where perfect information is worth nothing above the best fixed action.
    """
    if over.value is None or perfect_over.value is None or perfect_over.value <= 0:
        return None
    return over.value / perfect_over.value


def check_outcomes(y: "ArrayLike") -> None:
    """Refuse outcomes that a pay-off cannot value.

    Raises:
        RequestError: If an outcome is neither 0 nor 1.
    """
    import numpy as np

    outcome = np.asarray(y, dtype=np.float64)
    wrong = outcome[(outcome != 0) & (outcome != 1)]
    if len(wrong):
        raise RequestError(
            f"Outcome {wrong[0]:g} is neither 0 nor 1.", hint="Value only a yes-or-no target."
        )
