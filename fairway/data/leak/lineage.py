"""Follow a dataset's columns back to the columns of its base source, row by row.

Room: ``fairway.data``, after ``source``, before ``leakage``. It reads the Ibis expression that a
``build`` returned and runs no query. It follows values that stay within one row of the base
source; what comes from other rows (the right side of a join, a window, an aggregate, a subquery)
or from SQL text is left to ``probe``.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fairway.data.known_at import KnownAt

OTHER_ROWS = "\0"  # no column has this name
_OTHER = frozenset({OTHER_ROWS})

if TYPE_CHECKING:
    import ibis.expr.operations as ops
    import ibis.expr.types as ir


def origins(dataset: "ir.Table", base: "ir.Table") -> dict[str, frozenset[str]]:
    """Name, for each column of the dataset, the columns of the same base row that it is made of.

    Args:
        dataset: The expression that ``build`` returned.
        base: The table of the base source that was handed to ``build``.

    Returns:
        All columns of ``dataset`` in order. A column that takes nothing from its own base row
        has an empty set; a mixed one (``delay - delay.mean().over(...)``) has its in-row part.
    """
    trace = _Trace(base.op())
    return {name: trace.column(dataset.op(), name) - {OTHER_ROWS} for name in dataset.columns}


def within(dataset: "ir.Table", base: "ir.Table") -> frozenset[str]:
    """Name the columns of the dataset that are made of their own base row and of nothing else."""
    trace = _Trace(base.op())
    return frozenset(n for n in dataset.columns if OTHER_ROWS not in trace.column(dataset.op(), n))


def sole(origins: Mapping[str, frozenset[str]], columns: Iterable[str]) -> frozenset[str]:
    """Name the base columns that alone make up one of these columns of the dataset.

    Of a column that is not known in time, and that has one origin, it is the origin that is not.

    Args:
        origins: What the function of that name found.
        columns: Columns of the dataset, such as the target and the refused features.
    """
    found = [origins.get(column, frozenset()) for column in columns]
    return frozenset().union(*(names for names in found if len(names) == 1))


@dataclass(frozen=True, kw_only=True)
class Inheritance:
    """What a dataset's columns inherit from the contract of its base source.

    Attributes:
        base: The table of the base source; it has the dataset's key.
        rules: By column of the dataset: every ``KnownAt`` that it inherits, in terms of columns
            of ``base``. A value is known when the last of its parts is.
        outcome: Columns of ``base`` that the target is made of.
    """

    base: "ir.Table"
    rules: Mapping[str, tuple[KnownAt, ...]]
    outcome: frozenset[str]


def inherit(
    dataset: "ir.Table", base: "ir.Table", known_at: Mapping[str, KnownAt], *, target: str
) -> Inheritance:
    """Hand what the base source's contract says of its columns down to the dataset's columns.

    Args:
        dataset: The expression that ``build`` returned.
        base: The table of the base source that was handed to ``build``.
        known_at: By column of ``base``, in terms of columns of ``base``.
        target: The dataset's target.
    """
    found = origins(dataset, base)
    rules = {
        name: tuple(sorted({known_at[column] for column in columns if column in known_at}))
        for name, columns in found.items()
    }
    return Inheritance(
        base=base,
        rules={name: rule for name, rule in rules.items() if rule},
        outcome=found.get(target, frozenset()),
    )


class _Trace:
    """One walk over one expression graph; shared parts of it are walked once.

    Among the names that it finds, ``OTHER_ROWS`` stands for whatever it does not follow.
    """

    def __init__(self, base: "ops.Relation") -> None:
        self._base = base
        self._known: dict[tuple[ops.Relation, str], frozenset[str]] = {}

    def column(self, relation: "ops.Relation", name: str) -> frozenset[str]:
        """The base columns behind one column of a relation."""
        import ibis.expr.operations as ops

        if relation == self._base:
            return frozenset({name})
        key = (relation, name)
        if key not in self._known:
            self._known[key] = frozenset()  # ends a walk that would come back to itself
            match relation:
                case ops.Aggregate():
                    found = _OTHER
                case ops.Set():
                    found = self.column(relation.left, name) | self.column(relation.right, name)
                case ops.Reference() | ops.AliasedRelation():
                    found = self.column(relation.parent, name)
                case ops.JoinChain():
                    found = self._value(relation.values[name], only=relation.first)
                case _:
                    value = relation.values.get(name)
                    found = _OTHER if value is None else self._value(value)
            self._known[key] = found
        return self._known[key]

    def _value(self, value: "ops.Value", only: "ops.Relation | None" = None) -> frozenset[str]:
        """The base columns behind a value; ``only`` is the side of a join that may be entered."""
        import ibis.expr.operations as ops

        if isinstance(value, ops.WindowFunction | ops.Reduction | ops.Subquery):
            return _OTHER
        if isinstance(value, ops.Field):
            if only is not None and value.rel != only:
                return _OTHER
            return self.column(value.rel, value.name)
        parts = [child for child in value.__children__ if isinstance(child, ops.Value)]
        return frozenset().union(*(self._value(part, only) for part in parts))
