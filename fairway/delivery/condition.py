"""The one grammar of conditions, for gates and later for alerts and roll-back rules.

Room: ``fairway.delivery``. It reads text into a ``Condition`` and back; ``gate`` judges conditions
on evidence. Nothing is looked up here, and no engine is loaded.

    [worst(COLUMN).]NAME[(ARG)] OP (number | none | passed | champion | baseline | fixed)
                                [+|- number] [over WINDOW]
"""

import difflib
import math
import re
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from fairway.errors import ProjectError

Operator = Literal[">=", "<=", ">", "<", "=="]


class Word(StrEnum):
    """What a condition asks for that is no number."""

    NONE = "none"
    PASSED = "passed"


class Reference(StrEnum):
    """What a model is held against."""

    CHAMPION = "champion"
    BASELINE = "baseline"
    FIXED = "fixed"


FIXED_WORD = {"leakage": Word.NONE, "tests": Word.PASSED, "contract": Word.PASSED}
"""Names that are judged by a word, and the word."""

UNSLICED = ("p99_ms", "size_bytes")
"""Measured once for a model, never by slice."""

KNOWN = (*FIXED_WORD, "approvals", "payoff", *UNSLICED)
"""Names that every project has, besides its metrics."""

_NUMBER = r"[+-]?(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_LEFT = re.compile(
    r"\s*(?:worst\(\s*(?P<column>[^()]+?)\s*\)\s*\.\s*)?"
    r"(?P<name>[A-Za-z_][\w.]*(?::[A-Za-z_]\w*)?)"
    r"(?:\(\s*(?P<argument>[^()]*?)\s*\))?\s*"
)
_OPERATOR = re.compile(r"(>=|<=|==|>|<)\s*")
_RIGHT = re.compile(rf"(?P<number>{_NUMBER})(?![\w.%])|(?P<word>[A-Za-z_]\w*)")
_OFFSET = re.compile(rf"\s*(?P<sign>[+-])\s*(?P<number>{_NUMBER})(?![\w.%])")
_WINDOW = re.compile(r"\s+over\s+(?P<count>\d+(?:\.\d+)?)\s*(?P<unit>[smhdw])(?!\w)")
_ROLE = re.compile(r"(?P<role>[\w.@+-]+)\s*(?P<not_author>,\s*not\s+author)?")
_SECONDS = {"w": 604800.0, "d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0}


@dataclass(frozen=True, kw_only=True)
class Condition:
    """One line of a gate: what must hold.

    Law: ``parse(condition.text) == condition``.

    Attributes:
        name: A metric, or one of ``KNOWN``.
        argument: ``owner`` or ``owner, not author`` of ``approvals(...)``.
        worst_column: The column whose worst slice is meant.
        operator: How the left side must stand to the right one.
        right: A number, a word, or what the model is held against.
        offset: Added to a reference.
        window_s: Length of the period that is judged; ``None`` where none is named.
    """

    name: str
    operator: Operator
    right: float | Word | Reference
    argument: str | None = None
    worst_column: str | None = None
    offset: float = 0.0
    window_s: float | None = None

    @property
    def left(self) -> str:
        """The left side alone, as it is written."""
        worst = f"worst({self.worst_column})." if self.worst_column is not None else ""
        argument = f"({self.argument})" if self.argument is not None else ""
        return f"{worst}{self.name}{argument}"

    @property
    def text(self) -> str:
        """The condition spelled in exactly one way."""
        right = _spell(self.right) if isinstance(self.right, float) else self.right.value
        sign = "-" if self.offset < 0 else "+"
        offset = f" {sign} {_spell(abs(self.offset))}" if self.offset else ""
        window = f" over {_spell_window(self.window_s)}" if self.window_s is not None else ""
        return f"{self.left} {self.operator} {right}{offset}{window}"

    def holds(self, left: float, bound: float) -> bool:
        """Compare two numbers as the operator says."""
        if self.operator == ">=":
            return left >= bound
        if self.operator == "<=":
            return left <= bound
        if self.operator == ">":
            return left > bound
        return left < bound if self.operator == "<" else left == bound


def parse(
    text: str,
    *,
    names: Collection[str] | None = None,
    columns: Collection[str] | None = None,
    windows: bool = True,
) -> Condition:
    """Read a condition.

    Args:
        text: As written in the project file.
        names: The project's metrics; by default any name is taken for one. ``KNOWN`` ones are
            always allowed.
        columns: The columns that evaluation slices by; by default any.
        windows: Whether ``over WINDOW`` may be written: not in a release gate, which judges a
            model's evidence and no period.

    Raises:
        ProjectError: If it does not follow the grammar, or asks for what cannot be judged. An
            unknown name is answered by the nearest one.
    """
    left = _LEFT.match(text)
    if left is None:
        raise _fault(text, "begins with no name", "Begin with a metric, such as auc >= 0.65.")
    operator = _OPERATOR.match(text, left.end())
    if operator is None:
        found = text[left.end() :].strip()
        what = f"has {found!r} where an operator belongs" if found else "has no operator"
        raise _fault(text, what, "Write one of >=, <=, >, < and == after the name.")
    right, end = _read_right(text, operator.end())
    offset, end = _read_offset(text, end, right)
    window_s, end = _read_window(text, end)
    if text[end:].strip():
        raise _fault(
            text,
            f"has {text[end:].strip()!r} left over",
            "End it after the number, or write `over 7d` for a period.",
        )
    condition = Condition(
        name=left["name"],
        argument=left["argument"],
        worst_column=left["column"],
        operator=operator[1],  # type: ignore[arg-type]  # the expression matches these five only
        right=right,
        offset=offset,
        window_s=window_s,
    )
    _check_name(condition, text, names)
    _check_sense(condition, text)
    if condition.worst_column is not None and columns is not None:
        _check_member(condition.worst_column, columns, text, "slice by")
    if window_s is not None and not windows:
        raise _fault(text, "names a period, which is not for gates", "Drop `over ...` here.")
    if condition.argument is None:
        return condition
    return _with_role(condition, text)


def _fault(text: str, what: str, hint: str) -> ProjectError:
    return ProjectError(f"Condition {text.strip()!r} {what}.", hint=hint)


def _number(text: str, spelled: str) -> float:
    number = float(spelled)
    if not math.isfinite(number):
        raise _fault(text, f"names {spelled}, which is too large", "Write a smaller number.")
    return number


def _read_right(text: str, start: int) -> tuple[float | Word | Reference, int]:
    found = _RIGHT.match(text, start)
    words = [word.value for word in (*Word, *Reference)]
    if found is None:
        rest = text[start:].strip()
        what = f"has {rest!r} on its right side" if rest else "has no right side"
        hint = "Write a share: 5 % is 0.05." if "%" in rest else f"Write a number, {_any(words)}."
        raise _fault(text, what, hint)
    if found["number"] is not None:
        return _number(text, found["number"]), found.end()
    word = found["word"]
    if word in list(Word):
        return Word(word), found.end()
    if word in list(Reference):
        return Reference(word), found.end()
    near = difflib.get_close_matches(word, words, n=1)
    hint = f"Write {near[0]!r}." if near else f"Write a number, {_any(words)}."
    raise _fault(text, f"has {word!r} on its right side", hint)


def _read_offset(text: str, start: int, right: float | Word | Reference) -> tuple[float, int]:
    found = _OFFSET.match(text, start)
    if found is None:
        return 0.0, start
    if not isinstance(right, Reference):
        raise _fault(
            text, f"adds to {right}", "Only champion, baseline and fixed take + or -: do the sum."
        )
    amount = _number(text, found["number"])
    return (-amount if found["sign"] == "-" else amount), found.end()


def _read_window(text: str, start: int) -> tuple[float | None, int]:
    found = _WINDOW.match(text, start)
    if found is None:
        return None, start
    seconds = float(found["count"]) * _SECONDS[found["unit"]]
    if seconds <= 0:
        raise _fault(text, "names a period of no length", "Write one such as `over 7d`.")
    return seconds, found.end()


def _any(words: list[str]) -> str:
    return ", ".join(words[:-1]) + f" or {words[-1]}"


def _check_member(name: str, allowed: Collection[str], text: str, verb: str) -> None:
    if name in allowed:
        return
    listed = sorted(allowed)
    near = difflib.get_close_matches(name, listed, n=1)
    hint = f"Write {near[0]!r}." if near else f"Name one of {', '.join(listed) or 'none'}."
    raise _fault(text, f"names {name!r}, which the project does not {verb}", hint)


def _check_name(condition: Condition, text: str, names: Collection[str] | None) -> None:
    if names is not None:
        _check_member(condition.name, {*KNOWN, *names}, text, "measure")


def _check_sense(condition: Condition, text: str) -> None:
    name, right, operator = condition.name, condition.right, condition.operator
    if name == "worst":
        raise _fault(text, "says worst without a metric", "Write worst(COLUMN).METRIC.")
    word = FIXED_WORD.get(name)
    if word is not None:
        if condition.worst_column or condition.argument is not None:
            raise _fault(text, f"says more about {name} than is known", f"Write {name} == {word}.")
        if right is not word or operator != "==":
            raise _fault(text, f"does not ask whether {name} is {word}", f"Write {name} == {word}.")
        return
    if isinstance(right, Word):
        raise _fault(text, f"asks a number to be {right}", "Write a number on the right side.")
    if name == "approvals":
        if condition.argument is None or condition.worst_column or not isinstance(right, float):
            raise _fault(text, "does not count a role", "Write approvals(owner) >= 1.")
        if operator not in {">=", ">"}:
            raise _fault(text, "sets no least number of approvals", "Write approvals(owner) >= 1.")
        return
    _check_metric(condition, text)


def _check_metric(condition: Condition, text: str) -> None:
    name, right, operator = condition.name, condition.right, condition.operator
    if condition.argument is not None:
        raise _fault(text, f"gives {name} an argument", f"Write {name} {operator} ... alone.")
    if right is Reference.FIXED and name != "payoff":
        raise _fault(text, f"holds {name} against fixed", "Only payoff is known of fixed actions.")
    if condition.worst_column is None:
        return
    if name in UNSLICED:
        raise _fault(text, f"asks {name} of slices", f"Write {name} {operator} ... alone.")
    if not isinstance(right, float) or operator == "==":
        raise _fault(text, "holds slices against no bound", "Write >= or <= and a number.")


def _with_role(condition: Condition, text: str) -> Condition:
    found = _ROLE.fullmatch(condition.argument or "")
    if found is None:
        raise _fault(
            text,
            f"has {condition.argument!r} as role",
            "Write approvals(owner) or approvals(owner, not author).",
        )
    argument = found["role"] + (", not author" if found["not_author"] else "")
    return Condition(
        name=condition.name,
        argument=argument,
        operator=condition.operator,
        right=condition.right,
        offset=condition.offset,
        window_s=condition.window_s,
    )


def _spell(number: float) -> str:
    return repr(number).removesuffix(".0")


def _spell_window(seconds: float) -> str:
    for unit, length in _SECONDS.items():
        if unit != "w" and seconds % length == 0:  # people say 7d
            return f"{seconds / length:.0f}{unit}"
    return f"{seconds:f}s"
