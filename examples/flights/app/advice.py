"""What the traveller is told: the application that is released together with the model."""

REQUEST_FIELDS = (
    "time_hour", "carrier", "flight", "scheduled_at", "airline", "origin", "dest", "distance",
    "hour", "minute", "weekday", "planned_minutes", "temp", "wind_gust", "precip", "origin_delay",
)  # fmt: skip
"""What the application sends of a flight; the model repairs what else it would like to know."""


def advise(score: float, threshold: float) -> str:
    """Turn a chance of arriving late into advice; cover pays from ``threshold`` on."""
    if score >= threshold:
        return "Take the cover: a late arrival is likely enough to be worth its price."
    return "No cover needed."
