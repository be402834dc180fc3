"""What the probe promises: it refuses what other rows tell of the future, and nothing else."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
import pytest

from fairway.data import source
from fairway.data.contract import Contract
from fairway.data.known_at import parse
from fairway.data.leak.probe import probe
from fairway.data.leakage import Finding
from fairway.data.promise.rule import ColumnRule
from fairway.data.source import Source

START = datetime(2013, 1, 1, tzinfo=UTC)
HOURS = 60 * 24
KEY = ("at", "flight")
ENGINE = source.connect()
CHANCE = np.random.default_rng(11)
DELAY = CHANCE.integers(0, 300, 2 * HOURS)


def load(name: str, **columns: Any) -> ir.Table:
    ENGINE.con.register(name, pa.table(columns))
    return ENGINE.table(name)


FLIGHTS = load(
    "flights",
    at=[START + timedelta(hours=i // 2) for i in range(2 * HOURS)],
    flight=np.arange(2 * HOURS) % 2,
    plane=[f"N{i % 7}" for i in range(2 * HOURS)],
    delay=DELAY.astype(float),
    departed_at=[
        START + timedelta(hours=i // 2, minutes=int(late)) for i, late in enumerate(DELAY)
    ],
    arrival=CHANCE.random(2 * HOURS),
)
WEATHER = load(
    "weather",
    at=[START + timedelta(hours=i) for i in range(-6, HOURS)],
    temp=CHANCE.random(HOURS + 6),
    gust=[float(i) if i % 5 == 0 else None for i in range(HOURS + 6)],
    issued_at=[START + timedelta(hours=i - 6) for i in range(-6, HOURS)],
)
PLANES = load("planes", plane=[f"N{i}" for i in range(7)], seats=np.arange(7) * 20)
TABLES = {"flights": FLIGHTS, "weather": WEATHER, "planes": PLANES}
SOURCES = {
    "flights": Source(name="flights", location="flights.csv", key=KEY, time="at"),
    "weather": Source(name="weather", location="weather.csv", key=("at",), time="at"),
    "planes": Source(name="planes", location="planes.csv", key=("plane",)),
}
Tables = Mapping[str, ir.Table]


def contract(**known_at: str) -> Contract:
    rules = {column: ColumnRule(known_at=text) for column, text in known_at.items()}
    return Contract(id="c", name="c", columns=rules)


def look(build: Callable[[Tables], ir.Table], **more: Any) -> list[Finding]:
    """Predict each flight three hours before ``at``."""
    dataset = build(TABLES)
    asked: dict[str, Any] = {
        "sources": SOURCES,
        "contracts": {},
        "dataset": dataset,
        "key": KEY,
        "features": dataset.columns,
        "known_at": parse("at - 3h"),
    }
    return probe(build, TABLES, **asked | more)


def refused(build: Callable[[Tables], ir.Table], **more: Any) -> list[str]:
    return [finding.column for finding in look(build, **more)]


def weather_before(hours: int) -> Callable[[Tables], ir.Table]:
    def build(tables: Tables) -> ir.Table:
        weather = tables["weather"]
        seen = weather.select("temp", "gust", hour=weather.at + ibis.interval(hours=hours))
        flights = tables["flights"].select(*KEY, "plane")
        return flights.left_join(seen, flights.at == seen.hour).drop("hour")

    return build


def mean_delay(moment: str) -> Callable[[Tables], ir.Table]:
    """The mean delay of all flights whose ``moment`` had come three hours before."""

    def build(tables: Tables) -> ir.Table:
        flights = tables["flights"]
        events = flights.filter(flights.delay.notnull())
        events = events.group_by(moment=events[moment]).aggregate(
            total=events.delay.sum(), n=events.count()
        )
        so_far = ibis.cumulative_window(order_by="moment")
        events = events.select(
            "moment", mean=events.total.sum().over(so_far) / events.n.sum().over(so_far)
        )
        rows = flights.select(*KEY, needed=flights.at - ibis.interval(hours=3))
        return rows.asof_join(events, rows.needed >= events.moment).select(*KEY, "mean")

    return build


def test_weather_at_the_hour_itself_is_refused_and_of_three_hours_before_passes() -> None:
    assert refused(weather_before(0)) == ["temp", "gust"]
    assert refused(weather_before(2)) == ["temp", "gust"]
    assert refused(weather_before(3)) == []


def test_the_evidence_shows_the_cut_the_rows_and_an_example() -> None:
    finding = look(weather_before(0))[0]

    assert finding.test == "probe"
    assert "Built from what was known at 2013-0" in finding.evidence
    assert "temp differs in" in finding.evidence
    assert "(3 of 3 cuts show it)" in finding.evidence
    assert "missing from what was known." in finding.evidence
    assert finding.value is not None
    assert finding.value >= 6  # two flights an hour, three hours before the cut


def test_a_source_without_time_and_without_known_at_is_always_known() -> None:
    def build(tables: Tables) -> ir.Table:
        return tables["flights"].select(*KEY, "plane").left_join(tables["planes"], "plane")

    assert refused(build) == []


def test_a_mean_of_delays_known_by_then_passes_and_one_of_flights_under_way_is_refused() -> None:
    known = {"flights": contract(delay="departed_at", departed_at="departed_at")}

    assert refused(mean_delay("departed_at"), contracts=known) == []
    assert refused(mean_delay("at"), contracts=known) == ["mean"]


def test_a_window_over_later_rows_is_refused_and_one_over_earlier_rows_passes() -> None:
    def build(tables: Tables) -> ir.Table:
        flights = tables["flights"]
        rows = ibis.window(order_by=KEY)
        return flights.select(
            *KEY, before=flights.delay.lag(20).over(rows), after=flights.delay.lead(20).over(rows)
        )

    assert refused(build, contracts={"flights": contract(delay="at + 1h")}) == ["after"]


def test_an_aggregate_of_the_outcome_over_all_rows_is_refused_and_of_earlier_rows_passes() -> None:
    def build(tables: Tables) -> ir.Table:
        flights = tables["flights"]
        rate = flights.group_by("plane").aggregate(rate=flights.arrival.mean())
        rows = ibis.window(group_by="plane", order_by=KEY)
        flights = flights.mutate(past=flights.arrival.lag(2).over(rows))
        return flights.left_join(rate, "plane").select(*KEY, "plane", "rate", "past")

    assert refused(build, unknown={"arrival"}) == ["rate"]


def test_what_a_contract_gives_an_earlier_instant_is_known_then() -> None:
    forecast = {"weather": contract(temp="issued_at", issued_at="issued_at")}

    # gust has no knownAt of its own, so it is known when its row is: at the hour.
    assert refused(weather_before(0), contracts=forecast) == ["gust"]


def test_a_later_known_at_beats_the_time_of_the_row() -> None:
    slow = {"weather": contract(temp="at + 1h")}

    assert refused(weather_before(3), contracts=slow) == ["temp"]
    assert refused(weather_before(4), contracts=slow) == []


def by_sql(text: str) -> Callable[[Tables], ir.Table]:
    """Lineage cannot follow text."""

    def build(tables: Tables) -> ir.Table:
        for name in ("flights", "weather"):
            ENGINE.create_view(f"{name}_then", tables[name], overwrite=True)
        return ENGINE.sql(text)

    return build


def test_what_the_row_itself_holds_is_left_to_its_declaration_where_lineage_can_follow() -> None:
    def build(tables: Tables) -> ir.Table:
        return tables["flights"].select(*KEY, "plane", "delay")

    text = "SELECT f.at, f.flight, f.plane, f.delay FROM flights_then f"
    for text_of_known_at in ("departed_at", "plane"):
        known = {"flights": contract(delay=text_of_known_at)}
        assert refused(build, contracts=known) == []
        assert sql_refused(text, contracts=known) == ["delay"]


def test_what_is_made_of_a_refused_column_is_refused_too_and_the_column_not_twice() -> None:
    def build(tables: Tables) -> ir.Table:
        flights = tables["flights"]
        return flights.select(*KEY, "plane", "delay", is_long=flights.delay > 200)

    assert refused(build, unknown={"delay"}, refused={"delay"}) == ["is_long"]


def sql_refused(text: str, **more: Any) -> list[str]:
    """Judge a build by SQL; its rows are kept apart, as a snapshot keeps them."""
    build = by_sql(text)
    ENGINE.con.register("built", build(TABLES).to_pyarrow())
    return refused(build, dataset=ENGINE.table("built"), **more)


def test_sql_is_judged_like_any_other_build_and_a_lost_row_tells_on_the_other_table() -> None:
    text = (
        "SELECT f.at, f.flight, f.plane, w.temp FROM flights_then f "
        "JOIN weather_then w ON w.at = f.at"
    )

    assert sql_refused(text) == ["temp"]


def test_a_lost_row_tells_on_the_columns_that_come_from_elsewhere() -> None:
    def build(tables: Tables) -> ir.Table:
        return (
            tables["flights"]
            .select(*KEY, "plane")
            .join(tables["weather"].select("at", "temp"), "at")
        )

    assert refused(build) == ["temp"]


def test_a_dataset_with_a_key_of_its_own_hides_the_future_of_every_timed_source() -> None:
    def build(tables: Tables) -> ir.Table:
        flights = tables["flights"]
        half = START + timedelta(days=30)
        ever = flights.group_by("plane").aggregate(
            ever=flights.delay.sum(),
            before=flights.delay.sum(where=flights.at <= ibis.literal(half)),
        )
        return (
            tables["planes"]
            .left_join(ever, "plane")
            .select(
                "plane", "seats", "ever", "before", asked_at=ibis.literal(half, "timestamp('UTC')")
            )
        )

    found = refused(
        build,
        key=("plane",),
        sources={name: SOURCES[name] for name in ("flights", "weather")},
        known_at=parse("asked_at"),
    )

    assert found == ["ever"]


def test_sums_that_differ_by_rounding_are_equal() -> None:
    def build(tables: Tables) -> ir.Table:
        wet = tables["weather"].at.max().as_scalar()
        flights = tables["flights"]
        noise = (wet - flights.at).cast("string").length() * 1e-14
        return flights.select(*KEY, x=1.0 + noise)

    assert refused(build) == []


def test_sources_without_a_future_cost_no_rebuild() -> None:
    def build(tables: Tables) -> ir.Table:
        pytest.fail("rebuilt for nothing")

    dataset = FLIGHTS.select(*KEY, "plane")
    found = probe(
        build,
        TABLES,
        sources={"planes": SOURCES["planes"]},
        contracts={},
        dataset=dataset,
        key=KEY,
        features=["plane"],
        known_at=parse("at"),
    )
    assert found == []


def test_as_many_rebuilds_as_cuts() -> None:
    seen: list[Tables] = []

    def build(tables: Tables) -> ir.Table:
        seen.append(tables)
        return weather_before(3)(tables)

    look(build, cuts=2)

    assert len(seen) == 1 + 2  # the dataset itself, then one at each cut


def test_a_dataset_without_a_prediction_time_in_any_row_tells_nothing() -> None:
    def build(tables: Tables) -> ir.Table:
        return weather_before(0)(tables).mutate(asked_at=ibis.null("timestamp('UTC')"))

    assert refused(build, known_at=parse("asked_at")) == []
