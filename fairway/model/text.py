"""Write rows as CSV text: for commands that read no Parquet, and for models that are processes.

Room: ``fairway.model``. The training files (``{train.csv}``) and the rows that a process predicts
are written by the same function, so that a model reads the same text in both. It reads no CSV.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, BinaryIO

from fairway.errors import StepError

if TYPE_CHECKING:
    import pyarrow as pa

N_ROWS_AT_ONCE = 65_536


def write_csv(table: "pa.Table", file: BinaryIO, *, header: bool) -> None:
    r"""Write rows, each on exactly one line that ends in ``\n``.

    UTF-8. A missing value (null or NaN) is empty. Numbers are the shortest text that reads back
    as the same number; booleans are 1 and 0; times are ISO 8601 UTC (``2013-01-01T10:00:00Z``,
    a fraction only where there is one), dates ``2013-01-01``. Text is quoted only where it must
    be; a line break within text becomes one space. No line is empty: the one value of a table of
    one column is ``""`` when missing.

    Source: RFC 4180.

    Raises:
        StepError: If a column has a type that CSV cannot hold.
    """
    if header:
        file.write(header_line(table.column_names))
    file.writelines(_lines(table))


def header_line(names: Sequence[str]) -> bytes:
    """The first line of a CSV file."""
    return (",".join(_quoted(name) for name in names) + "\n").encode()


def _quoted(name: str) -> str:
    name = " ".join(name.splitlines())
    return '"' + name.replace('"', '""') + '"' if '"' in name or "," in name else name


def _lines(table: "pa.Table") -> Iterator[bytes]:
    import pyarrow as pa
    import pyarrow.compute as pc

    for start in range(0, table.num_rows, N_ROWS_AT_ONCE):
        part = table.slice(start, N_ROWS_AT_ONCE)
        texts = [
            _texts(name, column)
            for name, column in zip(part.column_names, part.columns, strict=True)
        ]
        if len(texts) == 1:
            texts = [pc.if_else(pc.equal(texts[0], ""), '""', texts[0])]
        rows = pc.binary_join_element_wise(*texts, pa.scalar(","))
        yield ("\n".join(rows.to_pylist()) + "\n").encode()


def _texts(name: str, column: "pa.ChunkedArray") -> "pa.ChunkedArray":
    """One column as text, never null."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.types as pt

    type_ = column.type
    if pt.is_timestamp(type_):
        texts = _instants(column)
    elif pt.is_boolean(type_):
        texts = column.cast("int8").cast("string")
    elif pt.is_floating(type_):
        column = column.cast("float64")
        texts = pc.if_else(pc.is_nan(column), pa.scalar(None, "string"), column.cast("string"))
    else:
        try:
            texts = column.cast("string")
        except pa.ArrowNotImplementedError as error:
            raise StepError(
                f"The column {name!r} has the type {type_}, which CSV cannot hold.",
                hint="Use {train} (Parquet), or leave the column out of the dataset.",
            ) from error
        if not pt.is_integer(type_) and not pt.is_decimal(type_):
            texts = _escaped(texts)
    return pc.fill_null(texts, "")


def _escaped(texts: "pa.ChunkedArray") -> "pa.ChunkedArray":
    import pyarrow.compute as pc

    special = pc.match_substring_regex(texts, '[",\r\n]')
    if not pc.any(special).as_py():
        return texts
    flat = pc.replace_substring_regex(texts, "\r\n|\r|\n", " ")
    doubled = pc.replace_substring(flat, '"', '""')
    quoted = pc.binary_join_element_wise('"', doubled, '"', "")
    return pc.if_else(pc.match_substring_regex(flat, '[",]'), quoted, flat)


def _instants(column: "pa.ChunkedArray") -> "pa.ChunkedArray":
    """ISO 8601 in UTC; a time without a zone is taken as UTC.

    Computed without a zone, as Arrow otherwise asks for a time zone database even for UTC.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    utc = column.cast(pa.timestamp("us", column.type.tz), safe=False)
    utc = utc.cast(pa.timestamp("us"))
    whole = pc.floor_temporal(utc, unit="second")
    texts = pc.strftime(whole.cast(pa.timestamp("s")), "%Y-%m-%dT%H:%M:%S")
    micro = pc.microseconds_between(whole, utc)
    if pc.any(pc.greater(micro, 0)).as_py():
        digits = pc.utf8_rtrim(pc.utf8_lpad(micro.cast("string"), 6, "0"), "0")
        fraction = pc.if_else(
            pc.greater(micro, 0), pc.binary_join_element_wise(".", digits, ""), ""
        )
        texts = pc.binary_join_element_wise(texts, fraction, "")
    return pc.binary_join_element_wise(texts, "Z", "")
