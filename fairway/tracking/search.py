"""Find candidates in the logbook: ten thousand listed and filtered while one looks.

Room: ``fairway.tracking``, after ``log``; ``filter`` holds the language. It only reads.
"""

import json
from typing import Any

from fairway.digest import Digest
from fairway.errors import RequestError
from fairway.store.database import Database
from fairway.tracking import filter as language
from fairway.tracking.log import CandidateRecord, Metric
from fairway.tracking.run import RunId


def search(
    db: Database,
    *,
    project: str,
    where: str = "",
    order: str = "",
    limit: int = 1000,
    run: RunId | None = None,
) -> list[CandidateRecord]:
    """Candidates of a project: the newest run first, within a run as they were noted.

    Args:
        db: The database.
        project: The project.
        where: Which, in the language of ``filter``; empty for all.
        order: How sorted, as ``auc desc, name``; what lacks the value comes last.
        limit: How many at most.
        run: Only candidates of this run.

    Raises:
        RequestError: If ``where`` or ``order`` is not in the language, naming the position, or
            ``limit`` is negative.
        StoreError: If the database refuses.
    """
    if limit < 0:
        raise RequestError(f"limit = {limit} is negative.", hint="Give 0 or more.")
    condition, sorting = language.where(where), language.order(order)
    parameters: dict[str, Any] = {
        "project": project,
        "limit": limit,
        **condition.parameters,
        **{f"o{name}": value for name, value in sorting.parameters.items()},
    }
    by = sorting.text.replace(":f", ":of") + ", " if sorting.text else ""
    of_run = ""
    if run is not None:
        of_run = " AND c.run_id = :run"
        parameters["run"] = run
    chosen = (
        f"FROM candidate AS c WHERE c.project = :project{of_run} AND {condition.text}"
        f" ORDER BY {by}c.run_id DESC, c.seq LIMIT :limit"
    )
    rows = db.read(
        "SELECT c.seq, c.run_id, c.name, c.trial, c.model, c.state, c.cached, c.threshold,"
        f" c.parameters, c.body {chosen}",
        parameters,
    )
    metrics = _metrics(db, [row["seq"] for row in rows])
    return [_record(row, metrics.get(row["seq"], {})) for row in rows]


def _metrics(db: Database, candidates: list[int]) -> dict[int, dict[str, Metric]]:
    """The figures of candidates, by candidate and name."""
    found: dict[int, dict[str, Metric]] = {}
    candidate = 0
    metrics: dict[str, Metric] = {}
    if not candidates:
        return found
    rows = db.read(
        "SELECT candidate, name, value, low, high FROM candidate_metric"
        " WHERE candidate IN (SELECT value FROM json_each(:candidates))"
        " ORDER BY candidate, name",
        {"candidates": json.dumps(candidates)},
    )
    for row in rows:
        metric = Metric(value=row["value"], low=row["low"], high=row["high"])
        if row["candidate"] != candidate:
            candidate = row["candidate"]
            found[candidate] = metrics = {}
        metrics[row["name"]] = metric
    return found


def _record(row: dict[str, Any], metrics: dict[str, Metric]) -> CandidateRecord:
    from msgspec.json import decode

    return CandidateRecord(
        name=row["name"],
        trial=row["trial"],
        model=None if row["model"] is None else Digest(row["model"]),
        state=row["state"],
        cached=bool(row["cached"]),
        threshold=row["threshold"],
        parameters=decode(row["parameters"]),
        metrics=metrics,
        body=decode(row["body"]),
        run=RunId(row["run_id"]),
    )


def to_json(record: CandidateRecord) -> dict[str, Any]:
    """A candidate as scripts see it: the keys are fixed."""
    return {
        "name": record.name,
        "trial": record.trial,
        "run": record.run,
        "model": record.model,
        "state": record.state,
        "cached": record.cached,
        "metrics": {
            name: {"value": metric.value, "low": metric.low, "high": metric.high}
            for name, metric in record.metrics.items()
        },
        "threshold": record.threshold,
        "parameters": dict(record.parameters),
    }
