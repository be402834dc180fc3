"""How well one column alone predicts the target, measured on rows grouped by its values.

Room: ``fairway.data``, used by ``leakage``. Pure numpy over grouped counts: an engine has grouped
the rows, so memory follows the number of distinct values. It neither queries nor refuses.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

MAX_BINS = 50  # few, so that a clock in a drifting label does not look like a leak
ROWS_A_BIN = 40  # so that each fold puts about twenty rows into a bin
PRIOR_ROWS = 5.0  # a group's mean is drawn towards the mean of all by so many rows


@dataclass(frozen=True, kw_only=True)
class Groups:
    """Rows of one column, grouped by (value, fold): arrays of shape (g groups,).

    Attributes:
        value: The value as a number (a text's place in the sorted texts); NaN where missing.
        fold: 0 or 1; rows are dealt to folds at random.
        n: Rows in the group, above zero.
        y: Sum of the target over them; for a binary target the number of positive rows.
        yy: Sum of its square.
        ordered: Whether the values have an order that may carry meaning (numbers, times).
    """

    value: "Floats"
    fold: "Integers"
    n: "Floats"
    y: "Floats"
    yy: "Floats"
    ordered: bool


def auc(score: "Floats", positives: "Floats", negatives: "Floats") -> float:
    """Area under the ROC curve of groups with a score each; ties count half.

    Law: equals the share of (positive, negative) pairs in which the positive has the higher
    score. NaN where one class is absent.

    Source: Mann, Whitney, "On a test of whether one of two random variables is stochastically
    larger than the other", 1947.
    """
    import numpy as np

    _, rank = np.unique(score, return_inverse=True)
    up = np.bincount(rank, weights=positives)
    down = np.bincount(rank, weights=negatives)
    if not up.sum() or not down.sum():
        return float("nan")
    below = np.cumsum(down) - down
    return float((up * (below + down / 2)).sum() / (up.sum() * down.sum()))


def chance_error(n_positive: float, n_negative: float) -> float:
    """Standard error of the AUC of a worthless score, from the same source as ``auc``."""
    return float(((n_positive + n_negative + 1) / (12 * n_positive * n_negative)) ** 0.5)


def best_auc(groups: Groups) -> float:
    """The best AUC of the column alone; (g groups,) -> in [0, 1].

    Ordered values: by rank in either direction with the missing rows at either end, and by
    quantile bins; other values: by their target mean. Bins and means are cross-fitted.
    """
    import numpy as np

    positives, negatives = groups.y, groups.n - groups.y
    found = [auc(_encode(_bins(groups), groups), positives, negatives)]
    if groups.ordered:
        for end in (-np.inf, np.inf):
            rank = np.unique(groups.value, return_inverse=True)[1].astype(float)
            rank[np.isnan(groups.value)] = end
            by_rank = auc(rank, positives, negatives)
            found += [by_rank, 1 - by_rank]
    return max(found)


def best_r2(groups: Groups) -> float:
    """The best R2 of the column alone; (g groups,) -> at most 1, below 0 if worse than the mean.

    Ordered values: by a straight line and by quantile bins; other values: by their target mean.
    All are cross-fitted. Zero where the target does not vary.
    """
    spread = groups.yy.sum() - groups.y.sum() ** 2 / groups.n.sum()
    if spread <= 0:
        return 0.0
    predictions = [_encode(_bins(groups), groups)]
    if groups.ordered:
        predictions.append(_line(groups))
    errors = [
        (groups.yy - 2 * score * groups.y + score**2 * groups.n).sum() for score in predictions
    ]
    return float(1 - min(errors) / spread)


def telling_split(groups: Groups, name: str, outcome: str, show: Callable[[float], str]) -> str:
    """Say in words which split of the rows by this column tells most about a binary target.

    Args:
        groups: The column.
        name: What people call it.
        outcome: What people call a positive row, as in ``late = true``.
        show: Spells a value.
    """
    import numpy as np

    values, place = np.unique(groups.value, return_inverse=True)
    n = np.bincount(place, weights=groups.n)
    y = np.bincount(place, weights=groups.y)
    missing = np.isnan(values)
    inside = [(n[missing].sum(), y[missing].sum())]
    named = [f"whose {name} is missing"]
    if groups.ordered:
        from_here = (np.cumsum(n[~missing][::-1])[::-1], np.cumsum(y[~missing][::-1])[::-1])
        inside += zip(*from_here, strict=True)
        named += [f"with {name} >= {show(value)}" for value in values[~missing]]
    else:
        inside += zip(n[~missing], y[~missing], strict=True)
        named += [f"with {name} = {show(value)}" for value in values[~missing]]
    rows, hits = np.array(inside).T
    all_rows, all_hits = n.sum(), y.sum()
    gain = np.abs(hits / all_hits - (rows - hits) / (all_rows - all_hits))
    best = int(gain.argmax())
    others = max(all_rows - rows[best], 1.0)
    return (
        f"{outcome} in {hits[best] / max(rows[best], 1.0):.1%} of the {rows[best]:,.0f} rows "
        f"{named[best]}, in {(all_hits - hits[best]) / others:.1%} of the others."
    )


def telling_means(groups: Groups, name: str, target: str, show: Callable[[float], str]) -> str:
    """Say in words how the mean of a target moves with this column."""
    import numpy as np

    bins = _bins(groups)
    n = np.bincount(bins, weights=groups.n)
    mean = np.bincount(bins, weights=groups.y) / np.maximum(n, 1.0)
    seen = np.flatnonzero(n)
    ends = [seen[mean[seen].argmin()], seen[mean[seen].argmax()]]

    def said(one: int) -> str:
        values = groups.value[bins == one]
        if np.isnan(values).any():
            where = f"where {name} is missing"
        elif values.min() == values.max():
            where = f"where {name} is {show(values.min())}"
        else:
            where = f"where {name} is from {show(values.min())} to {show(values.max())}"
        return f"{mean[one]:,.6g} over the {n[one]:,.0f} rows {where}"

    return f"{target} is on average {said(ends[0])}, and {said(ends[1])}."


def _bins(groups: Groups) -> "Integers":
    """Give each group a bin: 0 = missing, then quantiles of ordered values or each value alone."""
    import numpy as np

    values, place = np.unique(groups.value, return_inverse=True)  # NaNs are one value, the last
    missing = np.isnan(groups.value)
    n_bins = int(np.clip(groups.n.sum() // ROWS_A_BIN, 2, MAX_BINS))
    if groups.ordered and len(values) > n_bins:
        weight = np.bincount(place, weights=np.where(missing, 0.0, groups.n))
        middle = np.cumsum(weight) - weight / 2
        place = np.minimum(n_bins - 1, middle / max(weight.sum(), 1.0) * n_bins).astype(int)[place]
    bins: Integers = np.where(missing, 0, place + 1)
    return bins


def _encode(bins: "Integers", groups: Groups) -> "Floats":
    """Score each group by the mean target of its bin in the other fold."""
    import numpy as np

    score = np.empty(len(bins))
    for fold in (0, 1):
        other = groups.fold != fold
        n = np.bincount(bins, weights=groups.n * other)
        y = np.bincount(bins, weights=groups.y * other)
        mean = y.sum() / max(n.sum(), 1.0)
        score[~other] = ((y + PRIOR_ROWS * mean) / (n + PRIOR_ROWS))[bins[~other]]
    return score


def _line(groups: Groups) -> "Floats":
    """Score each group by the straight line of the other fold; a missing value by the mean."""
    import numpy as np

    score = np.empty(len(groups.n))
    known = np.isfinite(groups.value)
    for fold in (0, 1):
        other = groups.fold != fold
        n = groups.n * (other & known)
        mean = groups.y[other].sum() / max(groups.n[other].sum(), 1.0)
        rows = max(n.sum(), 1.0)
        x = np.where(known, groups.value, 0.0)
        x_mean, y_mean = (n * x).sum() / rows, groups.y[other & known].sum() / rows
        centred = x - x_mean
        spread = (n * centred**2).sum()
        shared = (centred * groups.y)[other & known].sum()
        slope = shared / spread if spread > 0 else 0.0
        score[~other] = np.where(known, y_mean + slope * centred, mean)[~other]
    return score
