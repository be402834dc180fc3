"""Apply repairs: the one function that every row passes before a model sees it.

Room: ``fairway.model``. ``fairway.data.repair`` learned the repairs from the training rows; this
module replays them over Arrow columns when training, judging and serving. It learns nothing: what
happens to a row depends on that row and on the repairs alone.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from fairway.errors import RequestError

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

Repair = Mapping[str, Any]

FLAG = "_missing"
BLANK_TEXT = r"^[\s\v\x1c-\x1f\x{85}\p{Z}]*$"  # RE2: empty or white space of any alphabet


def apply(repairs: Sequence[Repair], table: "pa.Table") -> "pa.Table":
    """Repair rows: (n rows, c columns) -> (n rows, c + flags columns).

    Row-independent: a row alone comes out as it does among ten thousand. Types depend on the
    repairs only: numbers become float64 (int64 where the training rows had whole numbers and
    nothing to repair), booleans int8 of 0 and 1, text string, times UTC microseconds. Columns
    without a repair pass as they are; flags ``<column>_missing`` (int8) follow all others. After
    it no repaired column holds a null, NaN or infinite value.

    Raises:
        RequestError: If a column is absent, or holds what its type cannot.
    """
    import pyarrow as pa

    columns = dict(zip(table.column_names, table.columns, strict=True))
    flags = {}
    for name, ops in _by_column(repairs).items():
        try:
            values, is_missing = _repaired(columns[name], ops)
        except KeyError:
            raise RequestError(
                f"The column {name!r} is absent.", hint=f"Send it; there are {table.column_names}."
            ) from None
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise RequestError(
                f"The column {name!r} has the type {columns[name].type}, and not each of its "
                f"values can be {_type(ops)}: {error}.",
                hint=f"Send {_type(ops)}.",
            ) from error
        columns[name] = values
        if ops[-1].get("flag"):
            flags[name + FLAG] = is_missing
    columns.update(flags)
    return pa.table(columns)


def drop_rows(repairs: Sequence[Repair], table: "pa.Table") -> "pa.Table":
    """Take out the *training* rows that a rule with ``then = "drop"`` finds, before ``apply``.

    Never call it on rows to judge or predict: those keep their row, the outlier becomes missing.
    """
    import numpy as np

    keep = np.ones(table.num_rows, dtype=bool)
    for name, ops in _by_column(repairs).items():
        before: list[Repair] = []
        for op in ops:
            if op["op"] == "mad" and op["then"] == "drop":
                keep &= ~_is_outlier(_numbers(table[name], before), op)
            before.append(op)
    return table if keep.all() else table.filter(keep)


def columns(repairs: Sequence[Repair], features: Iterable[str]) -> list[str]:
    """The model's input in order: the features, then the flags that the repairs add."""
    names = list(features)
    flagged = {op["column"] for op in repairs if op["op"] == "missing" and op.get("flag")}
    return names + [name + FLAG for name in _by_column(repairs) if name in flagged]


def _by_column(repairs: Sequence[Repair]) -> dict[str, list[Repair]]:
    ops: dict[str, list[Repair]] = {}
    for op in repairs:
        ops.setdefault(op["column"], []).append(op)
    return ops


def _type(ops: Sequence[Repair]) -> str:
    """The type of the column afterwards; hand-written repairs may leave it to the fill."""
    last = ops[-1]
    if "type" in last:
        return str(last["type"])
    is_text = isinstance(last.get("fill"), str) or any(op["op"] == "spelling" for op in ops)
    return "string" if is_text else "float64"


def _repaired(column: "pa.ChunkedArray", ops: Sequence[Repair]) -> tuple["pa.Array", "pa.Array"]:
    """One column after its operations, and whether its fill was used (int8)."""
    import pyarrow as pa
    import pyarrow.compute as pc

    type_ = _type(ops)
    fill = ops[-1].get("fill") if ops[-1]["op"] == "missing" else None
    if type_ == "float64":
        numbers = _numbers(column, ops)
        is_nan = numbers != numbers  # noqa: PLR0124  NaN alone differs from itself
        if fill is not None:
            numbers[is_nan] = fill
        return pa.array(numbers), pa.array(is_nan.view("int8"))
    if type_ == "string":
        values: Any = _texts(column, ops)
    elif type_ == "timestamp":
        values = _times(column)
        fill = None if fill is None else datetime.fromisoformat(fill).astimezone(UTC)
    else:
        values = _integers(column, type_)
    is_null = pc.cast(pc.is_null(values), "int8")
    if fill is not None and values.null_count:
        values = pc.fill_null(values, pa.scalar(fill, values.type))
    return values, is_null


def _numbers(column: "pa.ChunkedArray", ops: Sequence[Repair]) -> "np.ndarray":
    """Float64 of the reader's own, NaN where a value is missing."""
    import numpy as np

    x = np.array(column.cast("float64", safe=False).to_numpy(), dtype=np.float64)
    x[~np.isfinite(x)] = np.nan
    for op in ops:
        if op["op"] == "blank":
            for value in op["values"]:
                x[x == value] = np.nan
        elif op["op"] == "mad":
            x[_is_outlier(x, op)] = np.nan
        elif op["op"] == "clip":
            if op["low"] is not None:
                x[x < op["low"]] = op["low"]
            if op["high"] is not None:
                x[x > op["high"]] = op["high"]
    return x


def _is_outlier(x: "np.ndarray", op: Repair) -> "np.ndarray":
    """Whether each value is too far from the centre; a scale of 0 finds none."""
    import numpy as np

    if not op["scale"] > 0:
        return np.zeros(len(x), dtype=bool)
    with np.errstate(over="ignore"):
        is_far: np.ndarray = np.abs(x - op["center"]) > op["k"] * op["scale"]
    return is_far


def _texts(column: "pa.ChunkedArray", ops: Sequence[Repair]) -> "pa.ChunkedArray":
    import pyarrow as pa
    import pyarrow.compute as pc

    x = column.cast("string")
    for op in ops:
        if op["op"] == "blank":
            is_blank = pc.match_substring_regex(x, BLANK_TEXT)
            if op["values"]:
                is_blank = pc.or_(is_blank, pc.is_in(x, pa.array(op["values"], "string")))
            x = pc.if_else(is_blank, pa.scalar(None, "string"), x)
        elif op["op"] == "spelling":
            variants, right = list(op["map"]), list(op["map"].values())
            index = pc.index_in(x, pa.array(variants, "string"))
            x = pc.coalesce(pc.take(pa.array(right, "string"), index), x)
    return x


def _times(column: "pa.ChunkedArray") -> "pa.ChunkedArray":
    """UTC microseconds; a time without a zone is taken as UTC, text as ISO 8601."""
    import pyarrow as pa

    utc = pa.timestamp("us", "UTC")
    if pa.types.is_timestamp(column.type) and column.type.tz is not None:
        return column.cast(utc, safe=False)
    if pa.types.is_string(column.type):
        texts = column.to_pylist()
        try:
            times = [None if text is None else datetime.fromisoformat(text) for text in texts]
        except ValueError as error:
            raise pa.ArrowInvalid(str(error)) from error
        return pa.chunked_array([pa.array(map(_utc, times), utc)])
    return column.cast(pa.timestamp("us"), safe=False).cast(utc)


def _utc(time: datetime | None) -> datetime | None:
    return time if time is None or time.tzinfo else time.replace(tzinfo=UTC)


def _integers(column: "pa.ChunkedArray", type_: str) -> "pa.ChunkedArray":
    """Int64, or int8 of 0 and 1; NaN becomes null."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_floating(column.type):
        column = pc.if_else(pc.is_finite(column), column, pa.scalar(None, column.type))
    if type_ == "int8":
        if pa.types.is_string(column.type):
            column = column.cast("bool")
        column = column.cast("int8")
        if not pc.all(pc.is_in(column, pa.array([0, 1, None], "int8"))).as_py():
            raise pa.ArrowInvalid("a boolean is neither 0 nor 1")
    return column.cast(type_)
