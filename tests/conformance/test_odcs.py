"""Contracts are those of the Open Data Contract Standard, as its own package judges them."""

import json
from importlib import resources
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft201909Validator
from open_data_contract_standard.model import OpenDataContractStandard

from fairway.data.contract import Contract, dump, load
from fairway.data.promise.rule import ColumnRule, Limit, Reference, RowRule, Unique
from fairway.errors import ProjectError

SCHEMA = json.loads((resources.files("open_data_contract_standard") / "schema.json").read_text())
SINCE_3_2 = {"enum", "semanticType", "synonyms", "deprecated", "map", "context", "vendor"}

FULL = Contract(
    id="7c9f",
    name="orders",
    version="2.0.1",
    columns={
        "id": ColumnRule(type="integer", primary_key=1, description="One a row"),
        "shop": ColumnRule(
            type="string",
            required=True,
            unique=True,
            pattern="[A-Z]+",
            min_length=1,
            max_length=9,
            accepted=("NO", "1", "é"),
            refused=("?",),
            severity={"accepted": "warning", "pattern": "warning"},
        ),
        "at": ColumnRule(type="timestamp", minimum="2013-01-01T00:00:00Z", known_at="at + 1d"),
        "price": ColumnRule(type="number", exclusive_minimum=0, maximum=99.5),
        "plain": ColumnRule(),
    },
    uniques=(Unique(columns=("shop", "at"), severity="warning"),),
    references=(
        Reference(columns=("shop",), source="shops", to=("code",)),
        Reference(columns=("shop", "at"), source="prices", to=("shop", "at"), severity="warning"),
    ),
    limits=(
        Limit(metric="rowCount", operator="mustBeBetween", bound=(1, 100)),
        Limit(metric="duplicateValues", columns=("id", "at"), operator="mustBeLessThan", bound=3),
        Limit(
            metric="missingValues",
            columns=("shop",),
            rules=(
                RowRule(column="shop", kind="required"),
                RowRule(column="shop", kind="refused", value=("-",)),
            ),
            operator="mustBeLessThan",
            bound=1,
            percent=True,
            severity="warning",
        ),
    ),
    fresh_s=7200.0,
    fresh_column="at",
)

MINIMAL = """apiVersion: {version}
kind: DataContract
id: orders
version: 1.0.0
status: active
schema:
- name: orders
  properties:
  - name: id
    logicalType: integer
    required: true
"""


def keys(value: object) -> set[str]:
    """All field names of a document."""
    if isinstance(value, dict):
        return set(value).union(*[keys(one) for one in value.values()])
    return set().union(*[keys(one) for one in value]) if isinstance(value, list) else set()


def test_what_is_written_is_valid_by_the_standards_own_schema() -> None:
    document = yaml.safe_load(dump(FULL))
    # The schema takes a property without logicalType for a map; the standard makes it optional.
    document["schema"][0]["properties"].pop()

    assert list(Draft201909Validator(SCHEMA).iter_errors(document)) == []


def test_what_is_written_is_read_by_the_standards_own_class() -> None:
    read = OpenDataContractStandard.from_string(dump(FULL))

    assert (read.apiVersion, read.kind) == ("v3.1.0", "DataContract")
    assert read.schema_ is not None
    shop = (read.schema_[0].properties or [])[1]
    assert (shop.name, shop.unique, shop.logicalType) == ("shop", True, "string")
    assert [one.to for one in shop.relationships or []] == ["shops.code"]
    assert [one.metric for one in shop.quality or []] == [
        "invalidValues",
        "missingValues",
        "missingValues",
    ]


def test_what_is_written_as_v3_1_has_no_field_of_v3_2() -> None:
    assert keys(yaml.safe_load(dump(FULL))) & SINCE_3_2 == set()


def test_what_is_written_is_read_back_whole(tmp_path: Path) -> None:
    path = tmp_path / "orders.odcs.yaml"
    path.write_text(dump(FULL), encoding="utf-8")

    assert load(path) == FULL


@pytest.mark.parametrize("version", ["v3.0.0", "v3.0.1", "v3.0.2", "v3.1.0", "v3.2.0"])
def test_every_version_from_v3_0_0_to_v3_2_0_is_read(version: str, tmp_path: Path) -> None:
    path = tmp_path / "orders.odcs.yaml"
    path.write_text(MINIMAL.format(version=version))

    assert load(path).columns == {"id": ColumnRule(type="integer", required=True)}


@pytest.mark.parametrize("version", ["v2.2.2", "v3.3.0", "3.1.0", "v4.0.0"])
def test_no_other_version_is_read(version: str, tmp_path: Path) -> None:
    path = tmp_path / "orders.odcs.yaml"
    path.write_text(MINIMAL.format(version=version))

    with pytest.raises(ProjectError, match="apiVersion"):
        load(path)


def test_a_misspelt_kind_that_the_standards_class_lets_pass_is_refused(tmp_path: Path) -> None:
    text = MINIMAL.format(version="v3.1.0").replace("DataContract", "DataContrct")
    path = tmp_path / "orders.odcs.yaml"
    path.write_text(text)

    assert OpenDataContractStandard.from_string(text).kind == "DataContrct"
    with pytest.raises(ProjectError, match="kind is 'DataContrct'"):
        load(path)
