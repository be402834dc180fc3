"""What the dataset makes of a table that cannot be it as it is."""

import datetime as dt
from collections.abc import Callable

from fairway.data.split import TimeSplit
from fairway.line.first.found import Found
from fairway.project import Project
from tests.unit.line.first.shop import START, built, orders, rows_of


def test_zero_and_one_need_no_build(made: Callable[..., Project]) -> None:
    project = made(orders(returned=lambda i: i % 2))

    assert project.dataset.build is None
    assert project.sources["orders"].time == "ordered_at"
    assert isinstance(project.split, TimeSplit)
    assert len(built(project)) == 200


def test_a_table_of_half_of_europe_is_read(made: Callable[..., Project]) -> None:
    rows = orders(
        price=lambda i: f"1.0{i % 90 + 10},5",
        ordered_at=lambda i: f"{START + dt.timedelta(days=i):%d.%m.%Y}",
        returned=lambda i: "ja" if i % 3 else "nein",
        **{"Größe [cm]": lambda i: i % 40},
    )
    project = made(rows, encoding="latin-1", delimiter=";")
    told = built(project)

    assert project.sources["orders"].encoding == "latin-1"
    assert (told[0]["price"], told[0]["shop"], told[1]["shop"]) == (1010.5, "Bonn", "Köln")
    assert told[0]["Größe_cm"] == 0
    assert told[3]["ordered_at"] == START + dt.timedelta(days=3)


def test_a_comma_between_thousands_is_no_decimal_comma(looked: Callable[..., Found]) -> None:
    assert rows_of(looked(orders(price=lambda i: f"1,{i % 90 + 100}")))[5]["price"] == 1105.0


def test_a_column_with_the_name_of_the_parts_gets_another(looked: Callable[..., Found]) -> None:
    row = rows_of(looked(orders(part=lambda i: i % 7)))[3]

    assert row["part_2"] == 3
    assert "part" not in row
