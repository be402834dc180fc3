"""Look back: what stood where, where a thing came from and where it went, what was logged.

Room: ``fairway.line``. Every function reads the home and changes nothing.
"""

import re
from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from fairway import digest as naming
from fairway.digest import Digest
from fairway.errors import NotFoundError
from fairway.line import record
from fairway.line.stages import fault
from fairway.pipeline import result as results
from fairway.pipeline.result import Result
from fairway.project import Project
from fairway.store import journal, pointer
from fairway.store.home import Home
from fairway.store.journal import Entry
from fairway.tracking import run as runs
from fairway.tracking import search

SHORTEST = 6  # digits of a digest or commit that may name it


def spell(at: datetime) -> str:
    """Spell an instant as ISO 8601 in UTC."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def at(home: Home, project: Project, time: datetime) -> dict[str, Any]:
    """Answer which release each environment pointed to at ``time``."""
    return {
        "at": spell(time),
        "environments": pointer.standing(home.db, project=project.name, at=time),
    }


def candidates(
    home: Home, project: Project, *, where: str, order: str, limit: int
) -> dict[str, Any]:
    """List candidates of all runs, filtered and sorted in the language of ``tracking.filter``."""
    found = search.search(home.db, project=project.name, where=where, order=order, limit=limit)
    return {"candidates": [search.to_json(row) for row in found]}


def logs(home: Home, project: Project, *, step: str | None, run: str | None) -> dict[str, Any]:
    """Tell what happened to each step of a run, with what one of them printed.

    Raises:
        NotFoundError: If there is no run, or it had no such step.
    """
    chosen = (
        runs.get(home.db, runs.RunId(run)) if run else runs.latest(home.db, project=project.name)
    )
    if chosen is None:
        raise NotFoundError(f"The project {project.name} has no run yet.", hint="Run: fairway run")
    rows = [_step(one) for one in results.of_run(home.db, chosen.id)]
    if step is None:
        return {"run": chosen.id, "steps": rows}
    named = [
        row for row in rows if re.split(r"[ #]", row["name"])[0] == step or row["name"] == step
    ]
    if not named:
        names = ", ".join(sorted({row["name"] for row in rows}))
        raise NotFoundError(
            f"The run {chosen.id} has no step {step!r}.", hint=f"Name one of {names}."
        )
    texts = [
        row | {"text": fault.plain(home.blobs.read(Digest(row["log"])).decode(errors="replace"))}
        for row in named
        if row["log"]
    ]
    return {"run": chosen.id, "steps": texts}


def _step(one: Result) -> dict[str, Any]:
    return {
        "name": one.name,
        "state": one.state,
        "cached": one.cached,
        "why": one.why,
        "seconds": one.seconds,
        "cpu_s": one.cpu_s,
        "exit_code": one.exit_code,
        "log": one.log,
    }


def data_log(home: Home, project: Project) -> dict[str, Any]:
    """List the dataset's snapshots, newest first, each once."""
    found = journal.entries(home.db, project=project.name, kind="snapshot_taken")
    rows: dict[str, dict[str, Any]] = {}
    for entry in reversed(found):
        rows.setdefault(
            entry.body["snapshot"],
            {
                "snapshot": entry.body["snapshot"],
                "n_rows": entry.body["n_rows"],
                "effective_at": spell(entry.effective_at),
                "recorded_at": spell(entry.recorded_at),
                "run": entry.body["run"],
                "actor": entry.actor,
            },
        )
    return {"snapshots": list(rows.values())}


def data_diff(home: Home, project: Project, old: str, new: str) -> dict[str, Any]:
    """Compare two snapshots: columns, rows and values.

    Raises:
        NotFoundError: If a snapshot is not known.
    """
    from fairway.data import difference, source

    known = [Digest(row["snapshot"]) for row in data_log(home, project)["snapshots"]]
    pair = [_resolve(text, known, what="snapshot") for text in (old, new)]
    found = difference.diff(
        source.connect(),
        home.blobs.path(pair[0]),
        home.blobs.path(pair[1]),
        project.dataset.key,
    )
    return {"old": pair[0], "new": pair[1], **asdict(found)}


def audit(home: Home) -> dict[str, Any]:
    """Check the journal's chain, the pointers against it, and the heads kept in releases."""
    known = journal.every(home.db)
    anchors = [Digest(one.body["head"]) for one in known if one.kind == "released"]
    breaks = [*journal.verify(home.db, anchors=anchors), *pointer.verify(home.db)]
    return {
        "ok": not breaks,
        "n_entries": len(known),
        "head": journal.head(home.db),
        "breaks": [{"seq": one.seq, "problem": one.problem} for one in breaks],
    }


def trace(home: Home, project: Project, name: str) -> dict[str, Any]:
    """Follow a digest, a run or a commit both ways: what made it, what came of it, where it stands.

    Args:
        home: The home.
        project: The project.
        name: A digest or a commit, whole or its first digits; or a run.

    Raises:
        NotFoundError: If the journal never speaks of it.
    """
    entries = journal.entries(home.db, project=project.name)
    subject, starts = _starts(name, entries)
    records = [e for e in entries if e.kind == record.FINISHED]
    related = _related(starts, records, entries)
    releases = {
        Digest(entry.body["release"]): entry
        for entry in related
        if entry.kind in {"released", "received"}
    }
    standing = {
        environment: release
        for environment, release in pointer.standing(
            home.db, project=project.name, at=datetime.max.replace(tzinfo=UTC)
        ).items()
        if release in releases
    }
    return {
        "name": subject,
        "runs": [_run(entry) for entry in related if entry.kind == record.FINISHED],
        "releases": [
            {
                "release": release,
                "version": entry.body.get("version"),
                "candidate": entry.body.get("candidate"),
                "model": entry.body.get("model"),
                "commit": entry.body.get("commit"),
                "snapshot": entry.body.get("snapshot"),
                "owner": entry.body.get("owner"),
            }
            for release, entry in releases.items()
        ],
        "environments": standing,
        "entries": [
            {
                "seq": entry.seq,
                "kind": entry.kind,
                "effective_at": spell(entry.effective_at),
                "actor": entry.actor,
            }
            for entry in related
        ],
    }


def _run(entry: Entry) -> dict[str, Any]:
    wanted = ("run", "snapshot", "commit", "is_clean", "best")
    return {name: entry.body.get(name) for name in wanted}


def _starts(name: str, entries: Iterable[Entry]) -> tuple[str, list[Entry]]:
    """The entries that speak of what ``name`` names, by digest, commit or run."""
    tail = name.removeprefix(naming.PREFIX)
    if len(tail) >= SHORTEST:
        listed = list(entries)
        subjects = {
            s for e in listed for s in e.subjects if s.removeprefix(naming.PREFIX).startswith(tail)
        }
        if len(subjects) == 1:
            subject = subjects.pop()
            return subject, [entry for entry in listed if subject in entry.subjects]
        if len(subjects) > 1:
            raise NotFoundError(f"{name} begins {len(subjects)} digests.", hint="Give more digits.")
        named = [
            e
            for e in listed
            if str(e.body.get("commit") or "").startswith(name) or e.body.get("run") == name
        ]
        if named:
            commit = str(named[0].body.get("commit") or "")
            return (commit if commit.startswith(name) else name), named
    raise NotFoundError(
        f"The journal never speaks of {name!r}.",
        hint=f"Give a digest, a commit or a run, at least {SHORTEST} digits of it.",
    )


def _related(starts: list[Entry], runs_: list[Entry], entries: list[Entry]) -> list[Entry]:
    """All entries that share a run or a release with the starting ones, in order."""
    run_ids = {entry.body.get("run") for entry in starts} - {None}
    releases = {entry.body.get("release") for entry in starts} - {None}
    release_runs = {
        e.body.get("run")
        for e in entries
        if e.kind == "released" and e.body.get("release") in releases
    }
    run_ids |= release_runs - {None}
    releases |= {
        e.body.get("release")
        for e in entries
        if e.kind == "released" and e.body.get("run") in run_ids
    }
    started = {entry.seq for entry in starts} | {
        r.seq for r in runs_ if r.body.get("run") in run_ids
    }
    return [e for e in entries if e.seq in started or e.body.get("release") in releases - {None}]


def _resolve(text: str, known: Iterable[Digest], *, what: str) -> Digest:
    """The one digest that ``text`` begins."""
    tail = text.removeprefix(naming.PREFIX)
    found = [one for one in known if one.removeprefix(naming.PREFIX).startswith(tail)]
    if len(found) == 1 and tail:
        return found[0]
    problem = f"No {what} is {text!r}." if not found else f"{text!r} begins {len(found)} of them."
    raise NotFoundError(problem, hint="Run: fairway data log")
