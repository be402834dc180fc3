"""What is so now: named pointers to bytes, each with its whole history.

Room: ``fairway.store``, after ``journal``. A pointer moves only beside a journal entry that says
why; the database itself refuses anything else. Whether it may move is judged above.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fairway import digest as naming
from fairway.digest import Digest
from fairway.errors import RequestError
from fairway.store import instant
from fairway.store.database import Database, Transaction
from fairway.store.journal import Break, Entry

_COLUMNS = "seq, name, target, actor, effective_at, recorded_at, entry"


@dataclass(frozen=True, kw_only=True)
class Move:
    """One move of a pointer.

    Attributes:
        seq: Its place among all moves of the home.
        name: The pointer.
        target: What it points to from then on.
        actor: Who moved it.
        effective_at: From when on, by the project's clock.
        recorded_at: When it was written, by the machine's clock.
        entry: The journal entry that says why, by its ``seq``.
    """

    seq: int
    name: str
    target: Digest
    actor: str
    effective_at: datetime
    recorded_at: datetime
    entry: int


def move(
    tx: Transaction,
    *,
    project: str,
    name: str,
    target: Digest,
    actor: str,
    effective_at: datetime,
    entry: Entry,
) -> None:
    """Let a pointer stand at ``target`` from ``effective_at`` on.

    Args:
        tx: The transaction in which ``entry`` was appended.
        project: The project.
        name: The pointer, as an environment's name.
        target: What it points to; one of the entry's subjects.
        actor: Who moves it.
        effective_at: From when on.
        entry: The journal entry of kind ``deployed``, ``rolled_back`` or ``received``.

    Raises:
        GateError: If the entry is of another kind or project.
        RequestError: If the entry does not speak of ``target``.
        StoreError: If the database refuses.
    """
    if target not in entry.subjects:
        raise RequestError(
            f"Entry {entry.seq} does not speak of {target}.",
            hint="Name the target among the entry's subjects.",
        )
    tx.execute(
        "INSERT INTO pointer (project, name, target, actor, effective_at, recorded_at, entry)"
        " VALUES (:project, :name, :target, :actor, :effective_at, :recorded_at, :entry)",
        {
            "project": project,
            "name": name,
            "target": naming.parse(target),
            "actor": actor,
            "effective_at": instant.to_text(effective_at),
            "recorded_at": instant.to_text(instant.now()),
            "entry": entry.seq,
        },
    )


def current(
    db: Database | Transaction, *, project: str, name: str, at: datetime | None = None
) -> Digest | None:
    """Where a pointer stands, or stood at an instant; None before its first move.

    Raises:
        StoreError: If the database refuses.
    """
    moves = _moves(db, project=project, name=name, at=at)
    return moves[-1].target if moves else None


def standing(db: Database | Transaction, *, project: str, at: datetime) -> dict[str, Digest]:
    """Where every pointer of a project stood at an instant, by name, sorted.

    Raises:
        StoreError: If the database refuses.
    """
    moves = _moves(db, project=project, name=None, at=at)
    return dict(sorted({move.name: move.target for move in moves}.items()))


def history(db: Database | Transaction, *, project: str, name: str) -> list[Move]:
    """Every move of a pointer, by the instant that it is about, then as written.

    Raises:
        StoreError: If the database refuses.
    """
    return _moves(db, project=project, name=name, at=None)


def verify(db: Database) -> list[Break]:
    """Every move that the journal does not bear out; ``Break.seq`` is the journal entry's.

    Raises:
        StoreError: If the database refuses.
    """
    rows = db.read(
        "SELECT pointer.name, pointer.target, pointer.entry FROM pointer LEFT JOIN journal"
        " ON journal.seq = pointer.entry AND journal.project = pointer.project"
        " AND journal.actor = pointer.actor AND journal.effective_at = pointer.effective_at"
        " AND journal.kind IN ('deployed', 'rolled_back', 'received')"
        " LEFT JOIN journal_subject ON journal_subject.seq = journal.seq"
        " AND journal_subject.digest = pointer.target"
        " WHERE journal_subject.seq IS NULL ORDER BY pointer.entry"
    )
    return [
        Break(
            seq=row["entry"],
            problem=f"{row['name']} points to {row['target']}, which entry {row['entry']} does not"
            " bear out.",
        )
        for row in rows
    ]


def _moves(
    db: Database | Transaction, *, project: str, name: str | None, at: datetime | None
) -> list[Move]:
    where = ["project = :project"]
    parameters = {"project": project}
    if name is not None:
        where.append("name = :name")
        parameters["name"] = name
    if at is not None:
        where.append("effective_at <= :at")
        parameters["at"] = instant.to_text(at)
    sql = f"SELECT {_COLUMNS} FROM pointer WHERE {' AND '.join(where)} ORDER BY effective_at, seq"  # noqa: S608  fixed texts only
    return [_move(row) for row in db.read(sql, parameters)]


def _move(row: Mapping[str, Any]) -> Move:
    return Move(
        seq=row["seq"],
        name=row["name"],
        target=Digest(row["target"]),
        actor=row["actor"],
        effective_at=instant.from_text(row["effective_at"]),
        recorded_at=instant.from_text(row["recorded_at"]),
        entry=row["entry"],
    )
