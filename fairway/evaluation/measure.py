"""Everything that is known about a model's scores, as one document.

Room: ``fairway.evaluation``, the last word after ``metric``, ``slice``, ``calibration`` and
``payoff``. The document is evidence: it is stored, shown and judged (``delivery.gate``) as it is.
It predicts nothing and judges nothing.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fairway.errors import ProjectError, RequestError
from fairway.evaluation import calibration, custom
from fairway.evaluation import payoff as money
from fairway.evaluation.estimate import Estimate, exact, finite, vectors
from fairway.evaluation.metric import METRICS
from fairway.evaluation.payoff import Payoff
from fairway.evaluation.slice import deal, is_judged
from fairway.evaluation.vocabulary import Task, check_name, names_of

Vector = NDArray[np.float64]


def measure(
    y: ArrayLike,
    score: ArrayLike,
    *,
    task: Task,
    train_mean: float | None,
    metrics: Sequence[str] | None = None,
    slices: Mapping[str, object] | None = None,
    payoff: Payoff | None = None,
    functions: Mapping[str, custom.Function] | None = None,
    p99_ms: Estimate | None = None,
    size_bytes: int | None = None,
) -> dict[str, Any]:
    """Measure scores against outcomes, whole and by slice.

    Args:
        y: (n,) outcomes; 0 or 1 if ``task`` is binary.
        score: (n,) probabilities, or numbers for a regression.
        task: What is predicted.
        train_mean: Mean of the target in the training part: what a constant would forecast.
        metrics: Names, in order; by default, and where there are none, all of the task.
        slices: Columns to slice by: name -> (n,) values.
        payoff: What decisions are worth; binary only.
        functions: The project's own metrics, by the name in ``metrics``; see ``custom.load``.
        p99_ms: From ``latency.latency``.
        size_bytes: Of the model's files.

    Returns:
        A JSON value; every number is finite or ``None``::

            {"task", "n_rows", "n_positive", "train_mean",
             "metrics": {name: {"value", "low", "high"}},
             "slices": {column: {value: {"n_rows", "n_positive", "judged", "metrics"}}},
             "payoff": {...} | None, "threshold", "calibration": [10 bins], "fixed": {...} | None}

        ``metrics`` also holds ``payoff``, ``p99_ms`` and ``size_bytes`` where known. ``threshold``
        is the one that the pay-offs imply; ``None`` without pay-offs.

    Raises:
        ProjectError: If a metric is unknown or of the other task, or a pay-off meets a regression.
        RequestError: If the columns do not fit, or a binary outcome or score lies outside [0, 1].
        StepError: If a function of the project fails.
    """
    outcome, scores = vectors(y, score)
    names = tuple(dict.fromkeys(metrics or names_of(task)))
    own = dict(functions or {})
    _check(outcome, scores, task=task, names=names, payoff=payoff, own=own)

    def estimates(rows: NDArray[np.intp] | slice, *, is_slice: bool) -> dict[str, Any]:
        return _estimates(
            outcome[rows],
            scores[rows],
            names=names,
            train_mean=train_mean,
            payoff=payoff,
            own=own,
            is_slice=is_slice,
        )

    whole = estimates(slice(None), is_slice=False)
    if p99_ms is not None:
        whole["p99_ms"] = p99_ms.to_json()
    if size_bytes is not None:
        whole["size_bytes"] = exact(size_bytes).to_json()
    by_column: dict[str, dict[str, Any]] = {}
    for column, values in (slices or {}).items():
        parts = deal(values)
        if sum(len(part.rows) for part in parts) != len(outcome):
            raise RequestError(
                f"Slice column {column} has not one value for each of {len(outcome)} rows.",
                hint="Give the column of the very rows that were scored.",
            )
        by_column[column] = {
            part.label: {
                "n_rows": len(part.rows),
                "n_positive": _n_positive(outcome[part.rows], task),
                "judged": is_judged(part, outcome[part.rows], task),
                "metrics": estimates(part.rows, is_slice=True),
            }
            for part in parts
        }
    return {
        "task": task,
        "n_rows": len(outcome),
        "n_positive": _n_positive(outcome, task),
        "train_mean": finite(train_mean),
        "metrics": whole,
        "slices": by_column,
        "payoff": None if payoff is None else _payoff_document(payoff, outcome, scores),
        "threshold": None if payoff is None else payoff.implied_threshold,
        "calibration": calibration.table(outcome, scores, task),
        "fixed": None if payoff is None else _fixed_document(payoff, outcome),
    }


def _n_positive(y: Vector, task: Task) -> int | None:
    return int((y > 0.5).sum()) if task == "binary" else None


def _check(
    y: Vector,
    score: Vector,
    *,
    task: Task,
    names: Sequence[str],
    payoff: Payoff | None,
    own: Mapping[str, custom.Function],
) -> None:
    for name in names:
        if name not in own:
            check_name(name, task)
            if name not in METRICS:
                raise ProjectError(
                    f"Metric {name} was not loaded.", hint="Load it with custom.load first."
                )
    if task == "regression":
        if payoff is not None:
            raise ProjectError(
                "A pay-off is declared, but the target is a number.",
                hint="Remove [payoff], or make the target a yes or no.",
            )
        return
    money.check_outcomes(y)
    outside = np.flatnonzero((score < 0) | (score > 1))
    if len(outside):
        raise RequestError(
            f"Score {score[outside[0]]:g} of row {outside[0]} is no probability.",
            hint="Let the model answer numbers from 0 to 1.",
        )


def _estimates(
    y: Vector,
    score: Vector,
    *,
    names: Sequence[str],
    train_mean: float | None,
    payoff: Payoff | None,
    own: Mapping[str, custom.Function],
    is_slice: bool,
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in names:
        if name in own:
            found[name] = custom.estimate(own[name], y, score, is_slice=is_slice).to_json()
        else:
            found[name] = METRICS[name](y, score, train_mean).to_json()
    if payoff is not None:
        found["payoff"] = money.value(payoff, y, score, payoff.implied_threshold).to_json()
    return found


def _payoff_document(payoff: Payoff, y: Vector, score: Vector) -> dict[str, Any]:
    """Tell what the scores are worth: per 1,000 decisions in ``unit``, unless named otherwise."""
    threshold = payoff.implied_threshold
    counts = money.confusion(y, score, threshold)
    best = money.best(payoff, y, score)
    over = money.over_fixed(payoff, y, score, threshold)
    perfect_over = money.perfect_over_fixed(payoff, y)
    return {
        "unit": payoff.unit,
        "per": money.PER,
        "tp": payoff.tp,
        "fp": payoff.fp,
        "fn": payoff.fn,
        "tn": payoff.tn,
        "threshold": threshold,
        **money.value(payoff, y, score, threshold).to_json(),
        "counts": {"tp": counts.tp, "fp": counts.fp, "fn": counts.fn, "tn": counts.tn},
        "best": None
        if best is None
        else {"threshold": finite(best.threshold), "value": finite(best.payoff)},
        "perfect": money.perfect(payoff, y).to_json(),
        "over_fixed": over.to_json(),
        "perfect_over_fixed": perfect_over.to_json(),
        "information_yield": money.information_yield(over, perfect_over),
        "net_benefit": {
            **money.net_benefit(y, score, threshold).to_json(),
            "treat_all": money.net_benefit_of_all(y, threshold).value,
            "treat_none": 0.0,
        },
        "curve": [
            {
                "threshold": finite(point.threshold),
                "payoff": finite(point.payoff),
                "act_share": finite(point.act_share),
                "net_benefit": finite(point.net_benefit),
            }
            for point in money.curve(payoff, y, score)
        ],
    }


def _fixed_document(payoff: Payoff, y: Vector) -> dict[str, Any]:
    """Tell what the best fixed action on these rows is, and what both are worth."""
    always, never = money.always(payoff, y), money.never(payoff, y)
    action = money.best_fixed(payoff, y)
    chosen = always if action == "always" else never
    return {
        "action": action,
        **chosen.to_json(),
        "always": always.to_json(),
        "never": never.to_json(),
    }
