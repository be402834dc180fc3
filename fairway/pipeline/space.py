"""What a candidate's search may try: ranges and choices, as they stand in the project file.

Room: ``fairway.pipeline``, before ``search``. It draws nothing.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from fairway.errors import ProjectError
from fairway.pipeline.step import Value

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_RANGE = re.compile(rf"\s*(int\s+)?({_NUMBER})\s*\.\.\s*({_NUMBER})(\s+log)?\s*")


@dataclass(frozen=True, kw_only=True)
class Range:
    """Numbers from ``low`` to ``high``, both included.

    Attributes:
        low: The least.
        high: The greatest.
        is_log: Whether each doubling is as likely as any other, not each step.
        is_whole: Whether only whole numbers are meant.
    """

    low: float
    high: float
    is_log: bool = False
    is_whole: bool = False


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One of several values.

    Attributes:
        values: At least two, all different.
    """

    values: tuple[Value, ...]


Space = Mapping[str, Range | Choice]
"""Parameter -> what it may be."""


def parse(search: Mapping[str, object], *, candidate: str) -> dict[str, Range | Choice]:
    """Read a candidate's ``search``.

    ``"int 8..256 log"``, ``"0.01..0.3 log"``, ``"0.1..0.9"``, or a list of choices.

    Args:
        search: Parameter -> range or choices.
        candidate: Whose search it is, for errors.

    Raises:
        ProjectError: If there is nothing to try, or a range or choice makes no sense.
    """
    if not search:
        raise ProjectError(
            f"The search of candidate {candidate!r} has no values.",
            hint='Name a parameter and its range, as search = { leaves = "int 8..256 log" }.',
        )
    return {name: _parse(f"{candidate}.search.{name}", given) for name, given in search.items()}


def spell(space: Space) -> dict[str, object]:
    """A space as JSON: two spaces are spelled alike if and only if they are the same."""
    return {
        name: list(part.values)
        if isinstance(part, Choice)
        else [part.low, part.high, part.is_log, part.is_whole, "range"]
        for name, part in space.items()
    }


def _parse(where: str, given: object) -> Range | Choice:
    if isinstance(given, list):
        return _choice(where, given)
    found = _RANGE.fullmatch(given) if isinstance(given, str) else None
    if found is None:
        raise ProjectError(
            f"{where} = {given!r} is neither a range nor a list of choices.",
            hint='Write "int 8..256 log", "0.1..0.9", or ["gini", "entropy"].',
        )
    is_whole, low, high, is_log = bool(found[1]), float(found[2]), float(found[3]), bool(found[4])
    problem = hint = ""
    if is_whole and not (low.is_integer() and high.is_integer()):
        problem, hint = (
            "has an end that is no whole number",
            "Leave out `int`, or write whole ends.",
        )
    elif not math.isfinite(low) or not math.isfinite(high):
        problem, hint = "has an end that is too large", "Write ends that a computer can hold."
    elif low >= high:
        problem, hint = "holds no values to choose between", "Write the smaller end first."
    elif is_log and low <= 0:
        problem, hint = "is logarithmic and reaches zero", "Start above zero, or leave out `log`."
    if problem:
        raise ProjectError(f"{where} = {given!r} {problem}.", hint=hint)
    return Range(low=low, high=high, is_log=is_log, is_whole=is_whole)


def _choice(where: str, given: list[object]) -> Choice:
    values: list[Value] = []
    for value in given:
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise ProjectError(
                f"{where} offers {value!r}.", hint="Offer numbers and texts; write true as 'true'."
            )
        if value in values:
            raise ProjectError(f"{where} offers {value!r} twice.", hint="Offer it once.")
        values.append(value)
    if len(values) < 2:
        raise ProjectError(
            f"{where} = {given!r} holds no values to choose between.",
            hint="Offer at least two, or write the one into `run`.",
        )
    return Choice(values=tuple(values))
