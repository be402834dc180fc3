"""What each column of a row to predict must be: as the dataset's contract says, else as trained.

Room: ``fairway.line``, for the stage ``dataset``. Where the project has no contract for the
dataset, one is drafted from the training rows, and serving enforces that.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from fairway.data.contract import Contract
from fairway.data.dataset import DatasetSpec
from fairway.data.promise.rule import ColumnRule
from fairway.model.signature import Field, type_of

if TYPE_CHECKING:
    import ibis.expr.types as ir


def draft(train: "ir.Table", spec: DatasetSpec) -> Contract:
    """A contract for single rows, from the training rows; it says nothing of whole tables."""
    from fairway.data.promise.draft import suggest_contract

    drafted = suggest_contract(train, "dataset", key=spec.key, time=spec.time)
    return replace(drafted, uniques=(), references=(), limits=())


def fields(
    rows: "ir.Table", names: Sequence[str], promised: Contract, *, key: Sequence[str]
) -> tuple[Field, ...]:
    """The input columns of a model with their rules, in the dataset's order."""
    types = {one.name: type_of(one.type) for one in rows.schema().to_pyarrow()}
    found = []
    for name in names:
        rule = promised.columns.get(name, ColumnRule())
        required = rule.required or name in key
        found.append(
            Field(name=name, rule=replace(rule, type=rule.type or types[name], required=required))
        )
    return tuple(found)
