"""When each row came to be."""

import csv
import datetime as dt
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairway.line.first import moment, view
from fairway.line.first.found import Found
from tests.unit.line.first.shop import START, orders, rows_of, without


def test_a_date_and_an_hour_in_columns_of_their_own_are_one_time(
    looked: Callable[..., Found],
) -> None:
    rows = orders(
        400,
        ordered_at=lambda i: "{0.month}/{0.day}/{0:%y}".format(START + dt.timedelta(hours=i)),
        hr=lambda i: (START + dt.timedelta(hours=i)).hour,
    )
    known = looked(without(rows, "order_id"))
    told = rows_of(known)

    assert known.key.columns == ("happened_at",)
    assert [row["happened_at"] for row in told] == [
        START + dt.timedelta(hours=i) for i in range(400)
    ]
    assert "hr" in told[0]
    assert "ordered_at" not in told[0]


def test_year_month_and_day_in_columns_of_their_own_are_a_time(
    looked: Callable[..., Found],
) -> None:
    day = {
        part: lambda i, part=part: getattr(START + dt.timedelta(days=i), part)
        for part in ("year", "month", "day")
    }
    told = rows_of(looked(without(orders(300, **day), "ordered_at")))

    assert told[-1]["happened_at"] == START + dt.timedelta(days=299)


SPELLINGS = [
    form + clock for _, forms in moment.DATES for form in forms for _, clock in moment.CLOCKS
]


@settings(max_examples=12, deadline=None)
@given(
    spelling=st.sampled_from(SPELLINGS),
    seconds=st.lists(
        st.integers(0, 97 * 365 * 86_400),  # until 2067: with two digits a year is of 1969 to 2068
        min_size=moment.FEWEST,
        max_size=20,
        unique=True,
    ),
)
def test_a_time_in_any_spelling_is_read_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, spelling: str, seconds: list[int]
) -> None:
    start = dt.datetime(1970, 1, 2, tzinfo=dt.UTC)
    written = [(start + dt.timedelta(seconds=s)).strftime(spelling) for s in seconds]
    told = {dt.datetime.strptime(text, spelling).replace(tzinfo=dt.UTC) for text in written}
    path = tmp_path_factory.mktemp("spelling") / "rows.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["seen", "y"], *([text, "1"] for text in written)])
    seen = view.look(path)
    if seen.columns["seen"].n_distinct < moment.FEWEST:
        return

    when = moment.find(seen, target="y")

    assert when is not None
    sql = f"SELECT CAST({when.sql} AS TIMESTAMP) FROM rows"
    read_back = {row[0].replace(tzinfo=dt.UTC) for row in seen.ask(sql)}
    is_ambiguous = any("could be" in note for note in when.notes)
    assert is_ambiguous or read_back == told


def test_birthdays_and_ends_are_not_the_time_of_a_row(looked: Callable[..., Found]) -> None:
    rows = orders(
        birth_date=lambda i: f"19{50 + i % 40}-0{1 + i % 9}-11",
        closed_at=lambda i: f"{START + dt.timedelta(hours=7 * i + 50):%Y-%m-%dT%H:%M:%SZ}",
    )
    front = [
        {"closed_at": row["closed_at"], "birth_date": row["birth_date"], **row} for row in rows
    ]

    when = looked(front).moment

    assert when is not None
    assert when.column == "ordered_at"
