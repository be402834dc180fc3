"""Judge what is to be predicted: yes or no, a number, or nothing that can be.

Room: ``fairway.line``, for ``new``. It looks at one column and says how the dataset must spell it.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from fairway.data.name import choice
from fairway.data.suggest import NO_VALUE
from fairway.errors import NotFoundError, RequestError
from fairway.line.first.view import View, quote, words

YES = frozenset(
    ["yes", "y", "true", "t", "1", "positive", "pos", "on", "ja", "j", "oui", "si", "ok"]
)
NO = frozenset(["no", "n", "false", "f", "0", "negative", "neg", "off", "nein", "non", "none"])
MOST_CLASSES = 4  # different whole numbers that are read as names of classes, not as amounts
MOST_NAMED = 60  # different texts that are read as names of classes, not as free text
PART = "part"  # Fairway's own name for train, validation and test
FEWEST = 30  # labelled rows
FEWEST_OF_ONE = 10  # rows of the rarer value


@dataclass(frozen=True, kw_only=True)
class Target:
    """What is to be predicted.

    Attributes:
        name: The column.
        task: ``binary`` or ``regression``.
        expression: How the dataset spells it in SQL; None as it is.
        notes: What the user should know, as sentences.
    """

    name: str
    task: Literal["binary", "regression"]
    expression: str | None = None
    notes: tuple[str, ...] = ()


def judge(view: View, name: str, *, commas: Mapping[str, str] | None = None) -> Target:
    """Say how a column can be predicted.

    Args:
        view: The table.
        name: The column.
        commas: Columns of numbers that are written with a comma, with their SQL.

    Raises:
        NotFoundError: If there is no such column; the nearest one is named.
        RequestError: If it cannot be predicted: one value only, an id, a time, more than two
            classes, free text, or too few rows with a value.
    """
    if name not in view.columns:
        raise NotFoundError(f"The table has no column {name!r}.", hint=choice(name, view.columns))
    if name == PART:
        raise RequestError(
            f"The target is called {PART!r}, as Fairway calls train, validation and test.",
            hint="Give the column another name in the table.",
        )
    column = view.columns[name]
    n_labelled = view.n_rows - column.n_missing
    values = view.values(name, MOST_NAMED + 1)
    if len(values) < 2:
        what = f"has only the value {values[0][0]!r}" if values else "has no value at all"
        raise RequestError(f"The target {name} {what}.", hint="Name another column as --target.")
    if n_labelled < FEWEST:
        raise RequestError(
            f"Only {n_labelled} rows have a value in {name}; {FEWEST} are the least to learn from "
            "and be judged on.",
            hint="Add rows to the table.",
        )
    if column.kind in {"date", "time", "other"}:
        raise RequestError(
            f"The target {name} is a {'time' if column.kind != 'other' else 'nested value'}; a "
            "model predicts a number, or yes and no.",
            hint="Name another column as --target.",
        )
    if column.kind == "boolean":
        found = _two(view, name, [(True, dict(values)[True]), (False, dict(values)[False])])
    elif column.kind == "text" and name not in (commas or {}):
        found = _text(view, name, values)
    else:
        found = _number(view, name, values, (commas or {}).get(name))
    unlabelled = (
        (f"{column.n_missing:,} rows have no {name}: they are checked, but in no part.",)
        if column.n_missing
        else ()
    )
    return Target(
        name=name,
        task=found.task,
        expression=found.expression,
        notes=(*found.notes, *unlabelled),
    )


def _text(view: View, name: str, values: list[tuple[Any, int]]) -> Target:
    """A text is yes or no if it has two values, spelled as they may be."""
    groups: dict[str, list[tuple[str, int]]] = {}
    for value, n in values:
        groups.setdefault(str(value).strip().lower(), []).append((value, n))
    empty = [word for word in groups if not word or word in NO_VALUE]
    if len(groups) > 2 and len(groups) - len(empty) == 2:
        absent = {word: groups.pop(word) for word in empty}
    else:
        absent = {}
    if len(groups) == 2:
        is_varied = any(len(spellings) > 1 for spellings in groups.values())
        pairs = [
            (word if is_varied else spellings[0][0], sum(n for _, n in spellings))
            for word, spellings in groups.items()
        ]
        found = _two(view, name, pairs, is_varied=is_varied)
        told = tuple(
            f"{name} = {word!r} ({sum(n for _, n in given):,} rows) is taken as not known."
            for word, given in absent.items()
        )
        return Target(
            name=name, task="binary", expression=found.expression, notes=(*found.notes, *told)
        )
    if len(values) <= MOST_NAMED and values[0][1] > 1:
        raise _classes(name, [value for value, _ in values])
    raise RequestError(
        f"The target {name} is free text, such as {str(values[0][0])[:40]!r}; a model predicts a "
        "number, or yes and no.",
        hint="Name another column as --target.",
    )


def _number(view: View, name: str, values: list[tuple[Any, int]], expression: str | None) -> Target:
    """A number is a class if it has two values, and an amount if it has many."""
    column = view.columns[name]
    is_comma = expression is not None
    is_whole = column.kind == "integer" or (
        not is_comma and all(float(value).is_integer() for value, _ in values)
    )
    if len(values) == 2 and not is_comma:
        low, high = sorted(values)
        if (low[0], high[0]) == (0, 1):
            return Target(name=name, task="binary", notes=_rare(name, high[1], low[1]))
        return _two(view, name, [high, low], is_ordered=True)
    if is_whole and len(values) <= MOST_CLASSES:
        raise _classes(name, sorted(value for value, _ in values))
    n_labelled = view.n_rows - column.n_missing
    is_named_id = re.search(r"(^|_)(id|uuid|guid|key|index|row)$", words(name))
    if is_whole and column.n_distinct == n_labelled and (is_named_id or _is_row_number(view, name)):
        raise RequestError(
            f"The target {name} is another number in every row, as an id is.",
            hint="Name another column as --target.",
        )
    few = len(values) <= 12 and is_whole
    notes = [f"{name} is a number: this is a regression."]
    if few:
        shown = ", ".join(str(value) for value, _ in sorted(values))
        notes = [f"{name} has the values {shown}: they are taken as amounts, not as names."]
    return Target(name=name, task="regression", expression=expression, notes=tuple(notes))


def _is_row_number(view: View, name: str) -> bool:
    column = quote(name)
    ((low, high),) = view.ask(f"SELECT min({column}), max({column}) FROM {view.sql_name}")  # noqa: S608  quoted
    return bool(high - low + 1 == view.columns[name].n_distinct)


def _two(
    view: View,
    name: str,
    pairs: list[tuple[Any, int]],
    *,
    is_varied: bool = False,
    is_ordered: bool = False,
) -> Target:
    """Which of two values is 1: the one that says yes, or is not "no", or is higher, or rarer."""
    yes = [pair for pair in pairs if str(pair[0]).strip().lower() in YES]
    no = [pair for pair in pairs if str(pair[0]).strip().lower() in NO]
    if is_ordered:
        one, why = pairs[0], "the higher"
    elif len(yes) == 1:
        one, why = yes[0], ""
    elif len(no) == 1:
        one, why = next(pair for pair in pairs if pair not in no), ""
    else:
        one, why = min(pairs, key=lambda pair: (pair[1], str(pair[0]))), "the rarer"
    other = next(pair for pair in pairs if pair is not one)
    column = f"lower(trim({quote(name)}))" if is_varied else quote(name)
    if view.columns[name].kind == "boolean":
        expression = f"CAST({column} AS TINYINT)"
    else:
        first, second = _literal(one[0]), _literal(other[0])
        expression = f"CASE {column} WHEN {first} THEN 1 WHEN {second} THEN 0 END"
    share = one[1] / (one[1] + other[1])
    told = f"{name}: {_shown(one[0])}{f', {why},' if why else ''} is 1, {_shown(other[0])} is 0"
    return Target(
        name=name,
        task="binary",
        expression=expression,
        notes=(f"{told}; {share:.1%} of the rows are 1.", *_rare(name, one[1], other[1])),
    )


def _rare(name: str, n_one: int, n_other: int) -> tuple[str, ...]:
    """Refuse to learn from almost no rows of one kind, and warn of few."""
    n = min(n_one, n_other)
    if n < FEWEST_OF_ONE:
        raise RequestError(
            f"The rarer value of {name} stands in {n} rows; {FEWEST_OF_ONE} are the least to learn "
            "from and be judged on.",
            hint="Add rows to the table, or name another column as --target.",
        )
    if n < 100:
        return (f"The rarer value of {name} stands in only {n} rows: expect wide intervals.",)
    return ()


def _classes(name: str, values: Sequence[Any]) -> RequestError:
    shown = ", ".join(_shown(value) for value in values[:6]) + (", ..." if len(values) > 6 else "")
    return RequestError(
        f"The target {name} has {len(values)} classes: {shown}. A model predicts a number, or yes "
        "and no.",
        hint="Add a column that is 1 for the class in question and 0 for the others, and name "
        "that one as --target.",
    )


def _literal(value: object) -> str:
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return str(value)


def _shown(value: Any) -> str:  # noqa: ANN401  any value of a table
    if isinstance(value, str):
        return repr(value)
    return str(value).lower() if isinstance(value, bool) else f"{value:g}"
