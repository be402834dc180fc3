"""What each column of a row to predict must be: as the dataset's contract says, else as trained.

Room: ``fairway.line``. Without a contract only the type is asked for: a careful default refuses a
text where a number was, and nothing that training has not ruled out.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from fairway.data.contract import Contract
from fairway.data.rule import ColumnRule
from fairway.model.signature import Field, type_of

if TYPE_CHECKING:
    import ibis.expr.types as ir


def fields(
    rows: "ir.Table", names: Sequence[str], promised: Contract | None, *, key: Sequence[str]
) -> tuple[Field, ...]:
    """The input columns of a model with their rules, in the dataset's order."""
    types = {one.name: type_of(one.type) for one in rows.schema().to_pyarrow()}
    found = []
    for name in names:
        rule = promised.columns[name] if promised and name in promised.columns else ColumnRule()
        required = rule.required or name in key
        found.append(
            Field(name=name, rule=replace(rule, type=rule.type or types[name], required=required))
        )
    return tuple(found)
