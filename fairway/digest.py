"""Names for bytes: the same content has the same name everywhere.

Room: after ``errors``, before ``store``. It reads files to name them and keeps nothing.
"""

import hashlib
import json
from pathlib import Path
from typing import Any, NewType

from fairway.errors import RequestError

Digest = NewType("Digest", str)
"""``sha256:`` and 64 hexadecimal digits."""

PREFIX = "sha256:"


def canonical(value: Any) -> bytes:  # noqa: ANN401  any JSON value
    """Spell a JSON value in exactly one way: sorted keys, no spaces, UTF-8.

    Raises:
        ValueError: If the value holds NaN or infinity, which JSON cannot say.
    """
    text = json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return text.encode()


def of_bytes(data: bytes) -> Digest:
    """Name bytes."""
    return Digest(PREFIX + hashlib.sha256(data).hexdigest())


def of_json(value: Any) -> Digest:  # noqa: ANN401  any JSON value
    """Name a JSON value by its canonical bytes."""
    return of_bytes(canonical(value))


def of_file(path: Path) -> Digest:
    """Name a file by its content; its name, owner and times do not matter."""
    with path.open("rb", buffering=0) as file:
        return Digest(PREFIX + hashlib.file_digest(file, "sha256").hexdigest())


def parse(text: str) -> Digest:
    """Read a digest that somebody wrote.

    Raises:
        RequestError: If it is not ``sha256:`` and 64 lower-case hexadecimal digits.
    """
    tail = text.removeprefix(PREFIX)
    if tail == text or len(tail) != 64 or set(tail) - set("0123456789abcdef"):
        raise RequestError(
            f"{text!r} is no digest.", hint="Write sha256: and 64 hexadecimal digits."
        )
    return Digest(text)


def short(digest: Digest) -> str:
    """The first twelve digits, for people to read."""
    return digest.removeprefix(PREFIX)[:12]
