"""Show a table as it was known at an instant: later rows gone, or what they hold blank.

Room: ``fairway.data``, used by ``probe``. It writes expressions and runs no query; it knows
neither how a dataset is built nor what is judged.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING

from fairway.data.known_at import KnownAt, instant, parse

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from fairway.data.contract import Contract

NEEDED = "fairway_needed"
"""The column that holds the prediction time of a row."""


@dataclass(frozen=True, kw_only=True)
class Predicted:
    """When each row of the dataset is to be predicted.

    Attributes:
        table: The dataset's key, each once, and ``NEEDED``.
        key: Columns that name a row of the dataset.
    """

    table: "ir.Table"
    key: Sequence[str]


class Past:
    """One table as it was known at any instant.

    A column with a ``knownAt`` is blank in every row that reaches it later. Of the others:

    - Where rows are those of the dataset (``by_row``), each is known from its row's prediction
      time on, and a row that the dataset lacks from its ``time`` on.
    - Else, with a ``time``, a row is known from then on: without any ``knownAt`` later rows are
      gone, with some the other columns of later rows are blank.
    - Else they are always known.

    Attributes:
        outcomes: Columns that are known with a column that holds no time, such as the outcome.
        has_future: Whether any instant hides anything.
    """

    def __init__(
        self,
        table: "ir.Table",
        *,
        key: Collection[str],
        time: str | None = None,
        ahead: str | None = None,
        contract: "Contract | None" = None,
        by_row: bool = False,
    ) -> None:
        """Prepare; nothing is read.

        Args:
            table: All that is known by now.
            key: Columns that are always known.
            time: The column from which a row is known; where ``by_row``, it is known in advance.
            ahead: Another column that is known in advance, if no ``knownAt`` says otherwise.
            contract: What it says of when columns are known.
            by_row: Whether rows have the dataset's key.
        """
        rules = {} if contract is None else contract.columns
        said = {
            name: parse(rule.known_at)
            for name, rule in rules.items()
            if rule.known_at and name in table.columns and name not in key
        }
        # A contract may say "known with the outcome", which is a column that holds no time.
        self._known = {
            n: r
            for n, r in said.items()
            if r.column not in table.columns or _is_time(table[r.column])
        }
        self.outcomes = frozenset(said) - frozenset(self._known)
        self._table, self._time, self._by_row = table, time, by_row
        self._free = [n for n in table.columns if n not in {*key, time, ahead, *self._known}]
        self.has_future = bool(by_row or time or self._known)

    def at(self, cut: datetime, predicted: Predicted, unknown: Collection[str] = ()) -> "ir.Table":
        """The table as it was known at ``cut``: same columns, at most as many rows.

        Args:
            cut: The instant.
            predicted: The prediction times of rows.
            unknown: Columns that a row does not know at its own prediction time either; only
                where rows are those of the dataset.

        Raises:
            ProjectError: If a ``knownAt`` names a column that is absent.
        """
        table, time = self._table, self._time
        if self._by_row:
            return self._row_by_row(cut, predicted, unknown)
        if time is not None and not self._known:
            return table.filter(instant(table, KnownAt(time)) <= cut)
        known = dict(self._known)
        if time is not None:
            known = {name: KnownAt(time) for name in self._free} | known
        return _blank(table, {name: [instant(table, rule) > cut] for name, rule in known.items()})

    def _row_by_row(
        self, cut: datetime, predicted: Predicted, unknown: Collection[str]
    ) -> "ir.Table":
        import ibis

        rows = _with_needed(self._table, predicted)
        never = ibis.literal(value=False)
        by_time = never if self._time is None else instant(rows, KnownAt(self._time)) > cut
        later = ibis.coalesce(rows[NEEDED] > cut, by_time, never)
        at_cut = ibis.coalesce(rows[NEEDED] >= cut, by_time, never)
        where = {name: [later] for name in self._free}
        for name, rule in self._known.items():
            from_then = instant(rows, rule)
            where[name] = [from_then > cut, later & from_then.isnull()]
        for name in unknown:
            if name in self._table.columns:
                where.setdefault(name, []).append(at_cut)
        return _blank(rows, where).select(*self._table.columns)


def _is_time(column: "ir.Column") -> bool:
    return bool(column.type().is_timestamp() or column.type().is_date())


def _with_needed(table: "ir.Table", predicted: Predicted) -> "ir.Table":
    """Add the prediction time of each row, by key; null where the dataset lacks the row."""
    names = {name: f"fairway_key_{i}" for i, name in enumerate(predicted.key)}
    times = predicted.table.select(
        NEEDED, **{other: predicted.table[name] for name, other in names.items()}
    )
    pairs = []
    for name, other in names.items():
        left, right = table[name], times[other]
        if left.type().is_string() != right.type().is_string():
            left, right = left.cast("string"), right.cast("string")
        pairs.append(left == right)
    return table.left_join(times, pairs).select(*table.columns, NEEDED)


def _blank(table: "ir.Table", where: Mapping[str, "Iterable[ir.BooleanValue]"]) -> "ir.Table":
    """Make columns null where any of their conditions holds."""
    import ibis

    if not where:
        return table
    return table.mutate(
        **{
            name: ibis.ifelse(reduce(or_, late), ibis.null(table[name].type()), table[name])
            for name, late in where.items()
        }
    )
