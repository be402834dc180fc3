"""Instants as the store keeps them: aware, UTC, and spelled so that text sorts as time.

Room: ``fairway.store``. It is the one place below ``cli`` that asks the system for the date; rooms
above take their instants as arguments, or call ``now`` where a machine's time is recorded.
"""

from datetime import UTC, datetime

from fairway.errors import RequestError

_SHAPE = "%Y-%m-%dT%H:%M:%S.%fZ"


def now() -> datetime:
    """The machine's clock, for ``recorded_at`` only; what an act is about is ``effective_at``."""
    return datetime.now(UTC)


def to_text(instant: datetime) -> str:
    """Spell an instant as ISO 8601 in UTC with six decimals: text order is time order.

    Raises:
        RequestError: If the instant names no time zone.
    """
    if instant.tzinfo is None:
        raise RequestError(f"{instant} names no time zone.", hint="Give an aware UTC instant.")
    at = instant.astimezone(UTC)
    return f"{at.year:04}-{at:%m-%dT%H:%M:%S.%fZ}"  # strftime does not pad early years everywhere


def from_text(text: str) -> datetime:
    """Read what ``to_text`` wrote.

    Raises:
        ValueError: If the text has another shape.
    """
    return datetime.strptime(text, _SHAPE).replace(tzinfo=UTC)
