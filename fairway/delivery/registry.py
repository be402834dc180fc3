"""The registry: which releases a project has, as the journal tells it.

Room: ``fairway.delivery``, after ``store``. It is a view: it keeps nothing, and the entries of kind
``released`` and ``received`` that it reads are written by the line. Their bodies hold ``release``,
``name`` and ``version``.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from fairway import digest as naming
from fairway.digest import Digest
from fairway.errors import NotFoundError, RequestError
from fairway.store import journal
from fairway.store.database import Database, Transaction
from fairway.store.journal import Entry

KINDS = ("released", "received")
FEWEST_DIGITS = 4  # fewer name nothing on purpose
_VERSION = re.compile(r"(\d{4,})\.(\d{1,2})\.(\d+)")


@dataclass(frozen=True, kw_only=True)
class Listed:
    """A release as the registry lists it.

    Attributes:
        release: Its digest.
        name: The name that it shares with its other versions.
        version: ``YEAR.MONTH.N``.
        entry: The journal entry that made it known here.
    """

    release: Digest
    name: str
    version: str
    entry: Entry

    @property
    def title(self) -> str:
        """The name for people: ``late-arrivals@2026.11.1``."""
        return f"{self.name}@{self.version}"


def releases(
    db: Database | Transaction, *, project: str, until: datetime | None = None
) -> list[Listed]:
    """The releases of a project in the order in which this home came to know them, each once.

    Args:
        db: The database, or the transaction under way.
        project: The project.
        until: Only those known at this instant, by the project's clock.

    Raises:
        StoreError: If the database refuses.
    """
    known = [
        entry
        for kind in KINDS
        for entry in journal.entries(db, project=project, kind=kind, until=until)
    ]
    found: dict[Digest, Listed] = {}
    for entry in sorted(known, key=lambda entry: entry.seq):
        release = Digest(entry.body["release"])
        name, version = entry.body.get("name", project), entry.body["version"]
        found.setdefault(release, Listed(release=release, name=name, version=version, entry=entry))
    return list(found.values())


def resolve(db: Database | Transaction, *, project: str, text: str) -> Listed:
    """The release that somebody means.

    Args:
        db: The database, or the transaction under way.
        project: The project.
        text: A digest, with or without ``sha256:``; its first digits; ``NAME@VERSION``; or a
            version alone.

    Raises:
        NotFoundError: If it means none.
        RequestError: If it means several.
        StoreError: If the database refuses.
    """
    listed = releases(db, project=project)
    digits = text.strip().removeprefix(naming.PREFIX).lower()
    meant = [one for one in listed if text.strip() in {one.title, one.version}]
    if not meant and len(digits) >= FEWEST_DIGITS and not set(digits) - set("0123456789abcdef"):
        meant = [
            one for one in listed if one.release.removeprefix(naming.PREFIX).startswith(digits)
        ]
    if len(meant) > 1:
        names = ", ".join(naming.short(one.release) for one in meant[:5])
        raise RequestError(
            f"{text!r} means {len(meant)} releases: {names}.", hint="Give more digits of one."
        )
    if not meant:
        last = ", ".join(f"{naming.short(one.release)} ({one.title})" for one in listed[-3:])
        raise NotFoundError(
            f"The project {project} has no release {text!r}.",
            hint=f"Name one of these: {last}." if last else "Make one: `fairway release`.",
        )
    return meant[0]


def next_version(db: Database | Transaction, *, project: str, effective_at: datetime) -> str:
    """The next free version of a project: ``YEAR.MONTH.N``, N counted from 1 in each month, UTC.

    Ask it in the transaction that writes the ``released`` entry, or under a lock.

    Raises:
        StoreError: If the database refuses.
    """
    at = effective_at.astimezone(UTC)
    numbers = [0]
    for one in releases(db, project=project):
        if (match := _VERSION.fullmatch(one.version)) is not None:
            year, month, number = (int(part) for part in match.groups())
            if (year, month) == (at.year, at.month):
                numbers.append(number)
    return f"{at.year}.{at.month}.{max(numbers) + 1}"
