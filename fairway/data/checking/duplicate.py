"""Find keys that are there twice, exactly, and in memory that does not grow with the table.

Room: ``fairway.data``, before ``check``. It reads only the key's columns: first as 64-bit hashes,
sorted in blocks, then the few rows whose hash was there twice. Import it inside functions.
"""

import math
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
from ibis.util import gen_name

from fairway.data.checking.breach import is_missing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ibis.backends.duckdb import Backend

BLOCK = 16_000_000  # hashes held at once: 128 MB


@dataclass(frozen=True, kw_only=True)
class Duplicates:
    """The keys that are there more than once.

    Attributes:
        keys: One row a key, its columns as in the table.
        n_rows: Rows that have one of these keys.
        n_repeats: How many of them repeat an earlier row: ``n_rows`` less the number of keys.
    """

    keys: ir.Table
    n_rows: int
    n_repeats: int


@ibis.udf.scalar.builtin(name="hash")  # type: ignore[untyped-decorator]  # Ibis ships no types
def _hash(value) -> "ibis.dtype('uint64')":  # type: ignore[no-untyped-def,valid-type]  # noqa: ANN001  Ibis reads the types
    """DuckDB's own hash of any value."""
    raise NotImplementedError  # the engine's own function is called


def find(connection: "Backend", table: ir.Table, columns: "Sequence[str]") -> Duplicates | None:
    """Find what stands more than once in ``columns``; rows with a missing value there are left out.

    Exact: hashes only choose the rows that are then compared. The answer is kept in a temporary
    table of the connection.

    Returns:
        None if the columns are unique.
    """
    whole = ~ibis.or_(*[is_missing(table[name]) for name in columns])
    keys = table.filter(whole).select(*columns)
    hashed = keys.mutate(fairway_hash=mix([keys[name] for name in columns]))
    suspects = _repeated(connection, hashed.select("fairway_hash"), n_rows=_count(keys))
    if not len(suspects):
        return None
    with _listed(connection, suspects) as listed:
        counted = hashed.semi_join(listed, "fairway_hash").group_by(list(columns))
        found = connection.create_table(
            gen_name("fairway_keys"),
            counted.aggregate(fairway_n=lambda t: t.count()).filter(lambda t: t.fairway_n > 1),
            temp=True,
        )
    total = found.aggregate(n_keys=found.count(), n_rows=found.fairway_n.sum()).to_pyarrow()
    n_keys, n_rows = total["n_keys"][0].as_py(), int(total["n_rows"][0].as_py() or 0)
    if not n_keys:
        return None
    return Duplicates(keys=found.drop("fairway_n"), n_rows=n_rows, n_repeats=n_rows - n_keys)


@contextmanager
def _listed(connection: "Backend", hashes: "np.typing.NDArray[np.uint64]") -> "Iterator[ir.Table]":
    """Lend hashes to the engine as a table: Ibis's memtable cannot be dropped with sqlglot 30."""
    name = gen_name("fairway_suspects")
    connection.con.register(name, pa.table({"fairway_hash": pa.array(hashes)}))
    try:
        yield connection.table(name)
    finally:
        connection.con.unregister(name)


def mix(values: "Sequence[ir.Value]") -> ir.IntegerValue:
    """One hash of a row's values in their order; the same values have the same hash."""
    mixed = _hash(values[0])
    for value in values[1:]:
        mixed = _hash(mixed) ^ _hash(value)
    return mixed


def _repeated(
    connection: "Backend", hashes: ir.Table, *, n_rows: int
) -> "np.typing.NDArray[np.uint64]":
    """Which hashes are there more than once, block by block of the hash space."""
    n_blocks = max(1, math.ceil(n_rows / BLOCK))
    found = []
    for block in range(n_blocks):
        part = hashes if n_blocks == 1 else hashes.filter(hashes.fairway_hash % n_blocks == block)
        room = np.empty(math.ceil(n_rows / n_blocks * 1.05) + 1024, dtype=np.uint64)
        n = 0
        for batch in connection.to_pyarrow_batches(part, chunk_size=1_000_000):
            values = batch.column(0).to_numpy()
            if n + len(values) > len(room):
                room = np.concatenate([room[:n], np.empty(len(room), dtype=np.uint64)])
            room[n : n + len(values)] = values
            n += len(values)
        held = room[:n]
        held.sort()
        found.append(np.unique(held[1:][held[1:] == held[:-1]]))
    return np.concatenate(found)


def _count(table: ir.Table) -> int:
    return int(table.count().to_pyarrow().as_py())
