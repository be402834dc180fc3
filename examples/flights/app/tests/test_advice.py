"""The application and the model of one release understand each other."""

import json
import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa

from fairway.model import bundle

RELEASE = Path(os.environ["FAIRWAY_RELEASE"])
sys.path.insert(0, str(RELEASE / "app"))

from advice import REQUEST_FIELDS, advise  # noqa: E402  the release's own copy

THRESHOLD = json.loads((RELEASE / "release.json").read_text())["threshold"]
TYPES = {"integer": pa.int64(), "number": pa.float64(), "timestamp": pa.timestamp("us", "UTC")}


def score(hour: int, **weather: float) -> float:
    """A flight to Chicago as the application would send it, scored by the release's model."""
    signature = bundle.read(RELEASE).signature
    midnight = datetime(2013, 7, 10, 4, tzinfo=UTC)  # in New York
    flight = {
        "time_hour": midnight + timedelta(hours=hour),
        "scheduled_at": midnight + timedelta(hours=hour, minutes=30),
        "carrier": "UA", "flight": 1, "airline": "United Air Lines Inc.", "origin": "EWR",
        "dest": "ORD", "distance": 719, "hour": hour, "minute": 30, "weekday": 2,
        "planned_minutes": 90, **weather,
    }  # fmt: skip
    assert set(flight) == set(REQUEST_FIELDS)
    row = pa.table(
        {
            one.name: pa.array([flight.get(one.name)], TYPES.get(one.rule.type, pa.string()))
            for one in signature.inputs
        }
    )
    assert signature.check_rows(row) == []
    model = bundle.predictor(bundle.read(RELEASE))
    try:
        return float(model.predict(row)[0])
    finally:
        model.close()


def test_the_model_takes_every_field_that_the_application_sends() -> None:
    assert set(REQUEST_FIELDS) <= set(bundle.read(RELEASE).signature.input_names)


def test_a_stormy_evening_on_which_flights_leave_late_calls_for_cover() -> None:
    assert advise(
        score(20, temp=75.0, wind_gust=30.0, precip=0.3, origin_delay=90.0), THRESHOLD
    ).startswith("Take the cover")


def test_a_quiet_morning_needs_no_cover() -> None:
    calm = score(7, temp=60.0, wind_gust=0.0, precip=0.0, origin_delay=0.0)

    assert advise(calm, THRESHOLD) == "No cover needed."
