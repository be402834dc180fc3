"""What a model takes and gives: its input columns with their rules, its features, its target.

Room: ``fairway.model``. ``fairway.data.promise.rule`` says what each row rule means and
``data.check`` asks it in SQL; here the same rules are asked of Arrow columns, with the same
verdicts: a row refused in training is refused when serving. It neither repairs rows nor predicts.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from fairway.data.promise.rule import TEXT_FORMS, ColumnRule, RowRule, full_match
from fairway.errors import IntegrityError, RequestError

if TYPE_CHECKING:
    import pyarrow as pa

N_EXAMPLES = 5
LOGICAL = frozenset(
    {"string", "integer", "number", "boolean", "date", "timestamp", "time"}
    | {"object", "map", "array", "vector"}
)


@dataclass(frozen=True, kw_only=True)
class Field:
    """One column that a row to predict brings along, before repairs.

    Attributes:
        name: The column.
        rule: Its type (``rule.type``) and what each value must keep to.
    """

    name: str
    rule: ColumnRule


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A rule that rows break.

    Attributes:
        rule: The rule; one of severity ``warning`` does not refuse a row.
        rows: Positions of the breaking rows, from 0.
        examples: At most five of their values.
    """

    rule: RowRule
    rows: tuple[int, ...]
    examples: tuple[Any, ...]


@dataclass(frozen=True, kw_only=True)
class Signature:
    """What a model takes and gives.

    Attributes:
        key: Columns that name a row.
        inputs: Columns of a raw row.
        features: The model's input in order, after repair, flags included.
        target: The column that the model predicts.
        task: ``binary`` (a score is a probability) or ``regression``.
    """

    key: tuple[str, ...]
    inputs: tuple[Field, ...]
    features: tuple[str, ...]
    target: str
    task: str

    @property
    def input_names(self) -> tuple[str, ...]:
        """The columns of a raw row, in order."""
        return tuple(field.name for field in self.inputs)

    def to_json(self) -> dict[str, Any]:
        """Write as JSON values; ``from_json`` gives the same signature back."""
        return {
            "key": list(self.key),
            "inputs": [{"name": field.name, **_rule_to_json(field.rule)} for field in self.inputs],
            "features": list(self.features),
            "target": self.target,
            "task": self.task,
        }

    def check_rows(self, table: "pa.Table") -> list[Fault]:
        """Hold each row to the inputs' rules; an empty list: all rows pass.

        Raises:
            RequestError: If an input column is absent.
        """
        absent = [name for name in self.input_names if name not in table.column_names]
        if absent:
            raise RequestError(
                f"The columns {', '.join(absent)} are absent.",
                hint=f"Send each of {', '.join(self.input_names)}.",
            )
        return [fault for field in self.inputs for fault in _check_column(field, table[field.name])]


def from_json(value: Mapping[str, Any]) -> Signature:
    """Read what ``Signature.to_json`` wrote.

    Raises:
        IntegrityError: If the value is no signature.
    """
    try:
        return Signature(
            key=tuple(value["key"]),
            inputs=tuple(
                Field(
                    name=one["name"], rule=_rule_from_json({k: one[k] for k in one if k != "name"})
                )
                for one in value["inputs"]
            ),
            features=tuple(value["features"]),
            target=value["target"],
            task=value["task"],
        )
    except (KeyError, TypeError) as error:
        raise IntegrityError(
            f"This is no model signature: {error}.", hint="Make the release anew."
        ) from error


def type_of(type_: "pa.DataType") -> str:
    """The contract's word for an Arrow type; empty for one that it does not know."""
    import pyarrow.types as pt

    tests = {
        "boolean": pt.is_boolean,
        "integer": pt.is_integer,
        "number": lambda t: pt.is_floating(t) or pt.is_decimal(t),
        "string": lambda t: pt.is_string(t) or pt.is_large_string(t) or pt.is_dictionary(t),
        "date": pt.is_date,
        "timestamp": pt.is_timestamp,
    }
    return next((word for word, test in tests.items() if test(type_)), "")


def _rule_to_json(rule: ColumnRule) -> dict[str, Any]:
    """Only what differs from a rule that promises nothing."""
    silent = asdict(ColumnRule())
    said = {key: value for key, value in asdict(rule).items() if value != silent[key]}
    return {key: list(v) if isinstance(v, tuple) else v for key, v in said.items()}


def _rule_from_json(value: Mapping[str, Any]) -> ColumnRule:
    said: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in value.items()}
    return ColumnRule(**said)


def _check_column(field: Field, column: "pa.ChunkedArray") -> list[Fault]:
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.types as pt

    if pt.is_dictionary(column.type) or pt.is_large_string(column.type):
        column = column.cast("string")
    severity = field.rule.severity_of("type")
    reads = RowRule(column=field.name, kind="type", value=field.rule.type, severity=severity)
    read = _read(column, field.rule.type)
    if read is None:
        broken = [(reads, pa.array([True] * len(column)))]
    else:
        values, is_misread = read
        broken = [] if is_misread is None else [(reads, is_misread)]
        broken += [(rule, _breaks(rule, values)) for rule in field.rule.rules(field.name)]
    faults = []
    for rule, breaks in broken:
        rows = np.flatnonzero(pc.fill_null(breaks, fill_value=False).to_numpy(zero_copy_only=False))
        if len(rows):
            examples = column.take(pa.array(rows[:N_EXAMPLES])).to_pylist()
            faults.append(Fault(rule=rule, rows=tuple(map(int, rows)), examples=tuple(examples)))
    return faults


def _read(
    column: "pa.ChunkedArray", type_: str
) -> "tuple[pa.ChunkedArray, pa.ChunkedArray | None] | None":
    """The column as its declared type, and where a value does not read as one.

    Null stands where a value is missing or does not read; None for the second where nothing can
    fail; None for both where a column of this type can never hold the declared one.
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.types as pt

    actual = type_of(column.type)
    times = {"date", "timestamp"}
    if pt.is_floating(column.type):
        column = pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column)
    is_same = (
        actual == type_ or {actual, type_} <= times or (actual, type_) == ("integer", "number")
    )
    if pt.is_null(column.type) or is_same or type_ not in LOGICAL:
        return column, None
    if (actual, type_) == ("number", "integer"):
        numbers = column.cast("float64", safe=False)
        is_part = pc.not_equal(pc.floor(numbers), numbers)
        return column, pc.or_(is_part, pc.is_inf(numbers))
    if actual == "string" and type_ in TEXT_FORMS:
        values = _read_text(column, type_)
        fails = pc.and_(pc.is_valid(column), pc.is_null(values))
        if type_ == "number":
            values = pc.if_else(pc.is_nan(values), pa.scalar(None, "float64"), values)
        return values, fails
    return None


def _read_text(column: "pa.ChunkedArray", type_: str) -> "pa.ChunkedArray":
    """Text as values of a type, null where it does not read as one."""
    import pyarrow as pa
    import pyarrow.compute as pc

    reads = pc.match_substring_regex(column, full_match(TEXT_FORMS[type_]))
    text = pc.if_else(reads, column, pa.scalar(None, "string"))
    text = pc.utf8_lower(pc.ascii_trim_whitespace(text))
    if type_ in {"date", "timestamp"}:
        instants = [None if one is None else _instant(one.upper()) for one in text.to_pylist()]
        return pa.chunked_array([pa.array(instants, pa.timestamp("us", "UTC"))])
    if type_ == "boolean":
        return pc.equal(text, "true")
    text = pc.replace_substring_regex(text, r"^\+", "")
    return text.cast("int64" if type_ == "integer" else "float64")


def _breaks(rule: RowRule, values: "pa.ChunkedArray") -> "pa.ChunkedArray":
    """Where a value breaks a rule; null where it is missing, except for ``required``."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.types as pt

    if rule.kind == "required":
        return pc.is_null(values)
    if pt.is_null(values.type):
        return values.cast("bool")
    if rule.kind in {"pattern", "minLength", "maxLength"}:
        return _breaks_text(rule, values)
    asked = rule.value if isinstance(rule.value, tuple) else (rule.value,)
    values = _comparable(values, is_whole=not any(isinstance(one, float) for one in asked))
    bounds = [bound for bound in (_bound(one, values.type) for one in asked) if bound is not None]
    if rule.kind in {"accepted", "refused"}:
        is_there = pc.is_in(values, pa.array(bounds, values.type))
        is_there = pc.if_else(pc.is_valid(values), is_there, pa.scalar(None, "bool"))
        return pc.invert(is_there) if rule.kind == "accepted" else is_there
    if not bounds:
        return pa.array([True] * len(values))  # what cannot be compared is refused
    compare = {
        "minimum": pc.less,
        "maximum": pc.greater,
        "exclusiveMinimum": pc.less_equal,
        "exclusiveMaximum": pc.greater_equal,
    }[rule.kind]
    return compare(values, pa.scalar(bounds[0], values.type))


def _breaks_text(rule: RowRule, values: "pa.ChunkedArray") -> "pa.ChunkedArray":
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.types as pt

    if not pt.is_string(values.type):
        return pa.array([True] * len(values))  # what cannot be asked is refused
    if rule.kind == "pattern":
        return pc.invert(pc.match_substring_regex(values, full_match(str(rule.value))))
    compare = pc.less if rule.kind == "minLength" else pc.greater
    return compare(pc.utf8_length(values), pa.scalar(rule.value))


def _comparable(values: "pa.ChunkedArray", *, is_whole: bool) -> "pa.ChunkedArray":
    """Numbers as float64 (int64 if they and the bounds are whole), times as UTC microseconds."""
    import pyarrow as pa

    kind = type_of(values.type)
    if kind == "integer" and is_whole:
        return values.cast("int64")
    if kind in {"integer", "number"}:
        return values.cast("float64", safe=False)
    if kind in {"date", "timestamp"}:
        if kind == "timestamp" and values.type.tz is not None:
            return values.cast(pa.timestamp("us", "UTC"), safe=False)
        return values.cast(pa.timestamp("us"), safe=False).cast(pa.timestamp("us", "UTC"))
    return values


def _bound(value: Any, type_: "pa.DataType") -> Any:  # noqa: ANN401  a scalar of the rule
    """A rule's value as one that compares with the column; None where none does."""
    import pyarrow.types as pt

    if isinstance(value, bool):
        return value if pt.is_boolean(type_) else None
    if isinstance(value, int | float):
        return value if pt.is_integer(type_) or pt.is_floating(type_) else None
    if pt.is_timestamp(type_):
        return _instant(value)
    return value if pt.is_string(type_) else None


def _instant(text: str) -> datetime | None:
    """An ISO 8601 instant; without an offset it is UTC."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        return None
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)
