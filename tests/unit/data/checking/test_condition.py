"""What keys and references promise: the rows that break them, all of them and no other."""

from collections.abc import Mapping
from typing import Any

import ibis.expr.types as ir
import pyarrow as pa
import pytest
from ibis.util import gen_name

from fairway.data.check import CheckResult, RuleResult, check
from fairway.data.contract import Contract
from fairway.data.promise.rule import ColumnRule, Reference, Unique
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


def result(found: CheckResult, rule: str, column: str = "x") -> RuleResult:
    return next(one for one in found.rules if (one.rule, one.column) == (rule, column))


def n_broken(values: list[Any], rule: ColumnRule, type_: Any = None) -> int:
    return held(table({"x": values}, x=type_), {"x": rule}).n_aside


def test_all_rows_of_a_repeated_key_are_set_aside() -> None:
    found = held(
        table({"a": [1, 1, 1, 2], "b": ["x", "x", "y", "x"]}),
        {"a": Rule(primary_key=1), "b": Rule(primary_key=2)},
    )

    assert rows(found.passing) == [{"a": 1, "b": "y"}, {"a": 2, "b": "x"}]
    assert result(found, "unique", "a, b").n_breaking == 2
    assert {row["broken_value"] for row in rows(found.aside)} == {"1, x"}


def test_a_null_in_a_unique_column_passes_and_in_a_key_is_missing() -> None:
    assert n_broken([None, None, 1], Rule(unique=True), pa.int64()) == 0
    assert n_broken([None, None, 1], Rule(primary_key=1), pa.int64()) == 2


def test_swapped_values_are_no_repeated_key() -> None:
    found = held(table({"a": [1, 2], "b": [2, 1]}), {}, uniques=(Unique(columns=("a", "b")),))

    assert found.n_aside == 0


def test_keys_are_compared_block_by_block_with_the_same_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given_ = table({"x": [*range(3000), 7, 2999]})
    whole = held(given_, {"x": Rule(unique=True)})
    monkeypatch.setattr("fairway.data.checking.duplicate.BLOCK", 500)

    blocks = held(given_, {"x": Rule(unique=True)})

    assert rows(blocks.aside) == rows(whole.aside)
    assert [row["x"] for row in rows(blocks.aside)] == [7, 7, 2999, 2999]


def test_values_that_another_source_lacks_are_set_aside() -> None:
    reference = Reference(columns=("x",), source="shops", to=("code",))
    orders = contract({"x": Rule()}, references=(reference,))
    shops = table({"code": ["a", "b", "b", None]})

    found = check(ENGINE, table({"x": ["a", "c", None, "c"]}), orders, references={"shops": shops})

    assert [row["broken_value"] for row in rows(found.aside)] == ["c", "c"]
    assert [row["x"] for row in rows(found.passing)] == ["a", None]


def test_a_reference_of_several_columns_looks_up_all_of_them() -> None:
    reference = Reference(columns=("a", "b"), source="s", to=("c", "d"))
    orders = contract({}, references=(reference,))
    other = table({"c": [1, 2], "d": ["x", "y"]})

    found = check(ENGINE, table({"a": [1, 1], "b": ["x", "y"]}), orders, references={"s": other})

    assert [row["broken_value"] for row in rows(found.aside)] == ["1, y"]


def test_a_source_that_is_not_given_or_does_not_fit_fails_its_reference() -> None:
    reference = Reference(columns=("x",), source="shops", to=("code",))
    orders, given_ = contract({"x": Rule()}, references=(reference,)), table({"x": ["a"]})

    absent = check(ENGINE, given_, orders)
    misfit = check(ENGINE, given_, orders, references={"shops": table({"code": [1]})})
    nameless = check(ENGINE, given_, orders, references={"shops": table({"id": ["a"]})})

    told = [result(found, "reference") for found in (absent, misfit, nameless)]
    assert [one.passed for one in told] == [False, False, False]
    assert "not given" in told[0].why
    assert "never meet" in told[1].why
    assert "no column code" in told[2].why
    assert absent.n_aside == 0
