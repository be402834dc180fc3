"""What reading and writing a contract promises."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fairway.data.contract import Contract, load
from fairway.data.promise.rule import ColumnRule, Limit, Reference, RowRule, Unique
from fairway.errors import ProjectError

HEAD = """apiVersion: v3.1.0
kind: DataContract
id: orders
version: 1.0.0
status: active
schema:
- name: orders
"""


def contract(tmp_path: Path, body: str, *, head: str = HEAD, **which: Any) -> Contract:
    path = tmp_path / "orders.odcs.yaml"
    path.write_text(head + body, encoding="utf-8")
    return load(path, **which)


def fault(tmp_path: Path, body: str, *, head: str = HEAD) -> ProjectError:
    with pytest.raises(ProjectError) as caught:
        contract(tmp_path, body, head=head)
    assert caught.value.file == tmp_path / "orders.odcs.yaml"
    return caught.value


def one(tmp_path: Path, body: str) -> ColumnRule:
    return contract(tmp_path, f"  properties:\n  - name: x\n{body}").columns["x"]


def test_every_promise_of_a_column_is_read(tmp_path: Path) -> None:
    found = contract(
        tmp_path,
        """  properties:
  - name: id
    logicalType: integer
    primaryKey: true
    primaryKeyPosition: 2
  - name: shop
    physicalName: shop_code
    description: Where it was sold
    logicalType: string
    required: true
    unique: true
    logicalTypeOptions: {minLength: 2, maxLength: 4, pattern: "[A-Z]+"}
    quality:
    - {metric: invalidValues, arguments: {validValues: [AA, BB]}, mustBe: 0, severity: warning}
    - {metric: missingValues, arguments: {missingValues: [null, "?"]}, mustBe: 0}
    relationships:
    - to: shops.code
    customProperties:
    - {property: knownAt, value: "at + 1d"}
    - {property: severity, value: {pattern: warning}}
  - name: at
    logicalType: timestamp
    primaryKey: true
    primaryKeyPosition: 1
    logicalTypeOptions: {minimum: 2013-01-01, exclusiveMaximum: "2014-01-01T00:00:00Z"}
""",
    )

    assert found.key == ("at", "id")
    assert found.columns["shop_code"] == ColumnRule(
        type="string",
        required=True,
        unique=True,
        min_length=2,
        max_length=4,
        pattern="[A-Z]+",
        accepted=("AA", "BB"),
        refused=("?",),
        known_at="at + 1d",
        severity={"accepted": "warning", "pattern": "warning"},
        description="Where it was sold",
    )
    assert found.references == (
        Reference(columns=("shop_code",), source="shops", to=("code",), severity="error"),
    )
    assert RowRule(column="at", kind="minimum", value="2013-01-01") in found.row_rules()
    assert RowRule(column="id", kind="required") in found.row_rules()
    assert found.unique_keys() == (Unique(columns=("at", "id")), Unique(columns=("shop_code",)))


def test_promises_of_the_whole_table_are_read(tmp_path: Path) -> None:
    found = contract(
        tmp_path,
        """  relationships:
  - {from: [orders.a, orders.b], to: [shops.x, shops.y]}
  properties:
  - name: a
    quality:
    - {metric: nullValues, mustBeLessThan: 5, unit: percent, severity: warning}
  - {name: b}
  quality:
  - {metric: rowCount, mustBeBetween: [10, 20]}
  - {metric: duplicateValues, arguments: {properties: [a, b]}, mustBe: 0}
slaProperties:
- {property: latency, value: 2, unit: h, element: orders.b}
""",
    )

    assert found.uniques == (Unique(columns=("a", "b")),)
    assert found.references[0].to == ("x", "y")
    assert (found.fresh_s, found.fresh_column) == (7200.0, "b")
    assert set(found.limits) == {
        Limit(metric="rowCount", operator="mustBeBetween", bound=(10, 20)),
        Limit(
            metric="nullValues",
            columns=("a",),
            rules=(RowRule(column="a", kind="required"),),
            operator="mustBeLessThan",
            bound=5,
            percent=True,
            severity="warning",
        ),
    }


@pytest.mark.parametrize(
    ("body", "line", "problem"),
    [
        ("    logicalType: string\n    enum: [{value: NO}]\n", 9, "False is no string"),
        ("    customProperties:\n    - {property: knownAt, value: arrived + 1d}\n", 10, "arrived"),
        ("    logicalType: date\n    logicalTypeOptions:\n      minimum: soon\n", 12, "'soon'"),
        ("    logicalType: integer\n    logicalTypeOptions: {minimum: 9, maximum: 1}\n", 11,
         "above its maximum"),
        ("    logicalType: string\n    logicalTypeOptions: {pattern: 'a(?=b)'}\n", 9, "RE2"),
        ("    customProperties:\n    - {property: references, value: shops}\n", 10, "refer"),
    ],
)  # fmt: skip
def test_what_the_schema_cannot_see_is_told_with_its_line(
    tmp_path: Path, body: str, line: int, problem: str
) -> None:
    error = fault(tmp_path, f"  properties:\n  - name: x\n{body}")

    assert error.line == line
    assert problem in error.problem


def test_of_several_tables_one_is_named(tmp_path: Path) -> None:
    body = "  properties: [{name: x}]\n- name: shops\n  properties: [{name: y}]\n"

    assert list(contract(tmp_path, body, table="shops").columns) == ["y"]
    assert "orders, shops" in fault(tmp_path, body).problem


def test_what_is_not_checked_is_listed_with_its_line(tmp_path: Path) -> None:
    found = contract(
        tmp_path,
        "  properties:\n  - name: x\n    logicalType: integer\n    logicalTypeOptions:\n"
        "      multipleOf: 5\n    quality:\n    - {type: text, description: tidy}\n"
        "    - {type: sql, query: select 1, mustBe: 1}\n",
    )

    assert [text.rpartition("orders.odcs.yaml")[2] for text in found.unchecked] == [
        ":12: multipleOf of x is not checked.",
        ":15: the quality rule sql is not checked.",
    ]


def test_version_three_zero_is_read_as_it_was_spelled(tmp_path: Path) -> None:
    found = contract(
        tmp_path,
        """  properties:
  - name: x
    logicalType: integer
    logicalTypeOptions: {maximum: 9, exclusiveMaximum: true}
    customProperties: [{property: references, value: shops.code}]
    quality:
    - {type: library, rule: nullCheck}
    - {type: library, rule: validValues, validValues: [1, 2]}
    - {type: library, rule: houseRule, mustBe: 3}
  quality:
  - {type: library, rule: rowCount, mustBeGreaterThan: 3}
""",
        head=HEAD.replace("v3.1.0", "v3.0.2"),
    )

    assert found.columns["x"] == ColumnRule(
        type="integer", required=True, exclusive_maximum=9, accepted=(1, 2)
    )
    assert found.references == (Reference(columns=("x",), source="shops", to=("code",)),)
    assert found.limits[0].bound == 3
    assert "houseRule is not checked" in found.unchecked[0]


def test_version_three_two_may_list_its_values_as_an_enum(tmp_path: Path) -> None:
    head = HEAD.replace("v3.1.0", "v3.2.0")
    body = "  properties:\n  - name: x\n    enum: [{value: a}, {value: b}]\n"

    assert contract(tmp_path, body, head=head).columns["x"].accepted == ("a", "b")


def test_references_by_id_are_resolved_to_names(tmp_path: Path) -> None:
    found = contract(
        tmp_path,
        """  id: orders_tbl
  properties:
  - name: x
    relationships:
    - to: schema/shops_tbl/properties/code_id
    - to: other.yaml#/schema/cities/properties/zip
- name: shops
  id: shops_tbl
  properties: [{name: code, id: code_id}]
""",
        table="orders",
    )

    assert [(one.source, one.to) for one in found.references] == [
        ("shops", ("code",)),
        ("cities", ("zip",)),
    ]


def test_mild_words_are_warnings_and_all_others_errors(tmp_path: Path) -> None:
    words = {"warning": "warning", "low": "warning", "info": "warning", "critical": "error"}
    for word, severity in words.items():
        rule = one(
            tmp_path, f"    quality: [{{metric: nullValues, mustBe: 0, severity: {word}}}]\n"
        )

        assert rule.severity_of("required") == severity


def test_a_contract_is_read_without_any_engine(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(HEAD + "  properties: [{name: at, customProperties: "
                    "[{property: knownAt, value: at - 3h}]}]\n")  # fmt: skip
    heavy = ["ibis", "duckdb", "pandas", "numpy", "pyarrow", "pydantic", "sklearn"]
    script = (
        "import sys; from pathlib import Path; from fairway.data import contract; "
        f"contract.load(Path({str(path)!r})); print([m for m in {heavy} if m in sys.modules])"
    )

    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "[]"
