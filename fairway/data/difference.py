"""Tell in which rows and columns two snapshots differ.

Room: ``fairway.data``, beside ``snapshot``, whose files it compares. It shows counts, never a
row's values.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fairway.errors import StoreError

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from fairway.data.reading.engine import Engine


@dataclass(frozen=True, kw_only=True)
class SnapshotDiff:
    """What became of a snapshot.

    Attributes:
        by_key: Whether rows were matched by the key. Where it is missing or not unique, whole
            rows are matched, and a changed row counts as one removed and one added.
        added: New columns.
        removed: Columns that are gone.
        retyped: Columns of another type: (old, new).
        n_added: Rows that are new.
        n_removed: Rows that are gone.
        n_changed: Rows with the same key and another value in a column that both have.
        changed: In how many of these each column differs; columns without a change are left out.
    """

    by_key: bool
    added: tuple[str, ...]
    removed: tuple[str, ...]
    retyped: dict[str, tuple[str, str]]
    n_added: int
    n_removed: int
    n_changed: int
    changed: dict[str, int]


def diff(connection: "Engine", old: Path, new: Path, key: Sequence[str]) -> SnapshotDiff:
    """Compare two snapshots, columns matched by name and rows by the key.

    A missing value equals a missing value. Numbers of another type are compared as numbers, other
    columns of another type as texts.

    Raises:
        StoreError: If a file is no Parquet.
    """
    import duckdb

    try:
        before, after = (connection.read_parquet(str(path)) for path in (old, new))
    except duckdb.Error as error:
        raise StoreError(
            f"A snapshot cannot be read: {str(error).splitlines()[0]}.",
            hint="Run `fairway audit verify`.",
        ) from error
    types = {name: (str(kind), str(after[name].type())) for name, kind in before.schema().items()
             if name in after.columns}  # fmt: skip
    by_key = bool(key) and all(name in types for name in key)
    by_key = by_key and all(_is_unique(table, key) for table in (before, after))
    counts = _by_key(before, after, key) if by_key else _by_row(before, after)
    return SnapshotDiff(
        by_key=by_key,
        added=tuple(name for name in after.columns if name not in types),
        removed=tuple(name for name in before.columns if name not in types),
        retyped={name: (a, b) for name, (a, b) in types.items() if a != b},
        n_added=counts.pop("n_added"),
        n_removed=counts.pop("n_removed"),
        n_changed=counts.pop("n_changed"),
        changed={name: n for name, n in counts.items() if n},
    )


def _is_unique(table: "ir.Table", key: Sequence[str]) -> bool:
    """Whether no key stands twice."""
    twice = table.group_by(list(key)).aggregate(n=lambda t: t.count())
    return int(twice.filter(twice.n > 1).count().to_pyarrow().as_py()) == 0


def _by_key(before: "ir.Table", after: "ir.Table", key: Sequence[str]) -> dict[str, int]:
    """Count rows by key, and for each shared column the rows in which it differs."""
    import ibis

    shared = [name for name in before.columns if name in after.columns and name not in key]
    sides = []
    for side, (table, other) in {"o": (before, after), "n": (after, before)}.items():
        keys = {f"{side}k{i}": table[name] for i, name in enumerate(key)}
        values = {f"{side}{i}": _comparable(table, other, name) for i, name in enumerate(shared)}
        sides.append(table.select(**keys, **values, **{side: ibis.literal(value=True)}))
    one, two = sides
    equal = [one[f"ok{i}"].identical_to(two[f"nk{i}"]) for i in range(len(key))]
    joined = one.outer_join(two, equal)
    both = joined.o.notnull() & joined.n.notnull()
    differs = {
        name: both & ~joined[f"o{i}"].identical_to(joined[f"n{i}"]) for i, name in enumerate(shared)
    }
    wanted = {
        "n_added": joined.o.isnull(),
        "n_removed": joined.n.isnull(),
        "n_changed": ibis.or_(*differs.values()) if differs else ibis.literal(value=False),
        **{f"c{i}": differs[name] for i, name in enumerate(shared)},
    }
    row = joined.aggregate(**{n: v.sum().fill_null(0) for n, v in wanted.items()}).to_pyarrow()
    counts = {name: int(row[name][0].as_py()) for name in ("n_added", "n_removed", "n_changed")}
    return counts | {name: int(row[f"c{i}"][0].as_py()) for i, name in enumerate(shared)}


def _by_row(before: "ir.Table", after: "ir.Table") -> dict[str, int]:
    """Count whole rows, as often as each stands in a snapshot."""
    import ibis

    shared = [name for name in before.columns if name in after.columns]
    sides = []
    for table, other, sign in ((before, after, -1), (after, before, 1)):
        values = {f"v{i}": _comparable(table, other, name) for i, name in enumerate(shared)}
        sides.append(table.select(**values, sign=ibis.literal(sign, type="int64")))
    rows = ibis.union(*sides)
    net = rows.group_by([f"v{i}" for i in range(len(shared))]).aggregate(net=rows.sign.sum())
    row = net.aggregate(
        n_added=net.net.sum(where=net.net > 0).fill_null(0),
        n_removed=(-net.net).sum(where=net.net < 0).fill_null(0),
    ).to_pyarrow()
    counts = {name: int(row[name][0].as_py()) for name in ("n_added", "n_removed")}
    return counts | {"n_changed": 0}


def _comparable(table: "ir.Table", other: "ir.Table", name: str) -> "ir.Value":
    """A column in a type that both snapshots can be compared in."""
    kind, second = table[name].type(), other[name].type()
    if kind == second:
        return table[name]
    return table[name].cast("float64" if kind.is_numeric() and second.is_numeric() else "string")
