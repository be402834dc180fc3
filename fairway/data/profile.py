"""Look at a table before anything is promised of it: what each column holds, in figures.

Room: ``fairway.data``, after ``source``; ``draft`` makes a first contract and ``suggest`` first
repairs from it. It judges nothing.
"""

from collections.abc import Mapping
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
FAR, NEAR, GAP = 20.0, 15.0, 3.0  # robust standard deviations; how much farther the far ones lie


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
        row = _counts(sample if n_sampled == n_rows else table)
        columns = {
            name: _column(sample, name, row | {"n_rows": n_rows}, i, n_sampled)
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
    """What one scan tells: values that are there, different ones, least and most, by position."""
    from fairway.data.checking import breach

    asked: dict[str, Any] = {}
    for i, name in enumerate(table.columns):
        column = table[name]
        real = ~breach.is_missing(column)
        asked |= {f"known{i}": table.count(where=real), f"distinct{i}": column.approx_nunique()}
        if logical_type(column.type()) in {"integer", "number", "date", "timestamp", "string"}:
            asked |= {f"least{i}": column.min(where=real), f"most{i}": column.max(where=real)}
    row: dict[str, Any] = table.aggregate(**asked).to_pyarrow().to_pylist()[0]
    return row


def _column(
    table: "ir.Table", name: str, row: Mapping[str, Any], i: int, n_sampled: int
) -> ColumnProfile:
    from fairway.data.checking import breach

    column = table[name]
    logical = logical_type(column.type())
    plain = table.filter(~breach.is_missing(column)).select(value=column)
    values: list[tuple[Any, int]] = []
    if logical in {"string", "integer", "number", "boolean"}:
        counted = plain.group_by("value").aggregate(n=lambda t: t.count())
        few = counted.order_by([counted.n.desc(), counted.value]).limit(MOST_VALUES)
        values = [(one["value"], one["n"]) for one in few.to_pyarrow().to_pylist()]
    figures = _figures(plain) if logical in {"integer", "number"} and values else {}
    exact = len(values) if values and len(values) <= 1000 else row[f"distinct{i}"]
    return ColumnProfile(
        name=name,
        type=str(column.type()),
        logical=logical,
        n_missing=int(row["n_rows"] - row[f"known{i}"]),
        n_distinct=int(exact),
        minimum=row.get(f"least{i}"),
        maximum=row.get(f"most{i}"),
        values=tuple(values),
        n_values_rows=n_sampled,
        **{"quantiles": {}, **figures},
    )


def _figures(plain: "ir.Table") -> dict[str, Any]:
    """Quantiles, spread, step and outermost values of a column of numbers, all as floats."""
    import ibis

    number = plain.select(value=plain.value.cast("float64"))
    number = number.filter(~number.value.isinf())
    row = (
        number.aggregate(
            **{f"q{i}": number.value.quantile(share) for i, share in enumerate(QUANTILES)}
        )
        .to_pyarrow()
        .to_pylist()[0]
    )
    if row["q0"] is None:
        return {}
    middle = row[f"q{QUANTILES.index(0.5)}"]
    mad = (number.value - middle).abs().median().to_pyarrow().as_py()
    different = number.distinct()
    ends = [
        different.order_by(order).limit(N_EXTREMES).to_pyarrow()["value"].to_pylist()
        for order in (different.value, different.value.desc())
    ]
    window = ibis.window(order_by="value")
    steps = different.select(step=different.value - different.value.lag().over(window))
    return {
        "quantiles": {share: row[f"q{i}"] for i, share in enumerate(QUANTILES)},
        "mad": mad,
        "step": steps.step.median().to_pyarrow().as_py(),
        "lowest": tuple(ends[0]),
        "highest": tuple(ends[1]),
    }
