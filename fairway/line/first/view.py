"""Look at the table that a first project is made from, in the engine and by name.

Room: ``fairway.line``, for ``new``; ``target``, ``moment``, ``key`` and ``deal`` ask it. It decides
nothing and writes nothing.
"""

import gzip
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fairway.data import source
from fairway.data.source import Source, form
from fairway.errors import NotFoundError, RequestError, StoreError

if TYPE_CHECKING:
    import ibis.expr.datatypes as dt
    import ibis.expr.types as ir

    from fairway.data.reading.engine import Engine

RESERVED = frozenset(
    """
    all analyse analyze and anti any array as asc asof asymmetric at authorization binary both
    by case cast check collate collation column concurrently constraint create cross
    current_date current_time current_timestamp default deferrable desc describe distinct do
    else end except false fetch for foreign freeze from full glob group having ilike in
    initially inner intersect into is isnull join lambda lateral leading left like limit natural
    not notnull null offset on only or order outer overlaps pivot pivot_longer pivot_wider
    placing positional primary qualify references returning right select semi show similar some
    summarize symmetric table tablesample then to trailing true union unique unpack unpivot
    using variadic verbose when where window with
    """.split()  # noqa: SIM905  a list of them would be a page long
)
"""Words that DuckDB takes for its own where a name stands alone."""

BLOCK_BYTES = 1 << 20
AT_ONCE = 16  # columns that one query counts: each different value of each is held meanwhile


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column of the table.

    Attributes:
        name: Its name.
        kind: integer, number, boolean, text, date, time, or other.
        n_missing: Rows without a value, NaN included.
        n_distinct: Different values; of a table over a million rows approximately.
    """

    name: str
    kind: str
    n_missing: int
    n_distinct: int


@dataclass(frozen=True, kw_only=True)
class View:
    """The table, open in an engine.

    Attributes:
        engine: The engine, which knows the table as ``source.name``.
        source: The table as a source of its folder.
        table: The table as an expression.
        n_rows: Its rows.
        columns: By name, in order.
    """

    engine: "Engine"
    source: Source
    table: "ir.Table"
    n_rows: int
    columns: Mapping[str, Column]

    @property
    def sql_name(self) -> str:
        """The table's name as SQL spells it."""
        return quote(self.source.name)

    @property
    def row(self) -> str:
        """What SQL calls a whole row: the table's name, or another where a column is so called."""
        return quote(free(self.source.name, self.columns, "rows_of_{}"))

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        """Run a query and give back its rows."""
        rows: list[tuple[Any, ...]] = self.engine.con.sql(sql).fetchall()
        return rows

    def values(self, name: str, limit: int) -> list[tuple[Any, int]]:
        """The most frequent values of a column with their counts, most frequent first."""
        column = quote(name)
        found = self.ask(
            f"SELECT {column}, count(*) AS n FROM {self.sql_name} WHERE {is_known(self, name)} "  # noqa: S608  quoted
            f"GROUP BY 1 ORDER BY n DESC, 1 LIMIT {limit}"
        )
        return [(value, int(n)) for value, n in found]

    def is_unique(self, expressions: Iterable[str], table: str | None = None) -> bool:
        """Whether expressions together name each row, and none of them is ever missing."""
        parts = list(expressions)
        missing = " OR ".join(f"({part}) IS NULL" for part in parts)
        ((n, absent, n_rows),) = self.ask(
            f"SELECT count(DISTINCT ({', '.join(parts)},)), count_if({missing}), count(*) "  # noqa: S608  quoted
            f"FROM {table or self.sql_name}"
        )
        return n == n_rows and not absent


def look(file: Path) -> View:
    """Open a table, find how it is spelled, and count what its columns hold.

    Raises:
        NotFoundError: If there is no such file.
        RequestError: If it is a folder or of a form that Fairway does not read.
        ProjectError: If it is half written, empty, or no table.
    """
    path = file.absolute()
    if not path.exists():
        raise NotFoundError(f"There is no file {file}.", hint=_near(path))
    if not path.is_file() or form(path) is None:
        raise RequestError(
            f"{file} is no table that a first project can be made from.",
            hint=f"Name one file in {source.KNOWN}.",
        )
    encoding = None if form(path) == "parquet" else encoding_of(path)
    given = Source(name=name_of(path), location=path.name, encoding=encoding)
    engine = source.connect()
    table = source.read(engine, given, path.parent)
    name = quote(given.name)
    # Loaded once: a few dozen questions follow, each of which would read a Parquet file again.
    engine.con.execute(f"CREATE TEMP TABLE {name} AS {engine.compile(table)}").fetchall()
    kept = engine.table(given.name)
    kinds = {column: _kind(type_) for column, type_ in kept.schema().items()}
    return _counted(View(engine=engine, source=given, table=kept, n_rows=0, columns={}), kinds)


def _counted(view: View, kinds: Mapping[str, str]) -> View:
    """The view with its counts, from one scan for every few columns."""
    ((n_rows,),) = view.ask(f"SELECT count(*) FROM {view.sql_name}")  # noqa: S608  quoted
    count = "count(DISTINCT {x})" if n_rows <= 1_000_000 else "approx_count_distinct({x})"
    columns = {}
    for names in batches(list(kinds)):
        asked = []
        for name in names:
            x = quote(name)
            known = f"CASE WHEN isnan({x}) THEN NULL ELSE {x} END" if kinds[name] == "number" else x
            asked += [f"count({known})", count.replace("{x}", known)]
        (row,) = view.ask(f"SELECT {', '.join(asked)} FROM {view.sql_name}")  # noqa: S608  quoted
        for name, n_known, n_distinct in zip(names, row[::2], row[1::2], strict=True):
            columns[name] = Column(
                name=name, kind=kinds[name], n_missing=n_rows - n_known, n_distinct=n_distinct
            )
    return View(
        engine=view.engine, source=view.source, table=view.table, n_rows=n_rows, columns=columns
    )


def batches(names: Sequence[str]) -> Iterator[Sequence[str]]:
    """The names, a few at a time: a query over a wide table would need too much memory."""
    return (names[i : i + AT_ONCE] for i in range(0, len(names), AT_ONCE))


@contextmanager
def bounded() -> Iterator[None]:
    """Say in words that a table needs more memory than the engine may use.

    Raises:
        StoreError: If it does.
    """
    import duckdb

    try:
        yield
    except duckdb.OutOfMemoryException as error:
        raise StoreError(
            "The table needs more memory to be looked at than the engine may use.",
            hint="Make the project from fewer columns, or from the newest rows alone.",
        ) from error


def is_known(view: View, name: str) -> str:
    """SQL: whether a row has a value in a column."""
    column = quote(name)
    of_number = name in view.columns and view.columns[name].kind == "number"
    return (
        f"({column} IS NOT NULL AND NOT isnan({column}))" if of_number else f"{column} IS NOT NULL"
    )


def encoding_of(path: Path) -> str | None:
    """The encoding to declare for a text file; None for UTF-8.

    What is neither UTF-8 nor UTF-16 is taken as Latin-1, or as Windows' variant of it where a byte
    stands for one of the letters that only that has.
    """
    from fairway.data.reading.encoding import check_utf8
    from fairway.errors import ProjectError

    try:
        check_utf8(path, path.name)
    except ProjectError:
        with gzip.open(path) if path.name.lower().endswith(".gz") else path.open("rb") as text:
            try:
                block = text.read(BLOCK_BYTES)
                if block[:2] in {b"\xff\xfe", b"\xfe\xff"}:
                    return "utf-16"
                while block:
                    if re.search(rb"[\x80-\x9f]", block):
                        return "cp1252"
                    block = text.read(BLOCK_BYTES)
            except (OSError, EOFError):  # no whole gzip file: `source.read` says so in words
                return None
        return "latin-1"
    return None


def name_of(path: Path) -> str:
    """A name for the source that a file is: letters, digits and ``_``, lower case."""
    stem = path.name.split(".")[0] if path.name[:1] != "." else path.name
    plain = re.sub(r"[^a-z0-9]+", "_", stem.lower()).strip("_")
    if not plain or not plain[0].isalpha():
        plain = f"table_{plain}".rstrip("_")
    return "rows" if plain == "dataset" else plain


def quote(name: str) -> str:
    """Spell a name as SQL does: bare where that is possible, so that people can read it."""
    if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) and name.lower() not in RESERVED:
        return name
    return '"' + name.replace('"', '""') + '"'


def words(name: str) -> str:
    """A name as lower-case words joined by ``_``: ``customerID`` is ``customer_id``."""
    parts = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return re.sub(r"[^a-z0-9]+", "_", parts.lower()).strip("_")


def free(name: str, taken: Iterable[str], pattern: str = "{}_2") -> str:
    """A name that is not taken, capitals or not: the one wanted, or one made of it."""
    names = {one.lower() for one in taken}
    while name.lower() in names:
        name = pattern.format(name)
    return name


def spelled(names: Iterable[str]) -> str:
    """Names for a sentence: ``a, b and c``."""
    *most, last = list(names)
    return f"{', '.join(most)} and {last}" if most else last


def _kind(type_: "dt.DataType") -> str:
    tests = {
        "boolean": type_.is_boolean(),
        "integer": type_.is_integer(),
        "number": type_.is_floating(),
        "decimal": type_.is_decimal(),
        "text": type_.is_string(),
        "date": type_.is_date(),
        "time": type_.is_timestamp(),
    }
    return next((name for name, fits in tests.items() if fits), "other")


def _near(path: Path) -> str:
    """What to write instead of a path that is not there."""
    from difflib import get_close_matches

    if not path.parent.is_dir():
        return f"There is no folder {path.parent} either; look where the table is."
    there = [p.name for p in path.parent.iterdir() if form(p) is not None]
    near = get_close_matches(path.name, there, n=1, cutoff=0.5)
    return f"Write {near[0]!r}." if near else f"Name one file in {source.KNOWN}."
