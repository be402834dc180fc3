"""What instants promise: aware, exact, and sorted as text."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairway.errors import RequestError
from fairway.store import instant

instants = st.datetimes(
    min_value=datetime(1, 1, 2),  # noqa: DTZ001  Hypothesis adds the zone
    max_value=datetime(9999, 12, 30),  # noqa: DTZ001
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30))]),
)


@given(instants)
def test_an_instant_comes_back_as_it_went_in(at: datetime) -> None:
    assert instant.from_text(instant.to_text(at)) == at


@given(instants, instants)
def test_text_order_is_time_order(a: datetime, b: datetime) -> None:
    assert (instant.to_text(a) < instant.to_text(b)) == (a < b)


def test_an_instant_is_spelled_in_utc_with_a_z() -> None:
    at = datetime(2013, 9, 1, 2, tzinfo=timezone(timedelta(hours=2)))

    assert instant.to_text(at) == "2013-09-01T00:00:00.000000Z"


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(RequestError, match="no time zone"):
        instant.to_text(datetime(2013, 9, 1))  # noqa: DTZ001  the fault under test


def test_now_is_aware() -> None:
    assert instant.now().tzinfo is UTC
