"""Draft a first contract from data: what a careful reader would promise, and nothing by chance.

Room: ``fairway.data``, after ``profile`` and ``contract``. A draft is a beginning: a person reads
it, keeps it with the project, and from then on ``check`` holds the data to it.
"""

import calendar
import itertools
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fairway.data.contract import Contract
from fairway.data.profile import ColumnProfile, Profile, profile
from fairway.data.promise.rule import ColumnRule, Limit, Reference, Severity

if TYPE_CHECKING:
    import ibis.expr.types as ir
    from ibis.backends.duckdb import Backend

FEW_ROWS = 100  # below it, nothing is learned from what values there are
MOST_CODES = 60  # different whole numbers, such as minutes
CLOSED, OPEN = 12, 50  # different texts, up to which a list is closed, or worth a warning
SEEN_OFTEN = 20  # times that each text of a list was seen, on average
NATURAL = {7: 1, 12: 1, 23: 0, 31: 1, 53: 1, 59: 0, 366: 1}  # last of a calendar: its first
ON_EARTH = {"lat": 90, "latitude": 90, "lon": 180, "lng": 180, "long": 180, "longitude": 180}
RARE = 5  # a value of a longer list that was seen less often may be one of many to come
CALENDARS = tuple(
    tuple(form(name) for name in names if name)
    for names in (calendar.month_name, calendar.month_abbr, calendar.day_name, calendar.day_abbr)
    for form in (str.lower, str.upper, str.title)
)
PATTERNS = (
    r"\d{4}-\d{2}",
    r"\d{4}-\d{2}-\d{2}",
    r"\d{4}Q[1-4]",
    r"\d{2}:\d{2}",
    r"\d{2}:\d{2}:\d{2}",
)


def suggest_contract(
    table: "ir.Table",
    name: str,
    *,
    key: Sequence[str] = (),
    time: str | None = None,
    fresh_s: float | None = None,
    others: "Mapping[str, tuple[ir.Table, Sequence[str]]] | None" = None,
) -> Contract:
    """Draft a contract that the table keeps as it is, leaving room for tomorrow's rows.

    ``error`` are only promises that no honest row would break: types, keys, what was never missing,
    shares in [0, 1], codes without a gap, short lists. Wide ranges, longer lists and patterns are
    warnings. Columns of the table that hold what breaks a warning (an outlier) are promised what
    their other values keep.

    Args:
        table: The rows.
        name: The source's name.
        key: The key that the project names; without it one or two columns are looked for.
        time: The column that says when a row happened.
        fresh_s: Seconds that the newest row may be old, if the project says so.
        others: Other sources and their keys, to look for references to them.
    """
    seen = profile(table)
    chosen = tuple(key) if key and _is_key(table, key) else ()
    if not key:
        chosen = _find_key(table, seen, time)
    columns = {
        column.name: _column(column, seen.n_rows, _position(column.name, chosen))
        for column in seen.columns.values()
    }
    return Contract(
        id=name,
        name=name,
        columns=columns,
        references=tuple(_references(table, seen, name, chosen, others or {})),
        limits=tuple(_row_counts(seen.n_rows)),
        fresh_s=fresh_s,
        fresh_column=time if fresh_s is not None else None,
    )


def _position(name: str, key: Sequence[str]) -> int | None:
    return key.index(name) + 1 if name in key else None


def _column(column: ColumnProfile, n_rows: int, position: int | None) -> ColumnRule:
    """The promises of one column."""
    is_full = column.n_missing == 0 and n_rows > 0
    rule = ColumnRule(type=column.logical, required=is_full, primary_key=position)
    if n_rows < FEW_ROWS or position is not None:
        return rule
    if column.logical == "integer":
        return _whole_numbers(column, rule)
    if column.logical == "number":
        return _numbers(column, rule)
    if column.logical == "string":
        return _texts(column, rule)
    return rule


def _whole_numbers(column: ColumnProfile, rule: ColumnRule) -> ColumnRule:
    """Codes without a gap keep their range; counts stay at zero or more."""
    if column.minimum is None:
        return rule
    low, high = int(column.minimum), int(column.maximum)
    n = column.n_distinct
    has_no_gap = high - low + 1 == n and all(times >= 2 for _, times in column.values)
    if 2 <= n <= MOST_CODES and low in {0, 1} and has_no_gap:
        return replace(rule, minimum=low, maximum=high)
    if high in NATURAL and low >= NATURAL[high] and n >= 0.7 * high:
        return replace(rule, minimum=NATURAL[high], maximum=high)
    return _ranged(column, rule)


def _numbers(column: ColumnProfile, rule: ColumnRule) -> ColumnRule:
    """Shares lie in [0, 1], degrees on earth."""
    if column.minimum is None:
        return rule
    low, high = float(column.minimum), float(column.maximum)
    edge = ON_EARTH.get(column.name.lower())
    if edge is not None and max(-low, high) <= edge:
        return replace(rule, minimum=-edge, maximum=edge)
    fills = high - low >= 0.5 and column.n_distinct > 2
    if low >= 0 and high <= 1 and fills:
        return replace(rule, minimum=0, maximum=1)
    return _ranged(column, rule)


def _ranged(column: ColumnProfile, rule: ColumnRule) -> ColumnRule:
    """Where values keep together, a warning well outside of them: half a width on either side."""
    together = column.together()
    is_id = column.logical == "integer" and column.n_distinct >= 0.9 * column.n_values_rows
    if is_id:
        return rule
    if together is None or column.n_distinct < 20:
        return _floored(column, rule)
    low, high = together
    slack = (high - low) / 2
    is_count = low == 0 or (column.logical == "integer" and low >= 0)
    least = max(0.0, low - slack) if is_count else low - slack
    bounds = (_rounded(least, math.floor, slack), _rounded(high + slack, math.ceil, slack))
    severity: dict[str, Severity] = {"minimum": "warning", "maximum": "warning"}
    return replace(rule, minimum=bounds[0], maximum=bounds[1], severity=severity)


def _floored(column: ColumnProfile, rule: ColumnRule) -> ColumnRule:
    """A column of counts has a floor even where it has no ceiling."""
    if column.logical == "integer" and column.minimum >= 0 and column.n_distinct > 2:
        return replace(rule, minimum=0, severity={"minimum": "warning"})
    return rule


def _rounded(value: float, towards: Any, width: float) -> float:  # noqa: ANN401  floor or ceil
    """A bound that is easy to read, on the far side of the value."""
    unit = 10.0 ** (math.floor(math.log10(width)) - 1) if width > 0 else 1.0
    bound = towards(value / unit) * unit
    return int(bound) if unit >= 1 else round(bound, 12)


def _texts(column: ColumnProfile, rule: ColumnRule) -> ColumnRule:
    """Short lists are closed, calendars completed, dates as text have their pattern."""
    values = [str(value) for value, _ in column.values]
    if not values:
        return rule
    for pattern in PATTERNS:
        if all(re.fullmatch(pattern, value) for value in values):
            return replace(rule, pattern=pattern)
    for whole in CALENDARS:
        if len(values) > 2 and set(values) <= set(whole):
            return replace(rule, accepted=whole)
    n_known = sum(times for _, times in column.values)
    is_list = 2 <= len(values) <= OPEN and n_known / len(values) >= SEEN_OFTEN
    rare = min(times for _, times in column.values)
    if not is_list or (len(values) > CLOSED and rare < RARE):
        return rule
    is_closed = len(values) <= CLOSED and rare >= SEEN_OFTEN
    severity: dict[str, Severity] = {} if is_closed else {"accepted": "warning"}
    return replace(rule, accepted=tuple(sorted(values)), severity=severity)


def _row_counts(n_rows: int) -> Iterator[Limit]:
    """A delivery of a tenth is broken; one of ten times as much is worth a look."""
    least = max(1, n_rows // 10)
    yield Limit(metric="rowCount", operator="mustBeGreaterOrEqualTo", bound=least)
    most = 10 * max(1, n_rows)
    yield Limit(metric="rowCount", operator="mustBeLessOrEqualTo", bound=most, severity="warning")


def _is_key(table: "ir.Table", columns: Sequence[str]) -> bool:
    """Whether columns are never missing and never the same twice."""
    from fairway.data.checking import breach, duplicate

    if not set(columns) <= set(table.columns):
        return False
    import ibis

    absent = table.count(where=ibis.or_(*[breach.is_missing(table[name]) for name in columns]))
    connection: Backend = table.get_backend()
    return not absent.to_pyarrow().as_py() and duplicate.find(connection, table, columns) is None


def _find_key(table: "ir.Table", seen: Profile, time: str | None) -> tuple[str, ...]:
    """A key by its look: one column of ids, else a time and what it is counted by."""
    full = [one for one in seen.columns.values() if one.n_missing == 0]
    ids = [one for one in full if one.logical in {"integer", "string"}]
    for one in ids:
        if one.n_distinct >= 0.95 * seen.n_rows and _is_key(table, (one.name,)):
            return (one.name,)
    times = [one for one in full if one.logical in {"timestamp", "date"}]
    times.sort(key=lambda one: one.name != time)
    for when in times[:2]:
        if when.n_distinct >= 0.95 * seen.n_rows and _is_key(table, (when.name,)):
            return (when.name,)
    groups = sorted(
        (one for one in ids if 2 <= one.n_distinct <= seen.n_rows / 10), key=lambda o: o.n_distinct
    )
    for when, group in itertools.islice(itertools.product(times[:2], groups), 12):
        enough = when.n_distinct * group.n_distinct >= 0.95 * seen.n_rows
        if enough and _is_key(table, (when.name, group.name)):
            return (when.name, group.name)
    return ()


def _references(
    table: "ir.Table",
    seen: Profile,
    name: str,
    key: Sequence[str],
    others: "Mapping[str, tuple[ir.Table, Sequence[str]]]",
) -> Iterator[Reference]:
    """Columns whose values stand in another source's key of one column.

    All of them: an error. Under the same name at least half, or text under another name nearly all
    of at least 20: a warning, as somebody meant to join them.
    """
    for column in seen.columns.values():
        own = table[column.name]
        is_text = own.type().is_string()
        if column.logical not in {"string", "integer"} or (column.name,) == tuple(key):
            continue
        for source, (other, to) in others.items():
            if source == name or len(to) != 1 or to[0] not in other.columns:
                continue
            target, same_name = other[to[0]], column.name == to[0]
            if is_text != target.type().is_string() or not (is_text or same_name):
                continue
            values = table.filter(own.notnull()).select(value=own).distinct()
            found = values.semi_join(other.select(value=target), "value")
            n, n_found = (int(one.count().to_pyarrow().as_py()) for one in (values, found))
            nearly = n_found >= 0.9 * n and n >= 20
            if n and (n == n_found or nearly or (same_name and 2 * n_found >= n)):
                severity: Severity = "error" if n == n_found else "warning"
                own_name = (column.name,)
                yield Reference(columns=own_name, source=source, to=tuple(to), severity=severity)
