"""Load a table of a SQLite database into the engine.

Room: ``fairway.data``, under ``source.read``, on ``column``. The database is opened for reading
only, by ADBC, which hands over Arrow in batches; nothing of it is changed.

SQLite lets any value stand in any column, and ADBC settles a column's type by its first rows.
All values are therefore asked for their types first, and a first row of the right types is put
before the others (and taken away again).
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from fairway.data.name import choice
from fairway.data.reading import column
from fairway.data.reading.engine import UTC, Engine, fresh, identifier, literal
from fairway.errors import ProjectError

if TYPE_CHECKING:
    import ibis.expr.types as ir

MARK = "fairway row"  # 0 in the first row, 1 in all others
_TIME = re.compile(r"DATE|TIME", re.IGNORECASE)
_TEXT = re.compile(r"CHAR|CLOB|TEXT", re.IGNORECASE)
_FIRST = {"INTEGER": "0", "REAL": "0.0", "TEXT": "''", "BLOB": "x'00'"}
MILLISECONDS = 100_000_000_000  # seconds so many lie in the year 5138: it must be milliseconds


def load(
    connection: Engine, path: Path, shown: str, table: str | None, time: str | None
) -> "ir.Table":
    """Load one table, (n rows, c columns) -> the same.

    Columns declared as dates or times, and the source's time column, become times: ISO 8601 texts,
    whole numbers as seconds (or milliseconds) since 1970, fractions as Julian days. A text column
    declared as numbers becomes numbers if every text in it is one.

    Args:
        connection: The engine.
        path: The database.
        shown: What messages call it.
        table: The table or view.
        time: The source's time column.

    Raises:
        ProjectError: If the file is no database, or lacks the table, or the table has no row.

    Source: "Date and Time Functions", section 2, "Time Values", sqlite.org.
    """
    with _opened(path, shown) as cursor:
        name = _table(cursor, shown, table)
        declared = _columns(cursor, name)
        storage = _storage(cursor, name, declared)
        if not storage:
            raise ProjectError(
                f"Table {name} of {shown} yields no row.", hint="Fill the table, or name another."
            )
        cursor.execute(_query(name, storage))
        staged = fresh()
        connection.con.register(staged, cursor.fetch_record_batch())
        try:
            loaded = fresh()
            connection.con.execute(
                f'CREATE TABLE {loaded} AS SELECT * EXCLUDE ("{MARK}") FROM {staged} '  # noqa: S608  ours
                f'WHERE "{MARK}" = 1'
            ).fetchall()
        finally:
            connection.con.unregister(staged)
    return _with_times(connection, loaded, declared, storage, time)


@contextmanager
def _opened(path: Path, shown: str) -> "Iterator[Any]":
    """A cursor on a database, and SQLite's complaints in our words."""
    import adbc_driver_sqlite.dbapi as sqlite
    from adbc_driver_manager import Error

    try:
        with (
            sqlite.connect(f"file:{quote(str(path))}?mode=ro") as database,
            database.cursor() as cursor,
        ):
            yield cursor
    except Error as error:
        reason = str(error).splitlines()[0].split("] ")[-1]
        raise ProjectError(
            f"{shown} cannot be read: {reason.replace(str(path), shown).rstrip('. ')}.",
            hint="Name a SQLite 3 database that can be read.",
        ) from error


def _table(cursor: Any, shown: str, table: str | None) -> str:  # noqa: ANN401  ADBC's cursor
    """Find the table by the name that SQLite has for it."""
    cursor.execute(
        "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') "
        "AND name NOT LIKE 'sqlite_%' ORDER BY name"
    )
    names = [name for (name,) in cursor.fetchall()]
    if table is None:
        raise ProjectError(
            f"Which table of {shown} is meant is not said.",
            hint=f"Write table = one of {', '.join(names)}." if names else "Name another file.",
        )
    known: dict[str, str] = {name.lower(): name for name in names}
    if table.lower() not in known:
        raise ProjectError(f"{shown} has no table {table!r}.", hint=choice(table, names))
    return known[table.lower()]


def _columns(cursor: Any, table: str) -> dict[str, str]:  # noqa: ANN401  ADBC's cursor
    """The columns and the types that they were declared with."""
    cursor.execute(f"SELECT name, type FROM pragma_table_info({literal(table)})")  # noqa: S608  quoted
    return dict(cursor.fetchall())


def _storage(cursor: Any, table: str, declared: Mapping[str, str]) -> dict[str, str]:  # noqa: ANN401
    """How each column's values are stored, all rows asked; empty where there is no row."""
    kinds = ("integer", "real", "text", "blob")
    asked = [
        f"count(CASE typeof({identifier(name)}) WHEN '{kind}' THEN 1 END)"
        for name in declared
        for kind in kinds
    ]
    cursor.execute(f"SELECT count(*), {', '.join(asked)} FROM {identifier(table)}")  # noqa: S608  quoted
    n_rows, *counts = cursor.fetchone()
    if not n_rows:
        return {}
    storage = {}
    for i, name in enumerate(declared):
        integer, real, text, blob = counts[4 * i : 4 * i + 4]
        if text or (blob and (integer or real)):
            storage[name] = "TEXT"
        elif blob:
            storage[name] = "BLOB"
        elif real:
            storage[name] = "REAL"
        else:  # without any value, by what was declared
            storage[name] = "INTEGER" if integer else _declared(declared[name])
    return storage


def _declared(kind: str) -> str:
    """The storage that a declared type leans to."""
    if re.search("INT", kind, re.IGNORECASE):
        return "INTEGER"
    return "REAL" if re.search("REAL|FLOA|DOUB|NUM|DEC", kind, re.IGNORECASE) else "TEXT"


def _query(table: str, storage: Mapping[str, str]) -> str:
    """SQL of a first row that shows the types, then all rows."""
    first = ", ".join(f"{_FIRST[kind]} AS {identifier(name)}" for name, kind in storage.items())
    rest = ", ".join(f"CAST({identifier(name)} AS {kind})" for name, kind in storage.items())
    return f'SELECT 0 AS "{MARK}", {first} UNION ALL SELECT 1, {rest} FROM {identifier(table)}'  # noqa: S608  quoted


def _with_times(
    connection: Engine,
    loaded: str,
    declared: Mapping[str, str],
    storage: Mapping[str, str],
    time: str | None,
) -> "ir.Table":
    """Give a loaded table the types that it was declared with."""
    allowed = {}
    for name, kind in storage.items():
        if kind != "TEXT":
            continue
        if name == time or _TIME.search(declared[name]):
            allowed[name] = column.TIMES
        elif declared[name] and not _TEXT.search(declared[name]):
            allowed[name] = column.NUMBERS
    table = column.load(connection, f"SELECT * FROM {loaded}", list(storage), allowed)  # noqa: S608  ours
    connection.con.execute(f"DROP TABLE {loaded}").fetchall()
    counted = {
        name: _counted(table[name], kind)
        for name, kind in storage.items()
        if kind in {"INTEGER", "REAL"} and (name == time or _TIME.search(declared[name]))
    }
    return table.mutate(**counted) if counted else table


def _counted(value: "ir.Column", kind: str) -> "ir.Value":
    """A time that was stored as a number."""
    from ibis import ifelse

    if kind == "REAL":
        seconds = ((value - 2440587.5) * 86_400).round().cast("int64")  # Julian day of 1970-01-01
        return seconds.as_timestamp("s").cast(UTC)
    seconds = ifelse(value.abs() >= MILLISECONDS, value // 1000, value)
    return seconds.as_timestamp("s").cast(UTC)
