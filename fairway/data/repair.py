"""Fit repairs: learn from the training rows what a missing or impossible value becomes.

Room: ``fairway.data``, after ``split`` and before ``pipeline``. It asks the engine for medians,
spreads and most frequent values of the *training* rows and writes them down as JSON values.
It changes no row that a model sees: ``fairway.model.repair`` applies what is written here.
"""

import difflib
import math
import re
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from fairway.data import statistic
from fairway.data.statistic import MISSING_TEXT, Plan, iso
from fairway.errors import ProjectError

if TYPE_CHECKING:
    import ibis.expr.datatypes as dt
    import ibis.expr.schema as sch
    import ibis.expr.types as ir

OTHERS = "*"
KEYS = ("missing", "flag", "outlier", "then", "sentinel", "spelling", "clip")
FLAG = "_missing"  # suffix of a flag's column

Scalar = str | int | float | bool


@dataclass(frozen=True, kw_only=True)
class RepairRule:
    """What the project asks to be done with one column's missing and impossible values.

    Attributes:
        missing: ``"median"``, ``"mode"``, or the value itself; None leaves it to ``"*"``.
        flag: Whether the model is told, by a column ``<column>_missing`` of 0 and 1.
        mad_k: Values farther than this many robust standard deviations from the median are
            outliers; None for no such rule.
        then: What happens to an outlier: it becomes ``"missing"``, or ``"drop"`` takes its row out
            of the training rows. A row to predict is never dropped: there it becomes missing.
        sentinel: Values that stand for "missing".
        spelling: Variant -> the one spelling.
        clip: Lowest and highest value to pass on; None leaves a side open.
    """

    missing: Scalar | None = None
    flag: bool | None = None
    mad_k: float | None = None
    then: str = "missing"
    sentinel: tuple[Scalar, ...] = ()
    spelling: Mapping[str, str] = field(default_factory=dict)
    clip: tuple[float | None, float | None] | None = None


DEFAULT = RepairRule(missing="median", flag=True)
"""What ``"*"`` means where the project does not say."""


def from_table(name: str, table: object) -> RepairRule:
    """Read one entry of ``[repair]``.

    Raises:
        ProjectError: If a key is unknown (the nearest is named) or a value cannot be.
    """
    if not isinstance(table, Mapping):
        raise ProjectError(
            f"repair.{name} is {table!r}, not a table.",
            hint=f'Write {name} = {{ missing = "median" }}.',
        )
    for key in table:
        if key not in KEYS:
            raise ProjectError(
                f"repair.{name} has the unknown key {key!r}.", hint=_nearest(key, KEYS)
            )
    if "then" in table and "outlier" not in table:
        raise ProjectError(
            f"repair.{name} has then, but no outlier rule.", hint='Add outlier = "mad > 8".'
        )
    flag = table.get("flag")
    if flag is not None and not isinstance(flag, bool):
        raise _wrong(name, "flag", flag, "Write true or false.")
    then = table.get("then", "missing")
    if then not in {"missing", "drop"}:
        near = difflib.get_close_matches(str(then), ["missing", "drop"], n=1, cutoff=0.5)
        orders = f"Did you mean {near[0]!r}?" if near else 'Write "missing" or "drop".'
        raise _wrong(name, "then", then, orders)
    return RepairRule(
        missing=_read_missing(name, table.get("missing")),
        flag=flag,
        mad_k=_read_outlier(name, table.get("outlier")),
        then=then,
        sentinel=_read_sentinel(name, table.get("sentinel", [])),
        spelling=_read_spelling(name, table.get("spelling", {})),
        clip=_read_clip(name, table.get("clip")),
    )


def _read_missing(name: str, value: object) -> Scalar | None:
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, date):
        return iso(datetime(value.year, value.month, value.day, tzinfo=UTC))
    if isinstance(value, str | int) or value is None:
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    raise _wrong(name, "missing", value, 'Write "median", "mode" or one finite value.')


def _read_outlier(name: str, value: object) -> float | None:
    if value is None:
        return None
    text = value if isinstance(value, str) else ""
    match = re.fullmatch(r"\s*mad\s*>\s*(\d+(?:\.\d+)?)\s*", text)
    if not match or float(match[1]) <= 0:
        raise _wrong(name, "outlier", value, 'Write "mad > 8", with any number above 0.')
    return float(match[1])


def _read_sentinel(name: str, value: object) -> tuple[Scalar, ...]:
    if not isinstance(value, list | tuple):
        raise _wrong(name, "sentinel", value, 'Write a list, as in [-999, "N/A"].')
    for one in value:
        if not isinstance(one, str | int | float):
            raise _wrong(name, "sentinel", one, 'Write numbers and texts, as in [-999, "N/A"].')
    return tuple(one for one in value if isinstance(one, str) or math.isfinite(one))


def _read_spelling(name: str, value: object) -> dict[str, str]:
    if not isinstance(value, Mapping) or not all(isinstance(v, str) for v in value.values()):
        hint = 'Write { "AIRBUS INDUSTRIE" = "AIRBUS" }.'
        raise _wrong(name, "spelling", value, hint)
    return {str(key): text for key, text in value.items()}


def _read_clip(name: str, value: object) -> tuple[float | None, float | None] | None:
    if value is None:
        return None
    hint = "Write [lowest, highest]; -inf and inf leave a side open."
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise _wrong(name, "clip", value, hint)
    if not all(isinstance(one, int | float) and not isinstance(one, bool) for one in value):
        raise _wrong(name, "clip", value, hint)
    low, high = float(value[0]), float(value[1])
    if not low <= high:
        raise _wrong(name, "clip", value, hint)
    return (low if math.isfinite(low) else None), (high if math.isfinite(high) else None)


def fit(
    train: "ir.Table", rules: Mapping[str, RepairRule], features: Iterable[str]
) -> list[dict[str, Any]]:
    """Learn the repairs of every feature from the training rows alone.

    NaN and infinite numbers count as missing, as does text that is empty or white space. Per
    column, in this order: ``blank`` (sentinels), ``spelling``, ``mad``, ``clip``, ``missing``.
    Every feature ends in a ``missing`` operation, so that a value may be missing for the first
    time when the model serves. Each statistic is taken after the operations before it. Booleans
    take the mode for the median; a tie goes to the smaller value. Under ``"*"`` a flag is added
    where the training rows miss a value, never to text, whose fill says it already; a column's
    own ``flag = true`` always adds it. A MAD of 0 (half of the values are equal) gives no scale:
    the rule is kept with ``scale`` 0 and blanks nothing (``notes`` says so).

    Args:
        train: Rows of the training part: (n rows, at least the features).
        rules: ``[repair]``, ``"*"`` for all other columns; it may be empty.
        features: Names of the columns to repair, in the order of the model's input.

    Returns:
        JSON values in order of application. The same rows in any order give the same values.

    Raises:
        ProjectError: If a rule names no column of ``train``, or does not fit its column's type.

    Source: MAD: Hampel, The influence curve and its role in robust estimation, 1974.
    """
    schema = train.schema()
    names = list(features)
    for name in rules:
        if name != OTHERS and name not in schema:
            raise ProjectError(
                f"[repair] names {name!r}, which is no column of the dataset.",
                hint=_nearest(name, schema.names),
            )
    plans = [_plan(name, schema, rules) for name in names]
    taken = {plan.column + FLAG for plan in plans} & set(schema.names)
    for plan in plans:
        if plan.flag is not False and plan.column + FLAG in taken:
            raise ProjectError(
                f"The dataset has a column {plan.column + FLAG!r}, the name of a repair's flag.",
                hint=f"Rename it in the build, or write flag = false for {plan.column}.",
            )

    known = train.select(**{plan.column: statistic.before_mad(train, plan) for plan in plans})
    mads = statistic.mads(known, [plan for plan in plans if plan.mad_k is not None])
    for op in mads.values():
        if op["then"] == "drop":
            is_far = statistic.is_outlier(known, op)
            known = known.filter(is_far.isnull() | ~is_far)
    known = known.select(**{p.column: statistic.after_mad(known, p, mads) for p in plans})
    fills, n_missing, n_rows = statistic.fills(known, plans)

    repairs: list[dict[str, Any]] = []
    for plan in plans:
        repairs += _before(plan)
        if plan.column in mads:
            repairs.append(mads[plan.column])
        if plan.clip is not None:
            low, high = plan.clip
            repairs.append({"column": plan.column, "op": "clip", "low": low, "high": high})
        missed = n_missing[plan.column]
        repairs.append(_missing(plan, fills[plan.column], missed, n_rows))
    return repairs


def notes(repairs: Sequence[Mapping[str, Any]]) -> list[str]:
    """Say in sentences where a repair could not do what its rule asks."""
    said = []
    for op in repairs:
        if op["op"] == "mad" and op["scale"] == 0:
            said.append(
                f"{op['column']}: at least half of its training values are {op['center']:g}, so "
                f"mad > {op['k']:g} has no scale and blanks nothing; use clip instead."
            )
        if op["op"] == "missing" and op["n_rows"] == op["n_missing"]:
            said.append(
                f"{op['column']}: no training row has a value; each is filled with {op['fill']!r}."
            )
    return said


def _plan(name: str, schema: "sch.Schema", rules: Mapping[str, RepairRule]) -> Plan:
    """Settle which rule a column follows and whether the rule fits its type."""
    if name not in schema:
        raise ProjectError(f"No feature {name!r}.", hint=_nearest(name, schema.names))
    kind = _kind(name, schema[name])
    others, own = rules.get(OTHERS, DEFAULT), rules.get(name)
    if own:
        _refuse_misfit(name, own, kind)
    rule = own or others

    how: Scalar = "median" if others.missing is None else others.missing
    if own and own.missing is not None:
        how = own.missing
    elif not _is_fit(how, kind):
        how = MISSING_TEXT if kind == "text" else "median"

    flag: bool | None = False
    if own and own.flag is not None:
        flag = own.flag
    elif others.flag and kind != "text" and (own is None or own.missing is None):
        flag = None
    is_number = kind in {"number", "integer"}
    return Plan(
        column=name,
        kind=kind,
        how=how,
        flag=flag,
        sentinel=_sentinels(rule.sentinel, kind, schema[name]),
        spelling=rule.spelling if kind == "text" else {},
        mad_k=rule.mad_k if is_number else None,
        then=rule.then,
        clip=rule.clip if is_number else None,
    )


def _kind(name: str, type_: "dt.DataType") -> str:
    if type_.is_boolean():
        return "boolean"
    if type_.is_integer():
        return "integer"
    if type_.is_numeric():
        return "number"
    if type_.is_string() or type_.is_uuid():
        return "text"
    if type_.is_timestamp() or type_.is_date():
        return "time"
    raise ProjectError(
        f"The feature {name!r} has the type {type_}, which no repair knows.",
        hint="Make it numbers, text, booleans or times in the dataset's build.",
    )


def _is_fit(how: Scalar, kind: str) -> bool:
    """Whether this way to fill suits the kind of column."""
    if how in ("median", "mode") and isinstance(how, str):
        return how == "mode" or kind != "text"
    if kind == "text":
        return isinstance(how, str)
    if kind == "boolean":
        return how in (0, 1)
    if kind == "time":
        return isinstance(how, str) and _is_time(how)
    return not isinstance(how, str)


def _refuse_misfit(name: str, rule: RepairRule, kind: str) -> None:
    """Refuse a rule that its column's type makes senseless."""
    said = {"integer": "whole numbers", "number": "numbers", "boolean": "booleans", "time": "times"}
    holds = said.get(kind, kind)
    is_number = kind in {"number", "integer"}
    if rule.missing is not None and not _is_fit(rule.missing, kind):
        near = difflib.get_close_matches(str(rule.missing), ["median", "mode"], n=1, cutoff=0.7)
        hint = {"text": 'Write "mode" or a text.', "time": 'Write "median", "mode" or a time.'}
        order = hint.get(kind, 'Write "median", "mode" or such a value.')
        raise ProjectError(
            f"repair.{name}.missing is {rule.missing!r}, but the column holds {holds}.",
            hint=f"Did you mean {near[0]!r}?" if near and kind != "text" else order,
        )
    for key, is_asked in (("outlier", rule.mad_k is not None), ("clip", rule.clip is not None)):
        if is_asked and not is_number:
            raise ProjectError(
                f"repair.{name}.{key} needs numbers, but the column holds {holds}.",
                hint=f"Remove {key}, or make the column numbers in the build.",
            )
    if rule.spelling and kind != "text":
        raise ProjectError(
            f"repair.{name}.spelling needs text, but the column holds {holds}.",
            hint="Remove spelling.",
        )


def _sentinels(
    values: Sequence[Scalar], kind: str, type_: "dt.DataType"
) -> tuple[str | float, ...]:
    """Keep the sentinels that a column of this kind can hold at all."""
    if kind == "text":
        return tuple(dict.fromkeys(str(value) for value in values))
    if kind not in {"number", "integer"}:
        return ()
    numbers = [float(v) for v in values if not isinstance(v, str | bool)]
    if type_.is_float32():  # 99.9 is stored as 99.9000015: a server may send either
        numbers += [struct.unpack("f", struct.pack("f", number))[0] for number in numbers]
    return tuple(dict.fromkeys(numbers))


def _before(plan: Plan) -> list[dict[str, Any]]:
    """The operations that need no number of the training rows."""
    ops: list[dict[str, Any]] = []
    if plan.sentinel or plan.kind == "text":
        ops.append({"op": "blank", "values": list(plan.sentinel)})
    if plan.spelling:
        ops.append({"op": "spelling", "map": dict(plan.spelling)})
    return [{"column": plan.column, **op} for op in ops]


def _missing(plan: Plan, fill: Any, n_missing: int, n_rows: int) -> dict[str, Any]:  # noqa: ANN401  any JSON value
    """The last operation of every feature; its type is that of the column afterwards."""
    type_ = {"text": "string", "boolean": "int8", "time": "timestamp"}.get(plan.kind, "float64")
    if type_ == "float64":
        is_touched = plan.sentinel or plan.mad_k or plan.clip or n_missing
        if plan.kind == "integer" and not is_touched and float(fill).is_integer():
            type_ = "int64"
    fill = {"int64": int, "int8": int, "float64": float}.get(type_, str)(fill)
    flag = n_missing > 0 if plan.flag is None else plan.flag
    return {
        "column": plan.column,
        "op": "missing",
        "type": type_,
        "fill": fill,
        "flag": flag,
        "n_missing": n_missing,
        "n_rows": n_rows,
    }


def _is_time(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _nearest(name: str, known: Iterable[str]) -> str:
    names = list(known)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    return f"Did you mean {near[0]!r}?" if near else f"Known are {', '.join(sorted(names))}."


def _wrong(name: str, key: str, value: object, hint: str) -> ProjectError:
    return ProjectError(f"repair.{name}.{key} is {value!r}.", hint=hint)
