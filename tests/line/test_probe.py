"""Values of later rows, end to end: in a build that declares nothing, and in tables of steps."""

import textwrap

import pytest

from tests.line.place import Place

DATASET = 'target = "returned"'
ASKED = 'key = "order_id"\ntime = "ordered_at"\nknown_at = "ordered_at"'

SQL = """\
SELECT *,
  lead(returned) OVER (ORDER BY ordered_at) AS next_label,
  avg(amount) OVER (ORDER BY ordered_at ROWS BETWEEN 1 FOLLOWING AND 3 FOLLOWING) AS later,
  avg(amount) OVER (PARTITION BY channel) AS whole,
  avg(amount) OVER (ORDER BY ordered_at ROWS BETWEEN 3 PRECEDING AND 1 PRECEDING) AS earlier,
  count(order_id) OVER (ORDER BY ordered_at RANGE BETWEEN CURRENT ROW
    AND INTERVAL 2 DAYS FOLLOWING) AS due
FROM orders
"""
PYTHON = """\
import ibis

def build(orders):
    by_time = dict(order_by="ordered_at")
    return orders.mutate(
        next_label=orders.returned.lead().over(ibis.window(**by_time)),
        later=orders.amount.mean().over(ibis.window(following=(1, 3), **by_time)),
        whole=orders.amount.mean().over(ibis.window(group_by="channel")),
        earlier=orders.amount.mean().over(ibis.window(preceding=(3, 1), **by_time)),
        due=orders.order_id.count().over(ibis.window(following=(0, 8), **by_time)),
    )
"""
CONTRACT = """\
apiVersion: v3.1.0
kind: DataContract
id: orders
version: 1.0.0
status: active
schema:
  - name: orders
    properties:
      - name: ordered_at
      - name: amount
        customProperties: [{property: knownAt, value: "ordered_at - 7d"}]
"""
STEP = """\
import csv
import json
import os
import sys

import pyarrow.parquet as pq

rows = pq.read_table(sys.argv[1]).to_pylist()
if sys.argv[2].endswith(".csv"):
    with open(sys.argv[2], "w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["order_id", "dear"])
        out.writerows([row["order_id"], row["amount"] * 2] for row in rows)
else:
    share = sum(row["returned"] for row in rows) / len(rows)
    with open(sys.argv[2], "w") as file:
        for channel in ("web", "shop", "phone"):
            file.write(json.dumps({"channel": channel, "share": share}) + "\\n")
"""
BLIND = "cannot be probed for values from the future: it lacks the key order_id."


def built(place: Place, build: str) -> None:
    place.swap("fairway.toml", DATASET, f'{DATASET}\nbuild = "{build}"\n{ASKED}')


def probed(place: Place) -> set[str]:
    """Columns that the probe refused; no other test may have refused another."""
    refused = place.ask("check")["refused"]
    assert {one["column"] for one in refused if one["test"] != "probe"} <= {
        one["column"] for one in refused if one["test"] == "probe"
    }
    return {one["column"] for one in refused}


@pytest.fixture(params=["sql", "ibis"])
def later(shop: Place, request: pytest.FixtureRequest) -> Place:
    shop.write("dataset.sql", SQL)
    shop.write("late.py", PYTHON)
    built(shop, "dataset.sql" if request.param == "sql" else "late:build")
    return shop


def test_a_build_that_declares_nothing_may_take_nothing_from_later_rows(later: Place) -> None:
    assert probed(later) == {"next_label", "later", "whole"}


def test_a_column_that_is_declared_in_advance_may_be_taken_from_rows_of_that_span(
    later: Place,
) -> None:
    later.write("orders.odcs.yaml", CONTRACT)
    later.add('[contract]\norders = "orders.odcs.yaml"')

    assert probed(later) == {"next_label", "whole"}


@pytest.fixture
def stepped(shop: Place) -> Place:
    """Two steps: ``dear.csv`` has the dataset's key, ``shares.jsonl`` has not."""
    shop.write("make.py", STEP)
    shop.add(
        textwrap.dedent("""\
            [step.dear]
            run = "{python} make.py {in.orders} {out}"
            in  = ["orders"]
            out = "dear.csv"

            [step.shares]
            run = "{python} make.py {in.orders} {out}"
            in  = ["orders"]
            out = "shares.jsonl"
            """)
    )
    built(shop, "dataset.sql")
    return shop


def test_a_steps_table_with_the_key_is_probed_and_an_output_that_no_build_uses_is_not_named(
    stepped: Place,
) -> None:
    stepped.write(
        "dataset.sql",
        "SELECT o.*, d.dear, lead(d.dear) OVER (ORDER BY o.ordered_at) AS next_dear,\n"
        "  lag(d.dear) OVER (ORDER BY o.ordered_at) AS last_dear\n"
        "FROM orders o JOIN dear d USING (order_id)\n",
    )

    assert probed(stepped) == {"next_dear"}
    assert stepped.ask("check")["warnings"] == []


def test_a_steps_table_without_the_key_is_named_among_the_warnings(stepped: Place) -> None:
    stepped.write(
        "dataset.sql", "SELECT o.*, s.share FROM orders o JOIN shares s USING (channel)\n"
    )
    warning = f"shares, the output of a step, {BLIND}"

    assert stepped.ask("check")["warnings"] == [warning]
    assert stepped.ask("run")["warnings"] == [warning]
    assert warning in " ".join(stepped.call("check").out.split())
