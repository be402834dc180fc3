"""What building a dataset promises: every row of the base source once, or a plain refusal."""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fairway.data import source
from fairway.data.dataset import DatasetSpec, build, features
from fairway.errors import ContractError, FairwayError, ProjectError

ENGINE = source.connect()
FLIGHTS = {"id": [1, 2, 3], "plane": ["a", "b", None], "late": [True, None, False]}
PLANES = {"plane": ["a", "b"], "year": [1999, 2004]}


def table(rows: dict[str, Any]) -> ir.Table:
    name = f"t{len(ENGINE.list_tables())}"
    ENGINE.con.register("given", pa.table(rows))
    ENGINE.con.execute(f"CREATE TABLE {name} AS SELECT * FROM given").fetchall()
    ENGINE.con.unregister("given")
    return ENGINE.table(name)


def spec(build: str | None = "late.dataset:build", **more: Any) -> DatasetSpec:
    return DatasetSpec(**{"build": build, "key": ("id",), "target": "late", **more})


def built(
    root: Path,
    code: str,
    wanted: DatasetSpec | None = None,
    tables: dict[str, dict[str, Any]] | None = None,
    files: dict[str, Path] | None = None,
    **more: Any,
) -> list[dict[str, Any]]:
    """Write the project's code, build, and give the rows."""
    is_sql = wanted is not None and (wanted.build or "").endswith(".sql")
    file = root / ("build.sql" if is_sql else "late/dataset.py")
    file.parent.mkdir(exist_ok=True)
    file.write_text(code)
    given_ = {"flights": FLIGHTS, "planes": PLANES} if tables is None else tables
    made = {name: table(rows) for name, rows in given_.items()}
    result = build(ENGINE, wanted or spec(), made, files or {}, root, **more)
    found: list[dict[str, Any]] = result.order_by("id").to_pyarrow().to_pylist()
    return found


def refused(root: Path, code: str, *args: Any, **more: Any) -> FairwayError:
    with pytest.raises(FairwayError) as error:
        built(root, code, *args, **more)
    return error.value


JOIN = (
    "def build(flights, planes):\n"
    "    return flights.left_join(planes, 'plane').drop('plane_right')\n"
)


# --- by a Python function --------------------------------------------------------------------


def test_a_function_gets_its_tables_by_name_and_rows_without_a_label_are_kept(
    tmp_path: Path,
) -> None:
    assert built(tmp_path, JOIN) == [
        {"id": 1, "plane": "a", "late": True, "year": 1999},
        {"id": 2, "plane": "b", "late": None, "year": 2004},
        {"id": 3, "plane": None, "late": False, "year": None},
    ]


def test_defaults_stay_and_two_stars_take_all_other_sources(tmp_path: Path) -> None:
    code = (
        "def build(flights, *, limit=2, **others):\n"
        "    assert limit == 2 and list(others) == ['planes']\n"
        "    return flights\n"
    )

    assert len(built(tmp_path, code)) == 3


def test_an_unknown_argument_lists_the_sources_and_points_at_the_function(tmp_path: Path) -> None:
    error = refused(tmp_path, "\n\ndef build(flight):\n    return flight\n")

    assert isinstance(error, ProjectError)
    assert "asks for 'flight', but the sources are flights, planes" in error.problem
    assert error.hint == "Write 'flights'."
    assert (error.file, error.line) == (tmp_path / "late/dataset.py", 3)


@pytest.mark.parametrize(
    ("code", "problem", "line"),
    [
        ("def build(flights):\n    return flights.nope\n", "raised AttributeError: ", 2),
        ("def build(flights):\n    x = 1\n    raise SystemExit(3)\n", "raised SystemExit: 3", 3),
        ("def build(flights):\n    return flights..x\n", "raised SyntaxError: ", 2),
        ("import nowhere_to_be\n", "raised ModuleNotFoundError: No module named 'nowhere", 1),
        ("x = 1\ndef build(flights):\n    return None\n", "returned nothing", 2),
        ("def build(flights):\n    return 1\n", "returned builtins.int, no Ibis table", 1),
        (
            "def build(flights):\n    return flights.select('id')\n",
            "no column 'late', its target",
            1,
        ),
        ("def other(flights):\n    pass\n", "late.dataset has no function 'build'", 1),
    ],
)
def test_a_fault_of_the_code_names_its_file_and_line(
    tmp_path: Path, code: str, problem: str, line: int
) -> None:
    error = refused(tmp_path, code)

    assert isinstance(error, ProjectError)
    assert problem in error.problem
    assert (error.file, error.line) == (tmp_path / "late/dataset.py", line)


def test_a_fault_in_a_module_that_the_build_uses_is_found_there(tmp_path: Path) -> None:
    (tmp_path / "part.py").write_text("def half(table):\n    return 1 / 0\n")

    error = refused(
        tmp_path, "from part import half\ndef build(flights):\n    return half(flights)\n"
    )

    assert isinstance(error, ProjectError)
    assert (error.file, error.line) == (tmp_path / "part.py", 2)


@pytest.mark.parametrize(
    ("build", "hint"),
    [
        ("late.datasets:build", "Write late.dataset:build."),
        ("elsewhere:build", "Add elsewhere.py."),
    ],
)
def test_a_module_that_is_not_there_gets_the_nearest(tmp_path: Path, build: str, hint: str) -> None:
    error = refused(tmp_path, JOIN, spec(build))

    assert error.hint == hint


def test_an_edited_module_is_read_anew_and_leaves_neither_bytecode_nor_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    path = list(sys.path)
    (tmp_path / "part.py").write_text("YEARS = 1\n")
    code = "from part import YEARS\ndef build(flights):\n    return flights.mutate(y=YEARS)\n"
    first = built(tmp_path, code)
    (tmp_path / "part.py").write_text("YEARS = 2\n")

    second = built(tmp_path, code)

    assert (first[0]["y"], second[0]["y"]) == (1, 2)
    assert not list(tmp_path.rglob("__pycache__"))
    assert sys.path == path
    assert "part" not in sys.modules


def test_what_the_engine_cannot_compute_points_at_the_build(tmp_path: Path) -> None:
    error = refused(
        tmp_path, "def build(flights):\n    return flights.mutate(id=flights.plane.cast('int'))\n"
    )

    assert isinstance(error, ProjectError)
    assert "cannot be computed" in error.problem
    assert (error.file, error.line) == (tmp_path / "late/dataset.py", 1)


# --- by SQL ----------------------------------------------------------------------------------


def test_sql_sees_tables_by_name_with_its_own_ctes_and_comments(tmp_path: Path) -> None:
    code = (
        "-- flights with planes\nWITH p AS (SELECT * FROM planes)\n"
        "SELECT f.*, p.year FROM flights f LEFT JOIN p USING (plane); -- the end\n"
    )

    assert [row["year"] for row in built(tmp_path, code, spec("build.sql"))] == [1999, 2004, None]


def test_two_builds_by_sql_do_not_disturb_each_other(tmp_path: Path) -> None:
    (tmp_path / "build.sql").write_text("SELECT * FROM flights")
    other = {**FLIGHTS, "id": [7, 8, 9]}

    first = build(ENGINE, spec("build.sql"), {"flights": table(FLIGHTS)}, {}, tmp_path)
    build(ENGINE, spec("build.sql"), {"flights": table(other)}, {}, tmp_path)

    assert sorted(first.to_pyarrow()["id"].to_pylist()) == [1, 2, 3]


@pytest.mark.parametrize(
    ("code", "problem", "hint", "line"),
    [
        ("SELECT *\nFROM flight", "asks for the table 'flight'", "Write 'flights'.", 2),
        ("SELECT id,\n  lat,\nFROM flights", "lat", "Mend the query", 2),
        ("\n\nSELECT *\nFRM flights WHERE 1", "Parser Error", "Mend the query", 4),
        ("SELECT 1; DROP TABLE t0", "is not one SELECT", "Leave one SELECT", 1),
    ],
)
def test_a_fault_of_the_sql_names_its_line(
    tmp_path: Path, code: str, problem: str, hint: str, line: int
) -> None:
    error = refused(tmp_path, code, spec("build.sql"))

    assert isinstance(error, ProjectError)
    assert problem in error.problem
    assert hint in error.hint
    assert (error.file, error.line) == (tmp_path / "build.sql", line)


def test_an_sql_file_that_is_not_there_gets_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "build.sql").write_text("SELECT 1")

    with pytest.raises(ProjectError, match=r"no file bild\.sql.*Write 'build\.sql'"):
        build(ENGINE, spec("bild.sql"), {}, {}, tmp_path)


# --- inputs ----------------------------------------------------------------------------------


def test_without_a_build_the_only_source_is_the_dataset(tmp_path: Path) -> None:
    assert len(built(tmp_path, "", spec(None), {"flights": FLIGHTS})) == 3
    with pytest.raises(ProjectError, match="the only source, but there are 2"):
        built(tmp_path, "", spec(None))


def test_a_build_that_is_neither_function_nor_sql_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="neither a function nor an SQL file"):
        built(tmp_path, "", spec("late.dataset"))


def test_outputs_of_steps_are_tables_where_they_can_be_and_paths_otherwise(tmp_path: Path) -> None:
    pq.write_table(pa.table(PLANES), tmp_path / "out.parquet")
    (tmp_path / "years.csv").write_text("plane,age\na,9\n")
    (tmp_path / "note.txt").write_text("42")
    code = (
        "def build(flights, out, years, note):\n"
        "    joined = flights.left_join(out, 'plane').drop('plane_right')\n"
        "    joined = joined.left_join(years, 'plane').drop('plane_right')\n"
        "    return joined.mutate(note=int(note.read_text()))\n"
    )
    files = {"out": "out.parquet", "years": "years.csv", "note": "note.txt"}

    rows = built(tmp_path, code, files={name: tmp_path / file for name, file in files.items()})

    assert (rows[0]["year"], rows[0]["age"], rows[0]["note"]) == (1999, 9, 42)


# --- rows ------------------------------------------------------------------------------------


def test_a_join_that_multiplies_rows_is_refused_with_counts_and_keys(tmp_path: Path) -> None:
    twice = {"plane": ["a", "a", "b"], "year": [1, 2, 3]}

    error = refused(tmp_path, JOIN, None, {"flights": FLIGHTS, "planes": twice})

    assert isinstance(error, ContractError)
    assert error.problem == (
        "A join multiplies rows: 3 rows of flights became 4, and "
        "1 keys (id) stand more than once, such as (id=1) 2 times."
    )


def test_a_source_that_repeats_its_key_is_not_blamed_on_a_join(tmp_path: Path) -> None:
    rows = {"id": [1, 1, 2, 2, 3, 3, 4, 4], "plane": ["a"] * 8, "late": [True] * 8}

    error = refused(tmp_path, JOIN, None, {"flights": rows, "planes": PLANES})

    assert error.problem == (
        "4 keys (id) stand more than once, such as (id=1) 2 times; (id=2) 2 times; (id=3) 2 times."
    )


INNER = "def build(flights, planes):\n    return flights.inner_join(planes, 'plane')\n"


def test_a_join_that_loses_rows_is_refused_unless_asked_for(tmp_path: Path) -> None:
    error = refused(tmp_path, INNER)

    assert isinstance(error, ContractError)
    assert error.problem == "The build loses 1 of 3 rows of flights, such as (id=3)."
    assert len(built(tmp_path, INNER, spec(rows="fewer"))) == 2
    assert len(built(tmp_path, INNER, spec(rows="any"))) == 2
    assert "loses 1 of 3" in refused(tmp_path, INNER, spec(rows="more")).problem


def test_rows_without_a_label_may_not_be_dropped_in_silence(tmp_path: Path) -> None:
    error = refused(
        tmp_path, "def build(flights):\n    return flights.filter(flights.late.notnull())\n"
    )

    assert "loses 1 of 3 rows" in error.problem
    assert "keep rows without a label" in error.hint


def test_rows_that_the_base_source_does_not_have_are_refused_unless_asked_for(
    tmp_path: Path,
) -> None:
    code = (
        "import ibis\n"
        "def build(flights):\n"
        "    later = flights.mutate(id=(flights.id + 2).cast('int64'))\n"
        "    return ibis.union(flights, later.filter(lambda t: t.id > 3))\n"
    )

    assert "adds 2 rows that flights does not have, such as (id=4); (id=5)" in (
        refused(tmp_path, code).problem
    )
    assert len(built(tmp_path, code, spec(rows="more"))) == 5


def test_a_key_that_is_missing_is_refused(tmp_path: Path) -> None:
    rows = {**FLIGHTS, "id": [1, None, 3]}

    error = refused(tmp_path, JOIN, spec(rows="any"), {"flights": rows, "planes": PLANES})

    assert error.problem == "1 keys of the dataset lack a part of id, such as (id=(none))."


def test_keys_of_several_columns_and_times_are_spelled_for_people(tmp_path: Path) -> None:
    at = datetime(2013, 1, 1, 10, tzinfo=UTC)
    rows = {"id": [1, 1], "t": [at, at], "late": [True, False]}

    error = refused(tmp_path, "", spec(None, key=("id", "t")), {"flights": rows})

    assert "(id=1, t=2013-01-01T10:00:00Z) 2 times" in error.problem


def test_the_base_source_is_the_one_with_the_datasets_key(tmp_path: Path) -> None:
    code = "def build(flights, small):\n    return flights\n"
    tables = {"small": {"id": [1], "late": [True]}, "flights": FLIGHTS}

    assert len(built(tmp_path, code, None, tables, keys={"flights": ("id",), "small": ("x",)})) == 3
    assert "adds 2 rows that small" in refused(tmp_path, code, None, tables).problem


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    left=st.lists(st.one_of(st.none(), st.integers(0, 3)), min_size=1, max_size=5),
    right=st.lists(st.integers(0, 3), min_size=1, max_size=4),
)
def test_a_left_join_passes_exactly_when_no_row_finds_two(
    tmp_path: Path, left: list[int | None], right: list[int]
) -> None:
    flights = {
        "id": list(range(len(left))),
        "plane": pa.array(left, pa.int64()),
        "late": [True] * len(left),
    }
    tables = {"flights": flights, "planes": {"plane": right, "year": right}}

    if any(right.count(plane) > 1 for plane in left if plane is not None):
        assert "A join multiplies rows" in refused(tmp_path, JOIN, None, tables).problem
    else:
        assert len(built(tmp_path, JOIN, None, tables)) == len(left)


def test_a_build_that_is_only_repeated_is_not_counted_again(tmp_path: Path) -> None:
    assert len(built(tmp_path, INNER, is_counted=False)) == 2


def test_a_rule_for_rows_that_is_none_is_refused() -> None:
    with pytest.raises(ProjectError, match="rows = 'less' is no rule"):
        spec(rows="less")


# --- times and roles -------------------------------------------------------------------------


def test_times_leave_as_utc_and_the_datasets_time_may_come_as_dates(tmp_path: Path) -> None:
    code = (
        "def build(flights):\n"
        "    naive = flights.at.cast('timestamp')\n"
        "    return flights.mutate(naive=naive, day=flights.at.date(), known=flights.at.date())\n"
    )
    at = [datetime(2013, 1, 1, 10, tzinfo=UTC)] * 3
    wanted = spec(time="day", known_at=("known", -3600.0))

    row = built(tmp_path, code, wanted, {"flights": {**FLIGHTS, "at": at}})[0]

    assert row["naive"] == at[0]
    assert row["day"] == row["known"] == at[0].replace(hour=0)


def test_features_are_all_but_the_roles_and_what_no_model_takes_has_a_reason(
    tmp_path: Path,
) -> None:
    sql = (
        "SELECT 1 AS id, true AS late, now() AS t, 1::SMALLINT AS i, 0.5 AS d, 1.5::FLOAT AS f,"
        " 'x' AS s, false AS b, current_date AS day, now() AS at, [1] AS l, INTERVAL 1 DAY AS v"
    )
    schema = ENGINE.sql(sql).schema()
    written = json.loads(json.dumps({name: str(kind) for name, kind in schema.items()}))

    chosen, left_out = features(schema, spec(time="t"))

    assert chosen == ["i", "d", "f", "s", "b"]
    assert list(left_out) == ["day", "at", "l", "v"]
    assert left_out["day"] == "date is an instant: derive its hour or its age instead"
    assert left_out["l"].endswith("is nested: take its parts as columns of their own")
    assert features(written, spec(time="t")) == (chosen, left_out)
