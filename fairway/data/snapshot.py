"""Write a table down so that the same rows are the same bytes.

Room: ``fairway.data``, after ``check`` and before ``split``. It writes one Parquet file to the
path that it is given; ``store`` names and keeps it. It changes no row.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from fairway.data.name import choice
from fairway.errors import ContractError, StoreError

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pyarrow as pa

GROUP_CELLS = 1 << 22  # a row group holds about so many values, so that wide tables fit into memory
GROUP_ROWS = (1 << 13, 1 << 17)  # but at least and at most so many rows
COMPRESSION_LEVEL = 1


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """What a snapshot holds.

    Attributes:
        n_rows: How many rows.
        columns: The columns' types by name, in order, as Ibis spells them.
    """

    n_rows: int
    columns: dict[str, str]


def write(table: "ir.Table", path: Path, *, key: Sequence[str]) -> Snapshot:
    """Write a table as Parquet: the same rows give the same bytes.

    The order in which rows come, the number of threads and what spilled to disk do not matter:
    rows are sorted by the key, then by all other columns, and cut into row groups whose size
    follows from the number of columns alone. The order of the columns does matter, and so does the
    version of pyarrow. Memory is bounded by the engine's limit and one row group.

    Args:
        table: The rows, (n rows, c columns); times must be ``timestamp('UTC')`` or ``date``.
        path: The file to write.
        key: Columns to sort by first.

    Raises:
        ContractError: If a key is no column, or a row cannot be computed.
        StoreError: If the file cannot be written.
    """
    import duckdb
    import pyarrow as pa
    import pyarrow.parquet as pq

    for name in key:
        if name not in table.columns:
            raise ContractError(
                f"The table has no column {name!r} to sort by.", hint=choice(name, table.columns)
            )
    schema = table.schema()
    n_rows = 0
    try:
        groups = _groups(table.order_by(_order(table, key)), _group_rows(len(schema)))
        first = next(groups)
        with pq.ParquetWriter(
            path,
            first.schema,
            version="2.6",
            compression="zstd",
            compression_level=COMPRESSION_LEVEL,
            write_page_index=False,
        ) as writer:
            for group in chain([first], groups):
                writer.write_table(group, row_group_size=max(1, group.num_rows))
                n_rows += group.num_rows
    except duckdb.Error as error:
        raise ContractError(
            f"The table's rows cannot be computed: {str(error).splitlines()[0]}",
            hint="Mend the value or the expression that it names.",
        ) from error
    except pa.ArrowInvalid as error:
        raise ContractError(
            f"The table's rows cannot be written: {error}.",
            hint="Cast the column to a type that holds the value.",
        ) from error
    except OSError as error:
        raise StoreError(
            f"{path} cannot be written: {error}.", hint="Free space there, or permit writing."
        ) from error
    return Snapshot(n_rows=n_rows, columns={name: str(kind) for name, kind in schema.items()})


def _order(table: "ir.Table", key: Sequence[str]) -> "list[ir.Value]":
    """An order that leaves nothing to chance: ties are rows equal in every bit.

    Only -0.0 equals a number of other bits; its sign decides last.
    """
    import ibis

    from fairway.data.reading.engine import signbit

    names = [*key, *(name for name in table.columns if name not in key)]
    signs = [signbit(table[name]) for name, kind in table.schema().items() if kind.is_floating()]
    return [ibis.asc(value, nulls_first=True) for value in [*(table[n] for n in names), *signs]]


def _group_rows(n_columns: int) -> int:
    """Rows of a row group, from the number of columns alone."""
    low, high = GROUP_ROWS
    return min(high, max(low, GROUP_CELLS // max(1, n_columns)))


def _groups(table: "ir.Table", n_rows: int) -> "Iterator[pa.Table]":
    """Cut a table into groups of exactly ``n_rows`` rows, the last one shorter; at least one."""
    import ibis
    import pyarrow as pa

    with ibis.get_backend(table).to_pyarrow_batches(table, chunk_size=n_rows) as reader:
        target = _target(table, reader.schema)
        held: list[pa.RecordBatch] = []
        n_held = n_groups = 0
        for batch in reader:
            start = 0
            while start < batch.num_rows:
                piece = batch.slice(start, n_rows - n_held)
                held.append(piece)
                n_held += piece.num_rows
                start += piece.num_rows
                if n_held == n_rows:
                    yield pa.Table.from_batches(held).combine_chunks().cast(target)
                    held, n_held, n_groups = [], 0, n_groups + 1
        if held or not n_groups:
            yield pa.Table.from_batches(held, reader.schema).combine_chunks().cast(target)


def _target(table: "ir.Table", given: "pa.Schema") -> "pa.Schema":
    """The Arrow types that Ibis promises, where the engine computed in a wider type."""
    import pyarrow as pa

    fields = []
    for name, kind in table.schema().items():
        plain = kind.is_numeric() or kind.is_boolean() or kind.is_temporal() or kind.is_string()
        fields.append(pa.field(name, kind.to_pyarrow() if plain else given.field(name).type))
    return pa.schema(fields)
