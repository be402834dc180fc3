"""Columns that know the answer: withheld by name with evidence, or accepted by a person."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from tests.line.place import PREDICT, TRAIN, Place, csv_text, once, orders, write_project

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
      - name: courier
        customProperties: [{property: knownAt, value: "ordered_at + 1d"}]
"""


def leaky() -> list[dict[str, Any]]:
    """Orders with a column for each test; the newest twenty have no label yet."""
    draw = random.Random(3)
    rows = orders()
    for number, row in enumerate(rows):
        is_open = number >= len(rows) - 20
        row["refund"] = round(row["returned"] * 10 + draw.random(), 3)
        row["handled"] = "" if is_open else draw.randrange(100)
        row["courier"] = draw.randrange(5)
        if is_open:
            row["returned"] = ""
    return rows


def findings(answer: dict[str, Any]) -> dict[str, set[str]]:
    """Tests that hit, by column."""
    found: dict[str, set[str]] = {}
    for one in answer["refused"]:
        found.setdefault(one["column"], set()).add(one["test"])
    return found


@pytest.fixture(scope="session")
def kept_leaks(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A project with a leak of each kind, after its first run."""

    def make(root: Path) -> None:
        write_leaks(write_project(root)).ask("run")

    return once(tmp_path_factory, "kept-leaks", make)


@pytest.fixture
def leaks(kept_leaks: Place, tmp_path: Path) -> Place:
    return kept_leaks.copy(tmp_path / "shop")


def write_leaks(shop: Place) -> Place:
    shop.write("orders.csv", csv_text(leaky()))
    shop.write("orders.odcs.yaml", CONTRACT)
    shop.add('[contract]\norders = "orders.odcs.yaml"')
    shop.swap(
        "fairway.toml",
        'target = "returned"',
        'target = "returned"\nkey = "order_id"\ntime = "ordered_at"\nknown_at = "ordered_at"',
    )
    shop.swap("fairway.toml", '"{python} train.py', '"head -1 {train.csv}; {python} train.py')
    return shop


def test_each_test_refuses_its_column_and_the_run_goes_on_without_them(leaks: Place) -> None:
    told = leaks.ask("run")
    plain = leaks.call("run")
    header = leaks.log("plain").splitlines()[0]

    assert findings(told) == {
        "refund": {"predicts_too_well"},
        "handled": {"null_with_label"},
        "courier": {"declared"},
    }
    evidence = {one["column"]: one["evidence"] for one in told["refused"]}
    assert "AUC" in evidence["refund"]
    assert "20" in evidence["handled"]
    assert "1d" in evidence["courier"]
    assert told["best"] == "plain"
    assert header.split(",")[:3] == ["order_id", "amount", "weight"]
    assert not {"refund", "handled", "courier"} & set(header.split(","))
    for column in evidence:
        assert column in plain.out
    assert leaks.ask("release")["verdict"]["pass"] is True  # withheld is settled


def test_rows_without_a_label_are_in_the_snapshot_and_in_no_part(leaks: Place) -> None:
    told = leaks.ask("check")

    assert sum(told["split"].values()) == 780
    assert leaks.ask("run")["snapshot"] == told["snapshot"]
    assert leaks.ask("data", "log")["snapshots"][0]["n_rows"] == 800


def test_a_column_accepted_by_name_with_a_reason_is_used(leaks: Place) -> None:
    leaks.add('[dataset.accept.courier]\nby = "ann@example.org"\nreason = "chosen at the till"')
    told = leaks.ask("run")

    assert set(findings(told)) == {"refund", "handled"}
    (accepted,) = told["accepted"]
    assert (accepted["column"], accepted["by"]) == ("courier", "ann@example.org")
    assert accepted["reason"] == "chosen at the till"
    assert "courier" in leaks.log("plain").splitlines()[0].split(",")
    verdict = leaks.ask("release")["verdict"]
    assert verdict["pass"] is True
    assert [rule["rule"] for rule in verdict["rules"]] == ["auc >= 0.55", "leakage == none"]


def test_accepting_needs_a_person_and_a_reason(leaks: Place) -> None:
    leaks.add('[dataset.accept.courier]\nby = "ann@example.org"')

    assert "reason" in leaks.refused("check", code=2)


def test_columns_whose_exact_sum_is_the_target_are_refused(shop: Place) -> None:
    draw = random.Random(4)
    rows = []
    for row in orders():
        casual, registered = draw.randrange(40), draw.randrange(200) + int(row["amount"])
        rows.append(
            {
                "order_id": row["order_id"],
                "ordered_at": row["ordered_at"],
                "amount": row["amount"],
                "casual": casual,
                "registered": registered,
                "count": casual + registered,
            }
        )
    shop.write("orders.csv", csv_text(rows))
    shop.drop("payoff", "gate", "evaluate")
    shop.swap("fairway.toml", 'target = "returned"', 'target = "count"')
    shop.write("train.py", TRAIN.replace('row["returned"]', 'row["count"]'))
    shop.write("predict.py", PREDICT.replace("min(max(score, 0.0), 1.0)", "score"))
    told = shop.ask("run")

    refused = findings(told)
    assert set(refused) == {"casual", "registered"}
    assert all("sum" in " ".join(tests) for tests in refused.values())
    report = json.loads(shop.dataset("report.json").read_bytes())
    assert report["features"] == ["amount"]
    assert told["candidates"][0]["metrics"]["rmse"]["value"] > 20  # as one column can


def test_a_feature_of_later_rows_is_found_by_rebuilding(shop: Place) -> None:
    shop.write(
        "dataset.sql",
        "SELECT *, avg(amount) OVER (ORDER BY ordered_at ROWS BETWEEN 1 FOLLOWING AND 3 FOLLOWING)"
        " AS later,\n avg(amount) OVER (ORDER BY ordered_at ROWS BETWEEN 3 PRECEDING AND 1"
        " PRECEDING) AS earlier FROM orders\n",
    )
    shop.write("orders.odcs.yaml", CONTRACT.replace("courier", "amount").replace(" + 1d", ""))
    shop.add('[contract]\norders = "orders.odcs.yaml"')
    shop.swap(
        "fairway.toml",
        'target = "returned"',
        'target = "returned"\nbuild = "dataset.sql"\nkey = "order_id"\ntime = "ordered_at"\n'
        'known_at = "ordered_at"',
    )

    assert findings(shop.ask("check")) == {"later": {"probe"}}


def test_a_project_whose_every_column_is_refused_is_told_so(shop: Place) -> None:
    rows = [
        {name: row[name] for name in ("order_id", "ordered_at", "returned")}
        | {"refund": row["returned"] * 10}
        for row in orders()
    ]
    shop.write("orders.csv", csv_text(rows))

    assert "No feature is left" in shop.refused("run", code=1)
