import csv
import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest

from fairway.data import contract, snapshot, source
from fairway.errors import NotFoundError
from fairway.line.contract import suggest
from fairway.project import Project, read
from fairway.store import journal
from fairway.store.home import Home, open_home

FILE = """\
format = 1
[project]
name = "shop"
[source]
orders = { from = "orders.csv", key = "order_id", time = "ordered_at", fresh = "2d" }
shops = { from = "shops.csv", key = "shop" }
[dataset]
build = "dataset.sql"
key = "order_id"
target = "returned"
"""
START = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
END = START + dt.timedelta(days=400)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project of two tables, one of which refers to the other."""
    shops = ["Bonn", "Köln", "Trier"]
    with (tmp_path / "orders.csv").open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(["order_id", "ordered_at", "shop", "returned"])
        for i in range(300):
            at = START + dt.timedelta(days=i)
            out.writerow([i, at.strftime("%Y-%m-%d"), shops[i % 3], i % 2])
    (tmp_path / "shops.csv").write_text("shop,size\nBonn,1\nKöln,2\nTrier,3\n", encoding="utf-8")
    (tmp_path / "dataset.sql").write_text("SELECT * FROM orders")
    (tmp_path / "fairway.toml").write_text(FILE)
    return read(tmp_path)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with open_home(tmp_path / ".fairway") as home:
        yield home


def loaded(text: str, folder: Path) -> contract.Contract:
    (folder / "suggested.odcs.yaml").write_text(text, encoding="utf-8")
    return contract.load(folder / "suggested.odcs.yaml")


def test_a_source_is_promised_its_key_its_freshness_and_what_it_refers_to(
    home: Home, project: Project, tmp_path: Path
) -> None:
    answer = suggest(home, project, END, source="orders")
    found = loaded(answer["text"], tmp_path)

    assert answer["source"] == "orders"
    assert answer["text"].startswith("apiVersion: v3.1.0\nkind: DataContract\n")
    assert found.key == ("order_id",)
    assert (found.fresh_s, found.fresh_column) == (2 * 86_400, "ordered_at")
    assert [(one.columns, one.source) for one in found.references] == [(("shop",), "shops")]


def test_rows_of_the_future_are_promised_nothing(
    home: Home, project: Project, tmp_path: Path
) -> None:
    now, early = (
        loaded(suggest(home, project, at, source="orders")["text"], tmp_path)
        for at in (END, START + dt.timedelta(days=150))
    )

    fewest = [
        next(one.bound for one in found.limits if one.metric == "rowCount")
        for found in (early, now)
    ]
    assert fewest[0] < fewest[1]


def test_a_source_that_is_not_there_names_the_nearest(home: Home, project: Project) -> None:
    with pytest.raises(NotFoundError) as caught:
        suggest(home, project, END, source="order")

    assert caught.value.hint == "Write 'orders'."


def test_the_dataset_is_that_of_the_newest_run_up_to_the_clock(
    home: Home, project: Project, tmp_path: Path
) -> None:
    with pytest.raises(NotFoundError, match="made a dataset yet"):
        suggest(home, project, END, source="dataset")
    engine = source.connect()
    rows = source.read(engine, project.sources["orders"], project.root)
    for day, n in ((1, 300), (2, 200)):
        path = tmp_path / f"{n}.parquet"
        snapshot.write(rows.filter(rows.order_id < n), path, key=["order_id"])
        taken = home.blobs.put_file(path)
        with home.db.transaction() as tx:
            journal.append(
                tx,
                project=project.name,
                actor="ann",
                effective_at=END + dt.timedelta(days=day),
                kind="snapshot_taken",
                subjects=[taken],
                body={"snapshot": taken, "n_rows": n, "run": f"run {day}"},
            )

    early, late = (
        loaded(
            suggest(home, project, END + dt.timedelta(days=d), source="dataset")["text"], tmp_path
        )
        for d in (1, 2)
    )

    assert (early.name, early.key) == ("dataset", ("order_id",))
    fewest = [next(o.bound for o in c.limits if o.metric == "rowCount") for c in (early, late)]
    assert fewest[0] > fewest[1]
