"""Is one model better than another? Differences on the same rows, with intervals.

Room: ``fairway.evaluation``, after ``metric`` and ``payoff``. ``delivery.gate`` reads the document
that ``compare`` writes. Which model is the champion is not known here.

Two models err on the same hard rows. The difference row by row is therefore known far better
than two separate intervals suggest: never compare those.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fairway.errors import ProjectError, RequestError
from fairway.evaluation import calibration, custom, ranking
from fairway.evaluation import payoff as money
from fairway.evaluation.estimate import UNKNOWN, Estimate, from_influence, mean, vectors
from fairway.evaluation.metric import SMOOTH
from fairway.evaluation.payoff import Payoff

Vector = NDArray[np.float64]


def check_same_rows(keys: object, other_keys: object) -> None:
    """Refuse two models that were not asked about the same rows in the same order.

    Args:
        keys: What names the rows of the first: their digest, or one key per row.
        other_keys: The same of the second.

    Raises:
        RequestError: If they differ; the first difference is named.
    """
    if isinstance(keys, str) or isinstance(other_keys, str):
        if keys != other_keys:
            raise RequestError(
                f"The rows differ: {keys} against {other_keys}.",
                hint="Predict both models on the same test part.",
            )
        return
    first, second = _listed(keys), _listed(other_keys)
    if len(first) != len(second):
        raise RequestError(
            f"The rows differ: {len(first)} against {len(second)} keys.",
            hint="Predict both models on the same test part.",
        )
    for number, (one, two) in enumerate(zip(first, second, strict=True)):
        if one != two:
            raise RequestError(
                f"The rows differ from row {number}: key {one!r} against {two!r}.",
                hint="Predict both models on the same rows in the same order.",
            )


def _listed(keys: object) -> Sequence[object]:
    for method in ("to_pylist", "tolist"):
        if hasattr(keys, method):
            found: Sequence[object] = getattr(keys, method)()
            return found
    if isinstance(keys, Sequence):
        return keys
    raise RequestError(f"{type(keys).__name__} holds no keys.", hint="Give a digest or a list.")


def difference(
    name: str,
    y: ArrayLike,
    score: ArrayLike,
    other: ArrayLike,
    *,
    train_mean: float | None = None,
    other_train_mean: float | None = None,
    payoff: Payoff | None = None,
    threshold: float | None = None,
    other_threshold: float | None = None,
    function: custom.Function | None = None,
) -> Estimate:
    """Measure ``score``'s metric less ``other``'s, both on the same rows.

    Law: exchanging the two models changes the sign; a model against itself is 0 [0, 0].

    Args:
        name: One of ``metric.METRICS``, ``payoff`` (per 1,000 decisions), or ``module:function``.
        y: (n,) outcomes.
        score: (n,) scores of the model in question.
        other: (n,) scores of the one it is held against.
        train_mean: Mean of the target in training, for gains over the base.
        other_train_mean: The other's; by default the same.
        payoff: Needed for ``payoff``.
        threshold: Where the first acts; by default the implied one.
        other_threshold: Where the other acts; by default the first's.
        function: Needed for ``module:function``.

    Intervals: AUC by DeLong's covariance; smooth metrics and pay-off by Student's on row-wise
    differences (of influences); calibration error and own functions by a seeded paired bootstrap.

    Raises:
        ProjectError: If the metric is unknown, or what it needs was not given.
    """
    outcome, first = vectors(y, score)
    _, second = vectors(y, other)
    if len(outcome) == 0:
        return UNKNOWN
    if name == "auc":
        return ranking.auc_difference(outcome, first, second)
    if name == "calibration_error":
        return calibration.calibration_difference(outcome, first, second)
    if name == "payoff" and payoff is not None:
        at = payoff.implied_threshold if threshold is None else threshold
        other_at = at if other_threshold is None else other_threshold
        rows = money.amounts(payoff, outcome, first, at)
        return mean(rows - money.amounts(payoff, outcome, second, other_at), scale=money.PER)
    if name in SMOOTH:
        base = train_mean if other_train_mean is None else other_train_mean
        one = SMOOTH[name](outcome, first, train_mean)
        two = SMOOTH[name](outcome, second, base)
        return from_influence(one.value - two.value, one.influence - two.influence)
    if function is not None:
        return custom.difference(function, outcome, first, second)
    raise ProjectError(
        f"{name!r} cannot be compared.",
        hint="Name a metric of [evaluate], or declare [payoff] to compare payoff.",
    )


def compare(
    y: ArrayLike,
    score: ArrayLike,
    other: ArrayLike,
    *,
    metrics: Sequence[str],
    keys: object,
    other_keys: object,
    against: str,
    train_mean: float | None = None,
    other_train_mean: float | None = None,
    payoff: Payoff | None = None,
    threshold: float | None = None,
    other_threshold: float | None = None,
    functions: Mapping[str, custom.Function] | None = None,
    other_metrics: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Compare two models on the same rows: the document that a gate reads.

    Args:
        y: (n,) outcomes.
        score: (n,) scores of the model in question.
        other: (n,) scores of the one it is held against.
        metrics: Names to compare; ``payoff`` is added where one is declared.
        keys: Names the rows of the first, see ``check_same_rows``.
        other_keys: Names the rows of the other.
        against: The other's digest, or ``baseline``.
        train_mean: See ``difference``.
        other_train_mean: See ``difference``.
        payoff: Adds ``payoff`` per 1,000 decisions.
        threshold: See ``difference``.
        other_threshold: See ``difference``.
        functions: The project's own metrics by name.
        other_metrics: ``metrics`` of the other's evaluation. The gate takes from there what no row
            tells (``p99_ms``, ``size_bytes``).

    Returns:
        ``{"against", "n_rows", "differences": {metric: {"value", "low", "high"}}, "metrics"}``:
        each difference is the model's value less the other's; ``metrics`` is ``other_metrics``.

    Raises:
        RequestError: If the rows differ.
        ProjectError: If a metric is unknown.
    """
    check_same_rows(keys, other_keys)
    outcome, _ = vectors(y, score)
    names = [*dict.fromkeys(metrics)]
    if payoff is not None and "payoff" not in names:
        names.append("payoff")
    differences = {
        name: difference(
            name,
            outcome,
            score,
            other,
            train_mean=train_mean,
            other_train_mean=other_train_mean,
            payoff=payoff,
            threshold=threshold,
            other_threshold=other_threshold,
            function=(functions or {}).get(name),
        ).to_json()
        for name in names
    }
    return {
        "against": against,
        "n_rows": len(outcome),
        "differences": differences,
        "metrics": dict(other_metrics or {}),
    }
