"""Say in SQL which rows break a rule: the meaning that ``rule.RowRule`` gives, as expressions.

Room: ``fairway.data``, after ``rule``, before ``check``. It builds Ibis expressions and runs none.
Import it inside functions: it loads Ibis.
"""

import operator
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, time
from typing import Any, Literal

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir

from fairway.data.promise.rule import TEXT_FORMS, RowRule, Scalar, full_match

Fit = Literal["as is", "by row", "as text", "never"]
"""How a column's type meets a logical type: in every value, row by row, as text, or never."""

_TEXT_TYPES = {
    "integer": "int64",
    "number": "float64",
    "boolean": "boolean",
    "date": "date",
    "timestamp": "timestamp('UTC')",
}


_OUTSIDE: Mapping[str, Callable[[Any, Any], Any]] = {
    "minimum": operator.lt,
    "maximum": operator.gt,
    "exclusiveMinimum": operator.le,
    "exclusiveMaximum": operator.ge,
}


def fit(type_: dt.DataType, logical: str) -> Fit:
    """Tell how a column's type meets one of the standard's logical types."""
    is_number = type_.is_integer() or type_.is_floating() or type_.is_decimal()
    exact = {
        "string": type_.is_string() or type_.is_uuid(),
        "integer": type_.is_integer(),
        "number": is_number,
        "boolean": type_.is_boolean(),
        "date": type_.is_date() or type_.is_timestamp(),
        "timestamp": type_.is_date() or type_.is_timestamp(),
        "time": type_.is_time(),
        "object": type_.is_struct() or type_.is_map() or type_.is_json(),
        "map": type_.is_map() or type_.is_struct() or type_.is_json(),
        "array": type_.is_array(),
        "vector": type_.is_array(),
    }
    if exact.get(logical, True) or type_.is_null():
        return "as is"
    if logical == "integer" and is_number:
        return "by row"
    return "as text" if type_.is_string() and logical in TEXT_FORMS else "never"


def convert(value: ir.Value, logical: str) -> ir.Value:
    """Read text as a logical type; null where it does not read as one."""
    readable = _reads_as(value, logical)
    plain = value.strip()
    if logical == "boolean":
        plain = plain.lower()
    return readable.ifelse(plain, None).try_cast(_TEXT_TYPES[logical])


def plain(table: ir.Table) -> ir.Table:
    """The table with text where a column is nothing but null and has no other type.

    DuckDB has a type for such columns, and Ibis none: it calls it unknown.
    """
    untyped = [
        name
        for name, type_ in table.schema().items()
        if type_.is_null() or (type_.is_unknown() and "NULL" in str(type_))
    ]
    return table.cast(dict.fromkeys(untyped, "string")) if untyped else table


def is_missing(value: ir.Value) -> ir.BooleanValue:
    """Null, or NaN in a float column; never null itself."""
    missing = value.isnull()
    return missing | value.isnan().fill_null(False) if value.type().is_floating() else missing  # noqa: FBT003  a value


def breaks(value: ir.Value, rule: RowRule) -> ir.BooleanValue:
    """Whether a value breaks a rule; null, which counts as no, where the value is null.

    Args:
        value: The column that the rule names, converted if it was text; for ``type`` as it came.
        rule: The rule; its bound must be comparable with the column (``is_comparable``).
    """
    if rule.kind == "required":
        return is_missing(value)
    broken = _breaks(value, rule)
    return broken & ~value.isnan() if value.type().is_floating() else broken


def is_comparable(type_: dt.DataType, rule: RowRule) -> bool:
    """Whether a column of this type can be asked at all; a refusal is better than an odd answer."""
    if rule.kind in {"pattern", "minLength", "maxLength"}:
        return bool(type_.is_string())
    if rule.kind in {"required", "type", "accepted", "refused"}:
        return True
    return not isinstance(rule.value, tuple | None) and _literal(type_, rule.value) is not None


def text(values: list[ir.Value]) -> ir.StringValue:
    """Spell one value, or several of one row, for people; null only if a single value is."""
    spelled = [value.cast("string") for value in values]
    if len(spelled) == 1:
        return spelled[0]
    return ibis.literal(", ").join([one.fill_null("null") for one in spelled])


def _breaks(value: ir.Value, rule: RowRule) -> ir.BooleanValue:
    bound: Any = rule.value
    match rule.kind:
        case "type" if value.type().is_string():
            broken = value.notnull() & convert(value, str(bound)).isnull()
        case "type":
            broken = value % 1 != 0  # infinity leaves NaN, which is not 0
        case "pattern":
            broken = ~value.re_search(full_match(bound))
        case "minLength":
            broken = value.length() < bound
        case "maxLength":
            broken = value.length() > bound
        case "accepted" | "refused":
            listed = [_literal(value.type(), one) for one in bound]
            found = value.isin([one for one in listed if one is not None])
            broken = ~found if rule.kind == "accepted" else found
        case _:
            compared = value.cast("timestamp") if value.type().is_date() else value
            broken = _OUTSIDE[rule.kind](compared, _literal(value.type(), bound))
    return broken


def _reads_as(value: ir.Value, logical: str) -> ir.BooleanValue:
    return value.re_search(full_match(TEXT_FORMS[logical]))


def _literal(type_: dt.DataType, value: Scalar) -> ir.Scalar | None:
    """A contract's value as one that compares with a column; None where none does."""
    if isinstance(value, bool):
        fits = type_.is_boolean()
    elif isinstance(value, int | float):
        fits = type_.is_integer() or type_.is_floating() or type_.is_decimal()
    elif type_.is_time() or type_.is_date() or type_.is_timestamp():
        return _time(type_, value)
    else:
        fits = type_.is_string()
    return ibis.literal(value) if fits else None


def _time(type_: dt.DataType, value: str) -> ir.Scalar | None:
    """ISO 8601 text as a literal of a time column; None where it is no such text."""
    try:
        if type_.is_time():
            return ibis.literal(time.fromisoformat(value))
        read = datetime.fromisoformat(value)
    except ValueError:
        return None
    at = read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    if type_.is_timestamp() and type_.timezone is not None:
        return ibis.literal(at, type="timestamp('UTC')")
    return ibis.literal(at.replace(tzinfo=None), type="timestamp")
