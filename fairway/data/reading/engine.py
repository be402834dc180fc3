"""One DuckDB in memory, spoken to through Ibis.

Room: ``fairway.data``, behind ``source.connect``. It makes a connection and reads results from
it; it knows no source, no contract and no file. Import it inside functions: it loads Ibis.

Ibis 12 asks DuckDB 2 for Arrow by names that DuckDB has given up. The four methods below ask by
the new names; nothing else of Ibis is changed.
"""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import ibis
import ibis.expr.datatypes as dt
import ibis.expr.schema as sch
import ibis.expr.types as ir
from ibis.backends.duckdb import Backend
from ibis.common.exceptions import TableNotFound

if TYPE_CHECKING:
    import pyarrow as pa

UTC = dt.Timestamp(timezone="UTC", scale=6)
THREADS = 2
MEMORY = "1GB"  # of DuckDB's own buffers; what does not fit goes to the scratch folder


class Engine(Backend):  # type: ignore[misc]  # Ibis ships no types
    """Ibis's DuckDB backend, on DuckDB 2."""

    def get_schema(
        self, table_name: str, *, catalog: str | None = None, database: str | None = None
    ) -> sch.Schema:
        """Names and types of a table's columns.

        Raises:
            TableNotFound: If there is no such table; Ibis's own error, which Ibis awaits.
        """
        parts = [part for part in (catalog, database, table_name) if part is not None]
        name = ".".join(identifier(part) for part in parts)
        try:
            return self._get_schema_using_query(name)
        except duckdb.CatalogException as error:
            raise TableNotFound(table_name) from error

    def _get_schema_using_query(self, query: str) -> sch.Schema:
        """Names and types of a query's columns, without running it."""
        rows = self.con.sql(f"DESCRIBE {query}").fetchall()
        read = self.compiler.type_mapper.from_string
        return sch.Schema(
            {name: read(kind, nullable=null == "YES") for name, kind, null, *_ in rows}
        )

    def list_tables(
        self,
        *,
        like: str | None = None,
        database: tuple[str, str] | str | None = None,  # noqa: ARG002  Ibis's own signature
    ) -> list[str]:
        """Names of the tables and views of this connection."""
        rows = self.con.sql("SELECT DISTINCT table_name FROM information_schema.tables").fetchall()
        names: list[str] = self._filter_with_like([name for (name,) in rows], like)
        return sorted(names)

    def to_pyarrow_batches(
        self,
        expr: ir.Expr,
        /,
        *,
        params: Mapping[ir.Scalar, Any] | None = None,
        limit: int | str | None = None,
        chunk_size: int = 131_072,
        **_: Any,  # noqa: ANN401  Ibis's own signature
    ) -> "pa.RecordBatchReader":
        """Run an expression and stream its rows; a batch has at most ``chunk_size`` of them."""
        relation = self._to_duckdb_relation(expr, params=params, limit=limit)
        return relation.to_arrow_reader(chunk_size)


@ibis.udf.scalar.builtin  # type: ignore[untyped-decorator]  # Ibis ships no types
def signbit(number: float) -> bool:
    """Whether a number is negative, -0.0 included."""
    raise NotImplementedError  # the engine's own function is called


def start(scratch: Path | None = None, *, threads: int = THREADS) -> Engine:
    """Open an empty engine: UTC, bounded memory, nothing downloaded at run time.

    A name in SQL is a table of this engine, never a Python variable that happens to be so called.

    Args:
        scratch: Folder that takes what does not fit into memory; made when needed and removed
            when the connection closes. Without it, one below the system's temporary folder.
        threads: How many threads a query may use.
    """
    folder = scratch or Path(tempfile.gettempdir()) / f"fairway-{os.getpid()}-{os.urandom(4).hex()}"
    engine: Engine = Engine().connect(
        threads=threads,
        memory_limit=MEMORY,
        temp_directory=str(folder),
        preserve_insertion_order=False,
        python_enable_replacements=False,
        autoinstall_known_extensions=False,
        autoload_known_extensions=False,
    )
    return engine


def identifier(name: str) -> str:
    """Spell a name so that SQL takes it for a name, whatever it holds."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Spell a text so that SQL takes it for a text, whatever it holds."""
    return "'" + text.replace("'", "''") + "'"


def fresh() -> str:
    """A name for a table that nobody else has."""
    return f"fairway_{os.urandom(8).hex()}"
