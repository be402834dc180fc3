"""Look at a table before anything is promised of it: what each column holds, in figures.

Room: ``fairway.data``, after ``source``; ``draft`` makes a first contract and ``suggest`` first
repairs from it. It judges nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fairway.data.leak.held import held

if TYPE_CHECKING:
    import ibis.expr.datatypes as dt
    import ibis.expr.types as ir

MOST_ROWS = 2_000_000  # beyond it, figures that need sorting come from a sample of about so many
MOST_VALUES = 5_000
N_EXTREMES = 12
QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
MAD_TO_SIGMA = 1.4826  # of a normal distribution
COUNTED_AT_ONCE = 32  # columns of one scan for counts
MOST_AT_ONCE, ROWS_AT_ONCE = 64, 2_000_000  # columns, and their values, that one query sorts
FAR, NEAR, GAP = 20.0, 15.0, 3.0  # robust standard deviations; how much farther the far ones lie

VALUES_SQL = """
    SELECT place, value, count(*) AS n FROM {long} GROUP BY place, value
    QUALIFY row_number() OVER (PARTITION BY place ORDER BY n DESC, value) <= {most}
    ORDER BY place, n DESC, value
"""
SPREAD_SQL = """
    SELECT place, quantile_cont(value, {quantiles}) AS quantiles, mad(value) AS mad
    FROM {number} GROUP BY place
"""
ENDS_SQL = """
    SELECT place, min(value, {n}) AS lowest, max(value, {n}) AS highest, median(step) AS step
    FROM (
        SELECT *, value - lag(value) OVER (PARTITION BY place ORDER BY value) AS step
        FROM (SELECT DISTINCT place, value FROM {number})
    )
    GROUP BY place
"""


@dataclass(frozen=True, kw_only=True)
class ColumnProfile:
    """What one column holds.

    Attributes:
        name: The column's name.
        type: Its type, as the engine spells it.
        logical: The standard's type for it, such as ``integer``; empty where there is none.
        n_missing: Nulls, and in a float column NaN.
        n_distinct: How many different values there are; approximate (about 2 %) above 1,000.
        minimum, maximum: Of all rows; None for types without an order that matters here.
        quantiles: Of numbers, by share.
        mad: Median absolute deviation from the median, of numbers.
        step: Median difference between neighbouring different values, of numbers.
        lowest, highest: The outermost different values, outermost first, of numbers.
        values: The most frequent values and their counts, most frequent first.
        n_values_rows: Rows that ``values`` were counted on; fewer than all for a large table.
    """

    name: str
    type: str
    logical: str
    n_missing: int
    n_distinct: int
    minimum: Any = None
    maximum: Any = None
    quantiles: Mapping[float, float]
    mad: float | None = None
    step: float | None = None
    lowest: tuple[float, ...] = ()
    highest: tuple[float, ...] = ()
    values: tuple[tuple[Any, int], ...] = ()
    n_values_rows: int

    @property
    def is_number(self) -> bool:
        """Whether it holds numbers."""
        return self.logical in {"integer", "number"}

    def deviations(self, value: float) -> float:
        """Robust standard deviations from the median to a value; infinite where half agree."""
        distance = abs(value - self.quantiles[0.5])
        return distance / (MAD_TO_SIGMA * self.mad) if self.mad else float("inf")

    def n_far(self, end: tuple[float, ...]) -> int:
        """How many values at an end (``lowest``, ``highest``) lie beyond a wide gap.

        Beyond a gap lies what is ``FAR`` from the median, and ``GAP`` times as far as the next.
        """
        away = [self.deviations(value) for value in end]
        gaps = (i for i in range(1, len(away)) if away[i - 1] >= max(FAR, GAP * away[i]))
        return next(gaps, 0)

    def together(self) -> tuple[float, float] | None:
        """Lowest and highest value, without a few beyond a wide gap.

        None where values do not keep together: a heavy tail reaches farther than ``NEAR`` without a
        gap, and its far values are data.
        """
        if not self.mad:
            return None
        low, high = (end[self.n_far(end)] for end in (self.lowest, self.highest))
        return (low, high) if max(map(self.deviations, (low, high))) <= NEAR else None


@dataclass(frozen=True, kw_only=True)
class Profile:
    """What a table holds, column by column.

    Attributes:
        n_rows: Rows of the table.
        columns: In the table's order.
    """

    n_rows: int
    columns: Mapping[str, ColumnProfile]


def profile(table: "ir.Table") -> Profile:
    """Look at each column of a table.

    Counts, minima and maxima are of all rows. For a table over ``MOST_ROWS`` rows the rest is of a
    sample that depends on the rows alone, so that the answer is the same every time.
    """
    from fairway.data.checking import breach

    table = breach.plain(table)
    n_rows = int(table.count().to_pyarrow().as_py())
    with held(_drawn(table, n_rows)) as sample:
        n_sampled = int(sample.count().to_pyarrow().as_py())
        row = _counts(sample if n_sampled == n_rows else table) | {"n_rows": n_rows}
        values, figures = _told(sample, n_sampled)
        columns = {
            name: _column(table[name], row, i, values.get(i, []), figures.get(i, {}), n_sampled)
            for i, name in enumerate(table.columns)
        }
    return Profile(n_rows=n_rows, columns=columns)


def logical_type(type_: "dt.DataType") -> str:
    """The standard's type for a column's type; empty where there is none that fits."""
    found = {
        "boolean": type_.is_boolean(),
        "integer": type_.is_integer(),
        "number": type_.is_floating() or type_.is_decimal(),
        "string": type_.is_string() or type_.is_uuid(),
        "date": type_.is_date(),
        "timestamp": type_.is_timestamp(),
        "time": type_.is_time(),
        "object": type_.is_struct(),
        "array": type_.is_array(),
    }
    return next((name for name, fits in found.items() if fits), "")


def _drawn(table: "ir.Table", n_rows: int) -> "ir.Table":
    """The table; of a large one only rows whose hash falls into one of many equal shares."""
    from fairway.data.checking import duplicate

    if n_rows <= MOST_ROWS:
        return table
    share = -(-n_rows // MOST_ROWS)
    return table.filter(duplicate.mix([table[name] for name in table.columns]) % share == 0)


def _counts(table: "ir.Table") -> dict[str, Any]:
    """What a scan tells: values that are there, different ones, least and most, by position."""
    from fairway.data.checking import breach

    row: dict[str, Any] = {}
    names = list(enumerate(table.columns))
    for start in range(0, len(names), COUNTED_AT_ONCE):
        asked: dict[str, Any] = {}
        for i, name in names[start : start + COUNTED_AT_ONCE]:
            column = table[name]
            real = ~breach.is_missing(column)
            asked |= {f"known{i}": table.count(where=real), f"distinct{i}": column.approx_nunique()}
            if logical_type(column.type()) in {"integer", "number", "date", "timestamp", "string"}:
                asked |= {f"least{i}": column.min(where=real), f"most{i}": column.max(where=real)}
        row |= table.aggregate(**asked).to_pyarrow().to_pylist()[0]
    return row


def _column(
    column: "ir.Column",
    row: Mapping[str, Any],
    i: int,
    values: list[tuple[Any, int]],
    figures: Mapping[str, Any],
    n_sampled: int,
) -> ColumnProfile:
    exact = len(values) if values and len(values) <= 1000 else row[f"distinct{i}"]
    return ColumnProfile(
        name=column.get_name(),
        type=str(column.type()),
        logical=logical_type(column.type()),
        n_missing=int(row["n_rows"] - row[f"known{i}"]),
        n_distinct=int(exact),
        minimum=row.get(f"least{i}"),
        maximum=row.get(f"most{i}"),
        values=tuple(values),
        n_values_rows=n_sampled,
        **{"quantiles": {}, **figures},
    )


def _told(
    table: "ir.Table", n_rows: int
) -> tuple[dict[int, list[tuple[Any, int]]], dict[int, dict[str, Any]]]:
    """Most frequent values, and figures of numbers, by the column's position.

    Columns of one type are asked about together, as many as ``ROWS_AT_ONCE`` allows: one by one,
    a wide table would take half a minute. Ibis would take longer to spell the questions than the
    engine to answer them, hence SQL.
    """
    alike: dict[str, list[int]] = {}
    for i, (name, type_) in enumerate(table.schema().items()):
        if logical_type(type_) in {"string", "integer", "number", "boolean"}:
            alike.setdefault(str(table[name].type()), []).append(i)
    values: dict[int, list[tuple[Any, int]]] = {}
    figures: dict[int, dict[str, Any]] = {}
    n_at_once = min(MOST_AT_ONCE, max(1, ROWS_AT_ONCE // max(1, n_rows)))
    for places in alike.values():
        for start in range(0, len(places), n_at_once):
            chosen = places[start : start + n_at_once]
            long = _long(table, chosen)
            for told in _ask(table, VALUES_SQL.format(long=long, most=MOST_VALUES)):
                values.setdefault(int(told["place"]), []).append((told["value"], told["n"]))
            if logical_type(table[chosen[0]].type()) in {"integer", "number"}:
                figures |= _figures(table, long)
    return values, figures


def _long(table: "ir.Table", places: Sequence[int]) -> str:
    """SQL of all values that are there of some columns, below each other with their places."""
    from fairway.data.reading.engine import identifier

    rows = table.get_backend().compile(table)
    type_ = table[places[0]].type()
    names = [identifier(table.columns[i]) for i in places]
    spelled = [f"CAST({name} AS VARCHAR)" if type_.is_uuid() else name for name in names]
    chosen = ", ".join(f'{x} AS "{i}"' for i, x in zip(places, spelled, strict=True))
    listed = ", ".join(f'"{i}"' for i in places)
    return (
        f"(SELECT * FROM (UNPIVOT (SELECT {chosen} FROM ({rows})) "  # noqa: S608  quoted
        f"ON {listed} INTO NAME place VALUE value)"
        f"{' WHERE NOT isnan(value)' if type_.is_floating() else ''})"
    )


def _figures(table: "ir.Table", long: str) -> dict[int, dict[str, Any]]:
    """Quantiles, spread, step and outermost values of columns of numbers, all as floats."""
    number = (
        f"(SELECT * FROM (SELECT place, CAST(value AS DOUBLE) AS value FROM {long}) "  # noqa: S608  our own query
        "WHERE NOT isinf(value))"
    )
    spread = _ask(table, SPREAD_SQL.format(number=number, quantiles=list(QUANTILES)))
    outermost = _ask(table, ENDS_SQL.format(number=number, n=N_EXTREMES))
    ends = {one["place"]: one for one in outermost}
    return {
        int(one["place"]): {
            "quantiles": dict(zip(QUANTILES, one["quantiles"], strict=True)),
            "mad": one["mad"],
            "step": ends[one["place"]]["step"],
            "lowest": tuple(ends[one["place"]]["lowest"]),
            "highest": tuple(ends[one["place"]]["highest"]),
        }
        for one in spread
    }


def _ask(table: "ir.Table", sql: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = table.get_backend().con.sql(sql).to_arrow_table().to_pylist()
    return rows
