"""How a first project's rows are dealt."""

import datetime as dt
from collections.abc import Callable

from fairway.line.first.found import Found
from tests.unit.line.first.shop import START, orders, rows_of


def test_windows_hold_enough_rows_where_the_rows_are_uneven_in_time(
    looked: Callable[..., Found],
) -> None:
    def at(i: int) -> str:  # nine rows of ten in the first tenth of the time
        hours = i if i < 1800 else 1800 + (i - 1800) * 90
        return f"{START + dt.timedelta(hours=hours):%Y-%m-%dT%H:%M:%SZ}"

    dealt = looked(orders(2000, ordered_at=at)).deal
    shares = [dealt.counts[part] / 2000 for part in ("validation", "test")]

    assert dealt.keys["by"] == "time"
    assert all(0.1 <= share <= 0.2 for share in shares)


def test_too_few_times_to_split_by_leave_a_split_by_entity(looked: Callable[..., Found]) -> None:
    known = looked(orders(ordered_at=lambda i: f"2024-01-0{1 + i % 2}"))

    assert known.deal.keys == {"by": "entity"}


def test_rows_without_a_target_stay_and_are_in_no_part(looked: Callable[..., Found]) -> None:
    known = looked(orders(returned=lambda i: ["yes", "no", "", "no"][i % 4]))

    assert len(rows_of(known)) == 200
    assert sum(known.deal.counts.values()) == 150
