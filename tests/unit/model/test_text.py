"""What rows look like as CSV text."""

import csv
import io
import math
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairway.errors import StepError
from fairway.model.text import write_csv


def text(table: pa.Table, *, header: bool = True) -> str:
    file = io.BytesIO()
    write_csv(table, file, header=header)
    return file.getvalue().decode()


def test_each_type_has_one_spelling_and_missing_is_empty() -> None:
    table = pa.table(
        {
            "n": pa.array([1, None], "int64"),
            "x": [0.5, math.nan],
            "whole": [3.0, None],
            "b": [True, None],
            "t": pa.array([datetime(2013, 1, 1, 10, tzinfo=UTC), None], pa.timestamp("us", "UTC")),
            "d": [date(2013, 1, 1), None],
            "m": [Decimal("1.20"), None],
            "s": ["JFK", None],
        }
    )

    assert text(table) == (
        "n,x,whole,b,t,d,m,s\n1,0.5,3,1,2013-01-01T10:00:00Z,2013-01-01,1.20,JFK\n,,,,,,,\n"
    )


def test_times_elsewhere_are_written_in_utc_with_a_fraction_only_where_there_is_one() -> None:
    there = pa.array([1_357_034_400_000_000, 1_500_000, -1], pa.timestamp("us"))
    table = pa.table({"t": there.cast(pa.timestamp("us", "America/New_York"))})

    assert text(table, header=False).split() == [
        "2013-01-01T10:00:00Z",
        "1970-01-01T00:00:01.5Z",
        "1969-12-31T23:59:59.999999Z",
    ]


def test_the_one_missing_value_of_a_line_does_not_make_the_line_empty() -> None:
    assert text(pa.table({"s": ["a", None]})) == 's\na\n""\n'


@given(st.lists(st.tuples(st.text(), st.floats(), st.integers(-(2**63), 2**63 - 1)), max_size=9))
def test_a_csv_reader_gets_every_value_back_and_each_row_is_one_line(rows: list[Any]) -> None:
    texts, floats, integers = ([row[i] for row in rows] for i in range(3))
    table = pa.table(
        {"a": pa.array(texts, "string"), "b": pa.array(floats, "float64"), "c": pa.array(integers)}
        if rows
        else {"a": [], "b": [], "c": []}
    )
    written = text(table, header=False)
    assert written.count("\n") == len(rows)

    read = list(csv.reader(io.StringIO(written, newline="")))
    for line, (a, b, c) in zip(read, rows, strict=True):
        assert line[0] == a.replace("\r\n", " ").replace("\r", " ").replace("\n", " ")
        assert line[1] == "" if math.isnan(b) else float(line[1]) == b
        assert int(line[2]) == c


def test_a_header_is_quoted_like_any_text() -> None:
    assert text(pa.table({"a,b": [1], 'c"d': [2]})).splitlines()[0] == '"a,b","c""d"'


def test_a_list_is_refused_by_name() -> None:
    with pytest.raises(StepError, match=r"'x' has the type list.*CSV cannot hold"):
        text(pa.table({"x": [[1]]}))
