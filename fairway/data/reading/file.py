"""Open files of rows in the engine: Parquet, CSV, JSON lines.

Room: ``fairway.data``, under ``source.read``, on ``encoding`` and ``column``. It is told which
files and what messages call them; it looks for no file and hides no row.

Nothing is guessed that can be known: DuckDB's own detection of CSV yields zero rows from a file
with one short line, and drops the zeros of 00501. The delimiter is read from the header line, and
all texts are tested before a column gets a type.
"""

import csv as csv_text
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from fairway.data.reading import column, encoding
from fairway.data.reading.engine import Engine, identifier, literal
from fairway.errors import ProjectError

if TYPE_CHECKING:
    import ibis.expr.types as ir

MARK = b"PAR1"  # the first and the last four bytes of a Parquet file
FILE = "fairway file"  # the column that tells, while loading, which file a row is from
LINE_BYTES = 8 << 20
DELIMITERS = ",;\t|"
_WIDE = ("HUGEINT", "UBIGINT", "UHUGEINT")  # DuckDB's guess where whole numbers have both signs

Show = Callable[[Path], str]


def parquet(
    connection: Engine, paths: Sequence[Path], show: Show, *, divided: bool = False
) -> "ir.Table":
    """Open Parquet files as one table, columns matched by name; read when it is used.

    Args:
        connection: The engine.
        paths: The files.
        show: What messages call a file.
        divided: Whether folders such as ``month=01`` are a column.

    Raises:
        ProjectError: If a file is half written, or has no row.
    """
    for path in paths:
        _check_whole(path, show(path))
    names = _list(paths)
    with explained(show, paths):
        counts = connection.con.sql(
            f"SELECT file_name, num_rows FROM parquet_file_metadata({names})"  # noqa: S608  quoted
        ).fetchall()
        _check_rows(dict(counts), paths, paths, show)
        return connection.read_parquet(
            [str(path) for path in paths], union_by_name=True, hive_partitioning=divided
        )


def csv(connection: Engine, paths: Sequence[Path], show: Show, spelled: str | None) -> "ir.Table":
    """Load CSV files as one table, columns matched by name.

    A header line; a delimiter of comma, semicolon, tab or bar; fields quoted with ``"``; empty is
    missing. Numbers, truth values, dates and times are found as ``column`` says.

    Args:
        connection: The engine.
        paths: The files.
        show: What messages call a file.
        spelled: Their encoding, None for UTF-8.

    Raises:
        ProjectError: If a file is not of its encoding, has lines of other lengths, repeats a
            column's name, or has no row.
    """
    with _readable(paths, show, spelled) as texts, explained(show, paths, texts):
        heads: dict[tuple[str, tuple[str, ...]], list[Path]] = {}
        for path, text in zip(paths, texts, strict=True):
            heads.setdefault(_head(text, show(path)), []).append(text)
        parts = [_csv_sql(group, *head) for head, group in heads.items()]
        names = dict.fromkeys(name for _, columns in heads for name in columns)
        _count_files(connection, parts, paths, texts, show)
        rows = _union(parts, names)
        allowed = dict.fromkeys(names, column.NUMBERS | column.TIMES)
        return column.load(connection, rows, list(names), allowed)


def json(connection: Engine, paths: Sequence[Path], show: Show, spelled: str | None) -> "ir.Table":
    """Load files of JSON objects, one a line (``.json``: also one array), as one table.

    Args:
        connection: The engine.
        paths: The files.
        show: What messages call a file.
        spelled: Their encoding, None for UTF-8.

    Raises:
        ProjectError: If a line is no JSON object, a file is not of its encoding or has no row.
    """
    with _readable(paths, show, spelled) as texts, explained(show, paths, texts):
        lines = all(not t.name.lower().removesuffix(".gz").endswith(".json") for t in texts)
        form = "newline_delimited" if lines else "auto"
        call = f"read_json({_list(texts)}, format='{form}', filename='{FILE}'"
        found = connection.con.sql(
            f"DESCRIBE SELECT * FROM {call}, sample_size=-1, union_by_name=true)"  # noqa: S608  quoted
        ).fetchall()
        kinds = {name: _json_type(kind) for name, kind, *_ in found if name != FILE}
        whole = ", ".join(f"{literal(n)}: {literal(k)}" for n, k in kinds.items())
        part = f"SELECT * FROM {call}, auto_detect=false, columns={{{whole}}})"  # noqa: S608  quoted
        _count_files(connection, [part], paths, texts, show)
        if set(kinds) == {"json"}:
            raise ProjectError(
                f"{show(paths[0])} holds JSON, but no objects.",
                hint='Write one object a line, such as {"id": 1, "x": 0.5}.',
            )
        rows = _union([part], kinds)
        wide = {name for name, kind, *_ in found if kind in _WIDE}
        allowed = {
            name: {"BIGINT"} if name in wide else column.TIMES
            for name, kind in kinds.items()
            if kind == "VARCHAR"
        }
        return column.load(connection, rows, list(kinds), allowed)


@contextmanager
def explained(
    show: Show, paths: Sequence[Path], texts: Sequence[Path] | None = None
) -> Iterator[None]:
    """Say what DuckDB found wrong with a file in words that name the file and the line."""
    try:
        yield
    except duckdb.Error as error:
        text = str(error)
        named = [p for p, t in zip(paths, texts or paths, strict=True) if str(t) in text]
        called = show(named[0] if named else paths[0])
        line = re.search(r"Error on Line: (\d+)|in line (\d+)", text)
        if line:
            called = f"{called}, line {line[1] or line[2]},"
        raise ProjectError(
            f"{called} cannot be read: {_reason(text, paths, texts or paths, show)}",
            hint="Mend the file, or leave it out.",
        ) from error


def _reason(text: str, paths: Sequence[Path], texts: Sequence[Path], show: Show) -> str:
    """What went wrong, without DuckDB's advice about its own options and without hidden names."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    told = [
        line
        for line in lines
        if not line.startswith(("Invalid Input Error: CSV Error", "Original Line", "Possible"))
    ]
    reason = (told or lines)[0].split(" Error: ", 1)[-1].split(" Try ")[0]
    for path, held in zip(paths, texts, strict=True):
        reason = reason.replace(str(held), show(path)).replace(str(path), show(path))
    return reason.rstrip(". ") + "."


def _check_whole(path: Path, shown: str) -> None:
    """Refuse a Parquet file whose end was never written."""
    try:
        with path.open("rb") as file:
            head = file.read(4)
            file.seek(0, 2)
            size = file.tell()
            file.seek(max(0, size - 8))
            tail = file.read(8)
    except OSError as error:
        raise ProjectError(
            f"{shown} cannot be read: {error.strerror}.",
            hint="Let the file be read, then run again.",
        ) from error
    if head != MARK:
        raise ProjectError(
            f"{shown} is no Parquet file: it starts with {head!r}.",
            hint="Give it its right suffix.",
        )
    if tail[4:] != MARK or int.from_bytes(tail[:4], "little") + 12 > size:
        raise ProjectError(
            f"{shown} is half written: its {size} bytes do not end as Parquet does.",
            hint="Copy the file again, or remove it.",
        )


@contextmanager
def _readable(paths: Sequence[Path], show: Show, spelled: str | None) -> Iterator[list[Path]]:
    """The same texts in UTF-8: the files themselves, or copies for as long as they are read."""
    if encoding.is_utf8(spelled) or spelled is None:
        for path in paths:
            encoding.check_utf8(path, show(path))
        yield list(paths)
        return
    with tempfile.TemporaryDirectory(prefix="fairway-") as folder:
        texts = []
        for i, path in enumerate(paths):
            suffix = Path(path.name.lower().removesuffix(".gz")).suffix
            texts.append(Path(folder) / f"{i}{suffix}")
            encoding.decode(path, show(path), spelled, texts[-1])
        yield texts


def _head(path: Path, shown: str) -> tuple[str, tuple[str, ...]]:
    """The delimiter and the columns' names, from a file's first line."""
    lines = encoding.lines(path)
    first = next(lines, "")
    bare = re.sub(r'"[^"]*"?', "", first)
    delimiter = max(DELIMITERS, key=bare.count)
    names = next(csv_text.reader(chain([first], lines), delimiter=delimiter), [])
    names = [name.strip() or f"column_{i}" for i, name in enumerate(names, 1)]
    if not names:
        raise _no_row(shown)
    small = [name.lower() for name in names]
    if twice := [name for name, low in zip(names, small, strict=True) if small.count(low) > 1]:
        raise ProjectError(
            f"{shown} names the column {twice[-1]!r} twice, capitals or not.",
            hint="Give each column a name of its own in the first line.",
        )
    return delimiter, tuple(names)


def _csv_sql(paths: Sequence[Path], delimiter: str, names: Sequence[str]) -> str:
    """SQL that reads CSV files of one header, every column as text."""
    columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in names)
    return (
        f"SELECT * FROM read_csv({_list(paths)}, auto_detect=false, columns={{{columns}}}, "  # noqa: S608  quoted
        f"delim={literal(delimiter)}, quote='\"', escape='\"', header=true, nullstr='', "
        f"strict_mode=true, max_line_size={LINE_BYTES}, filename='{FILE}')"
    )


def _json_type(kind: str) -> str:
    """The type to read: texts stay texts until ``column`` has looked at them all."""
    texts = ("DATE", "TIME", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE", "UUID", "JSON", *_WIDE)
    return "VARCHAR" if kind in texts or kind.startswith("TIMESTAMP_") else kind


def _union(parts: Sequence[str], names: Mapping[str, object] | Sequence[str]) -> str:
    """SQL of all rows, columns matched by name and in the order of their first appearance."""
    columns = ", ".join(map(identifier, names))
    return f"SELECT {columns} FROM ({' UNION ALL BY NAME '.join(parts)})"  # noqa: S608  quoted


def _count_files(
    connection: Engine,
    parts: Sequence[str],
    paths: Sequence[Path],
    texts: Sequence[Path],
    show: Show,
) -> None:
    """Refuse a file that yields no row."""
    counts: dict[str, int] = {}
    for part in parts:
        sql = f'SELECT "{FILE}", count(*) FROM ({part}) GROUP BY 1'  # noqa: S608  our own column
        counts.update(connection.con.sql(sql).fetchall())
    _check_rows(counts, paths, texts, show)


def _check_rows(
    counts: Mapping[str, int], paths: Sequence[Path], texts: Sequence[Path], show: Show
) -> None:
    """Refuse the first file that was counted with no row."""
    for path, text in zip(paths, texts, strict=True):
        if not counts.get(str(text)):
            raise _no_row(show(path))


def _no_row(shown: str) -> ProjectError:
    """Say that a file is empty."""
    return ProjectError(f"{shown} yields no row.", hint="Fill the file, or leave it out.")


def _list(paths: Sequence[Path]) -> str:
    """SQL of a list of file names; brackets in a name are letters, not a pattern."""
    return "[" + ", ".join(literal(str(path)) for path in paths) + "]"
