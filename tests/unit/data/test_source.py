"""What a source promises: every row of its files, in known types, and nothing of the future."""

import codecs
import gzip
import sqlite3
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairway.data import source
from fairway.data.source import Source, fingerprint, hide, read, visible_window
from fairway.errors import ProjectError

ENGINE = source.connect()
NOON = datetime(2013, 1, 1, 12, tzinfo=UTC)


def at(location: str, **more: Any) -> Source:
    return Source(name="rows", location=location, **more)


def opened(root: Path, location: str, **more: Any) -> ir.Table:
    return read(ENGINE, at(location, **more), root)


def rows(table: ir.Table) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = table.order_by(table.columns).to_pyarrow().to_pylist()
    return found


def types(table: ir.Table) -> dict[str, str]:
    return {name: str(kind) for name, kind in table.schema().items()}


def text(root: Path, content: str | bytes, name: str = "rows.csv") -> Path:
    data = content.encode() if isinstance(content, str) else content
    (root / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return root


def database(root: Path, *statements: str) -> Path:
    with sqlite3.connect(root / "rows.db") as file:
        for statement in statements:
            file.execute(statement)
    file.close()
    return root


# --- files -----------------------------------------------------------------------------------


def test_parquet_by_month_is_one_table_with_columns_matched_by_name(tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": [1], "x": [0.5]}), tmp_path / "m-01.parquet")
    pq.write_table(pa.table({"x": [1.5], "id": [2], "y": ["b"]}), tmp_path / "m-02.parquet")

    assert rows(opened(tmp_path, "m-*.parquet")) == [
        {"id": 1, "x": 0.5, "y": None},
        {"id": 2, "x": 1.5, "y": "b"},
    ]


def test_a_folder_is_read_whole_without_hidden_files_and_markers(tmp_path: Path) -> None:
    for name in ("part/a.csv", "b.csv", ".hidden.csv", "_SUCCESS.csv", "notes.md"):
        (tmp_path / "data" / name).parent.mkdir(parents=True, exist_ok=True)
        text(tmp_path / "data", f"id\n{len(name)}\n", name)

    assert rows(opened(tmp_path, "data")) == [{"id": 5}, {"id": 10}]


def test_a_folder_by_key_and_value_is_a_column(tmp_path: Path) -> None:
    for month in ("01", "02"):
        (tmp_path / f"data/month={month}").mkdir(parents=True)
        pq.write_table(pa.table({"id": [int(month)]}), tmp_path / f"data/month={month}/a.parquet")

    assert sorted(types(opened(tmp_path, "data"))) == ["id", "month"]


def test_json_lines_keep_nested_values_and_read_iso_times(tmp_path: Path) -> None:
    content = '{"t": "2013-01-01T05:00:00Z", "d": "2013-01-01", "us": "1/2/2013", "n": -1}\n'
    text(tmp_path, content + '{"t": null, "n": 3, "list": [1, 2]}\n', "rows.jsonl.gz")

    table = opened(tmp_path, "rows.jsonl.gz")

    assert types(table) == {
        "t": "timestamp('UTC', 6)",
        "d": "date",
        "us": "string",
        "n": "int64",
        "list": "array<int64>",
    }
    assert rows(table)[0]["t"] == datetime(2013, 1, 1, 5, tzinfo=UTC)


def test_a_json_file_may_hold_one_array(tmp_path: Path) -> None:
    text(tmp_path, '[{"id": 1}, {"id": 2}]', "rows.json")

    assert rows(opened(tmp_path, "rows.json")) == [{"id": 1}, {"id": 2}]


@pytest.mark.parametrize("name", ["rows.csv", "rows.csv.gz"])
def test_csv_becomes_numbers_truth_values_and_iso_times_only_where_all_texts_agree(
    tmp_path: Path, name: str
) -> None:
    text(
        tmp_path,
        "int,float,bool,date,time,zip,us,half,long,empty,na\n"
        "1,1.5,true,2013-01-01,2013-01-01 05:00,01234,1/2/2013,1,12345678901234567890,,NA\n"
        '-2,"1e3",FALSE,2013-01-02,2013-01-01T05:00:00.5+02:00,99,2/1/2013,x,1,,7\n',
        name,
    )

    table = opened(tmp_path, name)

    assert types(table) == {
        "int": "int64",
        "float": "float64",
        "bool": "boolean",
        "date": "date",
        "time": "timestamp('UTC', 6)",
        "zip": "string",
        "us": "string",
        "half": "string",
        "long": "string",
        "empty": "string",
        "na": "int64",
    }
    first, second = rows(table)
    assert first["time"] == datetime(2013, 1, 1, 3, 0, 0, 500_000, UTC)
    assert second["time"] == datetime(2013, 1, 1, 5, tzinfo=UTC)
    assert (second["date"], second["zip"], second["na"]) == (date(2013, 1, 1), "01234", None)


def test_a_type_is_refuted_by_a_row_far_down(tmp_path: Path) -> None:
    text(tmp_path, "x\n" + "1\n" * 50_000 + "one\n")

    assert types(opened(tmp_path, "rows.csv")) == {"x": "string"}


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_delimiter_line_ends_quotes_and_byte_order_mark_are_understood(
    tmp_path: Path, delimiter: str, end: str
) -> None:
    lines = [
        f'id{delimiter}"a ""name"", long"',
        f'1{delimiter}"x{delimiter}{end}y"',
        f"2{delimiter}",
    ]
    text(tmp_path, "\ufeff" + end.join(lines) + end)

    assert rows(opened(tmp_path, "rows.csv")) == [
        {"id": 1, 'a "name", long': f"x{delimiter}{end}y"},
        {"id": 2, 'a "name", long': None},
    ]


def test_csv_files_with_other_columns_are_matched_by_name(tmp_path: Path) -> None:
    text(tmp_path, "a,b\n1,2\n", "1.csv")
    text(tmp_path, "b;c\nx;3\n", "2.csv")

    assert rows(opened(tmp_path, "*.csv")) == [
        {"a": 1, "b": "2", "c": None},
        {"a": None, "b": "x", "c": 3},
    ]


@settings(max_examples=25, deadline=None)
@given(
    values=st.lists(
        st.one_of(
            st.none(),
            st.text(
                st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), min_size=1
            ),
        ),
        min_size=1,
        max_size=8,
    )
)
def test_any_text_comes_back_from_csv_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, values: list[str | None]
) -> None:
    folder = tmp_path_factory.mktemp("csv")
    quoted = ['"' + value.replace('"', '""') + '"' if value else "" for value in values]
    text(folder, "id,x\n" + "".join(f"{i},{q}\n" for i, q in enumerate(quoted)) + "-1,text\n")

    found = [row["x"] for row in rows(opened(folder, "rows.csv"))]

    assert found == ["text", *values]


# --- what is wrong with a file ---------------------------------------------------------------


def test_a_short_line_is_named_and_loses_no_row_in_silence(tmp_path: Path) -> None:
    text(tmp_path, "a,b\n1,2\n3\n4,5\n")

    with pytest.raises(ProjectError, match=r"rows\.csv, line 3, cannot be read: Expected Number"):
        opened(tmp_path, "rows.csv")


@pytest.mark.parametrize("name", ["rows.csv", "rows.csv.gz"])
def test_csv_in_latin_1_is_refused_with_the_encoding_to_write(tmp_path: Path, name: str) -> None:
    text(tmp_path, "id,name\n1,x\n2,caf\xe9\n".encode("latin-1"), name)

    with pytest.raises(ProjectError, match=r'line 3 has the byte 0xE9.*encoding = "latin-1"'):
        opened(tmp_path, name)

    assert rows(opened(tmp_path, name, encoding="latin-1"))[1]["name"] == "caf\xe9"


def test_windows_quotes_and_utf_16_are_told_from_latin_1(tmp_path: Path) -> None:
    text(tmp_path, "id,name\n1,\u201ca\u201d\n".encode("cp1252"), "w.csv")
    text(tmp_path, codecs.BOM_UTF16_LE + "id,name\n1,\u0416\n".encode("utf-16-le"), "u.csv")

    for name, encoding in {"w.csv": "cp1252", "u.csv": "utf-16"}.items():
        with pytest.raises(ProjectError, match=f'encoding = "{encoding}"'):
            opened(tmp_path, name)
        assert rows(opened(tmp_path, name, encoding=encoding))[0]["id"] == 1


def test_letters_that_straddle_blocks_are_decoded(tmp_path: Path) -> None:
    filler = "x" * ((1 << 20) - 6)  # the letter's two bytes fall into two blocks
    text(tmp_path, f"name\n{filler}\xe9\n")

    assert rows(opened(tmp_path, "rows.csv"))[0]["name"] == filler + "\xe9"


def test_half_a_letter_at_the_end_of_a_block_is_not_utf_8(tmp_path: Path) -> None:
    text(tmp_path, b"name\n" + b"x" * ((1 << 20) - 6) + b"\xc3" + b"x" * (1 << 20) + b"\xa9")

    with pytest.raises(ProjectError, match="line 2 has the byte 0xC3"):
        opened(tmp_path, "rows.csv")


def test_an_encoding_that_does_not_exist_gets_the_nearest(tmp_path: Path) -> None:
    text(tmp_path, "id\n1\n")

    with pytest.raises(ProjectError, match=r"'latin-11' is no encoding\. Write 'latin-1'"):
        opened(tmp_path, "rows.csv", encoding="latin-11")


@pytest.mark.parametrize("size", [0, 3, 10, 200, -1])
def test_a_half_written_parquet_is_refused_by_name(tmp_path: Path, size: int) -> None:
    pq.write_table(pa.table({"id": list(range(1000))}), tmp_path / "m-01.parquet")
    whole = (tmp_path / "m-01.parquet").read_bytes()
    (tmp_path / "m-02.parquet").write_bytes(whole[:size])

    with pytest.raises(ProjectError, match=r"m-02\.parquet is (half written|no Parquet)"):
        opened(tmp_path, "m-*.parquet")


def test_a_half_written_gzip_is_refused_by_name(tmp_path: Path) -> None:
    whole = gzip.compress(b"id\n" + bytes(range(48, 58)) * 1000)
    (tmp_path / "rows.csv.gz").write_bytes(whole[:-10])

    with pytest.raises(ProjectError, match=r"rows\.csv\.gz is half written"):
        opened(tmp_path, "rows.csv.gz")


def test_a_broken_json_line_is_named(tmp_path: Path) -> None:
    text(tmp_path, '{"id": 1}\n{"id": \n', "rows.jsonl")

    with pytest.raises(ProjectError, match=r"rows\.jsonl, line \d+, cannot be read"):
        opened(tmp_path, "rows.jsonl")


@pytest.mark.parametrize(
    ("name", "content"),
    [("e.csv", ""), ("e.csv", "a,b\n"), ("e.jsonl", ""), ("e.csv.gz", "a,b\n")],
)
def test_a_file_that_yields_no_row_is_refused_even_among_others(
    tmp_path: Path, name: str, content: str
) -> None:
    text(tmp_path, content, name)
    suffix = name.removeprefix("e")
    text(tmp_path, '{"a": 1}\n' if "json" in name else "a,b\n1,2\n", f"full{suffix}")

    with pytest.raises(ProjectError, match=f"{name} yields no row"):
        opened(tmp_path, f"*{suffix}")


def test_a_parquet_without_rows_is_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": pa.array([], pa.int64())}), tmp_path / "e.parquet")

    with pytest.raises(ProjectError, match=r"e\.parquet yields no row"):
        opened(tmp_path, "e.parquet")


def test_a_column_that_stands_twice_is_refused(tmp_path: Path) -> None:
    text(tmp_path, "id,ID\n1,2\n")

    with pytest.raises(ProjectError, match="names the column 'ID' twice"):
        opened(tmp_path, "rows.csv")


def test_json_without_objects_is_refused(tmp_path: Path) -> None:
    text(tmp_path, "1\n2\n", "rows.jsonl")

    with pytest.raises(ProjectError, match="holds JSON, but no objects"):
        opened(tmp_path, "rows.jsonl")


# --- where a source is -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("location", "message"),
    [
        ("data/planse.csv", r"no file at data/planse\.csv\. Write 'data/planes\.csv'"),
        ("dta/planes.csv", r"no file at dta/planes\.csv\. Write 'data/planes\.csv'"),
        ("dat/*.csv", r"no file at dat/\*\.csv\. Write 'data/\*\.csv'"),
        ("data/*.parquet", r"data/ holds planes\.csv"),
        (
            "sqlite:data/planes.db",
            r"no file at sqlite:data/planes\.db\. Write 'sqlite:data/planes\.csv'",
        ),
        ("data/x.xlsx", r"the format of data/x\.xlsx is unknown"),
        ("x.db", r'format of x\.db is unknown\. Write from = "sqlite:PATH"'),
        ("postgresql://host/x", r"which is no file"),
        ("${NOWHERE}/x.csv", r"NOWHERE is not set"),
    ],
)
def test_a_source_that_is_not_there_is_refused_with_what_is(
    tmp_path: Path, location: str, message: str
) -> None:
    (tmp_path / "data").mkdir()
    text(tmp_path / "data", "id\n1\n", "planes.csv")
    if location.endswith(("xlsx", "x.db")):
        text(tmp_path, "", location)

    with pytest.raises(ProjectError, match=message):
        source.files(at(location), tmp_path)


def test_files_of_several_formats_are_refused(tmp_path: Path) -> None:
    text(tmp_path, "id\n1\n", "a.csv")
    text(tmp_path, '{"id": 1}', "b.jsonl")

    with pytest.raises(ProjectError, match=r"several formats, \.csv, \.jsonl"):
        source.files(at("."), tmp_path)


@pytest.mark.parametrize("content", [None, "", "id,x\n1\n", b"id\n\xff\n"])
def test_the_value_of_a_variable_is_never_shown(tmp_path: Path, content: str | None) -> None:
    folder = tmp_path / "s3cret"
    folder.mkdir()
    if content is not None:
        text(folder, content, "token.csv")
    hidden = at(str(folder / "token.csv"), shown="${DATA}/token.csv")

    with pytest.raises(ProjectError) as refused:
        read(ENGINE, hidden, tmp_path)

    assert "${DATA}" in str(refused.value)
    assert "s3cret" not in str(refused.value)


def test_a_missing_key_or_time_is_refused_with_the_nearest_column(tmp_path: Path) -> None:
    text(tmp_path, "tailnum,year\nN1,2004\n")

    with pytest.raises(ProjectError, match=r"no column 'tailnumber'\. Write 'tailnum'"):
        opened(tmp_path, "rows.csv", key=("tailnumber",))
    with pytest.raises(ProjectError, match="its time column year holds int64, no times"):
        opened(tmp_path, "rows.csv", time="year")


def test_names_with_brackets_and_quotes_are_files_not_patterns(tmp_path: Path) -> None:
    text(tmp_path, "id\n1\n", "it's [1].csv")

    assert rows(opened(tmp_path, "it's [1].csv")) == [{"id": 1}]


# --- SQLite ----------------------------------------------------------------------------------


def test_a_sqlite_table_keeps_its_types_and_its_declared_times_become_utc(tmp_path: Path) -> None:
    database(
        tmp_path,
        "CREATE TABLE weather (origin TEXT, temp REAL, n INTEGER, at TIMESTAMP, day DATE,"
        " told TEXT, epoch DATETIME, raw BLOB, mixed INTEGER, absent REAL)",
        "INSERT INTO weather VALUES ('JFK', 1, 5, '2013-01-01 05:00:00', '2013-01-01',"
        " '2013-01-01T05:00:00+01:00', 1357016400, x'00ff', 7, NULL)",
        "INSERT INTO weather VALUES (NULL, 0.5, NULL, NULL, NULL, NULL, NULL, NULL, 'N/A', NULL)",
    )

    table = opened(tmp_path, "sqlite:rows.db", table="weather", time="told")

    assert types(table) == {
        "origin": "string",
        "temp": "float64",
        "n": "int64",
        "at": "timestamp('UTC', 6)",
        "day": "date",
        "told": "timestamp('UTC', 6)",
        "epoch": "timestamp('UTC', 6)",
        "raw": "binary",
        "mixed": "int64",
        "absent": "float64",
    }
    row = rows(table)[0]
    assert row["at"] == row["epoch"] == datetime(2013, 1, 1, 5, tzinfo=UTC)
    assert row["told"] == datetime(2013, 1, 1, 4, tzinfo=UTC)
    assert (row["temp"], row["raw"], row["mixed"]) == (1.0, b"\0\xff", 7)


def test_a_value_of_another_type_far_down_a_sqlite_column_is_kept(tmp_path: Path) -> None:
    database(tmp_path, "CREATE TABLE t (id INTEGER, x)")
    with sqlite3.connect(tmp_path / "rows.db") as file:
        file.executemany("INSERT INTO t VALUES (?, ?)", [(i, None) for i in range(3000)])
        file.execute("INSERT INTO t VALUES (3000, 0.5)")
    file.close()

    table = opened(tmp_path, "sqlite:rows.db", table="t")

    assert table.count().to_pyarrow().as_py() == 3001
    assert table.x.sum().to_pyarrow().as_py() == 0.5


def test_the_last_rows_of_an_open_sqlite_log_are_read_and_change_the_fingerprint(
    tmp_path: Path,
) -> None:
    file = sqlite3.connect(tmp_path / "rows.db")
    file.execute("PRAGMA journal_mode = WAL")
    file.execute("CREATE TABLE t (id INTEGER)")
    file.execute("INSERT INTO t VALUES (1)")
    file.commit()
    here = at("sqlite:rows.db", table="t")
    before = fingerprint(here, tmp_path)
    file.execute("INSERT INTO t VALUES (2)")
    file.commit()

    assert [path.name for path in source.files(here, tmp_path)] == ["rows.db", "rows.db-wal"]
    assert rows(read(ENGINE, here, tmp_path)) == [{"id": 1}, {"id": 2}]
    assert fingerprint(here, tmp_path) != before
    file.close()


def test_reading_a_sqlite_table_does_not_change_its_fingerprint(tmp_path: Path) -> None:
    here = at("sqlite:rows.db", table="t")
    database(tmp_path, "PRAGMA journal_mode = WAL", "CREATE TABLE t AS SELECT 1 AS id")
    before = fingerprint(here, tmp_path)

    read(ENGINE, here, tmp_path)

    assert fingerprint(here, tmp_path) == before


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("wether", r"has no table 'wether'\. Write 'weather'"),
        (None, r"which table .* one of weather"),
        ("weather", "Table weather of rows.db yields no row"),
    ],
)
def test_a_sqlite_table_that_cannot_be_read_is_named(
    tmp_path: Path, table: str | None, message: str
) -> None:
    database(tmp_path, "CREATE TABLE weather (id INTEGER)")

    with pytest.raises(ProjectError, match=f"(?i){message}"):
        opened(tmp_path, "sqlite:rows.db", table=table)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    text(tmp_path, "no database" * 1000, "rows.db")

    with pytest.raises(ProjectError, match=r"rows\.db cannot be read: .*not a database"):
        opened(tmp_path, "sqlite:rows.db", table="t")


# --- times -----------------------------------------------------------------------------------


def test_times_without_a_zone_are_utc_in_every_format(tmp_path: Path) -> None:
    naive = datetime(2013, 1, 1, 5)  # noqa: DTZ001  the point of the test
    kinds = {unit: pa.array([naive], pa.timestamp(unit)) for unit in ("s", "ms", "us", "ns")}
    there = {"there": pa.array([naive], pa.timestamp("us", "America/New_York"))}
    pq.write_table(pa.table(kinds | there), tmp_path / "rows.parquet")

    table = opened(tmp_path, "rows.parquet")

    assert set(types(table).values()) == {"timestamp('UTC', 6)"}
    assert set(rows(table)[0].values()) == {naive.replace(tzinfo=UTC)}


def test_a_time_column_of_dates_or_iso_texts_becomes_utc_and_others_are_refused(
    tmp_path: Path,
) -> None:
    day = pa.array([date(2013, 1, 1)])
    pq.write_table(
        pa.table({"day": day, "iso": ["2013-01-01T12:00:00Z"], "us": ["1/2/2013"]}),
        tmp_path / "rows.parquet",
    )

    assert rows(opened(tmp_path, "rows.parquet", time="iso"))[0]["iso"] == NOON
    midnight = NOON.replace(hour=0)
    assert rows(opened(tmp_path, "rows.parquet", time="day"))[0]["day"] == midnight
    with pytest.raises(ProjectError, match="us holds '1/2/2013', which is no ISO 8601 time"):
        opened(tmp_path, "rows.parquet", time="us")


@settings(max_examples=30, deadline=None)
@given(
    hours=st.lists(st.one_of(st.none(), st.integers(-5, 5)), min_size=1, max_size=8),
    clock=st.integers(-6, 6),
    other=st.integers(-6, 6),
)
def test_the_future_is_hidden_and_the_window_holds_exactly_the_clocks_that_see_the_same(
    hours: list[int | None], clock: int, other: int
) -> None:
    times = [None if h is None else NOON + timedelta(hours=h) for h in hours]
    values = ", ".join("(NULL)" if t is None else f"('{t.isoformat()}')" for t in times)
    table = ENGINE.sql(f"SELECT CAST(t AS TIMESTAMPTZ) AS t FROM (VALUES {values}) v(t)")
    here = at("x", time="t")
    now, then = (NOON + timedelta(hours=h) for h in (clock, other))

    def seen(at: datetime) -> list[Any]:
        return [row["t"] for row in rows(hide(table, here, at))]

    after, until = visible_window(table, here, now)

    assert seen(now) == sorted(t for t in times if t is not None and t < now)
    inside = (after is None or after < then) and (until is None or then <= until)
    assert inside == (seen(then) == seen(now))


def test_a_source_without_time_has_no_future(tmp_path: Path) -> None:
    table = ENGINE.sql("SELECT 1 AS id")

    assert hide(table, at("x"), NOON) is table
    assert visible_window(table, at("x"), NOON) == (None, None)


# --- fingerprints ----------------------------------------------------------------------------


def test_a_fingerprint_follows_content_names_and_reading_but_neither_root_nor_dates(
    tmp_path: Path,
) -> None:
    def made(name: str, content: str = "id\n1\n", file: str = "rows.csv", **more: Any) -> str:
        (tmp_path / name).mkdir()
        text(tmp_path / name, content, file)
        return fingerprint(at(file, **more), tmp_path / name)

    first = made("a")

    assert made("b") == first
    assert made("c", "id\n2\n") != first
    assert made("d", file="r.csv") != first
    assert made("e", encoding="latin-1") != first


def test_naming_and_fingerprinting_load_no_engine(tmp_path: Path) -> None:
    text(tmp_path, "id\n1\n")
    code = (
        "import sys; from pathlib import Path; from fairway.data import source, dataset, snapshot\n"
        "s = source.Source(name='rows', location='rows.csv')\n"
        f"source.fingerprint(s, Path({str(tmp_path)!r}))\n"
        "wanted = dataset.DatasetSpec(build=None, key=('k',), target='y')\n"
        "dataset.features({'x': 'int64'}, wanted)\n"
        "heavy = {'ibis', 'duckdb', 'pyarrow', 'pandas', 'numpy', 'pydantic', 'sqlalchemy'}\n"
        "print(heavy & set(sys.modules))"
    )

    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert run.stdout == "set()\n"


def test_a_table_name_in_sql_is_never_a_python_variable() -> None:
    import duckdb

    secret = pa.table({"id": [1]})
    with pytest.raises(duckdb.CatalogException):
        ENGINE.con.sql("SELECT * FROM secret").fetchall()
    assert secret.num_rows == 1


def test_the_engine_lists_tables_and_streams_batches() -> None:
    engine = source.connect()
    engine.con.execute("CREATE TABLE t AS SELECT range AS i FROM range(10)").fetchall()

    batches = list(engine.to_pyarrow_batches(engine.table("t").order_by("i"), chunk_size=4))

    assert engine.list_tables() == ["t"]
    assert pa.Table.from_batches(batches)["i"].to_pylist() == list(range(10))
