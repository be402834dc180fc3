"""When a value is known: ``COLUMN``, ``COLUMN + 1d`` or ``COLUMN - 3h``.

Room: ``fairway.data``, before ``contract`` and ``leakage``. It reads and writes that text, and
says it as a column. It runs no query and loads no engine until a table is there.
"""

import re
from typing import TYPE_CHECKING, NamedTuple

from fairway.errors import ProjectError

if TYPE_CHECKING:
    import ibis.expr.types as ir

SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_TEXT = re.compile(
    r"(?P<column>\S(?:.*?\S)??)"
    r"(?:\s*(?P<sign>[+-])\s*(?P<amount>\d+(?:\.\d+)?)\s*(?P<unit>[smhdw]))?"
)


class KnownAt(NamedTuple):
    """The instant from which a value may be used, told relative to a column of the same row.

    A tuple, so that ``(column, offset_s)`` is one too.

    Attributes:
        column: The column that holds an instant; one without a zone is read as UTC.
        offset_s: Seconds after that instant; below zero means before it.
    """

    column: str
    offset_s: float = 0.0

    def __str__(self) -> str:
        """Spell it as a contract does; ``parse`` reads it back."""
        if not self.offset_s:
            return self.column
        sign, amount = ("+", self.offset_s) if self.offset_s > 0 else ("-", -self.offset_s)
        return f"{self.column} {sign} {duration(amount)}"


def parse(text: str) -> KnownAt:
    """Read ``COLUMN``, ``COLUMN + 1d`` or ``COLUMN - 3h``.

    Units are s, m, h, d (24 hours) and w. Law: ``parse(str(k)) == k``.

    Raises:
        ProjectError: If no column is named.
    """
    found = _TEXT.fullmatch(text.strip())
    if found is None or found["column"] in {"+", "-"}:
        raise ProjectError(
            f"{text!r} does not say when a value is known.",
            hint='Write a column and at most one duration, as in "arrived_at + 1d".',
        )
    if found["sign"] is None:
        return KnownAt(found["column"])
    offset_s = float(found["amount"]) * SECONDS[found["unit"]]
    return KnownAt(found["column"], -offset_s if found["sign"] == "-" else offset_s)


def duration(seconds: float) -> str:
    """Spell seconds, zero or more, in the largest unit of which they are a whole number."""
    for unit in ("d", "h", "m"):
        if seconds and seconds % SECONDS[unit] == 0:
            return f"{seconds / SECONDS[unit]:.0f}{unit}"
    return f"{seconds:.15g}s"


def instant(table: "ir.Table", known_at: KnownAt) -> "ir.TimestampColumn":
    """The instants that it names in each row, as UTC timestamps; null where the column is null.

    Raises:
        ProjectError: If ``table`` lacks the column, or it is neither timestamp nor date.
    """
    import ibis

    if known_at.column not in table.columns:
        raise ProjectError(
            f"No column {known_at.column!r}.", hint=f"Name one of {', '.join(table.columns)}."
        )
    column = table[known_at.column]
    if not (column.type().is_timestamp() or column.type().is_date()):
        raise ProjectError(
            f"{known_at.column} is {column.type()}, no time.",
            hint="Cast it to a timestamp in the build.",
        )
    naive = column.cast("timestamp") if column.type().is_date() else column
    at = naive.cast("timestamp('UTC')")
    if known_at.offset_s:
        at += ibis.interval(milliseconds=round(known_at.offset_s * 1000))
    return at
