"""What a gate may know, and how it is read with suspicion.

Room: ``fairway.delivery``, used by ``gate``. Evidence is JSON that was written earlier, perhaps by
another version, of other bytes, or by hand. It is opened here or refused; ``gate`` judges it.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fairway.digest import Digest, short


@dataclass(frozen=True, kw_only=True)
class Statement:
    """A piece of evidence: what is said, and of which bytes.

    Attributes:
        subjects: Digests that it speaks of.
        body: A JSON value, read with suspicion.
    """

    subjects: tuple[Digest, ...]
    body: object


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """All that is known when a gate judges.

    Attributes:
        model: Digest of the model that is judged.
        snapshot: Digest of the rows that it was made and measured on.
        release: Digest of the release; ``None`` before there is one.
        champion: Digest of the champion's release; ``None`` where nothing stands there yet.
        evaluation: ``evaluation.measure``'s document; must speak of model and snapshot.
        champion_comparison: ``evaluation.compare``'s document, ``against`` the champion's digest.
        baseline_comparison: The same against the baseline.
        leakage: Of the snapshot: ``{"findings": [{"column", "state", "by", "reason"}]}``. Settled
            is one whose state is ``withheld``, or ``accepted`` with ``by`` and ``reason``.
        contract: Of the snapshot: ``{"passed": bool, "why"?: str}``.
        tests: Of the release: ``{"exit_code": int}``.
        approvals: Of the release: names of approvers by role, ``{"owner": [...], "owner, not
            author": [...]}``.
        declared: The conditions' texts (``Condition.text``), or their digest (``gate.digest_of``),
            as they stood when training began.
    """

    model: Digest
    snapshot: Digest
    release: Digest | None = None
    champion: Digest | None = None
    evaluation: Statement | None = None
    champion_comparison: Statement | None = None
    baseline_comparison: Statement | None = None
    leakage: Statement | None = None
    contract: Statement | None = None
    tests: Statement | None = None
    approvals: Statement | None = None
    declared: Digest | Sequence[str] | None = None


class UnfitError(Exception):
    """Evidence cannot carry a judgement; the text says why and what to do.

    It never leaves the gate, which turns it into a rule that fails.
    """


def open_body(
    statement: Statement | None, what: str, subjects: Mapping[str, Digest | None], order: str
) -> Mapping[str, Any]:
    """Open a statement that is there, speaks of the right bytes, and is a JSON object.

    Args:
        statement: The evidence, if any.
        what: How to call it.
        subjects: What it must speak of: noun -> digest.
        order: What to do where it is missing or stale.

    Raises:
        UnfitError: Otherwise.
    """
    if statement is None:
        raise UnfitError(f"there is no evidence of {what}. {order}")
    for noun, digest in subjects.items():
        if digest is None:
            raise UnfitError(f"there is no {noun} yet that {what} could speak of. {order}")
        if digest not in statement.subjects:
            others = ", ".join(short(other) for other in statement.subjects) or "nothing"
            raise UnfitError(
                f"the evidence of {what} is stale: it speaks of {others}, "
                f"not of the {noun} {short(digest)}. {order}"
            )
    return as_mapping(statement.body, what)


def as_mapping(value: object, what: str) -> Mapping[str, Any]:
    """Read a JSON object.

    Raises:
        UnfitError: If it is none.
    """
    if not isinstance(value, Mapping):
        kind = type(value).__name__
        raise UnfitError(f"the evidence of {what} cannot be read: {kind} where an object belongs.")
    return value


def as_number(value: object, what: str) -> float | None:
    """Read a finite JSON number, or ``None``.

    Raises:
        UnfitError: If it is neither.
    """
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise UnfitError(f"the evidence of {what} cannot be read: {value!r} is no number.")
    return float(value)


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A number that evidence tells, with its interval where that is known; it prints as words."""

    value: float
    low: float | None
    high: float | None
    unit: str = ""

    def __str__(self) -> str:
        interval = f" [{say(self.low)}, {say(self.high)}]" if self.low != self.high else ""
        return f"{say(self.value)}{interval}{self.unit}"

    @property
    def size(self) -> "Measured":
        """The number without its sign."""
        if self.value >= 0:
            return self
        low, high = (None if end is None else -end for end in (self.high, self.low))
        return Measured(value=-self.value, low=low, high=high, unit=self.unit)


def as_measured(document: object, what: str, unit: str = "") -> Measured:
    """Read ``{"value", "low", "high"}``.

    Raises:
        UnfitError: If it is none, or the value is unknown.
    """
    found = as_mapping(document, what)
    value = as_number(found.get("value"), what)
    if value is None:
        raise UnfitError(f"{what} could not be measured on these rows. Give more test rows.")
    low, high = as_number(found.get("low"), what), as_number(found.get("high"), what)
    return Measured(value=value, low=low, high=high, unit=unit)


def say(number: float | None) -> str:
    """Spell a number for people: four digits, and whole from 1,000 on."""
    if number is None:
        return "unknown"
    return f"{number:,.0f}" if abs(number) >= 1000 else f"{number:.4g}"
