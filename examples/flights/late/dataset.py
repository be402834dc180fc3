"""Five tables in, one row per flight out, as a traveller knows it three hours before departure.

``dep_delay`` and ``air_time`` are returned on purpose: nobody knows them before departure, and
Fairway must refuse them.
"""

import ibis
import ibis.expr.types as ir

LATE_AFTER_MINUTES = 15
WEATHER = ["temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure"]


def build(
    flights: ir.Table, weather: ir.Table, planes: ir.Table, airports: ir.Table, airlines: ir.Table
) -> ir.Table:
    """One row per flight: (336,776 rows, 19 columns) -> (336,776 rows, 29 columns)."""
    rows = flights.mutate(scheduled_at=flights.time_hour + flights.minute.as_interval("m"))
    rows = _join_weather(rows, weather)
    rows = _join_delays(rows, rows)
    rows = _join_planes(rows, planes)
    rows = rows.left_join(airlines.select("carrier", airline="name"), "carrier")
    rows = rows.drop("carrier_right")
    rows = rows.left_join(
        airports.select(dest="faa", dest_altitude=airports.alt.cast("int32")), "dest"
    )
    rows = rows.drop("dest_right")
    day = ibis.date(rows.year, rows.month, rows.day)
    return rows.select(
        "time_hour",
        "carrier",
        "flight",
        "scheduled_at",
        "airline",
        "origin",
        "dest",
        "distance",
        "dest_altitude",
        "hour",
        "minute",
        weekday=day.day_of_week.index().cast("int8"),
        planned_minutes=_planned_minutes(rows),
        plane_age=(rows.year - rows.plane_year).cast("int16"),
        seats=rows.seats,
        engines=rows.engines,
        **{name: rows[name] for name in WEATHER},
        origin_delay=rows.origin_delay,
        origin_departures=rows.origin_departures,
        dep_delay=rows.dep_delay,
        air_time=rows.air_time,
        late=(rows.arr_delay > LATE_AFTER_MINUTES).cast("int8"),
    )


def _join_weather(rows: ir.Table, weather: ir.Table) -> ir.Table:
    """The weather at the origin, observed in the last full hour three hours before departure."""
    seen = weather.select("origin", *WEATHER, time_hour=weather.time_hour + ibis.interval(hours=3))
    joined = rows.left_join(seen, ["origin", "time_hour"])
    return joined.drop("origin_right", "time_hour_right")


def _join_delays(rows: ir.Table, flights: ir.Table) -> ir.Table:
    """How late flights left the same airport in the three full hours before the prediction.

    A departure counts once it has happened, and only if its delay was then known.
    """
    gone = flights.filter(flights.dep_time.notnull(), flights.dep_delay.notnull())
    left_at = gone.scheduled_at + gone.dep_delay.as_interval("m")
    hourly = gone.group_by(gone.origin, left_hour=left_at.truncate("h")).agg(
        total=gone.dep_delay.sum(), n=gone.count()
    )
    shifted = ibis.union(
        *(
            hourly.select(
                "origin", "total", "n", time_hour=hourly.left_hour + ibis.interval(hours=h)
            )
            for h in (4, 5, 6)
        )
    )
    recent = shifted.group_by("origin", "time_hour").agg(
        origin_delay=shifted.total.sum() / shifted.n.sum(),
        origin_departures=shifted.n.sum().cast("int32"),
    )
    joined = rows.left_join(recent, ["origin", "time_hour"])
    return joined.drop("origin_right", "time_hour_right")


def _join_planes(rows: ir.Table, planes: ir.Table) -> ir.Table:
    """Age and size of the plane; a sixth of the flights find none."""
    known = planes.select("tailnum", "engines", "seats", plane_year="year")
    return rows.left_join(known, "tailnum").drop("tailnum_right")


def _planned_minutes(rows: ir.Table) -> ir.IntegerValue:
    """Minutes between scheduled departure and arrival, clock times of two time zones; mod a day."""
    leave = rows.sched_dep_time // 100 * 60 + rows.sched_dep_time % 100
    arrive = rows.sched_arr_time // 100 * 60 + rows.sched_arr_time % 100
    return ((arrive - leave + 1440) % 1440).cast("int16")
