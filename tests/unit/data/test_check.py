"""What holding a table to its contract promises."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import ibis.expr.types as ir
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ibis.util import gen_name

from fairway.data import check as check_module
from fairway.data.check import CheckResult, Example, RuleResult, check, freshness
from fairway.data.contract import Contract
from fairway.data.promise.rule import ColumnRule, Limit, Unique
from fairway.data.reading import engine
from fairway.errors import ContractError

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


def result(found: CheckResult, rule: str, column: str = "x") -> RuleResult:
    return next(one for one in found.rules if (one.rule, one.column) == (rule, column))


def n_broken(values: list[Any], rule: ColumnRule, type_: Any = None) -> int:
    return held(table({"x": values}, x=type_), {"x": rule}).n_aside


def test_breaking_rows_are_set_aside_with_rule_and_value_and_the_rest_goes_on() -> None:
    found = held(
        table({"id": [1, 2, 3], "x": [5.0, -1.0, None], "y": ["a", "b", "c"]}),
        {"id": Rule(primary_key=1), "x": Rule(type="number", required=True, minimum=0),
         "y": Rule(accepted=("a", "c"))},
    )  # fmt: skip

    assert [row["id"] for row in rows(found.passing)] == [1]
    assert (found.n_rows, found.n_aside) == (3, 2)
    assert rows(found.aside) == [
        {"id": 2, "x": -1.0, "y": "b", "broken_rule": "accepted", "broken_column": "y",
         "broken_value": "b"},
        {"id": 2, "x": -1.0, "y": "b", "broken_rule": "minimum", "broken_column": "x",
         "broken_value": "-1.0"},
        {"id": 3, "x": None, "y": "c", "broken_rule": "required", "broken_column": "x",
         "broken_value": None},
    ]  # fmt: skip
    assert result(found, "minimum").examples == (Example(value="-1.0", key=("2",)),)
    assert result(found, "minimum").why == "1 of 3 rows break the promise: x must be at least 0."


def test_a_warning_counts_and_sets_nothing_aside() -> None:
    found = held(
        table({"x": [1, 2, None]}),
        {
            "x": Rule(
                required=True, maximum=1, severity={"required": "warning", "maximum": "warning"}
            )
        },
    )

    assert found.n_aside == 0
    assert len(rows(found.passing)) == 3
    assert rows(found.aside) == []
    assert [(one.rule, one.n_breaking, one.passed) for one in found.rules] == [
        ("required", 1, False),
        ("maximum", 1, False),
    ]


def test_a_table_that_keeps_its_contract_passes_whole() -> None:
    found = held(table({"x": [1, 2]}), {"x": Rule(type="integer", required=True, unique=True)})

    assert rows(found.passing) == [{"x": 1}, {"x": 2}]
    assert found.aside.columns == ("x", *check_module.BROKEN)
    assert all(one.passed for one in found.rules)


def test_an_empty_table_and_an_empty_contract_pass() -> None:
    assert held(table({"x": []}, x="int64"), {"x": Rule(required=True, unique=True)}).n_rows == 0
    assert held(table({"x": [1]}), {}).n_aside == 0


def test_a_missing_column_refuses_the_table() -> None:
    with pytest.raises(ContractError, match="The column y is missing"):
        held(table({"x": [1]}), {"x": Rule(), "y": Rule()})


def test_a_mistyped_column_refuses_the_table() -> None:
    with pytest.raises(ContractError, match="x is int64, the contract says string"):
        held(table({"x": [1]}), {"x": Rule(type="string")})


def test_a_bound_that_the_column_cannot_be_compared_with_refuses_the_table() -> None:
    with pytest.raises(ContractError, match="cannot be held to minimum 0"):
        held(table({"x": ["a"]}), {"x": Rule(minimum=0)})


def test_a_missing_column_may_be_a_warning() -> None:
    found = held(table({"x": [1]}), {"x": Rule(), "y": Rule(severity={"type": "warning"})})

    assert [(one.rule, one.column, one.passed) for one in found.rules] == [("present", "y", False)]


def test_text_that_mostly_does_not_read_refuses_the_table_with_values() -> None:
    with pytest.raises(ContractError, match=r"2 of 3 values do not read as number, such as '\$1'"):
        held(table({"x": ["$1", "$2", "3", None, None, None]}), {"x": Rule(type="number")})


def test_rules_of_a_text_column_are_asked_of_what_it_reads_as() -> None:
    found = held(table({"x": ["5", "50", "x"]}), {"x": Rule(type="integer", maximum=10)})

    assert {row["x"]: row["broken_rule"] for row in rows(found.aside)} == {
        "50": "maximum",
        "x": "type",
    }


def test_a_column_of_nulls_alone_passes_whatever_its_type() -> None:
    found = held(table({"x": pa.nulls(2)}), {"x": Rule(type="integer", minimum=0)})

    assert rows(found.passing) == [{"x": None}, {"x": None}]


@pytest.mark.parametrize(
    ("limit", "n"),
    [
        (Limit(metric="rowCount", operator="mustBeGreaterThan", bound=4), 4),
        (Limit(metric="nullValues", columns=("x",), rules=Rule(required=True).rules("x"),
               operator="mustBeLessThan", bound=25, percent=True), 1),
        (Limit(metric="invalidValues", columns=("x",), rules=Rule(accepted=("a",)).rules("x"),
               operator="mustBe", bound=2), 1),
        (Limit(metric="duplicateValues", columns=("x",), operator="mustBeLessThan", bound=1), 1),
    ],
)  # fmt: skip
def test_a_limit_that_is_not_kept_refuses_the_table_and_tells_the_count(
    limit: Limit, n: int
) -> None:
    given_ = table({"x": ["a", "a", "b", None]})
    warned = Limit(**{**vars(limit), "severity": "warning"})

    with pytest.raises(ContractError, match=rf"is {n} of 4 rows \({limit.operator}"):
        held(given_, {"x": Rule()}, limits=(limit,))
    assert [one.n_breaking for one in held(given_, {}, limits=(warned,)).rules] == [n]


def test_the_newest_row_is_told_and_judged_by_the_clock_given() -> None:
    at = [datetime(2013, 1, 1, tzinfo=UTC), datetime(2013, 1, 2, tzinfo=UTC), None]
    orders = contract({"at": Rule()}, fresh_s=3600.0, fresh_column="at")

    newest = check(ENGINE, table({"at": at}), orders).newest

    assert newest == datetime(2013, 1, 2, tzinfo=UTC)
    fresh = freshness(orders, newest, at=datetime(2013, 1, 2, 1, tzinfo=UTC))
    stale = freshness(orders, newest, at=datetime(2013, 1, 2, 1, 0, 1, tzinfo=UTC))
    assert (fresh and fresh.passed, stale and stale.passed) == (True, False)
    assert freshness(contract({}), newest, at=at[0] or datetime.now(UTC)) is None


def test_at_most_five_examples_are_shown_and_always_the_same() -> None:
    given_ = table({"i": list(range(50, 0, -1)), "x": [-1] * 50})
    rules = {"i": Rule(primary_key=1), "x": Rule(minimum=0)}

    first, second = held(given_, rules), held(given_, rules)

    assert len(result(first, "minimum").examples) == 5
    assert result(first, "minimum").examples == result(second, "minimum").examples


def test_many_breaking_rows_are_found_as_few_are(monkeypatch: pytest.MonkeyPatch) -> None:
    given_ = table({"x": list(range(100))})
    few = held(given_, {"x": Rule(maximum=9)})
    monkeypatch.setattr(check_module, "MOST_KEPT", 10)

    many = held(given_, {"x": Rule(maximum=9)})

    assert many.n_aside == few.n_aside == 90
    assert rows(many.aside) == rows(few.aside)
    assert many.rules == few.rules


@pytest.mark.parametrize("name", ["emp.var.rate", "with space", 'quo"te', "rule", "group"])
def test_columns_of_any_name_are_checked(name: str) -> None:
    found = held(table({name: [1, 2, 2, -1]}), {name: Rule(type="integer", minimum=0, unique=True)})

    assert len(rows(found.aside)) == 3
    assert [row[name] for row in rows(found.passing)] == [1]


@settings(max_examples=8, deadline=None)
@given(keys=st.lists(st.tuples(st.integers(0, 3), st.none() | st.sampled_from("ab")), max_size=9))
def test_passing_and_aside_are_the_tables_rows_each_once(keys: list[tuple[int, Any]]) -> None:
    given_ = table(
        {"i": list(range(len(keys))), "a": [a for a, _ in keys], "b": [b for _, b in keys]},
        i=pa.int64(), a=pa.int64(), b=pa.string(),
    )  # fmt: skip
    found = held(given_, {"a": Rule(maximum=2)}, uniques=(Unique(columns=("a", "b")),))

    repeated = {k for k in keys if None not in k and keys.count(k) > 1}
    bad = [i for i, (a, b) in enumerate(keys) if a > 2 or (a, b) in repeated]
    assert [row["i"] for row in rows(found.passing)] == [
        i for i in range(len(keys)) if i not in bad
    ]
    assert sorted({row["i"] for row in rows(found.aside)}) == bad
    assert found.n_aside == len(bad)
