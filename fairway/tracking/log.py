"""The logbook's candidates: what each was, and how it measured.

Room: ``fairway.tracking``, after ``run``; ``search`` finds what is written here. It owns writing
to the tables ``candidate`` and ``candidate_metric``. It measures nothing.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fairway import digest as naming
from fairway.digest import Digest
from fairway.errors import RequestError
from fairway.store import instant
from fairway.store.database import Transaction
from fairway.tracking.run import RunId


@dataclass(frozen=True, kw_only=True, slots=True)
class Metric:
    """A figure with its 95 % interval, where one is known.

    Attributes:
        value: The figure; finite.
        low: The interval's lower end.
        high: The interval's upper end.
    """

    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class CandidateRecord:
    """A candidate as the logbook keeps it.

    Attributes:
        name: The candidate.
        trial: Which trial of its search, counted from 0; None where it has no search.
        model: The bytes of its model; None where it has none.
        state: How its training ended.
        cached: Whether an earlier run had trained it.
        threshold: From which score on it acts; None where nothing says.
        parameters: What its command was given.
        metrics: How it measured, by the metric's name.
        body: Whatever else is known, as JSON.
        run: The run; set by whoever reads the logbook.
    """

    name: str
    trial: int | None = None
    model: Digest | None = None
    state: str = "done"
    cached: bool = False
    threshold: float | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Metric] = field(default_factory=dict)
    body: Mapping[str, Any] = field(default_factory=dict)
    run: RunId | None = None


def record(
    tx: Transaction, run: RunId, project: str, candidates: Sequence[CandidateRecord]
) -> None:
    """Note candidates of a run, in their order.

    Raises:
        RequestError: If a figure is not finite, or parameters or body are no JSON.
        StoreError: If the database refuses, as when there is no such run.
    """
    first = tx.read("SELECT coalesce(max(seq), 0) + 1 AS seq FROM candidate")[0]["seq"]
    now = instant.to_text(instant.now())
    rows = [
        {
            "seq": seq,
            "run_id": run,
            "project": project,
            "name": candidate.name,
            "trial": candidate.trial,
            "model": candidate.model,
            "state": candidate.state,
            "cached": int(candidate.cached),
            "threshold": _finite(candidate, "threshold", candidate.threshold),
            "parameters": _spell(candidate, candidate.parameters),
            "body": _spell(candidate, candidate.body),
            "recorded_at": now,
        }
        for seq, candidate in enumerate(candidates, first)
    ]
    figures = [
        {
            "candidate": seq,
            "name": name,
            "value": _finite(candidate, name, metric.value),
            "low": _finite(candidate, name, metric.low),
            "high": _finite(candidate, name, metric.high),
        }
        for seq, candidate in enumerate(candidates, first)
        for name, metric in candidate.metrics.items()
    ]
    tx.execute(
        "INSERT INTO candidate (seq, run_id, project, name, trial, model, state, cached, threshold,"
        " parameters, body, recorded_at) VALUES (:seq, :run_id, :project, :name, :trial, :model,"
        " :state, :cached, :threshold, :parameters, :body, :recorded_at)",
        rows,
    )
    tx.execute(
        "INSERT INTO candidate_metric (candidate, name, value, low, high)"
        " VALUES (:candidate, :name, :value, :low, :high)",
        figures,
    )


def _finite(candidate: CandidateRecord, name: str, value: float | None) -> float | None:
    if value is not None and not math.isfinite(value):
        raise RequestError(
            f"{name} of {candidate.name} is {value}.", hint="Leave out what cannot be measured."
        )
    return None if value is None else float(value)


def _spell(candidate: CandidateRecord, value: Mapping[str, Any]) -> str:
    if not value:
        return "{}"
    try:
        return naming.canonical(dict(value)).decode()
    except (TypeError, ValueError) as error:
        raise RequestError(
            f"What is noted about {candidate.name} is no JSON: {error}.", hint="Give JSON values."
        ) from error
