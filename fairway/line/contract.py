"""``fairway contract suggest``: a first contract of a source, or of the dataset that a run made.

Room: ``fairway.line``. It reads and prints; what it suggests binds nobody until a person keeps it
and names it in the project file.
"""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from fairway.data import contract, source
from fairway.data.name import choice
from fairway.digest import Digest
from fairway.errors import NotFoundError
from fairway.project import Project
from fairway.store import journal
from fairway.store.home import Home

if TYPE_CHECKING:
    from collections.abc import Mapping

    import ibis.expr.types as ir

    from fairway.data.reading.engine import Engine

DATASET = "dataset"
SNAPSHOT_TAKEN = "snapshot_taken"


def suggest(home: Home, project: Project, at: datetime, *, source: str) -> dict[str, Any]:
    """Draft a contract from the rows that are visible at ``at``.

    Args:
        home: Where the dataset's snapshots are.
        project: The project.
        at: The project's clock.
        source: A source's name, or ``dataset`` for the rows of the newest run up to ``at``.

    Returns:
        ``{"source", "text"}``: its name, and the contract as ODCS v3.1.0 YAML.

    Raises:
        NotFoundError: If there is no such source, or no run has made a dataset yet.
        ProjectError: If the source cannot be read.
    """
    if source == DATASET:
        return {"source": source, "text": _of_dataset(home, project, at)}
    if source not in project.sources:
        raise NotFoundError(
            f"The project has no source {source!r}.",
            hint=choice(source, [*project.sources, DATASET]),
        )
    return {"source": source, "text": _of_source(project, at, source)}


def _of_source(project: Project, at: datetime, name: str) -> str:
    from fairway.data.promise.draft import suggest_contract

    engine = source.connect()
    given = project.sources[name]
    table = _visible(engine, project, name, at)
    drafted = suggest_contract(
        table,
        name,
        key=given.key,
        time=given.time,
        fresh_s=given.fresh_s,
        others=_others(engine, project, at, name),
    )
    return contract.dump(drafted)


def _others(
    engine: "Engine", project: Project, at: datetime, name: str
) -> "Mapping[str, tuple[ir.Table, tuple[str, ...]]]":
    """The other sources that have a key, to which the rows may refer."""
    return {
        other: (_visible(engine, project, other, at), one.key)
        for other, one in project.sources.items()
        if other != name and one.key
    }


def _visible(engine: "Engine", project: Project, name: str, at: datetime) -> "ir.Table":
    given = project.sources[name]
    return source.hide(source.read(engine, given, project.root), given, at)


def _of_dataset(home: Home, project: Project, at: datetime) -> str:
    from fairway.data.promise.draft import suggest_contract

    taken = journal.entries(home.db, project=project.name, kind=SNAPSHOT_TAKEN, until=at)
    if not taken:
        raise NotFoundError(
            f"No run of {project.name} has made a dataset yet.", hint="Run: fairway run"
        )
    rows = home.blobs.path(Digest(taken[-1].body["snapshot"]))
    table = source.connect().read_parquet(str(rows))
    drafted = suggest_contract(table, DATASET, key=project.dataset.key, time=project.dataset.time)
    return contract.dump(drafted)
