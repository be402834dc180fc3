"""What suggested repairs promise: right on real data, silent where nothing is odd."""

import random
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ibis.expr.types as ir
import pyarrow as pa
import pytest
from ibis.util import gen_name

from fairway.data import source
from fairway.data.reading import engine
from fairway.data.repair import from_table
from fairway.data.source import Source
from fairway.data.suggest import Suggestion, suggest_repairs

ENGINE = engine.start()
FLIGHTS = Path(__file__).parents[3] / "examples/flights/data"
DRAW = random.Random(7)
BULK = [round(DRAW.gauss(50, 10), 1) for _ in range(2000)]


def table(columns: Mapping[str, Any]) -> ir.Table:
    name = gen_name("test")
    ENGINE.con.register("arrow", pa.table(dict(columns)))
    ENGINE.con.execute(f"CREATE TEMP TABLE {name} AS SELECT * FROM arrow")
    return ENGINE.table(name)


def suggested(values: list[Any]) -> list[Suggestion]:
    return [one for one in suggest_repairs(table({"x": values})) if one.column == "x"]


def opened(location: str, **more: Any) -> ir.Table:
    return source.read(ENGINE, Source(name="rows", location=location, **more), FLIGHTS)


def test_the_weathers_wind_of_a_thousand_miles_an_hour_is_an_outlier() -> None:
    found = suggest_repairs(opened("sqlite:weather.db", table="weather"))

    (wind,) = [one for one in found if one.column == "wind_speed"]
    assert wind.rule == {"outlier": "mad > 8"}
    assert "1048.36" in wind.reason
    assert [one.column for one in found if not one.is_question] == ["wind_speed", "*"]


def test_the_makers_spelled_longer_are_a_question() -> None:
    found = suggest_repairs(opened("planes.csv"), skip=["tailnum"])

    (makers,) = [one for one in found if one.column == "manufacturer"]
    assert makers.is_question
    assert makers.rule["spelling"]["AIRBUS INDUSTRIE"] == "AIRBUS"
    assert makers.toml().startswith("# manufacturer = { spelling = {")


def test_the_flights_heavy_tails_are_left_alone() -> None:
    found = suggest_repairs(opened("flights/2013-02.parquet"))

    assert [one.column for one in found] == ["*"]


def test_a_code_far_from_all_other_values_is_a_sentinel() -> None:
    (found,) = suggested([*range(28)] * 3 + [999] * 2000)

    assert found.rule == {"sentinel": [999]}
    assert found.reason == "999 in 2,000 rows (96.0%); all other values lie in 0 to 27"


@pytest.mark.parametrize("codes", [[-999.0], [-999.0, -9999.0], [9999.0], [-99.0, 999.0]])
def test_codes_at_both_ends_are_found(codes: list[float]) -> None:
    (found,) = suggested([*BULK, *codes * 5])

    assert sorted(found.rule["sentinel"]) == sorted(codes)


def test_minus_one_among_counts_is_a_question() -> None:
    (found,) = suggested([*range(100), -1, -1])

    assert (found.rule, found.is_question) == ({"sentinel": [-1]}, True)


@pytest.mark.parametrize(
    "values",
    [
        [*range(1, 1001)],
        [*range(-999, 1000)],
        [99, 98, 97, 96] * 30,
        [0, 0, 0, 1] * 50,
        [5] * 100,
        BULK,
        [2.0 ** (i % 20) for i in range(500)],
        [0.0] * 900 + [i / 100 for i in range(100)],
        [float(i % 25) for i in range(500)],
    ],
)
def test_ordinary_numbers_are_left_alone(values: list[Any]) -> None:
    assert suggested(values) == []


def test_zeros_apart_from_a_sensors_other_values_are_a_sentinel() -> None:
    (found,) = suggested([0.0] * 5 + [0.3 + i % 70 / 100 for i in range(2000)])

    assert found.rule == {"sentinel": [0]}
    assert "silent sensor" in found.reason


def test_many_such_zeros_are_a_question() -> None:
    (found,) = suggested([0.0] * 300 + [0.3 + i % 70 / 100 for i in range(2000)])

    assert found.is_question


def test_values_missing_where_zero_would_be_are_a_question() -> None:
    (found,) = suggested([None] * 800 + [20.0 + i % 30 for i in range(200)])

    assert (found.rule, found.is_question) == ({"missing": 0.0}, True)


def test_words_for_no_value_are_sentinels_as_they_are_spelled() -> None:
    (found,) = suggested(["a", "b", "N/A", " n/a", "", "  ", "?", "unknown"] * 20)

    assert set(found.rule["sentinel"]) == {"N/A", " n/a", "", "  ", "?", "unknown"}


def test_a_word_that_may_be_a_value_is_a_question() -> None:
    (found,) = suggested(["NA", "SA", "EU"] * 20)

    assert (found.rule, found.is_question) == ({"sentinel": ["NA"]}, True)


def test_other_case_blanks_and_stops_are_the_same_name() -> None:
    (found,) = suggested(
        ["AIRBUS"] * 50 + ["Airbus ", "airbus"] + ["Boeing Co"] * 40 + ["Boeing Co."]
    )

    assert found.rule["spelling"] == {
        "Airbus ": "AIRBUS",
        "airbus": "AIRBUS",
        "Boeing Co.": "Boeing Co",
    }


def test_names_of_single_rows_are_left_alone() -> None:
    assert suggested([f"name {i}" for i in range(100)] + ["unknown"]) == []


def test_what_is_skipped_is_left_alone() -> None:
    assert suggest_repairs(table({"x": [*BULK, 99999.0, 99999.0]}), skip=["x"]) == []


def test_missing_values_anywhere_suggest_the_default_for_all_columns() -> None:
    found = suggest_repairs(table({"x": [1, None], "y": ["a", "b"]}))

    assert found[-1].toml() == (
        '"*" = { missing = "median", flag = true }  # 1 column has missing values, most: x 50.0%'
    )


def test_every_suggestion_stands_in_a_project_file_as_it_is_spelled() -> None:
    rows = table(
        {
            "emp.var rate": [*range(98), 9999, 9999],
            'quo"te': ["é"] * 60 + ["É "] * 38 + ["N/A\\", "-"],
            "maker": ["Sony", "Sony Computer", "unknown", "none"] * 25,
        }
    )
    found = suggest_repairs(rows)

    assert len(found) == 4
    for one in found:
        line = one.toml().removeprefix("# ")
        read = tomllib.loads(line)
        assert read == {one.column: one.rule}
        from_table(one.column, read[one.column])
