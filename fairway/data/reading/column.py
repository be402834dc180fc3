"""Give texts their types, and every time its zone.

Room: ``fairway.data``, under ``file`` and ``sqlite``, which read rows, and before ``contract``,
which judges them. It opens no file. Imported by ``source.read`` only when rows are read.

A column of texts becomes a number, truth value, date or time only if every text in it is one. Dates
are ISO 8601 alone: 1/2/2013 has two meanings and stays text. 00501 is a name, not a number.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from fairway.data.reading.engine import UTC, Engine, fresh, identifier, literal
from fairway.errors import ProjectError

if TYPE_CHECKING:
    import ibis.expr.types as ir

SAMPLE = 10_000  # rows that rule types out before all rows are asked about the rest
ABSENT = ("NA", "N/A", "NaN", "nan", "null", "NULL", "None")
"""What programs write for a missing number or time. In a column of texts these stay texts."""

_NUMBER = r"^\s*[+-]?(0|[1-9][0-9]*)?(\.[0-9]*)?([eE][+-]?[0-9]+)?\s*$"
_DATE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_TIME = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?"
    r" ?(Z|UTC|[+-][0-9]{2}(:?[0-9]{2})?)?)?$"
)
_INTEGER = r"^\s*[+-]?(0|[1-9][0-9]*)\s*$"
_LONG = r"^\s*[+-]?[0-9]{16,}\s*$"  # more digits than a DOUBLE keeps: an identifier
_TESTS = {  # in order of preference: a column gets the first that every text in it passes
    "BOOLEAN": "lower({x}) IN ('true', 'false')",
    "BIGINT": f"TRY_CAST({{x}} AS BIGINT) IS NOT NULL AND regexp_matches({{x}}, '{_INTEGER}')",
    "DOUBLE": f"TRY_CAST({{x}} AS DOUBLE) IS NOT NULL AND (lower({{x}}) IN ('inf', '-inf') OR "
    f"regexp_matches({{x}}, '{_NUMBER}') AND NOT regexp_matches({{x}}, '{_LONG}'))",
    "DATE": f"TRY_CAST({{x}} AS DATE) IS NOT NULL AND regexp_matches({{x}}, '{_DATE}')",
    "TIMESTAMPTZ": f"TRY_CAST({{x}} AS TIMESTAMPTZ) IS NOT NULL"
    f" AND regexp_matches({{x}}, '{_TIME}')",
}
NUMBERS = frozenset({"BOOLEAN", "BIGINT", "DOUBLE"})
TIMES = frozenset({"DATE", "TIMESTAMPTZ"})


def load(
    connection: Engine,
    rows: str,
    names: Sequence[str],
    allowed: Mapping[str, Collection[str]],
) -> "ir.Table":
    """Load rows into the engine, with the types that all of their texts agree to.

    Args:
        connection: The engine.
        rows: SQL of a query.
        names: Its columns, in the order wanted.
        allowed: For each column of texts the types that it may become, else it stays text.
    """
    kinds = _types(connection, rows, allowed)
    columns = [
        f"CAST({_present(identifier(name))} AS {kinds[name]}) AS {identifier(name)}"
        if name in kinds
        else identifier(name)
        for name in names
    ]
    table = fresh()
    sql = f"CREATE TABLE {table} AS SELECT {', '.join(columns)} FROM ({rows})"  # noqa: S608  quoted
    connection.con.execute(sql).fetchall()
    return connection.table(table)


def utc(table: "ir.Table", called: str, time: str | None = None) -> "ir.Table":
    """Give every time its zone: times without one are taken as UTC.

    Args:
        table: Any table.
        called: What messages call it, such as ``Source flights``.
        time: Its time column, which becomes ``timestamp('UTC')`` from a date or ISO texts, too.

    Raises:
        ProjectError: If ``time`` holds no times.
    """
    naive = {
        name: table[name].cast(UTC)
        for name, kind in table.schema().items()
        if kind.is_timestamp() and kind.timezone != "UTC"
    }
    if time is not None and not table[time].type().is_timestamp():
        naive[time] = _time(table[time], called)
    return table.mutate(**naive) if naive else table


def _time(column: "ir.Column", called: str) -> "ir.Value":
    """A time column that came as dates or texts."""
    kind = column.type()
    name = column.get_name()
    if kind.is_date():
        return column.cast(UTC)
    if not kind.is_string():
        raise ProjectError(
            f"{called}: its time column {name} holds {kind}, no times.",
            hint="Name a column of times, or leave `time` out.",
        )
    cast = column.try_cast(UTC)
    good = cast.notnull() & column.re_search(_TIME)
    bad = column.as_table().filter(column.notnull() & ~good).distinct().order_by(name)
    examples = bad.limit(3).to_pyarrow()[name].to_pylist()
    if examples:
        raise ProjectError(
            f"{called}: its time column {name} holds {', '.join(map(repr, examples))}, "
            "which is no ISO 8601 time.",
            hint="Write times as 2013-01-31T10:00:00Z, or leave `time` out.",
        )
    return cast


def _present(column: str) -> str:
    """SQL of a text, NULL where it says that a value is absent.

    Not ``IN (...)``: the engine makes a join of each such list, and of 200 columns 200 joins.
    """
    absent = " OR ".join(f"{column} = {literal(one)}" for one in ABSENT)
    return f"CASE WHEN {absent} THEN NULL ELSE {column} END"


def _types(connection: Engine, rows: str, allowed: Mapping[str, Collection[str]]) -> dict[str, str]:
    """Find the type that each column of texts can have; columns that stay text are left out.

    The answer depends on all rows; the first ones only spare questions.
    """
    left = {name: [kind for kind in _TESTS if kind in kinds] for name, kinds in allowed.items()}
    counts: dict[tuple[str, str], int] = {}
    for query in (f"SELECT * FROM ({rows}) LIMIT {SAMPLE}", rows):  # noqa: S608  our own query
        asked = [(name, kind) for name, kinds in left.items() for kind in kinds]
        if not asked:
            return {}
        counts = _counts(connection, query, asked)
        left = {
            name: [kind for kind in kinds if counts[name, kind] == counts[name, ""]]
            for name, kinds in left.items()
            if kinds
        }
    # A column without any value passes every test and stays text.
    return {name: kinds[0] for name, kinds in left.items() if kinds and counts[name, ""]}


def _counts(
    connection: Engine, rows: str, asked: list[tuple[str, str]]
) -> dict[tuple[str, str], int]:
    """Count, in one scan, how many texts there are (kind '') and how many pass each test."""
    names = list(dict.fromkeys(name for name, _ in asked))
    present = ", ".join(f"{_present(identifier(n))} AS {identifier(n)}" for n in names)
    questions = {(name, ""): f"count({identifier(name)})" for name in names}
    for name, kind in asked:
        questions[name, kind] = f"count_if({_TESTS[kind].replace('{x}', identifier(name))})"
    sql = f"SELECT {', '.join(questions.values())} FROM (SELECT {present} FROM ({rows}))"  # noqa: S608  names are quoted
    (answers,) = connection.con.sql(sql).fetchall()
    return dict(zip(questions, answers, strict=True))
