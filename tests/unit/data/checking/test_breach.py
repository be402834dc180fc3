"""Rows break exactly those rules that the rules' docstring says they break."""

import datetime as dt
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import ibis.expr.types as ir
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ibis.util import gen_name

from fairway.data.check import CheckResult, check
from fairway.data.contract import Contract
from fairway.data.promise.rule import ColumnRule
from fairway.data.reading import engine

ENGINE = engine.start()
Rule = ColumnRule


def table(columns: Mapping[str, Any], **types: Any) -> ir.Table:
    """A table of the engine; a fresh one each time."""
    arrays = {name: pa.array(values, types.get(name)) for name, values in columns.items()}
    name = gen_name("test")
    ENGINE.con.register("arrow", pa.table(arrays))
    ENGINE.con.execute(f"CREATE TEMP TABLE {name} AS SELECT * FROM arrow")
    return ENGINE.table(name)


def contract(columns: Mapping[str, ColumnRule], **more: Any) -> Contract:
    return Contract(id="orders", name="orders", columns=columns, **more)


def held(rows: ir.Table, columns: Mapping[str, ColumnRule], **more: Any) -> CheckResult:
    return check(ENGINE, rows, contract(columns, **more))


def rows(found: ir.Table) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = found.order_by(list(found.columns)).to_pyarrow().to_pylist()
    return listed


def n_broken(values: list[Any], rule: ColumnRule, type_: Any = None) -> int:
    return held(table({"x": values}, x=type_), {"x": rule}).n_aside


@pytest.mark.parametrize(
    ("logical", "texts", "read"),
    [
        ("integer", ["12", " -7 ", "+3"], [12, -7, 3]),
        ("number", ["1.5", "-2e3", ".5"], [1.5, -2000.0, 0.5]),
        ("boolean", ["true", "FALSE", " True"], [True, False, True]),
        ("date", ["2013-01-31", "2013-02-01", " 2013-02-02"],
         [dt.date(2013, 1, 31), dt.date(2013, 2, 1), dt.date(2013, 2, 2)]),
        ("timestamp", ["2013-01-31", "2013-01-31T10:00Z", "2013-01-31T10:00:00+02:00"],
         [datetime(2013, 1, 31, tzinfo=UTC), datetime(2013, 1, 31, 10, tzinfo=UTC),
          datetime(2013, 1, 31, 8, tzinfo=UTC)]),
    ],
)  # fmt: skip
def test_text_reads_as_the_type_that_is_promised_and_what_does_not_is_set_aside(
    logical: str, texts: list[str], read: list[Any]
) -> None:
    given_ = table({"i": [0, 1, 2, 3, 4], "x": [*texts, "n/a", None]})

    found = held(given_, {"x": Rule(type=logical)})

    assert [row["x"] for row in rows(found.passing)] == [*read, None]
    assert [(row["x"], row["broken_rule"]) for row in rows(found.aside)] == [("n/a", "type")]


@pytest.mark.parametrize(
    ("logical", "text"),
    [("integer", "1.0"), ("integer", "1_0"), ("number", "1,5"), ("number", "0x1"), ("number", ""),
     ("boolean", "yes"), ("date", "2013-02-30"), ("date", "31.1.2013"), ("timestamp", "noon"),
     ("timestamp", "2013-01-31T24:00:00Z")],
)  # fmt: skip
def test_text_in_another_form_does_not_read(logical: str, text: str) -> None:
    good = {"integer": "1", "number": "1", "boolean": "true"}.get(logical, "2013-01-31")

    assert n_broken([good, good, text], Rule(type=logical)) == 1


def test_a_float_column_reads_as_integer_where_it_is_whole() -> None:
    values = [1.0, 1.5, math.inf, math.nan, None]

    assert n_broken(values, Rule(type="integer")) == 2


def test_missing_is_null_or_nan_and_breaks_only_required() -> None:
    strict = Rule(required=True, minimum=0, maximum=9, accepted=(1.0,), refused=(2.0,))
    found = held(table({"x": [math.nan, None]}), {"x": strict})

    assert [(one.rule, one.n_breaking) for one in found.rules if one.n_breaking] == [
        ("required", 2)
    ]
    assert n_broken([""], Rule(required=True, type="string")) == 0


@pytest.mark.parametrize(
    ("type_", "values", "bound"),
    [
        (
            pa.timestamp("us", "UTC"),
            [datetime(2013, 1, 1, tzinfo=UTC)],
            "2013-01-01T02:00:00+02:00",
        ),
        (pa.timestamp("us"), [datetime(2013, 1, 1)], "2013-01-01"),  # noqa: DTZ001  the point
        (pa.date32(), [dt.date(2013, 1, 1)], "2013-01-01"),
        (pa.time64("us"), [dt.time(10)], "10:00:00"),
        (pa.decimal128(6, 2), [Decimal("1.50")], 1.5),
        (pa.int8(), [5], 5),
    ],
)
def test_a_bound_itself_passes_and_breaks_only_where_it_is_exclusive(
    type_: pa.DataType, values: list[Any], bound: Any
) -> None:
    assert n_broken(values, Rule(minimum=bound, maximum=bound), type_) == 0
    assert n_broken(values, Rule(exclusive_minimum=bound), type_) == 1
    assert n_broken(values, Rule(exclusive_maximum=bound), type_) == 1


TEXTS = st.none() | st.text(alphabet="ab\n é\U0001f986", max_size=4)
FLOATS = st.none() | st.sampled_from([-1.0, 0.0, 0.5, 1.0, 2.0, math.inf, -math.inf, math.nan])
PATTERNS = ["", "a*", "a|b", ".", "[ab]+", ".*\n.*", "a$"]


def is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def breaks(value: Any, rule: ColumnRule) -> bool:
    """The meaning of the rules, said a second time in plain Python."""
    if is_missing(value):
        return rule.required
    text, number = isinstance(value, str), isinstance(value, float)
    faults = [
        bool(rule.accepted) and value not in rule.accepted,
        value in rule.refused,
        text and rule.min_length is not None and len(value) < rule.min_length,
        text and rule.max_length is not None and len(value) > rule.max_length,
        text
        and rule.pattern is not None
        and re.fullmatch(rule.pattern.replace("$", r"\Z"), value, re.DOTALL) is None,
        number and rule.minimum is not None and value < rule.minimum,
        number and rule.maximum is not None and value > rule.maximum,
        number and rule.exclusive_minimum is not None and value <= rule.exclusive_minimum,
        number and rule.exclusive_maximum is not None and value >= rule.exclusive_maximum,
    ]
    return any(faults)


def optional(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | values


TEXT_RULES = st.builds(
    ColumnRule,
    required=st.booleans(),
    pattern=optional(st.sampled_from(PATTERNS)),
    min_length=optional(st.integers(0, 3)),
    max_length=optional(st.integers(0, 3)),
    accepted=st.lists(TEXTS.filter(bool), max_size=2).map(tuple),
    refused=st.lists(TEXTS.filter(bool), max_size=2).map(tuple),
)
NUMBER_RULES = st.builds(
    ColumnRule,
    required=st.booleans(),
    minimum=optional(st.integers(-1, 1)),
    maximum=optional(st.sampled_from([0, 0.5, 2])),
    exclusive_minimum=optional(st.integers(-1, 1)),
    exclusive_maximum=optional(st.integers(0, 2)),
    accepted=st.lists(st.sampled_from([0, 0.5, 1]), max_size=2).map(tuple),
    refused=st.lists(st.sampled_from([0, 2.0]), max_size=1).map(tuple),
)


@settings(max_examples=12, deadline=None)
@given(values=st.lists(TEXTS, min_size=1, max_size=8), rule=TEXT_RULES)
def test_text_rules_mean_what_their_docstring_says(values: list[Any], rule: ColumnRule) -> None:
    found = held(table({"i": range(len(values)), "x": values}, x=pa.string()), {"x": rule})

    kept = {i for i, value in enumerate(values) if not breaks(value, rule)}
    assert {row["i"] for row in rows(found.passing)} == kept
    assert {row["i"] for row in rows(found.aside)} == set(range(len(values))) - kept


@settings(max_examples=12, deadline=None)
@given(values=st.lists(FLOATS, min_size=1, max_size=8), rule=NUMBER_RULES)
def test_number_rules_mean_what_their_docstring_says(values: list[Any], rule: ColumnRule) -> None:
    found = held(table({"i": range(len(values)), "x": values}, x=pa.float64()), {"x": rule})

    kept = {i for i, value in enumerate(values) if not breaks(value, rule)}
    assert {row["i"] for row in rows(found.passing)} == kept


def test_text_that_does_not_read_and_only_warns_goes_on_as_null() -> None:
    rule = Rule(type="integer", severity={"type": "warning"})

    found = held(table({"i": [1, 2, 3], "x": ["5", "a", "b"]}), {"x": rule})

    assert [row["x"] for row in rows(found.passing)] == [5, None, None]
    assert {(one.rule, one.passed) for one in found.rules} == {("type", False)}
