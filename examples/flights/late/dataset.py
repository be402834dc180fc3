"""Five tables in, one row per flight out, as a traveller knows it three hours before departure.

``dep_delay`` and ``air_time`` are returned on purpose: nobody knows them before departure, and
Fairway must refuse them.
"""

import ibis
import ibis.expr.types as ir

LATE_AFTER_MINUTES = 15
MINUTES_A_DAY = 1440
WEATHER = ["temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure"]


def build(
    flights: ir.Table, weather: ir.Table, planes: ir.Table, airports: ir.Table, airlines: ir.Table
) -> ir.Table:
    """Every flight once: (n flights, 19 columns) -> (n flights, 30 columns)."""
    rows = flights.mutate(scheduled_at=flights.time_hour + flights.minute.as_interval("m"))
    rows = _look_up(rows, _seen_weather(weather), "origin", "time_hour")
    rows = _look_up(rows, _recent_departures(rows), "origin", "time_hour")
    rows = _look_up(rows, planes.select("tailnum", "engines", "seats", built="year"), "tailnum")
    rows = _look_up(rows, airlines.select("carrier", airline="name"), "carrier")
    places = airports.select(dest="faa", dest_latitude="lat", dest_longitude="lon")
    rows = _look_up(rows, places, "dest")
    return rows.select(
        "time_hour",
        "carrier",
        "flight",
        "scheduled_at",
        "airline",
        "origin",
        "dest",
        "dest_latitude",
        "dest_longitude",
        "distance",
        "hour",
        "minute",
        weekday=ibis.date(rows.year, rows.month, rows.day).day_of_week.index().cast("int8"),
        planned_minutes=_planned_minutes(rows),
        plane_age=(rows.year - rows.built).cast("int16"),
        seats=rows.seats,
        engines=rows.engines,
        **{name: rows[name] for name in WEATHER},
        origin_delay=rows.origin_delay,
        origin_departures=rows.origin_departures,
        dep_delay=rows.dep_delay,
        air_time=rows.air_time,
        late=(rows.arr_delay > LATE_AFTER_MINUTES).cast("int8"),
    )


def _look_up(rows: ir.Table, table: ir.Table, *key: str) -> ir.Table:
    """Add the columns of ``table``; a row that it does not know keeps nulls."""
    return rows.left_join(table, key).drop(f"{name}_right" for name in key)


def _seen_weather(weather: ir.Table) -> ir.Table:
    """The weather that was observed three hours before each hour, under that hour."""
    shown_at = weather.time_hour + ibis.interval(hours=3)
    return weather.select("origin", *WEATHER, time_hour=shown_at)


def _recent_departures(flights: ir.Table) -> ir.Table:
    """How many flights left an airport in the three hours before the prediction, and how late.

    A flight counts in the hour in which it left, whenever it was due to leave. What left in the
    full hours from 6 to 3 hours before ``time_hour`` is known when the prediction is made.
    """
    gone = flights.filter(flights.dep_time.notnull(), flights.dep_delay.notnull())
    left_at = gone.scheduled_at + gone.dep_delay.as_interval("m")
    hourly = gone.group_by("origin", left_hour=left_at.truncate("h")).agg(
        minutes=gone.dep_delay.sum(), n=gone.count()
    )
    later = [
        hourly.select("origin", "minutes", "n", time_hour=hourly.left_hour + ibis.interval(hours=h))
        for h in (4, 5, 6)
    ]
    recent = ibis.union(*later)
    return recent.group_by("origin", "time_hour").agg(
        origin_delay=recent.minutes.sum() / recent.n.sum(),
        origin_departures=recent.n.sum().cast("int32"),
    )


def _planned_minutes(rows: ir.Table) -> ir.IntegerValue:
    """From the scheduled departure to the arrival on the clocks of both places, within a day."""
    leave, arrive = (
        clock // 100 * 60 + clock % 100 for clock in (rows.sched_dep_time, rows.sched_arr_time)
    )
    return ((arrive - leave + MINUTES_A_DAY) % MINUTES_A_DAY).cast("int16")
