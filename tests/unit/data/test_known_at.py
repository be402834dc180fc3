"""What ``knownAt`` promises: a small grammar that reads what it writes."""

import subprocess
import sys
from datetime import UTC, date, datetime

import ibis
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairway.data import source
from fairway.data.known_at import KnownAt, duration, instant, parse
from fairway.errors import ProjectError


@pytest.mark.parametrize(
    ("text", "known_at"),
    [
        ("arrived_at", KnownAt("arrived_at", 0)),
        ("arrived_at + 1d", KnownAt("arrived_at", 86400)),
        ("scheduled_at - 3h", KnownAt("scheduled_at", -10800)),
        (" at+90m ", KnownAt("at", 5400)),
        ("emp.var.rate - 1.5s", KnownAt("emp.var.rate", -1.5)),
        ("last seen + 2w", KnownAt("last seen", 1209600)),
    ],
)
def test_a_column_and_at_most_one_duration_are_read(text: str, known_at: KnownAt) -> None:
    assert parse(text) == known_at


@given(st.integers(-(10**9), 10**9))
def test_what_is_written_is_read_back(offset_s: int) -> None:
    known_at = KnownAt("arrived_at", offset_s)

    assert parse(str(known_at)) == known_at


@pytest.mark.parametrize("text", ["", "   ", "+", "-"])
def test_no_column_is_refused(text: str) -> None:
    with pytest.raises(ProjectError, match="does not say when a value is known"):
        parse(text)


def test_a_duration_is_spelt_in_its_largest_whole_unit() -> None:
    assert [duration(s) for s in (86400, 5400, 60, 61, 0.5, 0)] == [
        "1d",
        "90m",
        "1m",
        "61s",
        "0.5s",
        "0s",
    ]


def test_instants_of_dates_and_zoneless_times_are_utc_with_the_offset_added() -> None:
    rows = pa.table({"on": [date(2013, 1, 2), None], "at": [datetime(2013, 1, 2, 5), None]})  # noqa: DTZ001  read as UTC
    engine = source.connect()
    engine.con.register("rows", rows)
    table = engine.table("rows")

    for text, expected in (
        ("on - 1d", datetime(2013, 1, 1, tzinfo=UTC)),
        ("at + 90s", datetime(2013, 1, 2, 5, 1, 30, tzinfo=UTC)),
    ):
        found = table.select(at=instant(table, parse(text))).to_pyarrow()["at"].to_pylist()
        assert sorted(found, key=lambda at: at is None) == [expected, None]


def test_a_column_that_is_absent_or_holds_no_time_is_refused() -> None:
    table = ibis.table({"at": "string"}, name="rows")

    with pytest.raises(ProjectError, match=r"No column 'then'\. Name one of at"):
        instant(table, KnownAt("then"))
    with pytest.raises(ProjectError, match="at is string, no time"):
        instant(table, KnownAt("at"))


def test_importing_it_loads_no_engine() -> None:
    heavy = "{'ibis', 'duckdb', 'pandas', 'numpy', 'pyarrow', 'pydantic'}"
    program = f"import sys, fairway.data.known_at; sys.exit(len({heavy} & set(sys.modules)))"

    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
