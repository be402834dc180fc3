"""Say what may be true of one value: the row rules, and what each of them means.

Room: ``fairway.data``, the first module; ``contract`` makes rules from a file, ``check`` asks them
of tables in SQL, and ``fairway.model.signature`` asks them of Arrow columns when a model is served.
The meaning is written here once so that both give the same verdict. Nothing is evaluated here.
"""

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Severity = Literal["error", "warning"]
Scalar = str | int | float | bool
Kind = Literal[
    "type",
    "required",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "minLength",
    "maxLength",
    "pattern",
    "accepted",
    "refused",
]

Metric = Literal["rowCount", "nullValues", "missingValues", "invalidValues", "duplicateValues"]

TEXT_FORMS: Mapping[str, str] = {
    "integer": r"\s*[+-]?[0-9]{1,18}\s*",
    "number": r"\s*(?:[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|[nN][aA][nN])\s*",
    "boolean": r"\s*(?i:true|false)\s*",
    "date": r"\s*[0-9]{4}-[0-9]{2}-[0-9]{2}\s*",
    "timestamp": r"\s*[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ](?:[01][0-9]|2[0-3]):[0-5][0-9]"
    r"(?::[0-5][0-9](?:\.[0-9]{1,9})?)?(?:Z|[+-][0-9]{2}(?::?[0-9]{2})?)?)?\s*",
}
"""How text reads as each type: RE2, matched in full."""

OPERATORS: Mapping[str, Callable[[float, Any], bool]] = {
    "mustBe": operator.eq,
    "mustNotBe": operator.ne,
    "mustBeGreaterThan": operator.gt,
    "mustBeGreaterOrEqualTo": operator.ge,
    "mustBeLessThan": operator.lt,
    "mustBeLessOrEqualTo": operator.le,
    "mustBeBetween": lambda value, pair: bool(pair[0] <= value <= pair[1]),
    "mustNotBeBetween": lambda value, pair: not pair[0] <= value <= pair[1],
}


@dataclass(frozen=True, kw_only=True)
class RowRule:
    """One promise about one column that a single row can break.

    A value is *missing* when it is null or, in a float column, NaN. Empty text is not missing. A
    missing value breaks ``required`` and passes every other rule. Any other value breaks

    - ``type``: when it does not read as ``value``, one of the types of the standard. Text reads as
      ``integer`` if it is an optional sign and at most 18 digits, as ``number`` if it is a decimal
      number (exponent allowed; ``nan`` reads as missing), as ``boolean`` if it is ``true`` or
      ``false`` in any case, as ``date`` or ``timestamp`` if it is ISO 8601; blanks around it are
      ignored. A float reads as ``integer`` if it is whole.
    - ``minimum``, ``maximum``: when it lies below, above ``value``; the bound itself passes.
    - ``exclusiveMinimum``, ``exclusiveMaximum``: the same, but the bound itself breaks the rule.
      Bounds of times are ISO 8601 text; without an offset they are UTC, and so are times in columns
      without a time zone; a date is its midnight. Infinity is a value and compares as one.
    - ``minLength``, ``maxLength``: when it has fewer, more Unicode code points than ``value``.
    - ``pattern``: when the RE2 expression ``value`` does not match it from its first to its last
      character; ``.`` matches a line break too.
    - ``accepted``: when it equals none of the tuple ``value``; numbers compare as numbers, text by
      code points (case and blanks count).
    - ``refused``: when it equals one of them.

    Attributes:
        column: The column's name in the table.
        kind: Which promise, in the words of the standard where it has one.
        value: What the kind compares with; None for ``required``.
        severity: ``error`` sets breaking rows aside, ``warning`` only counts them.
    """

    column: str
    kind: Kind
    value: Scalar | tuple[Scalar, ...] | None = None
    severity: Severity = "error"

    def __str__(self) -> str:
        if self.value is None:
            return f"{self.column} {self.kind}"
        value = self.value if isinstance(self.value, tuple) else (self.value,)
        shown = ", ".join(str(item) for item in value[:8]) + (", ..." if len(value) > 8 else "")
        return f"{self.column} {self.kind} {shown}"


@dataclass(frozen=True, kw_only=True)
class ColumnRule:
    """What one column promises. ``fairway.data.promise.rule.RowRule`` says what each promise means.

    Attributes:
        type: ``string``, ``integer``, ``number``, ``boolean``, ``date``, ``timestamp`` or another
            logical type of the standard; empty where the contract says none.
        required: No value may be missing.
        unique: No value may be there twice; nulls may.
        primary_key: Position in the table's key, from 1; None outside the key.
        minimum, maximum, exclusive_minimum, exclusive_maximum: Bounds; of times as ISO 8601 text.
        min_length, max_length: Code points.
        pattern: RE2, matched in full.
        accepted: The only values there may be; empty for no such rule.
        refused: Values that there may not be.
        known_at: When a value becomes known, as ``fairway.data.known_at`` reads it.
        severity: Severities that are not ``error``, by the rule's name (a ``Kind``, or ``unique``).
        description: What the column holds, for people.
    """

    type: str = ""
    required: bool = False
    unique: bool = False
    primary_key: int | None = None
    minimum: Scalar | None = None
    maximum: Scalar | None = None
    exclusive_minimum: Scalar | None = None
    exclusive_maximum: Scalar | None = None
    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None
    accepted: tuple[Scalar, ...] = ()
    refused: tuple[Scalar, ...] = ()
    known_at: str | None = None
    severity: Mapping[str, Severity] = field(default_factory=dict)
    description: str = ""

    def rules(self, column: str) -> tuple[RowRule, ...]:
        """What a single row of ``column`` can break, its type aside."""
        promised: dict[Kind, Any] = {
            "minimum": self.minimum,
            "maximum": self.maximum,
            "exclusiveMinimum": self.exclusive_minimum,
            "exclusiveMaximum": self.exclusive_maximum,
            "minLength": self.min_length,
            "maxLength": self.max_length,
            "pattern": self.pattern,
            "accepted": self.accepted or None,
            "refused": self.refused or None,
        }
        required = (self._rule(column, "required", None),) if self.is_required else ()
        return required + tuple(
            self._rule(column, kind, value) for kind, value in promised.items() if value is not None
        )

    @property
    def is_required(self) -> bool:
        """Whether a missing value breaks the contract; a key may not be missing."""
        return self.required or self.primary_key is not None

    def severity_of(self, name: str) -> Severity:
        """The severity of one of the column's rules; ``error`` unless the contract has another."""
        return self.severity.get(name, "error")

    def _rule(self, column: str, kind: Kind, value: Any) -> RowRule:  # noqa: ANN401  any bound
        return RowRule(column=column, kind=kind, value=value, severity=self.severity_of(kind))


@dataclass(frozen=True, kw_only=True)
class Unique:
    """Columns that together name a row at most once; a row with a null in one of them passes."""

    columns: tuple[str, ...]
    severity: Severity = "error"


@dataclass(frozen=True, kw_only=True)
class Reference:
    """Columns whose values must stand in another source; a row with a null in one of them passes.

    Attributes:
        columns: In this table.
        source: The other source, by its name in the project (the object's name in its contract).
        to: Its columns, one for each of ``columns``.
        severity: ``error`` sets rows aside whose values are not found there.
    """

    columns: tuple[str, ...]
    source: str
    to: tuple[str, ...]
    severity: Severity = "error"


@dataclass(frozen=True, kw_only=True)
class Limit:
    """How much of something a whole table may have. It sets no row aside.

    Attributes:
        metric: What is counted: rows; or values that are null, missing or invalid, that is, rows
            that break one of ``rules``; or rows that repeat an earlier row's ``columns``.
        rules: What makes a value count.
        columns: What is counted; empty for ``rowCount``.
        operator: A key of ``OPERATORS``, the standard's word for the comparison.
        bound: A number, or two for ``mustBeBetween`` and ``mustNotBeBetween``.
        percent: Whether the bound is percent of all rows instead of a number of rows.
        severity: ``error`` refuses the table.
    """

    metric: Metric
    columns: tuple[str, ...] = ()
    rules: tuple[RowRule, ...] = ()
    operator: str
    bound: float | tuple[float, float]
    percent: bool = False
    severity: Severity = "error"

    def holds(self, n: int, *, of: int) -> bool:
        """Whether ``n`` among ``of`` rows is within the limit."""
        value = 100 * n / of if self.percent and of else n
        return OPERATORS[self.operator](value, self.bound)


def full_match(pattern: str) -> str:
    """Anchor an RE2 expression at both ends; search with the answer to match in full.

    Both evaluators use it: DuckDB by ``regexp_matches``, Arrow by ``match_substring_regex``.
    """
    return rf"(?s)\A(?:{pattern})\z"


def check_pattern(pattern: str) -> str | None:
    """Tell what is wrong with a pattern, as far as can be said without the engine; None if nothing.

    RE2 matches in linear time and therefore knows neither look-around nor back-references.
    """
    if re.search(r"\(\?(?:<?[=!])", pattern):
        return "looks ahead or behind, which RE2 cannot"
    if re.search(r"(?<!\\)(?:\\\\)*\\[1-9]", pattern):
        return "refers back to a group, which RE2 cannot"
    try:
        re.compile(pattern.replace(r"\z", r"\Z"))
    except re.error as error:
        return f"is no regular expression ({error})"
    return None
