"""Ask the engine for what repairs need to know of the training rows: medians, spreads, modes.

Room: ``fairway.data``, the part of ``repair`` that speaks to the engine. It decides nothing: a
plan comes in from ``repair``, numbers go back. It must see values exactly as
``fairway.model.repair`` will see them when it applies what was fitted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import ibis.expr.types as ir

MISSING_TEXT = "(missing)"
MAD_TO_SIGMA = 1.4826  # 1 / (normal quantile of 3/4): makes a MAD estimate a standard deviation
BLANK_TEXT = r"^[\s\v\x1c-\x1f\x{85}\p{Z}]*$"  # RE2, which DuckDB and Arrow share


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One column's operations before any number of the training rows is known.

    Attributes:
        column: Its name.
        kind: number, integer, text, boolean or time.
        how: ``"median"``, ``"mode"``, or the fill itself.
        flag: Whether a flag is added; None: only where the training rows miss some value.
        sentinel: Values of this column's kind that stand for "missing".
        spelling: Variant -> the one spelling; text only.
        mad_k: As in ``RepairRule``; numbers only, like ``clip``.
        then: What happens to an outlier: ``"missing"`` or ``"drop"``.
        clip: As in ``RepairRule``; numbers only.
    """

    column: str
    kind: str
    how: str | int | float | bool
    flag: bool | None
    sentinel: tuple[str | float, ...]
    spelling: Mapping[str, str]
    mad_k: float | None
    then: str
    clip: tuple[float | None, float | None] | None


def before_mad(table: "ir.Table", plan: Plan) -> "ir.Value":
    """The column after sentinels, blanks and spelling: what its outlier rule looks at."""
    import ibis

    column = table[plan.column]
    if plan.kind == "boolean":
        return column.cast("int8")
    if plan.kind == "time":
        return column.cast("timestamp('UTC')")
    if plan.kind == "text":
        column = column.cast("string")
        is_blank = column.re_search(BLANK_TEXT) | column.isin(plan.sentinel or [""])
        column = is_blank.ifelse(ibis.null("string"), column)
        if plan.spelling:
            pairs = [(column == old, new) for old, new in plan.spelling.items()]
            column = ibis.cases(*pairs, else_=column)
        return column
    column = column.cast("float64")
    is_missing = column.isnan() | column.isinf()
    if plan.sentinel:
        is_missing |= column.isin(plan.sentinel)
    return is_missing.ifelse(ibis.null("float64"), column)


def mads(known: "ir.Table", plans: Sequence[Plan]) -> dict[str, dict[str, Any]]:
    """Ask for centre and spread of the columns that have an outlier rule: two scans."""
    if not plans:
        return {}
    columns = [plan.column for plan in plans]
    centers = _one_row(known, {name: known[name].median() for name in columns})
    asked = {name: (known[name] - (centers[name] or 0.0)).abs().median() for name in columns}
    spreads = _one_row(known, asked)
    return {
        plan.column: {
            "column": plan.column,
            "op": "mad",
            "center": centers[plan.column] or 0.0,
            "scale": MAD_TO_SIGMA * (spreads[plan.column] or 0.0),
            "k": plan.mad_k,
            "then": plan.then,
        }
        for plan in plans
    }


def is_outlier(table: "ir.Table", op: Mapping[str, Any]) -> "ir.BooleanValue":
    """Whether a value is farther from the centre than the rule allows; a scale of 0 allows all."""
    distance = (table[op["column"]] - op["center"]).abs()
    return (distance > op["k"] * op["scale"]) & (op["scale"] > 0)


def after_mad(table: "ir.Table", plan: Plan, mads: Mapping[str, Mapping[str, Any]]) -> "ir.Value":
    """The column after outliers and clip: what its fill is learned from."""
    import ibis

    column = table[plan.column]
    if plan.column in mads:
        is_far = is_outlier(table, mads[plan.column])
        column = is_far.ifelse(ibis.null("float64"), column)
    if plan.clip is not None:
        low, high = plan.clip
        if low is not None:
            column = (column < low).ifelse(low, column)
        if high is not None:
            column = (column > high).ifelse(high, column)
    return column


def fills(known: "ir.Table", plans: Sequence[Plan]) -> tuple[dict[str, Any], dict[str, int], int]:
    """Ask for every fill, how many values each column misses, and the number of rows."""
    asked = {f"n{i}": known[plan.column].count() for i, plan in enumerate(plans)}
    for i, plan in enumerate(plans):
        if plan.how == "median" and plan.kind in {"number", "integer"}:
            asked[f"fill{i}"] = known[plan.column].median()
    row = _one_row(known, {"n": known.count(), **asked})
    n_rows = int(row["n"])
    n_missing = {plan.column: n_rows - int(row[f"n{i}"]) for i, plan in enumerate(plans)}
    empty = {"text": MISSING_TEXT, "time": "1970-01-01T00:00:00Z"}
    fills: dict[str, Any] = {}
    for i, plan in enumerate(plans):
        n_values = n_rows - n_missing[plan.column]
        if plan.how not in ("median", "mode"):
            fill: Any = plan.how
        elif n_values == 0:
            fill = empty.get(plan.kind, 0.0)
        elif f"fill{i}" in row:
            fill = row[f"fill{i}"]
        elif plan.how == "median" and plan.kind == "time":
            fill = _middle(known, plan.column, n_values)
        else:
            fill = _mode(known, plan.column)
        fills[plan.column] = iso(fill) if isinstance(fill, datetime) else fill
    return fills, n_missing, n_rows


def _middle(table: "ir.Table", name: str, n_values: int) -> Any:  # noqa: ANN401  one of its values
    """The middle value; of two middle values the earlier."""
    column = table.filter(table[name].notnull()).select(value=table[name]).order_by("value")
    return column.limit(1, offset=(n_values - 1) // 2).to_pyarrow().to_pylist()[0]["value"]


def _mode(table: "ir.Table", name: str) -> Any:  # noqa: ANN401  one of its values
    """The most frequent value; of several the smallest."""
    import ibis

    values = table.filter(table[name].notnull()).group_by(value=table[name]).agg(n=ibis._.count())
    return values.order_by(ibis.desc("n"), "value").limit(1).to_pyarrow().to_pylist()[0]["value"]


def _one_row(table: "ir.Table", asked: Mapping[str, "ir.Scalar"]) -> dict[str, Any]:
    answer: dict[str, Any] = table.aggregate(**asked).to_pyarrow().to_pylist()[0]
    return answer


def iso(instant: datetime) -> str:
    """Spell an instant as ISO 8601 in UTC; one without a zone is taken as UTC."""
    aware = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
    return aware.astimezone(UTC).isoformat().replace("+00:00", "Z")
