"""The home's one database: short transactions in SQL, on SQLite, through SQLAlchemy Core.

Room: ``fairway.store``. It owns connections and what the engine's errors mean; the SQL for a table
stands in the module that owns the table, and the tables' shapes in ``migrations``.
"""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fairway.errors import ConflictError, FairwayError, GateError, RequestError, StoreError
from fairway.store.crash import CrashPoints

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine, TextClause

BUSY_TIMEOUT_S = 120  # how long a writer waits for the others before it gives up
_PART_ROWS = 1000  # so few of the driver's own rows live at once that Python's collector rests

_FULL = "Free some space, then repeat the command."
_RESTORE = "Restore it from a backup; nothing was changed."
_REFUSALS = {
    "SQLITE_FULL": ("the disk is full", _FULL),
    "SQLITE_READONLY": ("it is read-only", "Choose a home that may be written (--home)."),
    "SQLITE_CANTOPEN": ("it cannot be opened", "Check that its folder may be read and written."),
    "SQLITE_PERM": ("permission is denied", "Choose a home that may be written (--home)."),
    "SQLITE_CORRUPT": ("it is damaged", _RESTORE),
    "SQLITE_NOTADB": ("it is no database", _RESTORE),
    "SQLITE_IOERR_SHM": ("the disk is full", _FULL),  # no room for the index of its log
    "SQLITE_IOERR": ("the disk reports an error", "Check the disk, then repeat the command."),
    "SQLITE_BUSY": ("another process keeps it locked", "Wait for that process, then repeat."),
    "SQLITE_LOCKED": ("another process keeps it locked", "Wait for that process, then repeat."),
    "SQLITE_NOMEM": ("memory is used up", "Close other programs, then repeat the command."),
}


class Transaction:
    """One unit of work that holds the write lock: all of it is kept, or none."""

    def __init__(self, connection: "Connection", path: Path) -> None:
        self._connection = connection
        self._path = path

    def execute(
        self,
        sql: str,
        parameters: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None,
    ) -> None:
        """Run a statement once, or once for each of several mappings; none: not at all.

        Args:
            sql: One statement, its values named as ``:name``.
            parameters: The values by name; a sequence runs the statement for each.

        Raises:
            GateError: If a guard of the table refuses.
            ConflictError: If a row of that key is there already.
            StoreError: If the database refuses for another reason.
        """
        if isinstance(parameters, Sequence) and not parameters:
            return
        with refusals(self._path):
            self._connection.execute(_text(sql), parameters)

    def read(self, sql: str, parameters: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """Rows of a query, as they are inside this transaction.

        Raises:
            StoreError: If the database refuses.
        """
        return _rows(self._connection, self._path, sql, parameters)


class Database:
    """SQLite in WAL mode, synced at each commit: what is committed survives a loss of power.

    Readers never wait for writers. Writers of any number of threads and processes queue up.
    Nothing is opened, and SQLAlchemy is not imported, before the first call.

    Attributes:
        path: The database file.
        is_read_only: Whether writes are refused.
    """

    def __init__(self, path: Path, *, crash: CrashPoints, is_read_only: bool = False) -> None:
        self.path = path
        self.is_read_only = is_read_only
        self._crash = crash
        self._engine: Engine | None = None
        self._opening = threading.Lock()
        self._writing = threading.local()

    def read(self, sql: str, parameters: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """Rows of a query over what is committed.

        Args:
            sql: One SELECT, its values named as ``:name``.
            parameters: The values by name.

        Raises:
            StoreError: If the database refuses.
        """
        with self.connect() as connection:
            return _rows(connection, self.path, sql, parameters)

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Hold the write lock: commit at the end of the block, roll back if it raises.

        Raises:
            RequestError: If this thread holds the lock already; it would wait for itself.
            StoreError: If the database is read-only, or refuses.
        """
        if getattr(self._writing, "is_on", False):
            raise RequestError(
                "A transaction is under way in this thread.", hint="Hand that one on as `tx`."
            )
        if self.is_read_only:
            raise StoreError(
                f"{self.path.parent} cannot be written: the home is read-only.",
                hint="Choose a home that may be written (--home).",
            )
        with self.connect() as connection:
            with refusals(self.path):
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            self._writing.is_on = True
            try:
                yield Transaction(connection, self.path)
            finally:
                self._writing.is_on = False
            self._crash.point()
            with refusals(self.path):
                connection.commit()
            self._crash.point()

    @contextmanager
    def connect(self) -> Iterator["Connection"]:
        """A connection for the room itself; what is not committed at the end is rolled back."""
        with refusals(self.path):
            connection = self._opened().connect()
        try:
            yield connection
        finally:
            with refusals(self.path):
                connection.close()

    def close(self) -> None:
        """Close every connection; the next call opens anew."""
        with self._opening:
            if self._engine is not None:
                self._engine.dispose()
                self._engine = None

    def _opened(self) -> "Engine":
        with self._opening:
            if self._engine is None:
                self._engine = _engine(self.path, is_read_only=self.is_read_only)
            return self._engine


def _engine(path: Path, *, is_read_only: bool) -> "Engine":
    """Connect so that SQLite's own BEGIN and COMMIT are the only ones."""
    import sqlite3

    from sqlalchemy import create_engine
    from sqlalchemy.pool import QueuePool

    query = "mode=rw"
    if is_read_only:
        query = "mode=ro"
        log = path.with_name(path.name + "-wal")
        if not log.exists() or not log.stat().st_size:
            query += "&immutable=1"  # without its log a WAL database opens read-only only so

    def open_connection() -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?{query}",
            uri=True,
            timeout=BUSY_TIMEOUT_S,
            isolation_level=None,
            check_same_thread=False,
        )
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")
        return connection

    return create_engine(
        "sqlite://", creator=open_connection, poolclass=QueuePool, pool_size=4, max_overflow=-1
    )


@lru_cache(maxsize=512)
def _text(sql: str) -> "TextClause":
    from sqlalchemy import text

    return text(sql)


def _rows(
    connection: "Connection", path: Path, sql: str, parameters: Mapping[str, Any] | None
) -> list[dict[str, Any]]:
    with refusals(path):
        result = connection.execute(_text(sql), parameters)
        names = list(result.keys())
        return [
            dict(zip(names, row, strict=True))
            for part in result.partitions(_PART_ROWS)
            for row in part
        ]


@contextmanager
def refusals(path: Path) -> Iterator[None]:
    """Turn the engine's errors inside the block into Fairway's.

    Raises:
        FairwayError: As ``meaning`` says.
    """
    import sqlite3

    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except SQLAlchemyError as error:
        cause = getattr(error, "orig", None)
        raise meaning(path, cause if isinstance(cause, sqlite3.Error) else error) from error
    except sqlite3.Error as error:
        raise meaning(path, error) from error


def meaning(path: Path, error: Exception) -> FairwayError:
    """What an error of the engine says, and what to do about it."""
    name = getattr(error, "sqlite_errorname", "")
    if name == "SQLITE_CONSTRAINT_TRIGGER":
        return GateError(f"{error}.", hint="Use `fairway deploy` or `fairway rollback`.")
    if name in {"SQLITE_CONSTRAINT_PRIMARYKEY", "SQLITE_CONSTRAINT_UNIQUE"}:
        return ConflictError(f"{path} has such a row: {error}.", hint="Look again, decide anew.")
    for prefix, (fact, hint) in _REFUSALS.items():
        if name.startswith(prefix):
            return StoreError(f"The database {path} cannot be used: {fact}.", hint=hint)
    return StoreError(
        f"The database {path} refused: {error}.", hint="Report this; nothing was changed."
    )
