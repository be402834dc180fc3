"""What a signature promises: written and read exactly, and the same verdicts as the contract's."""

import json
import math
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import ibis
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairway.data.checking import condition
from fairway.data.contract import Contract
from fairway.data.promise.rule import ColumnRule
from fairway.errors import IntegrityError, RequestError
from fairway.model.signature import Field, Signature, from_json, type_of


def signature(**rules: ColumnRule) -> Signature:
    return Signature(
        key=("id",),
        inputs=tuple(Field(name=name, rule=rule) for name, rule in rules.items()),
        features=("x", "x_missing"),
        target="late",
        task="binary",
    )


def broken(rule: ColumnRule, values: Any) -> dict[str, list[int]]:
    """The rows that break each rule, as the signature says."""
    faults = signature(x=rule).check_rows(pa.table({"x": values}))
    return {fault.rule.kind: list(fault.rows) for fault in faults}


def broken_by_contract(rule: ColumnRule, values: pa.Array) -> dict[str, list[int]]:
    """The rows that break each rule, as the engine says."""
    table = ibis.memtable(pa.table({"x": values, "row": range(len(values))}))
    contract = Contract(id="c", name="c", columns={"x": rule})
    asked = condition.of_rows(condition.Typed(table, contract), contract)
    found = {}
    for one in asked:
        rows = table.filter(one.of(table)).order_by("row").to_pyarrow()["row"].to_pylist()
        if rows:
            found[one.rule] = rows
    return found


finite = st.sampled_from([0.0, -1.5, 2.0, 3.0, 1e15, math.nan])
numbers = finite | st.sampled_from([1e300, math.inf, -math.inf])
whole = st.sampled_from([0, -1, 2, 3, 2**53 + 1])
numerals = ["2", " 2 ", "+2", "-1.5", "1e3", ".5", "5.", "nan", "NaN", "inf", "1234567890123456789"]
dates = ["2013-01-01", "2013-02-30", "2013-01-01T10:00:00Z", "2013-01-01 10:00"]
offsets = ["2013-01-01T10:00:00.5+02", "2013-01-01T10:00:00-05:30"]
written = st.sampled_from([*numerals, *dates, *offsets, "", " ", "x", "True", "false", "Ä\n"])
DAY_US = 86_400_000_000
days = st.integers(15_704, 15_708)  # since 1970: around the first of January 2013
moments = st.builds(
    lambda day, part: day * DAY_US + part, days, st.sampled_from([0, 1, DAY_US - 1])
)


def column(values: st.SearchStrategy[Any], kind: Any) -> st.SearchStrategy[pa.Array]:
    return st.lists(values | st.none(), min_size=1, max_size=6).map(lambda v: pa.array(v, kind))


limits = {"minimum": 0, "maximum": 2.5, "exclusive_minimum": -1, "exclusive_maximum": 3}
times = {"minimum": "2013-01-01", "exclusive_maximum": "2013-01-02T00:00:00Z"}
texts = {"min_length": 2, "max_length": 4, "pattern": "[0-9.]+|Ä."}
FITTING: Sequence[tuple[Any, tuple[str, ...], dict[str, Any]]] = [
    (column(numbers, "float64"), ("number", ""), limits),
    (column(finite, "float64"), ("integer",), limits),
    (column(numbers, "float64"), ("number",), {"accepted": (0, 2), "required": True}),
    (column(whole, "int64"), ("integer", "number", ""), limits),
    (column(whole, "int64"), ("integer",), {"refused": (2, 3.0), "required": True}),
    (column(st.booleans(), "bool"), ("boolean",), {"accepted": (True,), "required": True}),
    (column(written, "string"), ("integer", "number"), {**limits, "required": True}),
    (column(written, "string"), ("boolean",), {"accepted": (True,)}),
    (column(written, "string"), ("date", "timestamp"), {**times, "required": True}),
    (column(written, "string"), ("string", ""), {**texts, "accepted": ("2", "x", "Ä\n")}),
    (column(moments, pa.timestamp("us")), ("timestamp", "date", ""), times),
    (column(moments, pa.timestamp("us", "UTC")), ("timestamp",), times),
    (column(days, "date32"), ("date", "timestamp"), times),
    (column(st.none(), "null"), ("number", "string"), {"required": True}),
]


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_a_row_breaks_a_rule_here_exactly_if_it_does_in_the_contracts_check(
    data: st.DataObject,
) -> None:
    columns, types, promises = data.draw(st.sampled_from(FITTING))
    rule = ColumnRule(type=data.draw(st.sampled_from(types)), **promises)
    values = data.draw(columns)

    assert broken(rule, values) == broken_by_contract(rule, values)


def test_missing_breaks_required_and_passes_every_other_rule() -> None:
    rule = ColumnRule(type="number", required=True, minimum=0)

    assert broken(rule, [None, math.nan, -1.0, 0.0]) == {"required": [0, 1], "minimum": [2]}


def test_infinity_is_a_number_but_not_a_whole_one() -> None:
    assert broken(ColumnRule(type="integer"), [math.inf, 1e300, 1.0]) == {"type": [0]}
    assert broken(ColumnRule(type="number", maximum=9), [math.inf, 1.0]) == {"maximum": [0]}


def test_a_column_that_can_never_hold_its_type_breaks_it_in_every_row() -> None:
    assert broken(ColumnRule(type="number", minimum=0), [True, False]) == {"type": [0, 1]}


def test_a_fault_shows_at_most_five_values_and_a_warning_keeps_its_severity() -> None:
    rule = ColumnRule(minimum=0, severity={"minimum": "warning"})

    (fault,) = signature(x=rule).check_rows(pa.table({"x": [-1.0] * 9}))

    assert (fault.rows, fault.examples) == (tuple(range(9)), (-1.0,) * 5)
    assert fault.rule.severity == "warning"


def test_an_absent_column_is_named() -> None:
    with pytest.raises(RequestError, match=r"The columns x are absent\. Send each of x"):
        signature(x=ColumnRule()).check_rows(pa.table({"y": [1]}))


def test_a_signature_comes_back_exactly_from_json() -> None:
    one = signature(
        x=ColumnRule(type="number", accepted=(1, 2.5), severity={"accepted": "warning"}),
        s=ColumnRule(type="string", required=True, pattern="a+", primary_key=1),
    )

    assert from_json(json.loads(json.dumps(one.to_json()))) == one
    assert one.input_names == ("x", "s")
    assert one.to_json()["inputs"][1] == {
        "name": "s",
        "type": "string",
        "required": True,
        "primary_key": 1,
        "pattern": "a+",
    }


@pytest.mark.parametrize("value", [{}, {"key": 1}, {"inputs": [{"name": "x", "minimun": 1}]}])
def test_json_that_is_no_signature_is_refused(value: Any) -> None:
    whole = {"key": [], "inputs": [], "features": [], "target": "y", "task": "binary"}
    given_ = {**whole, **value} if value else {}

    with pytest.raises(IntegrityError, match="This is no model signature"):
        from_json(given_)


def test_arrow_types_have_the_contracts_words() -> None:
    values = [True, 1, 1.5, "a", date(2013, 1, 1), datetime(2013, 1, 1, tzinfo=UTC), b"x"]
    words = [type_of(pa.scalar(value).type) for value in values]

    assert words == ["boolean", "integer", "number", "string", "date", "timestamp", ""]
