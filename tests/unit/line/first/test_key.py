"""What tells the rows apart, and which columns are names."""

import datetime as dt
from collections.abc import Callable

from fairway.data.split import EntitySplit
from fairway.line.first.found import Found
from fairway.project import Project
from tests.unit.line.first.shop import START, built, orders, rows_of, without


def test_ids_that_are_not_the_key_teach_nothing_and_keep_their_rows_together(
    made: Callable[..., Project],
) -> None:
    rows = without(orders(600, customerID=lambda i: f"C{i * 31 % 90}"), "ordered_at")
    project = made(rows)
    told = built(project)

    assert project.split == EntitySplit(key=("customerID",))
    assert '"customerID"' in (project.root / "train.py").read_text()
    parts = {(row["customerID"], row["part"]) for row in told}
    assert len(parts) == len({customer for customer, _ in parts})


def test_a_place_and_a_day_are_a_key(looked: Callable[..., Found]) -> None:
    rows = orders(
        400,
        shop=lambda i: f"shop {i % 4}",
        ordered_at=lambda i: f"{START + dt.timedelta(days=i // 4):%Y-%m-%d}",
    )
    known = looked(without(rows, "order_id"))

    assert known.key.columns == ("shop", "ordered_at")
    assert known.key.is_own
    assert {row["shop_name"] for row in rows_of(known)} == {f"shop {i}" for i in range(4)}


def test_rows_without_any_key_are_named_by_content_and_equal_ones_stay_together(
    made: Callable[..., Project],
) -> None:
    rows = without(orders(300), "order_id", "ordered_at")
    project = made([*rows, *rows[:40]])
    told = built(project)

    assert project.dataset.key == ("row_id", "copy")
    assert len(told) == 340
    parts = {(row["row_id"], row["part"]) for row in told}
    assert len(parts) == len({name for name, _ in parts})


def test_a_column_called_as_its_table_does_not_take_the_place_of_the_row(
    looked: Callable[..., Found],
) -> None:
    rows = without(orders(300, orders=lambda i: i % 5), "order_id", "ordered_at")

    assert len({row["row_id"] for row in rows_of(looked(rows))}) > 50
