"""The logbook's runs: when each began, by whom, and how it ended.

Room: ``fairway.tracking``, after ``store``; ``log`` notes a run's candidates. It owns the table
``run``. It starts no command and judges nothing.
"""

import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NewType

from fairway import digest as naming
from fairway.errors import NotFoundError, RequestError
from fairway.store import instant
from fairway.store.database import Database, Transaction

RunId = NewType("RunId", str)
"""When a run began and four hexadecimal digits, as ``20261124T134512-3f9c``: sorts by time."""

State = Literal["running", "done", "failed", "refused", "interrupted"]

_COLUMNS = "id, project, state, started_at, effective_at, actor, body"


@dataclass(frozen=True, kw_only=True)
class Run:
    """One ``fairway run``.

    Attributes:
        id: Its name.
        project: The project.
        state: ``running`` until it ends; ``interrupted`` where its process died.
        started_at: When it began, by the machine's clock.
        effective_at: The instant that it is about, by the project's clock.
        actor: Who started it.
        body: What is known about it, as JSON; ``finished_at`` once it has ended.
    """

    id: RunId
    project: str
    state: State
    started_at: datetime
    effective_at: datetime
    actor: str
    body: Mapping[str, Any]


def start(
    tx: Transaction, *, project: str, actor: str, effective_at: datetime, body: Mapping[str, Any]
) -> RunId:
    """Note that a run begins, and name it.

    Raises:
        RequestError: If ``body`` is no JSON.
        StoreError: If the database refuses.
    """
    now = instant.now()
    stem = now.strftime("%Y%m%dT%H%M%S")
    taken = {
        row["id"]
        for row in tx.read(
            "SELECT id FROM run WHERE id >= :stem AND id < :stem || '.'", {"stem": stem}
        )
    }
    run = f"{stem}-{secrets.token_hex(2)}"
    while run in taken:
        run = f"{stem}-{secrets.token_hex(2)}"
    tx.execute(
        "INSERT INTO run (id, project, state, started_at, effective_at, actor, body)"
        " VALUES (:id, :project, 'running', :started_at, :effective_at, :actor, :body)",
        {
            "id": run,
            "project": project,
            "started_at": instant.to_text(now),
            "effective_at": instant.to_text(effective_at),
            "actor": actor,
            "body": _spell(body),
        },
    )
    return RunId(run)


def finish(tx: Transaction, run: RunId, *, state: State, body: Mapping[str, Any]) -> None:
    """Note how a run ended.

    Args:
        tx: The transaction.
        run: The run.
        state: How it ended.
        body: What to add to what is known about it; a key that is there is replaced.

    Raises:
        NotFoundError: If there is no such run.
        RequestError: If ``body`` is no JSON.
        StoreError: If the database refuses.
    """
    known = get(tx, run)
    text = _spell({**known.body, "finished_at": instant.to_text(instant.now()), **body})
    tx.execute(
        "UPDATE run SET state = :state, body = :body WHERE id = :id",
        {"id": run, "state": state, "body": text},
    )


def get(db: Database | Transaction, run: RunId) -> Run:
    """A run by its name.

    Raises:
        NotFoundError: If there is none.
        StoreError: If the database refuses.
    """
    rows = db.read(f"SELECT {_COLUMNS} FROM run WHERE id = :id", {"id": run})  # noqa: S608  fixed text
    if not rows:
        raise NotFoundError(f"There is no run {run!r}.", hint="See `fairway candidates`.")
    return _run(rows[0])


def latest(db: Database | Transaction, *, project: str) -> Run | None:
    """The run of a project that began last; None where none began.

    Raises:
        StoreError: If the database refuses.
    """
    sql = f"SELECT {_COLUMNS} FROM run WHERE project = :project ORDER BY started_at DESC, id DESC"  # noqa: S608  fixed text
    rows = db.read(f"{sql} LIMIT 1", {"project": project})
    return _run(rows[0]) if rows else None


def mark_interrupted(
    tx: Transaction, project: str, alive: Callable[[Mapping[str, Any]], bool]
) -> list[RunId]:
    """Note that runs whose process is gone will not end by themselves.

    Args:
        tx: The transaction.
        project: The project.
        alive: Whether the process that a run's ``body`` tells of is still at work.

    Returns:
        The runs that are ``interrupted`` from now on.

    Raises:
        StoreError: If the database refuses.
    """
    sql = f"SELECT {_COLUMNS} FROM run WHERE project = :project AND state = 'running' ORDER BY id"  # noqa: S608  fixed text
    running = [_run(row) for row in tx.read(sql, {"project": project})]
    gone = [run.id for run in running if not alive(run.body)]
    for run in gone:
        finish(tx, run, state="interrupted", body={})
    return gone


def _spell(body: Mapping[str, Any]) -> str:
    try:
        return naming.canonical(dict(body)).decode()
    except (TypeError, ValueError) as error:
        raise RequestError(
            f"What is noted about a run is no JSON: {error}.", hint="Give JSON values."
        ) from error


def _run(row: Mapping[str, Any]) -> Run:
    return Run(
        id=RunId(row["id"]),
        project=row["project"],
        state=row["state"],
        started_at=instant.from_text(row["started_at"]),
        effective_at=instant.from_text(row["effective_at"]),
        actor=row["actor"],
        body=json.loads(row["body"]),
    )
