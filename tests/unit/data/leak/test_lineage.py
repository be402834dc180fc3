"""What lineage promises: it follows values within one row of the base source, and only these."""

import ibis
import pytest

from fairway.data.known_at import KnownAt
from fairway.data.leak.lineage import inherit, origins, sole, within

FLIGHTS = ibis.table(
    {
        "id": "int64",
        "origin": "string",
        "at": "timestamp('UTC')",
        "delay": "float64",
        "air": "float64",
        "arrival": "float64",
    },
    name="flights",
)
WEATHER = ibis.table({"origin": "string", "at": "timestamp('UTC')", "temp": "float64"}, name="w")


def names(dataset: ibis.expr.types.Table) -> dict[str, set[str]]:
    return {name: set(found) for name, found in origins(dataset, FLIGHTS).items()}


def test_projections_filters_renames_and_case_expressions_are_followed() -> None:
    dataset = (
        FLIGHTS.filter(FLIGHTS.air > 0)
        .mutate(speed=FLIGHTS.air / 2, both=ibis.coalesce(FLIGHTS.delay, FLIGHTS.air))
        .mutate(fast=lambda t: ibis.cases((t.speed > 3, t.delay), else_=0.0))
        .rename(late="delay")
        .fill_null({"late": 0.0})
        .distinct()
        .order_by("id")
        .limit(10)
        .select("late", "fast", "both", "id")
    )

    assert names(dataset) == {
        "late": {"delay"},
        "fast": {"air", "delay"},
        "both": {"delay", "air"},
        "id": {"id"},
    }


def test_the_left_side_of_a_join_is_followed_and_the_right_side_is_not() -> None:
    dataset = FLIGHTS.left_join(WEATHER, ["origin", "at"]).mutate(
        sum=lambda t: t.delay + t.temp, warm=lambda t: t.temp > 20
    )

    found = names(dataset)

    assert found["delay"] == found["sum"] == {"delay"}
    assert found["temp"] == found["warm"] == set()


def test_the_base_source_on_the_right_side_counts_as_other_rows() -> None:
    other = FLIGHTS.view()
    dataset = FLIGHTS.join(other, FLIGHTS.id == other.id + 1).select(
        "id", mine=FLIGHTS.delay, before=other.delay
    )

    assert names(dataset) == {"id": {"id"}, "mine": {"delay"}, "before": set()}


def test_windows_aggregates_and_subqueries_are_not_followed() -> None:
    mean = FLIGHTS.group_by("origin").aggregate(mean=FLIGHTS.delay.mean())
    windowed = FLIGHTS.mutate(
        before=FLIGHTS.delay.lag().over(order_by="at"),
        above=FLIGHTS.delay - FLIGHTS.air.mean().over(group_by="origin"),
        whole=FLIGHTS.delay.mean().as_scalar(),
    )

    assert names(mean) == {"origin": set(), "mean": set()}
    found = names(windowed)
    assert found["before"] == found["whole"] == set()
    assert found["above"] == {"delay"}


def test_both_halves_of_a_union_are_followed() -> None:
    early = FLIGHTS.filter(FLIGHTS.delay < 0).select("id", x="delay")
    late = FLIGHTS.filter(FLIGHTS.delay >= 0).select("id", x="air")

    assert names(early.union(late))["x"] == {"delay", "air"}


def test_a_dataset_that_is_the_source_itself_keeps_its_columns() -> None:
    assert names(FLIGHTS)["delay"] == {"delay"}


def test_a_value_inherits_the_rule_of_every_column_it_is_made_of() -> None:
    rules = {"delay": KnownAt("at", 3600), "air": KnownAt("at", 7200)}
    dataset = FLIGHTS.mutate(
        y=FLIGHTS.arrival > 15, sum=FLIGHTS.delay + FLIGHTS.air, plain=FLIGHTS.id + 1
    )

    inherited = inherit(dataset, FLIGHTS, rules, target="y")

    assert inherited.rules["sum"] == (KnownAt("at", 3600), KnownAt("at", 7200))
    assert inherited.rules["delay"] == (KnownAt("at", 3600),)
    assert "plain" not in inherited.rules
    assert inherited.outcome == {"arrival"}


@pytest.mark.parametrize(
    ("columns", "found"),
    [(["y"], {"arrival"}), (["mix"], set()), (["y", "air", "no"], {"arrival", "air"})],
)
def test_only_a_column_of_one_origin_tells_on_it(columns: list[str], found: set[str]) -> None:
    dataset = FLIGHTS.mutate(y=FLIGHTS.arrival > 15, mix=FLIGHTS.delay + FLIGHTS.air)

    assert sole(origins(dataset, FLIGHTS), columns) == found


def test_only_what_its_own_base_row_holds_is_within_it() -> None:
    dataset = FLIGHTS.left_join(WEATHER, ["origin", "at"]).select(
        "delay",
        "temp",
        one=1,
        twice=lambda t: t.delay * 2,
        gap=lambda t: t.delay - t.temp,
        rank=lambda t: t.delay - t.delay.mean().over(),
        rare=lambda t: t.delay > t.delay.mean().as_scalar(),
    )

    assert within(dataset, FLIGHTS) == {"delay", "one", "twice"}
