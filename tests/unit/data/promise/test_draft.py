"""What a drafted contract promises: the data keeps it, and nothing stands in it by chance."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import ibis.expr.types as ir
import pyarrow as pa
import pytest
from ibis.util import gen_name

from fairway.data import source
from fairway.data.check import check
from fairway.data.contract import Contract, dump, load
from fairway.data.promise.draft import suggest_contract
from fairway.data.promise.rule import ColumnRule
from fairway.data.reading import engine
from fairway.data.source import Source

ENGINE = engine.start()
FLIGHTS = Path(__file__).parents[4] / "examples/flights/data"
KEYS = {
    "flights": ("time_hour", "carrier", "flight"),
    "weather": ("origin", "time_hour"),
    "planes": ("tailnum",),
    "airports": ("faa",),
    "airlines": ("carrier",),
}
PLACES = {
    "flights": "flights/2013-01.parquet",
    "weather": "sqlite:weather.db",
    "planes": "planes.csv",
    "airports": "airports.jsonl",
    "airlines": "airlines.parquet",
}


def table(columns: Mapping[str, Any]) -> ir.Table:
    name = gen_name("test")
    ENGINE.con.register("arrow", pa.table(dict(columns)))
    ENGINE.con.execute(f"CREATE TEMP TABLE {name} AS SELECT * FROM arrow")
    return ENGINE.table(name)


@cache
def opened(name: str) -> ir.Table:
    inner = "weather" if name == "weather" else None
    return source.read(ENGINE, Source(name=name, location=PLACES[name], table=inner), FLIGHTS)


def drafted(columns: Mapping[str, Any], **more: Any) -> Contract:
    return suggest_contract(table(columns), "orders", **more)


def column(values: list[Any], name: str = "x") -> ColumnRule:
    return drafted({name: values}).columns[name]


@pytest.mark.parametrize("name", list(PLACES))
def test_the_data_keeps_the_contract_drafted_from_it_and_so_does_a_file_of_it(
    name: str, tmp_path: Path
) -> None:
    rows = opened(name)
    others = {other: (opened(other), key) for other, key in KEYS.items()}
    path = tmp_path / "draft.odcs.yaml"

    path.write_text(dump(suggest_contract(rows, name, key=KEYS[name], others=others)))
    found = check(ENGINE, rows, load(path), references={n: t for n, (t, _) in others.items()})

    broken = [one for one in found.rules if not one.passed]
    assert found.n_aside == 0
    assert load(path).key == KEYS[name]
    assert {(one.rule, one.column, one.severity) for one in broken} <= {
        ("reference", "dest", "warning"),
        ("reference", "tailnum", "warning"),
        ("maximum", "wind_speed", "warning"),
    }


def test_sources_that_are_joined_are_referred_to() -> None:
    others = {name: (opened(name), KEYS[name]) for name in ("planes", "airlines", "airports")}

    found = suggest_contract(opened("flights"), "flights", key=KEYS["flights"], others=others)

    assert {(one.columns[0], one.source, one.severity) for one in found.references} == {
        ("carrier", "airlines", "error"),
        ("origin", "airports", "error"),
        ("dest", "airports", "warning"),
        ("tailnum", "planes", "warning"),
    }


def test_what_was_never_missing_is_required() -> None:
    assert column([1, 2]).required
    assert not column([1, None]).required


def test_a_key_is_found_in_one_column_or_in_a_time_and_a_group() -> None:
    start = datetime(2013, 1, 1, tzinfo=UTC)
    hours = [start + timedelta(hours=i // 4) for i in range(400)]

    assert drafted({"id": list(range(200)), "x": [1, 2] * 100}).key == ("id",)
    assert drafted({"at": hours, "shop": list("abcd") * 100, "x": [0.5] * 400}).key == (
        "at",
        "shop",
    )
    assert drafted({"x": [1, 2] * 100, "y": [0.1 * i for i in range(200)]}).key == ()


def test_a_key_that_repeats_is_not_promised() -> None:
    assert drafted({"id": [1, 1, 2]}, key=["id"]).key == ()


@pytest.mark.parametrize(
    ("values", "low", "high"),
    [
        ([1, 2, 3, 4] * 50, 1, 4),
        ([0, 1] * 100, 0, 1),
        ([*range(5, 24)] * 20, 0, 23),
        ([i / 100 for i in range(101)] * 2, 0, 1),
    ],
)
def test_bounded_things_have_their_bounds(values: list[Any], low: float, high: float) -> None:
    rule = column(values)

    assert (rule.minimum, rule.maximum, dict(rule.severity)) == (low, high, {})


def test_degrees_on_earth_have_their_bounds() -> None:
    assert column([20 + i / 10 for i in range(200)], "lat").maximum == 90
    assert column([-100 + i / 10 for i in range(200)], "lon").minimum == -180
    assert column([i / 10 for i in range(2000)], "lat").maximum != 90


def test_other_ranges_are_wide_and_only_warn_and_an_outlier_does_not_widen_them() -> None:
    rule = column([float(i % 40) for i in range(1000)] + [1048.0])

    assert (rule.minimum, rule.maximum) == (0, 59)
    assert rule.severity == {"minimum": "warning", "maximum": "warning"}


@pytest.mark.parametrize("values", [[2.0 ** (i % 20) for i in range(500)], [3] * 200])
def test_a_heavy_tail_or_a_constant_has_no_ceiling(values: list[Any]) -> None:
    assert column(values).maximum is None


def test_a_short_list_is_closed_a_longer_one_warns_and_names_stay_open() -> None:
    short = column(["a", "b", "c"] * 50)
    longer = column([f"shop {chr(65 + i)}" for i in range(20)] * 30)
    names = column([f"name {i}" for i in range(200)] * 2)

    assert (short.accepted, dict(short.severity)) == (("a", "b", "c"), {})
    assert (len(longer.accepted), dict(longer.severity)) == (20, {"accepted": "warning"})
    assert names.accepted == ()


def test_a_calendar_is_completed() -> None:
    rule = column(["mar", "apr", "may"] * 50)

    assert len(rule.accepted) == 12
    assert "jan" in rule.accepted


def test_dates_as_text_have_a_pattern_instead_of_a_list() -> None:
    rule = column(["2008-05", "2008-06", "2008-07"] * 50)

    assert (rule.pattern, rule.accepted) == (r"\d{4}-\d{2}", ())


def test_few_rows_teach_nothing_about_values() -> None:
    rule = column(["a", "b"] * 10)

    assert (rule.type, rule.accepted) == ("string", ())


def test_a_tenth_of_the_rows_is_an_error_and_tenfold_a_warning() -> None:
    limits = drafted({"x": [1.5] * 200}).limits

    assert [(one.operator, one.bound, one.severity) for one in limits] == [
        ("mustBeGreaterOrEqualTo", 20, "error"),
        ("mustBeLessOrEqualTo", 2000, "warning"),
    ]


def test_freshness_is_promised_where_the_project_says_so() -> None:
    at = [datetime(2013, 1, 1, tzinfo=UTC)]

    assert drafted({"at": at}, time="at", fresh_s=60.0).fresh_column == "at"
    assert drafted({"at": at}, time="at").fresh_s is None
