"""A number with its 95 % interval, and the ways to come to one.

Room: ``fairway.evaluation``, below every metric. It knows rows and variances, not what they mean.
numpy and scipy are loaded when something is computed, never by importing this module.
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from fairway.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    Vector = NDArray[np.float64]

CONFIDENCE = 0.95
"""Every interval of Fairway holds the true value in 95 of 100 repetitions."""

Z = 1.959963984540054
"""The normal quantile at 97.5 %."""

RESAMPLES = 200
"""Bootstrap repetitions where nothing analytic is sound."""

SEED = 20131130
"""Same rows, same interval: every bootstrap starts here."""


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A measured value with its 95 % interval; ``None`` stands for "cannot be known".

    Law: where all three are known, ``low <= value <= high``.

    Attributes:
        value: The measurement on the rows at hand.
        low: Lower end; ``None`` where the rows are too few to say.
        high: Upper end; ``None`` where the rows are too few to say.
    """

    value: float | None
    low: float | None
    high: float | None

    def to_json(self) -> dict[str, float | None]:
        """Spell it as ``{"value", "low", "high"}``; each is finite or ``None``."""
        return {"value": finite(self.value), "low": finite(self.low), "high": finite(self.high)}


UNKNOWN = Estimate(value=None, low=None, high=None)
"""What a metric answers where it is undefined: no rows, or one class where two are needed."""


def finite(value: float | None) -> float | None:
    """Turn NaN and infinity, which JSON cannot say, into ``None``."""
    return None if value is None or not math.isfinite(value) else float(value)


def exact(value: float) -> Estimate:
    """Wrap what is counted and not estimated, such as a size in bytes."""
    return Estimate(value=value, low=value, high=value)


def vectors(y: "ArrayLike", score: "ArrayLike") -> "tuple[Vector, Vector]":
    """Read outcomes and scores as float64: (n,), (n,) -> (n,), (n,).

    Raises:
        RequestError: If they are not two columns of equal length, or hold NaN or infinity.
    """
    import numpy as np

    first, second = np.asarray(y, dtype=np.float64), np.asarray(score, dtype=np.float64)
    if first.ndim != 1 or first.shape != second.shape:
        raise RequestError(
            f"Outcomes have shape {first.shape}, scores {second.shape}.",
            hint="Give one score for each outcome.",
        )
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        raise RequestError(
            "An outcome or a score is missing or infinite.",
            hint="Measure only rows with a label, and scores that are numbers.",
        )
    return first, second


@lru_cache(maxsize=4096)
def student(degrees: int) -> float:
    """Give Student's t quantile at 97.5 %; it nears ``Z`` as the degrees of freedom grow."""
    from scipy.special import stdtrit

    return float(stdtrit(degrees, 0.5 + CONFIDENCE / 2))


def from_influence(
    value: float,
    influence: "Vector",
    *,
    floor: float = -math.inf,
    ceiling: float = math.inf,
) -> Estimate:
    """Put an interval around a value from what each row contributes to it.

    ``influence`` (n,) is the first-order effect of each row: for a mean, the row's deviation from
    it. The interval is ``value +- t(n - 1) * sd(influence) / sqrt(n)``, cut at what is possible.

    Source: the delta method in influence-function form, Hampel, "The influence curve and its
    role in robust estimation", 1974.
    """
    n_rows = len(influence)
    if n_rows < 2 or not math.isfinite(value):
        return Estimate(value=finite(value), low=None, high=None)
    half = student(n_rows - 1) * float(influence.std(ddof=1)) / math.sqrt(n_rows)
    low, high = max(value - half, floor), min(value + half, ceiling)
    return Estimate(value=value, low=min(low, value), high=max(high, value))


def mean(rows: "Vector", *, scale: float = 1.0, floor: float = -math.inf) -> Estimate:
    """Average one number per row, with Student's interval: (n,) -> ``scale`` times the mean."""
    if len(rows) == 0:
        return UNKNOWN
    value = float(rows.mean())
    return from_influence(value * scale, (rows - value) * scale, floor=floor)


def wilson(successes: float, n: float) -> tuple[float, float]:
    """Give the interval of a share that never leaves [0, 1] and is honest at 0 and 1.

    Source: Wilson, "Probable inference, the law of succession, and statistical inference", 1927.
    """
    if n <= 0:
        return 0.0, 1.0
    share, z2 = successes / n, Z * Z
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = Z / (1 + z2 / n) * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    return max(0.0, min(centre - half, share)), min(1.0, max(centre + half, share))


def bootstrap(
    value: float,
    n_rows: int,
    again: "Callable[[NDArray[np.intp]], float | None]",
    *,
    resamples: int = RESAMPLES,
) -> Estimate:
    """Put a percentile interval around any value by drawing rows anew, always from ``SEED``.

    Args:
        value: The value on the rows themselves; the interval is widened to hold it if need be.
        n_rows: How many rows there are.
        again: Computes the value on row numbers (n,), drawn with replacement; ``None`` where the
            draw cannot be measured. If that befalls half of the draws, no interval is given.
        resamples: How many draws.

    Source: Efron, "Bootstrap methods: another look at the jackknife", 1979.
    """
    import numpy as np

    if n_rows < 2 or not math.isfinite(value):
        return Estimate(value=finite(value), low=None, high=None)
    generator = np.random.default_rng(SEED)
    drawn = [again(generator.integers(0, n_rows, n_rows)) for _ in range(resamples)]
    known = [draw for draw in drawn if draw is not None and math.isfinite(draw)]
    if 2 * len(known) < resamples:
        return Estimate(value=value, low=None, high=None)
    low, high = np.quantile(known, [0.5 - CONFIDENCE / 2, 0.5 + CONFIDENCE / 2])
    return Estimate(value=value, low=min(float(low), value), high=max(float(high), value))
