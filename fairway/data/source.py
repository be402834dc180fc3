"""Where rows come from: files by month, a table in SQLite, CSV, JSON lines.

Room: ``fairway.data``, first in the line; ``contract`` and ``snapshot`` take what it reads. It
names, fingerprints and opens sources and hides their future. It checks no rule and keeps no row:
files are read by ``file``, SQLite by ``sqlite``, and texts get their types in ``column``.

What has no engine in its name (``files``, ``fingerprint``) loads none.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from fairway import digest
from fairway.data.name import choice
from fairway.digest import Digest
from fairway.errors import ProjectError

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from fairway.data.reading.engine import Engine

FORMATS = {
    ".parquet": "parquet",
    ".csv": "csv",
    ".tsv": "csv",
    ".jsonl": "json",
    ".ndjson": "json",
    ".json": "json",
}
KNOWN = ".parquet, .csv, .tsv, .jsonl, .ndjson or .json (text also with .gz)"
SQLITE = "sqlite:"
_MAGIC = re.compile(r"[*?\[]")


@dataclass(frozen=True, kw_only=True)
class Source:
    """A table of the world, by the name that the project gives it.

    Attributes:
        name: What ``build`` and contracts call it.
        location: A file, a folder, a glob, or ``sqlite:PATH``; relative to the project's root.
            A ``${NAME}`` in it has been replaced by the caller.
        key: Columns that name a row.
        table: The table within a database.
        time: Column that tells when a row came to be; rows at or after the clock are hidden.
        fresh_s: How old the newest row may be, in seconds.
        encoding: How text files are spelled, where it is not UTF-8.
        shown: What messages say instead of ``location``: as the project file writes it, with
            ``${NAME}``. Give it whenever ``location`` holds the value of a variable.
    """

    name: str
    location: str
    key: tuple[str, ...] = ()
    table: str | None = None
    time: str | None = None
    fresh_s: float | None = None
    encoding: str | None = None
    shown: str | None = None


def form(path: Path) -> str | None:
    """Tell a file's format by its name: ``parquet``, ``csv``, ``json``, or None."""
    name = path.name.lower()
    bare = Path(name.removesuffix(".gz"))
    kind = FORMATS.get(bare.suffix)
    return None if kind == "parquet" and name.endswith(".gz") else kind


def files(source: Source, root: Path) -> list[Path]:
    """The files behind a source, sorted; a database is its file and what it wrote ahead.

    Raises:
        ProjectError: If there is none, or one whose format has no reader.
    """
    where = source.shown or source.location
    if unset := re.search(r"\$\{(\w+)\}", source.location):
        raise ProjectError(
            f"Source {source.name} is at {where}, but {unset[1]} is not set.",
            hint=f"Set {unset[1]} in the environment.",
        )
    if source.location.startswith(SQLITE):
        return _database_files(source, root)
    if "://" in source.location:
        raise ProjectError(
            f"Source {source.name} is at {where}, which is no file.",
            hint="Name a file, a folder, a glob, or sqlite:PATH.",
        )
    found = _found(source, root)
    kinds = {path: form(path) for path in found}
    if strange := [path for path, kind in kinds.items() if kind is None]:
        name = strange[0].name
        data = Path(name).suffix in {".db", ".sqlite", ".sqlite3"}
        raise ProjectError(
            f"Source {source.name}: the format of {_show(source, root)(strange[0])} is unknown.",
            hint=f'Write from = "{SQLITE}PATH" and table.' if data else f"Name a file in {KNOWN}.",
        )
    if len(set(kinds.values())) > 1:
        raise ProjectError(
            f"Source {source.name}: {where} holds files of several formats, "
            f"{', '.join(sorted({path.suffix for path in found}))}.",
            hint="Name one format with a glob, such as data/*.parquet.",
        )
    return found


def fingerprint(source: Source, root: Path) -> Digest:
    """Name a source by its content: equal fingerprints read as equal rows.

    It has the files' names relative to ``root``, their bytes, and what decides how these are
    read (table, encoding, time column). When the files were written does not matter.

    Raises:
        ProjectError: If a file is not there or cannot be read.
    """
    show = _show(source, root)
    content = {}
    for path in files(source, root):
        try:
            content[_relative(path, root)] = digest.of_file(path)
        except OSError as error:
            raise ProjectError(
                f"Source {source.name}: {show(path)} cannot be read: {error.strerror}.",
                hint="Let the file be read, then run again.",
            ) from error
    reading = [source.table, source.encoding, source.time]
    return digest.of_json({"files": content, "reading": reading})


def connect(scratch: Path | None = None) -> "Engine":
    """Open an empty engine: DuckDB in memory through Ibis, 2 threads, UTC, 1 GB of buffers.

    Args:
        scratch: Folder for what does not fit into memory; by default below the system's
            temporary folder.
    """
    from fairway.data.reading import engine

    return engine.start(scratch)


def read(connection: "Engine", source: Source, root: Path) -> "ir.Table":
    """Open a source: a table whose times are all ``timestamp('UTC')`` or ``date``.

    Times without a zone are taken as UTC. Parquet is read when the table is used; text and SQLite
    are loaded into the engine, which spills to disk. A text column becomes a number, date or time
    only if every value of it is one, in ISO spelling; otherwise it stays text.

    Raises:
        ProjectError: If a file is missing, half written, wrongly encoded or without a row, or
            the source lacks its key or its time.
    """
    from fairway.data.reading import column, file, sqlite

    paths = files(source, root)
    show = _show(source, root)
    if source.location.startswith(SQLITE):
        table = sqlite.load(connection, paths[0], show(paths[0]), source.table, source.time)
    elif form(paths[0]) == "parquet":
        table = file.parquet(connection, paths, show, divided=_divided(paths, root))
    elif form(paths[0]) == "csv":
        table = file.csv(connection, paths, show, source.encoding)
    else:
        table = file.json(connection, paths, show, source.encoding)
    for name in (*source.key, *([source.time] if source.time else [])):
        if name not in table.columns:
            raise ProjectError(
                f"Source {source.name} has no column {name!r}.", hint=choice(name, table.columns)
            )
    return column.utc(table, f"Source {source.name}", source.time)


def hide(table: "ir.Table", source: Source, at: datetime) -> "ir.Table":
    """Hide the future: keep the rows with ``time < at``, (n rows) -> (at most n rows).

    A row without a time may be of the future and is hidden too. A source without ``time`` is
    returned as it is.
    """
    if source.time is None:
        return table
    return table.filter(table[source.time] < _instant(at))


def visible_window(
    table: "ir.Table", source: Source, at: datetime
) -> tuple[datetime | None, datetime | None]:
    """The span of clocks at which the same rows are visible as at ``at``.

    Args:
        table: The whole source, its future included.
        source: What tells the time column.
        at: The clock.

    Returns:
        ``(after, until)``: for every clock T with ``after < T <= until``, ``hide`` keeps the same
        rows. ``after`` is the newest visible row's time, ``until`` the oldest hidden row's; None
        is no bound.
    """
    if source.time is None:
        return None, None
    time = table[source.time]
    clock = _instant(at)
    bounds = table.aggregate(
        after=time.max(where=time < clock), until=time.min(where=time >= clock)
    ).to_pyarrow()
    after, until = (bounds[name][0].as_py() for name in ("after", "until"))
    return after and after.astimezone(UTC), until and until.astimezone(UTC)


def _instant(at: datetime) -> "ir.Value":
    """An instant as the engine knows it."""
    import ibis

    return ibis.literal(at, type="timestamp('UTC', 6)")


def _show(source: Source, root: Path) -> Callable[[Path], str]:
    """How messages call a file of this source; the value of a variable is never shown."""
    if source.shown is not None and source.shown != source.location:
        shown = source.shown
        return lambda _path: shown
    return lambda path: _relative(path, root)


def _relative(path: Path, root: Path) -> str:
    """A file's name from the root, where it lies below it."""
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.as_posix()


def _database_files(source: Source, root: Path) -> list[Path]:
    """A SQLite file and, where it holds anything, the log beside it."""
    path = root / source.location.removeprefix(SQLITE)
    if not path.is_file():
        raise _missing(source, path)
    ahead = path.with_name(path.name + "-wal")
    return [path, ahead] if ahead.is_file() and ahead.stat().st_size else [path]


def _found(source: Source, root: Path) -> list[Path]:
    """The files that a location names, sorted, hidden ones left out."""
    path = root / source.location
    if path.is_file():
        return [path]
    if path.is_dir():
        inside = [p for p in path.rglob("*") if form(p) and _is_plain(p, path)]
    elif _MAGIC.search(source.location):
        parts = path.parts
        first = next(i for i, part in enumerate(parts) if _MAGIC.search(part))
        start = Path(*parts[:first])
        if not start.is_dir():
            raise _missing(source, start)
        inside = [p for p in start.glob("/".join(parts[first:])) if _is_plain(p, start)]
    else:
        raise _missing(source, path)
    if not inside:
        folder = path if path.is_dir() else start
        raise _missing(source, folder / "*", sorted(p.name for p in folder.iterdir()))
    return sorted(inside)


def _is_plain(path: Path, folder: Path) -> bool:
    """Whether a file is meant to be read: not hidden, no marker such as ``_SUCCESS``."""
    return path.is_file() and not any(
        part.startswith((".", "_")) for part in path.relative_to(folder).parts
    )


def _divided(paths: Sequence[Path], root: Path) -> bool:
    """Whether folders such as ``month=01`` hold a column."""
    return all(any("=" in part for part in _relative(p, root).split("/")[:-1]) for p in paths)


def _missing(source: Source, path: Path, inside: Sequence[str] | None = None) -> ProjectError:
    """Say that nothing is there, and what is there instead."""
    secret = source.shown is not None and source.shown != source.location
    where = source.shown or source.location
    problem = f"Source {source.name}: there is no file at {where}."
    if secret:
        return ProjectError(problem, hint="Look at the value of the variable.")
    if inside is None:
        folder = path.parent
        while not folder.is_dir():
            path, folder = folder, folder.parent
        inside = sorted(p.name for p in folder.iterdir())
        near = get_close_matches(path.name, inside, n=1, cutoff=0.5)
        if near:
            wrong, right = path.name, near[0]
            return ProjectError(problem, hint=f"Write {where.replace(wrong, right)!r}.")
    there = ", ".join(inside[:5]) + (", ..." if len(inside) > 5 else "") or "nothing"
    folder = path.parent
    return ProjectError(problem, hint=f"Name a file in {KNOWN}; {folder.name}/ holds {there}.")
