"""Suggest repairs from data, each with its reason, as they would stand in the project file.

Room: ``fairway.data``, after ``profile``; what a repair rule means stands in ``repair``. A
suggestion changes nothing. What only a person can know is a question, not a suggestion.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from fairway.data.profile import ColumnProfile, Profile, profile

if TYPE_CHECKING:
    import ibis.expr.types as ir

NO_VALUE = {
    *(
        "n/a",
        "#n/a",
        "n.a.",
        "null",
        "(null)",
        "\\n",
        "nan",
        "unknown",
        "unk",
        "missing",
        "undefined",
    ),
    *("not available", "not applicable", "not known", "?", "??", "-", "--", "---", "."),
}
"""Words that stand for "no value", lower case."""

MAYBE_NO_VALUE = {"na", "none", "nil", "other", "not specified", "tbd"}
"""Words that often do; a person must say."""

EXTREME_CODES = {-32768, 32767, 65535, -2147483648, 2147483647, 1e20, -1e20, 1e30, -1e30}
ROUND_K = (5, 8, 10, 15, 20, 30, 50)
MOST_FAR_SHARE = 0.001
MOST_SPELLED = 1_000  # different values, beyond which a text column is no list of names


@dataclass(frozen=True, kw_only=True)
class Suggestion:
    """One entry of ``[repair]``, with why it is suggested.

    Attributes:
        column: The column; ``*`` for all others.
        rule: The entry's content, as ``repair.from_table`` reads it.
        reason: What was seen, with counts.
        is_question: Whether only a person can tell if it is right.
    """

    column: str
    rule: Mapping[str, Any]
    reason: str
    is_question: bool = False

    def toml(self) -> str:
        """The entry as it would stand in the project file; a question stands there as a comment."""
        inside = ", ".join(f"{key} = {_toml(value)}" for key, value in self.rule.items())
        entry = f"{_key(self.column)} = {{ {inside} }}"
        return f"# {entry}  # {self.reason}" if self.is_question else f"{entry}  # {self.reason}"


def suggest_repairs(table: "ir.Table", *, skip: Sequence[str] = ()) -> list[Suggestion]:
    """Suggest repairs of a table's columns, in the table's order, questions after suggestions.

    Args:
        table: The rows, best those that a model would train on.
        skip: Columns that are never repaired: key, time and target.

    Returns:
        At most one suggestion and one question a column; last one for ``*``, if anything is
        missing. Empty if nothing was seen.
    """
    seen = profile(table)
    found: list[Suggestion] = []
    for name, column in seen.columns.items():
        if name in skip:
            continue
        each = list(_numbers(column, seen) if column.is_number else _texts(column, seen))
        sure = [one for one in each if not one.is_question]
        open_ = [one for one in each if one.is_question]
        if sure:
            found.append(_merged(sure))
        if open_:  # spelled with what is sure, so that either line can stand in the file alone
            reason = "; ".join(one.reason for one in open_)
            found.append(replace(_merged([*sure, *open_]), reason=reason, is_question=True))
    missing = [c for name, c in seen.columns.items() if c.n_missing and name not in skip]
    if missing:
        worst = sorted(missing, key=lambda column: -column.n_missing)[:3]
        told = ", ".join(f"{one.name} {_share(one.n_missing, seen.n_rows)}" for one in worst)
        columns = "1 column has" if len(missing) == 1 else f"{len(missing)} columns have"
        reason = f"{columns} missing values, most: {told}"
        found.append(
            Suggestion(column="*", rule={"missing": "median", "flag": True}, reason=reason)
        )
    return found


def _merged(suggestions: Sequence[Suggestion]) -> Suggestion:
    """One entry that says all that several say of the same column."""
    rule: dict[str, Any] = {}
    for one in suggestions:
        for key, value in one.rule.items():
            held = rule.get(key)
            if isinstance(held, list) and isinstance(value, list):
                rule[key] = [*held, *value]
            elif isinstance(held, Mapping) and isinstance(value, Mapping):
                rule[key] = {**held, **value}
            else:
                rule[key] = value
    reason = "; ".join(one.reason for one in suggestions)
    return Suggestion(column=suggestions[0].column, rule=rule, reason=reason)


def _numbers(column: ColumnProfile, seen: Profile) -> Iterator[Suggestion]:
    """Sentinels, outliers, stuck zeros and absent values of a column of numbers."""
    if len(column.lowest) < 2 or not column.quantiles:
        return
    sentinels = _number_sentinels(column)
    sure = [value for value, is_question in sentinels if not is_question]
    if sure:
        told = ", ".join(_counted(value, column, seen) for value in sure)
        rest = [v for v in (*column.lowest, *column.highest) if v not in sure]
        why = f"{told}; all other values lie in {min(rest):g} to {max(rest):g}"
        yield Suggestion(column=column.name, rule={"sentinel": _exact(sure, column)}, reason=why)
    for value, is_question in sentinels:
        if is_question:
            why = f"{_counted(value, column, seen)}, all others are zero or more: no value?"
            rule = {"sentinel": _exact([value], column)}
            yield Suggestion(column=column.name, rule=rule, reason=why, is_question=True)
    if not sentinels:
        yield from _outliers(column)
        yield from _zeros(column, seen)
    share = column.n_missing / seen.n_rows
    if 0.3 <= share <= 0.95 and column.lowest[0] > 0:
        least = column.lowest[0]
        why = f"missing in {share:.1%} and never below {least:g}: does no value mean zero?"
        yield Suggestion(column=column.name, rule={"missing": 0.0}, reason=why, is_question=True)


def _number_sentinels(column: ColumnProfile) -> list[tuple[float, bool]]:
    """Codes at either end, far from all other values; and whether to ask first.

    A code is -9, -99, 99, 999, ... or the end of a machine type, there at least twice, at least as
    far from the other values as these lie apart; or a negative code where nothing else is negative.
    """
    counts = dict(column.values)
    found: list[tuple[float, bool]] = []
    for end, other in ((column.lowest, column.highest[0]), (column.highest, column.lowest[0])):
        for place, value in enumerate(end[:-3]):
            following = end[place + 1]
            only_negative = value < 0 <= following
            is_far = abs(value - following) >= abs(following - other) > 0
            if counts.get(value, 0) < 2 or value == other:
                break
            if _is_code(value) and (is_far or only_negative):
                found.append((value, False))
            elif value == -1 and only_negative and column.logical == "integer":
                found.append((value, True))
            else:
                break
    return found


def _is_code(value: float) -> bool:
    if value in EXTREME_CODES:
        return True
    digits = f"{abs(value):.10g}"
    return set(digits.replace(".", "")) == {"9"} and (abs(value) > 9 or value == -9)


def _outliers(column: ColumnProfile) -> Iterator[Suggestion]:
    """A few values beyond a wide gap, in a column whose other values keep together.

    A heavy tail has no gap and is left alone: its far values are data.
    """
    together = column.together()
    if together is None:
        return
    far = [v for end in (column.lowest, column.highest) for v in end[: column.n_far(end)]]
    inner = max(column.deviations(value) for value in together)
    n_far = sum(n for value, n in column.values if value in far) or len(far)
    k = next((k for k in ROUND_K if k >= 1.2 * inner), None)
    if not far or k is None or n_far > max(3, MOST_FAR_SHARE * column.n_values_rows):
        return
    least = min(far, key=column.deviations)
    others = f", and {len(far) - 1} more" if len(far) > 1 else ""
    why = (
        f"{least:g}{others} lies {column.deviations(least):.0f} robust standard deviations from "
        f"the median {column.quantiles[0.5]:g}, all other values at most {inner:.1f}"
    )
    yield Suggestion(column=column.name, rule={"outlier": f"mad > {k}"}, reason=why)


def _zeros(column: ColumnProfile, seen: Profile) -> Iterator[Suggestion]:
    """Zeros apart from all other values, as of a sensor that was silent."""
    if column.lowest[0] != 0 or column.n_distinct < 20 or not column.step:
        return
    following, zeros = column.lowest[1], dict(column.values).get(0, 0)
    share = zeros / column.n_values_rows
    is_apart = following >= 5 * column.step and following >= 0.02 * column.highest[0]
    if zeros < 2 or not is_apart or share > 0.3:
        return
    why = (
        f"{_counted(0, column, seen)}, the next value is {following:g} while values lie "
        f"{column.step:.3g} apart: a silent sensor"
    )
    is_question = share > 0.01
    yield Suggestion(
        column=column.name,
        rule={"sentinel": [0]},
        reason=why + ("?" if is_question else ""),
        is_question=is_question,
    )


def _texts(column: ColumnProfile, seen: Profile) -> Iterator[Suggestion]:
    """Words for "no value", and spellings of the same, of a column of text."""
    if column.logical != "string":
        return
    if column.n_distinct > 0.9 * seen.n_rows:
        return  # names of single rows: nothing stands for another
    values = {str(value): n for value, n in column.values}
    words = [v for v in values if not v.strip() or v.strip().lower() in NO_VALUE]
    if words and len(words) < len(values):
        told = ", ".join(_counted(word, column, seen) for word in words)
        why = f"{told}: reads as no value"
        yield Suggestion(column=column.name, rule={"sentinel": words}, reason=why)
    for word in values:
        if word.strip().lower() in MAYBE_NO_VALUE:
            why = f"{_counted(word, column, seen)}: no value, or a value of its own?"
            rule = {"sentinel": [word]}
            yield Suggestion(column=column.name, rule=rule, reason=why, is_question=True)
    names = {v: n for v, n in values.items() if v not in words}
    if 1 < len(names) <= MOST_SPELLED and column.n_distinct <= 0.5 * seen.n_rows:
        yield from _spellings(column.name, names)


def _spellings(name: str, values: Mapping[str, int]) -> Iterator[Suggestion]:
    """The same name in other letters, blanks or stops; and, as a question, a name that goes on."""
    groups: dict[str, list[str]] = {}
    for value in sorted(values, key=lambda value: (-values[value], value)):
        groups.setdefault(_normal(value), []).append(value)
    variants = {v: group[0] for group in groups.values() for v in group[1:]}
    if variants:
        told = ", ".join(
            f"{json.dumps(v, ensure_ascii=False)} ({values[v]:,}) is "
            f"{json.dumps(main, ensure_ascii=False)} ({values[main]:,})"
            for v, main in list(variants.items())[:3]
        )
        yield Suggestion(column=name, rule={"spelling": variants}, reason=f"spelled apart: {told}")
    mains = [group[0] for group in groups.values()]
    longer = {
        long: short
        for short in mains
        for long in mains
        if long != short and _normal(long).startswith(_normal(short) + " ") and _is_name(short)
    }
    for short in dict.fromkeys(longer.values()):
        family = {long: short for long, to in longer.items() if to == short}
        told = ", ".join(f"{long} ({values[long]:,})" for long in family)
        why = f"the same as {short} ({values[short]:,})? {told}"
        yield Suggestion(column=name, rule={"spelling": family}, reason=why, is_question=True)


def _normal(value: str) -> str:
    """A name without what people vary: case, blanks, full stops and commas."""
    return re.sub(r"\s+", " ", re.sub(r"[.,]", "", value.casefold())).strip()


def _is_name(value: str) -> bool:
    """Whether it is a word that a longer name may begin with: letters, at least four."""
    return bool(re.fullmatch(r"[^\W\d_][^\d_]{3,}", value))


def _exact(values: Sequence[float], column: ColumnProfile) -> list[float]:
    """Numbers as the column has them: whole ones of an integer column without a point."""
    return [int(value) if column.logical == "integer" else value for value in values]


def _counted(value: object, column: ColumnProfile, seen: Profile) -> str:
    """A value with the rows that have it; of a large table, estimated from its sample."""
    n = dict(column.values).get(value, 0)
    total = round(n * seen.n_rows / column.n_values_rows)
    shown = (
        f"{value:g}" if isinstance(value, int | float) else json.dumps(value, ensure_ascii=False)
    )
    if total * 1000 < seen.n_rows:
        return f"{shown} in {total:,} of {seen.n_rows:,} rows"
    return f"{shown} in {total:,} rows ({total / seen.n_rows:.1%})"


def _share(n: int, of: int) -> str:
    return f"{n / of:.1%}" if n * 1000 >= of else f"{n:,} of {of:,}"


def _key(name: str) -> str:
    is_bare = re.fullmatch(r"[A-Za-z0-9_-]+", name)
    return name if is_bare else json.dumps(name, ensure_ascii=False)


def _toml(value: object) -> str:
    """A value in TOML, which spells text and numbers as JSON does."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(k)} = {_toml(v)}" for k, v in value.items()) + " }"
    return json.dumps(value, ensure_ascii=False)
