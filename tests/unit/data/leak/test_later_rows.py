"""What the probe promises of rows with prediction times: what only a later row holds is not known.

A base source without any declaration, and tables that steps of the project made.
"""

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
from fairway.data.leak.probe import carries, probe
from fairway.data.promise.rule import ColumnRule
from fairway.data.source import Source

START = datetime(2024, 1, 1, tzinfo=UTC)
N = 600
KEY = ("order_id",)
ENGINE = source.connect()
CHANCE = np.random.default_rng(5)
TIMES = [START + timedelta(hours=6 * i) for i in range(N)]

Tables = Mapping[str, ir.Table]
Build = Callable[[Tables], ir.Table]


def load(name: str, **columns: Any) -> ir.Table:
    ENGINE.con.register(name, pa.table(columns))
    return ENGINE.table(name)


ORDERS = load(
    "orders",
    order_id=np.arange(N),
    ordered_at=TIMES,
    paid_at=[time + timedelta(days=2) for time in TIMES],
    amount=CHANCE.normal(50, 15, N),
    channel=[("web", "shop", "phone")[i] for i in CHANCE.integers(0, 3, N)],
    returned=CHANCE.integers(0, 2, N),
)
SCORES = load("scores", order_id=np.arange(N), score=CHANCE.random(N))
SHARES = load("shares", channel=["web", "shop", "phone"], share=[0.2, 0.3, 0.5])
SOURCES = {
    "orders": Source(name="orders", location="orders.csv", key=KEY, time="ordered_at"),
}
UNTIMED = {"orders": Source(name="orders", location="orders.csv", key=KEY)}


def by_sql(text: str) -> Build:
    """Lineage cannot follow text."""

    def build(tables: Tables) -> ir.Table:
        for name, table in tables.items():
            ENGINE.create_view(f"{name}_then", table, overwrite=True)
        return ENGINE.sql(text)

    return build


def over(frame: str, value: str = "avg(amount)") -> Build:
    return by_sql(
        f"SELECT order_id, ordered_at, amount, {value} OVER ({frame}) AS x FROM orders_then"
    )


def windowed(window: Any, take: Callable[[ir.Table], Any]) -> Build:
    def build(tables: Tables) -> ir.Table:
        orders = tables["orders"]
        return orders.select(*KEY, "ordered_at", "amount", x=take(orders).over(window))

    return build


def contract(**known_at: str) -> Contract:
    rules = {column: ColumnRule(known_at=text) for column, text in known_at.items()}
    return Contract(id="c", name="c", columns=rules)


def refused(build: Build, made: Tables | None = None, **more: Any) -> list[str]:
    """Judge a build from the orders and what steps made; its rows are kept, as in a snapshot."""
    tables = {"orders": ORDERS, **(made or {})}
    ENGINE.con.register("built", build(tables).to_pyarrow())
    dataset = ENGINE.table("built")
    asked: dict[str, Any] = {
        "sources": SOURCES,
        "contracts": {},
        "dataset": dataset,
        "key": KEY,
        "features": [name for name in dataset.columns if name != "ordered_at"],
        "known_at": parse("ordered_at"),
        "steps": tuple(made or {}),
    }
    return [finding.column for finding in probe(build, tables, **asked | more)]


BY_TIME = "ORDER BY ordered_at"
NEXT_THREE = f"{BY_TIME} ROWS BETWEEN 1 FOLLOWING AND 3 FOLLOWING"
LATER = {
    "the label of the next row, by SQL": over(BY_TIME, "lead(returned)"),
    "a mean over following rows, by SQL": over(NEXT_THREE),
    "a mean over the whole group, by SQL": over("PARTITION BY channel"),
    "the label of the next row, by Ibis": windowed(
        ibis.window(order_by="ordered_at"), lambda orders: orders.returned.lead()
    ),
    "a mean over following rows, by Ibis": windowed(
        ibis.window(order_by="ordered_at", following=(1, 3)),
        lambda orders: orders.amount.mean(),
    ),
    "a mean over the whole group, by Ibis": windowed(
        ibis.window(group_by="channel"), lambda orders: orders.amount.mean()
    ),
}
EARLIER = {
    "the label of the row before, by SQL": over(BY_TIME, "lag(returned)"),
    "a mean over preceding rows, by SQL": over(
        f"PARTITION BY channel {BY_TIME} ROWS BETWEEN 3 PRECEDING AND 1 PRECEDING"
    ),
    "the label of the row before, by Ibis": windowed(
        ibis.window(order_by="ordered_at"), lambda orders: orders.returned.lag()
    ),
    "a mean over preceding rows, by Ibis": windowed(
        ibis.window(group_by="channel", order_by="ordered_at", preceding=(3, 1)),
        lambda orders: orders.amount.mean(),
    ),
}


@pytest.mark.parametrize("sources", [SOURCES, UNTIMED], ids=["timed", "untimed"])
@pytest.mark.parametrize("build", LATER.values(), ids=LATER.keys())
def test_what_later_rows_hold_is_refused(build: Build, sources: Mapping[str, Source]) -> None:
    assert refused(build, sources=sources) == ["x"]


@pytest.mark.parametrize("sources", [SOURCES, UNTIMED], ids=["timed", "untimed"])
@pytest.mark.parametrize("build", EARLIER.values(), ids=EARLIER.keys())
def test_what_earlier_rows_hold_passes(build: Build, sources: Mapping[str, Source]) -> None:
    assert refused(build, sources=sources) == []


def test_a_count_of_scheduled_rows_passes_as_keys_and_times_are_known_in_advance() -> None:
    ahead = f"{BY_TIME} RANGE BETWEEN CURRENT ROW AND INTERVAL 2 DAYS FOLLOWING"

    assert refused(over(ahead, "count(order_id)")) == []
    assert refused(over(ahead, "count(ordered_at)")) == []
    assert refused(over(ahead, "count(amount)")) == ["x"]


def test_a_column_that_is_declared_early_enough_passes_and_one_a_little_late_does_not() -> None:
    ahead = over(NEXT_THREE)
    for known_at, found in (("ordered_at - 1d", []), ("ordered_at - 12h", ["x"])):
        assert refused(ahead, contracts={"orders": contract(amount=known_at)}) == found


def test_a_declared_column_whose_instant_is_missing_is_not_known_in_later_rows() -> None:
    booked = ORDERS.mutate(booked_at=ibis.null("timestamp('UTC')"))
    ENGINE.con.register("booked", booked.to_pyarrow())
    ahead = over(NEXT_THREE)
    asked = {"contracts": {"orders": contract(amount="booked_at")}, "steps": ()}

    assert refused(ahead, {"orders": ENGINE.table("booked")}, **asked) == ["x"]


def test_a_row_that_the_dataset_leaves_out_is_known_from_its_time_on() -> None:
    text = (
        "SELECT * FROM (SELECT order_id, ordered_at, avg(amount) OVER (ORDER BY ordered_at ROWS "
        "BETWEEN {}) AS x FROM orders_then) WHERE order_id % 2 = 0"
    )

    assert refused(by_sql(text.format("1 FOLLOWING AND 1 FOLLOWING"))) == ["x"]
    assert refused(by_sql(text.format("1 PRECEDING AND 1 PRECEDING"))) == []


def test_keys_that_the_build_spells_as_text_are_still_found() -> None:
    text = (
        "SELECT order_id::text AS order_id, ordered_at, lead(amount) OVER (ORDER BY ordered_at) "
        "AS x FROM orders_then"
    )

    assert refused(by_sql(text)) == ["x"]


def test_another_source_without_time_that_has_the_key_of_the_dataset_is_judged_like_it() -> None:
    scores = Source(name="scores", location="scores.csv", key=KEY)
    asked = {"sources": SOURCES | {"scores": scores}, "steps": ()}

    assert refused(joined("avg(score) OVER ()"), {"scores": SCORES}, **asked) == ["x"]
    assert refused(joined("score"), {"scores": SCORES}, **asked) == []


def test_rows_left_out_for_their_own_missing_outcome_tell_on_no_other_column() -> None:
    def build(tables: Tables) -> ir.Table:
        orders = tables["orders"]
        kept = orders.filter(orders.returned.notnull()).select(*KEY, "ordered_at", "channel")
        return kept.left_join(SHARES, "channel").drop("channel_right")

    assert refused(build, unknown={"returned"}) == []


def joined(value: str) -> Build:
    return by_sql(
        f"SELECT o.order_id, o.ordered_at, o.amount, {value} AS x "
        "FROM orders_then o LEFT JOIN scores_then s ON s.order_id = o.order_id"
    )


def ibis_joined(take: Callable[[ir.Table], Any]) -> Build:
    def build(tables: Tables) -> ir.Table:
        scores = tables["scores"].select(*KEY, x=take(tables["scores"]))
        return tables["orders"].select(*KEY, "ordered_at", "amount").left_join(scores, KEY)

    return build


@pytest.mark.parametrize(
    ("build", "found"),
    [
        (joined("score"), []),
        (joined("lag(score) OVER (ORDER BY o.ordered_at)"), []),
        (joined("lead(score) OVER (ORDER BY o.ordered_at)"), ["x"]),
        (joined("avg(score) OVER ()"), ["x"]),
        (ibis_joined(lambda scores: scores.score), []),
        (ibis_joined(lambda scores: scores.score - scores.score.mean()), ["x"]),
        (ibis_joined(lambda s: s.score.lead().over(ibis.window(order_by=KEY))), ["x"]),
        (ibis_joined(lambda s: s.score.lag().over(ibis.window(order_by=KEY))), []),
    ],
)
def test_a_steps_table_with_the_key_is_judged_like_the_base_source(
    build: Build, found: list[str]
) -> None:
    assert refused(build, {"scores": SCORES}) == found


def test_a_steps_table_is_held_to_what_the_base_sources_contract_says_of_its_columns() -> None:
    late = {"orders": contract(score="paid_at")}
    paid = SCORES.join(ORDERS.select(*KEY, "paid_at"), KEY)
    ENGINE.con.register("paid", paid.to_pyarrow())

    assert refused(joined("score"), {"scores": ENGINE.table("paid")}, contracts=late) == ["x"]


def test_a_steps_table_without_the_key_is_left_as_it_is() -> None:
    build = by_sql(
        "SELECT o.order_id, o.ordered_at, s.share * (SELECT sum(share) FROM shares_then) AS x "
        "FROM orders_then o LEFT JOIN shares_then s ON s.channel = o.channel"
    )

    assert not carries(SHARES, KEY)
    assert carries(SCORES, KEY)
    assert refused(build, {"shares": SHARES}) == []
