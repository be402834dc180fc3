"""Evidence: what is known about bytes, in order, each entry sealing all before it.

Room: ``fairway.store``, after ``database``; ``pointer`` builds on it. The journal knows digests, a
kind and JSON; it refers to no noun of the rooms above, and never holds a row's values.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fairway import digest as naming
from fairway.digest import Digest
from fairway.errors import RequestError
from fairway.store import instant
from fairway.store.database import Database, Transaction

GENESIS = Digest(naming.PREFIX + "0" * 64)
"""What the first entry names as its predecessor."""

_COLUMNS = "seq, recorded_at, effective_at, project, actor, kind, subjects, body, previous, digest"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One statement about bytes, as the journal keeps it.

    Attributes:
        seq: Its place, counted from 1 without gaps, over all projects of the home.
        recorded_at: When it was written, by the machine's clock.
        effective_at: The instant that the act is about, by the project's clock.
        project: The project.
        actor: Who did it.
        kind: What happened, as one word.
        subjects: The bytes that it speaks of.
        body: What it says, as JSON.
        previous: The digest of the entry before.
        digest: The name of all the above, in canonical JSON.
    """

    seq: int
    recorded_at: datetime
    effective_at: datetime
    project: str
    actor: str
    kind: str
    subjects: tuple[Digest, ...]
    body: Mapping[str, Any]
    previous: Digest
    digest: Digest


@dataclass(frozen=True, kw_only=True)
class Break:
    """A place where a record no longer says what was written.

    Attributes:
        seq: The entry.
        problem: What is wrong with it, as a sentence.
    """

    seq: int
    problem: str


def append(
    tx: Transaction,
    *,
    project: str,
    actor: str,
    effective_at: datetime,
    kind: str,
    subjects: Sequence[Digest],
    body: Mapping[str, Any],
) -> Entry:
    """Add an entry at the end, in the transaction of the act that it tells of.

    Raises:
        RequestError: If ``body`` is no JSON, a subject no digest, or the instant has no zone.
        StoreError: If the database refuses.
    """
    last = tx.read("SELECT seq, digest FROM journal ORDER BY seq DESC LIMIT 1")
    unique = tuple(dict.fromkeys(naming.parse(subject) for subject in subjects))
    try:
        body_text = naming.canonical(dict(body)).decode()
    except (TypeError, ValueError) as error:
        raise RequestError(
            f"The body of the entry {kind!r} is no JSON: {error}.", hint="Give JSON values."
        ) from error
    row: dict[str, Any] = {
        "seq": last[0]["seq"] + 1 if last else 1,
        "recorded_at": instant.to_text(instant.now()),
        "effective_at": instant.to_text(effective_at),
        "project": project,
        "actor": actor,
        "kind": kind,
        "subjects": naming.canonical(list(unique)).decode(),
        "body": body_text,
        "previous": last[0]["digest"] if last else GENESIS,
    }
    row["digest"] = _seal(row)
    tx.execute(
        "INSERT INTO journal (seq, recorded_at, effective_at, project, actor, kind, subjects, body,"
        " previous, digest) VALUES (:seq, :recorded_at, :effective_at, :project, :actor, :kind,"
        " :subjects, :body, :previous, :digest)",
        row,
    )
    tx.execute(
        "INSERT INTO journal_subject (digest, seq) VALUES (:digest, :seq)",
        [{"digest": subject, "seq": row["seq"]} for subject in unique],
    )
    return _entry(row)


def entries(
    db: Database | Transaction,
    *,
    project: str,
    kind: str | None = None,
    subject: Digest | None = None,
    until: datetime | None = None,
) -> list[Entry]:
    """The entries of a project, in the order in which they were written.

    Args:
        db: The database, or the transaction under way.
        project: The project.
        kind: Only entries of this kind.
        subject: Only entries that speak of these bytes.
        until: Only entries about instants up to and including this one.

    Raises:
        StoreError: If the database refuses.
    """
    where = ["project = :project"]
    parameters: dict[str, Any] = {"project": project}
    if kind is not None:
        where.append("kind = :kind")
        parameters["kind"] = kind
    if subject is not None:
        where.append("seq IN (SELECT seq FROM journal_subject WHERE digest = :subject)")
        parameters["subject"] = subject
    if until is not None:
        where.append("effective_at <= :until")
        parameters["until"] = instant.to_text(until)
    sql = f"SELECT {_COLUMNS} FROM journal WHERE {' AND '.join(where)} ORDER BY seq"  # noqa: S608  fixed texts only
    return [_entry(row) for row in db.read(sql, parameters)]


def every(db: Database | Transaction) -> list[Entry]:
    """The entries of all projects of the home, in the order in which they were written.

    Raises:
        StoreError: If the database refuses.
    """
    sql = f"SELECT {_COLUMNS} FROM journal ORDER BY seq"  # noqa: S608  fixed text only
    return [_entry(row) for row in db.read(sql)]


def head(db: Database | Transaction) -> Digest:
    """The digest of the newest entry of the home; whoever keeps it can later prove a cut tail.

    Raises:
        StoreError: If the database refuses.
    """
    rows = db.read("SELECT digest FROM journal ORDER BY seq DESC LIMIT 1")
    return Digest(rows[0]["digest"]) if rows else GENESIS


def verify(db: Database, *, anchors: Sequence[Digest] = ()) -> list[Break]:
    """Every break in the chain, first the first: changed, deleted, swapped, inserted, cut.

    A chain rewritten from some entry to its end is whole in itself: only an anchor shows it.

    Args:
        db: The database.
        anchors: Heads of the journal that were kept elsewhere, as in signed releases.

    Raises:
        StoreError: If the database refuses.
    """
    rows = db.read(f"SELECT {_COLUMNS} FROM journal ORDER BY seq")  # noqa: S608  fixed text only
    subjects: dict[int, set[str]] = {}
    for row in db.read("SELECT seq, digest FROM journal_subject"):
        subjects.setdefault(row["seq"], set()).add(row["digest"])
    breaks: list[Break] = []
    seq, previous = 0, GENESIS
    for row in rows:
        if row["seq"] != seq + 1:
            breaks.append(_missing(seq + 1, row["seq"] - 1))
            previous = row["previous"]  # the gap is told once, not again for what follows it
        seq = row["seq"]
        problem = _problem(row, previous, subjects.pop(seq, set()))
        if problem:
            breaks.append(Break(seq=seq, problem=f"Entry {seq} {problem}."))
        previous = row["digest"]
    highest = db.read("SELECT seq FROM sqlite_sequence WHERE name = 'journal'")
    if highest and highest[0]["seq"] > seq:
        breaks.append(_missing(seq + 1, highest[0]["seq"]))
    breaks += [
        Break(seq=orphan, problem=f"Entry {orphan} is missing; its subjects are still listed.")
        for orphan in sorted(subjects)
        if orphan > (highest[0]["seq"] if highest else seq)
    ]
    known = {GENESIS, *(row["digest"] for row in rows)}
    breaks += [
        Break(seq=seq, problem=f"No entry is {anchor}, which was the newest entry once.")
        for anchor in anchors
        if anchor not in known
    ]
    return breaks


def _problem(row: Mapping[str, Any], previous: str, subjects: set[str]) -> str:
    """What is wrong with one row, or nothing."""
    try:
        sealed = _seal(row)
        listed = set(json.loads(row["subjects"]))
    except (TypeError, ValueError):
        return "was changed: it can no longer be read"
    if sealed != row["digest"]:
        return f"was changed: it reads {sealed}, and was written as {row['digest']}"
    if row["previous"] != previous:
        return f"does not follow the entry before it: it names {row['previous']}, not {previous}"
    if subjects != listed:
        return "was changed: the list of its subjects differs from what it says"
    return ""


def _seal(row: Mapping[str, Any]) -> Digest:
    """The digest of a row as stored: JSON is sealed as the text that it is."""
    names = _COLUMNS.split(", ")[:-1]
    return naming.of_json({name: row[name] for name in names})


def _missing(first: int, last: int) -> Break:
    which = f"Entry {first} is" if first == last else f"Entries {first} to {last} are"
    return Break(seq=first, problem=f"{which} missing.")


def _entry(row: Mapping[str, Any]) -> Entry:
    return Entry(
        seq=row["seq"],
        recorded_at=instant.from_text(row["recorded_at"]),
        effective_at=instant.from_text(row["effective_at"]),
        project=row["project"],
        actor=row["actor"],
        kind=row["kind"],
        subjects=tuple(Digest(subject) for subject in json.loads(row["subjects"])),
        body=json.loads(row["body"]),
        previous=Digest(row["previous"]),
        digest=Digest(row["digest"]),
    )
