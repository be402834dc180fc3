"""What looking at a table promises."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import ibis.expr.types as ir
import pyarrow as pa
import pytest
from ibis.util import gen_name

from fairway.data.profile import profile
from fairway.data.reading import engine

ENGINE = engine.start()


def table(columns: Mapping[str, Any]) -> ir.Table:
    name = gen_name("test")
    ENGINE.con.register("arrow", pa.table(dict(columns)))
    ENGINE.con.execute(f"CREATE TEMP TABLE {name} AS SELECT * FROM arrow")
    return ENGINE.table(name)


def test_a_column_of_numbers_is_told_in_figures() -> None:
    seen = profile(table({"x": [1, 2, 2, 3, 3, 3, None, 11]}))

    column = seen.columns["x"]
    assert seen.n_rows == 8
    assert (column.logical, column.n_missing, column.n_distinct) == ("integer", 1, 4)
    assert (column.minimum, column.maximum, column.quantiles[0.5], column.mad) == (1, 11, 3.0, 1.0)
    assert column.values[:2] == ((3, 3), (2, 2))
    assert (column.lowest, column.highest[0], column.step) == ((1.0, 2.0, 3.0, 11.0), 11.0, 1.0)


def test_nan_is_missing_and_infinity_is_not() -> None:
    column = profile(table({"x": [1.0, math.nan, None, math.inf, 2.0]})).columns["x"]

    assert column.n_missing == 2
    assert column.maximum == math.inf
    assert column.highest == (2.0, 1.0)


def test_every_kind_of_column_is_told() -> None:
    at = datetime(2013, 1, 1, tzinfo=UTC)
    seen = profile(
        table(
            {
                "text": ["b", "a", "b"],
                "flag": [True, None, True],
                "at": [at, at + timedelta(days=1), None],
                "day": [at.date(), None, None],
                "list": [[1], [2], None],
                "nothing": pa.nulls(3),
            }
        )
    )

    assert [column.logical for column in seen.columns.values()] == [
        "string",
        "boolean",
        "timestamp",
        "date",
        "array",
        "string",
    ]
    assert seen.columns["text"].values == (("b", 2), ("a", 1))
    assert seen.columns["at"].maximum == at + timedelta(days=1)
    assert seen.columns["nothing"].n_missing == 3


def test_columns_asked_about_together_are_told_as_one_by_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    columns: dict[str, Any] = {
        f"x {i}": [(i + 2) * j % 97 / 4 for j in range(97)] for i in range(9)
    }
    columns |= {'a "b"': [j % 5 for j in range(97)], "A": list(range(97)), "n": [None] * 96 + [7]}
    columns |= {
        "d": [Decimal(j) for j in range(97)],
        "s": ["ab"[j % 2] for j in range(97)],
    }
    rows = table(columns)

    together = profile(rows)
    monkeypatch.setattr("fairway.data.profile.ROWS_AT_ONCE", 1)
    monkeypatch.setattr("fairway.data.profile.COUNTED_AT_ONCE", 1)

    assert profile(rows) == together
    assert [column.n_distinct for column in together.columns.values()] == [97] * 9 + [
        5,
        97,
        1,
        97,
        2,
    ]
    assert together.columns["x 3"].highest[:2] == (24.0, 23.75)
    assert together.columns["d"].values[0] == (Decimal(0), 1)


def test_an_empty_table_is_told() -> None:
    seen = profile(table({"x": pa.array([], "int64"), "y": pa.array([], "string")}))

    assert (seen.n_rows, seen.columns["x"].values, seen.columns["y"].minimum) == (0, (), None)


def test_a_large_table_is_told_from_the_same_sample_every_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("fairway.data.profile.MOST_ROWS", 1000)
    rows = table({"x": [float(i) for i in range(5000)]})

    first, second = profile(rows), profile(rows)

    assert first == second
    assert 600 < first.columns["x"].n_values_rows < 1400
    assert (first.columns["x"].minimum, first.columns["x"].maximum) == (0.0, 4999.0)
    assert first.columns["x"].quantiles[0.5] == pytest.approx(2500, abs=300)


def test_values_keep_together_but_for_a_few_beyond_a_wide_gap() -> None:
    bulk = [float(i % 40) for i in range(1000)]
    together = profile(table({"x": [*bulk, 1000.0]})).columns["x"].together()
    tail = profile(table({"x": [1.2 ** (i % 60) for i in range(1000)]})).columns["x"].together()

    assert together == (0.0, 39.0)
    assert tail is None
