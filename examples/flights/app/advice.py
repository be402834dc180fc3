"""What the traveller is told: the application that this model is released with."""

REQUEST_FIELDS = ("time_hour", "carrier", "flight", "origin", "dest", "distance", "hour", "temp")


def advise(score: float, threshold: float) -> str:
    """Turn a chance of arriving late into advice; cover pays from ``threshold`` on."""
    if score >= threshold:
        return "Take the cover: a late arrival is likely enough to be worth its price."
    return "No cover needed."
