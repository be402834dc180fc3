"""Find when each row came to be: a time column, a date in another spelling, a date and an hour.

Room: ``fairway.line``, for ``new``. It says which column of the dataset is the time and how SQL
makes it. It splits nothing; ``deal`` does.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from fairway.line.first.view import Column, View, free, quote, spelled, words

FEWEST = 5  # different times, below which none can be held apart from the others
MOST_MISSING_SHARE = 0.05
SAMPLE = 1000  # different texts that a spelling is first tried on
MADE = "happened_at"  # what a time made of several columns is called

DATES: tuple[tuple[str, tuple[str, ...]], ...] = (  # which texts, and how they may be read
    (r"\d{4}-\d{1,2}-\d{1,2}", ("%Y-%m-%d",)),
    (r"\d{4}/\d{1,2}/\d{1,2}", ("%Y/%m/%d",)),
    (r"\d{4}\.\d{1,2}\.\d{1,2}", ("%Y.%m.%d",)),
    (r"\d{1,2}/\d{1,2}/\d{4}", ("%m/%d/%Y", "%d/%m/%Y")),
    (r"\d{1,2}/\d{1,2}/\d{2}", ("%m/%d/%y", "%d/%m/%y")),
    (r"\d{1,2}\.\d{1,2}\.\d{4}", ("%d.%m.%Y", "%m.%d.%Y")),
    (r"\d{1,2}\.\d{1,2}\.\d{2}", ("%d.%m.%y", "%m.%d.%y")),
    (r"\d{1,2}-\d{1,2}-\d{4}", ("%d-%m-%Y", "%m-%d-%Y")),
    (r"\d{4}-\d{2}", ("%Y-%m",)),
    (r"\d{4}/\d{2}", ("%Y/%m",)),
    (r"\d{1,2}-[A-Za-z]{3}-\d{4}", ("%d-%b-%Y",)),
    (r"\d{1,2}-[A-Za-z]{3}-\d{2}", ("%d-%b-%y",)),
    (r"\d{1,2} [A-Za-z]{3} \d{4}", ("%d %b %Y",)),
    (r"\d{1,2} [A-Za-z]{3,9} \d{4}", ("%d %B %Y",)),
    (r"[A-Za-z]{3} \d{1,2}, \d{4}", ("%b %d, %Y",)),
    (r"[A-Za-z]{3,9} \d{1,2}, \d{4}", ("%B %d, %Y",)),
)
CLOCKS: tuple[tuple[str, str], ...] = (
    (r"", ""),
    (r" \d{1,2}:\d{2}", " %H:%M"),
    (r" \d{1,2}:\d{2}:\d{2}", " %H:%M:%S"),
    (r" \d{1,2}:\d{2} ?[AaPp][Mm]", " %I:%M %p"),
    (r" \d{1,2}:\d{2}:\d{2} ?[AaPp][Mm]", " %I:%M:%S %p"),
)
ISO = r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})?"
DAY_CLOCKS = (
    (r"\d{1,2}:\d{2}", "%H:%M"),
    (r"\d{1,2}:\d{2}:\d{2}", "%H:%M:%S"),
    (r"\d{1,2}\.\d{2}\.\d{2}", "%H.%M.%S"),
)
BIRTH = re.compile(r"birth|born|(^|_)dob($|_)")
LATE = (  # how the names of times begin that come when all is over
    *("end", "until", "expir", "due", "clos", "updat", "modif", "deliver", "return", "resol"),
    *("ship", "cancel", "paid", "finish", "complet"),
)
DATED = re.compile(r"date|day|dt|time|ymd|period|month")


@dataclass(frozen=True, kw_only=True)
class Moment:
    """When each row came to be.

    Attributes:
        column: The dataset's column that says it.
        expression: SQL that makes it; None where the table has it as it is.
        made_of: The table's columns that it is made of, which the dataset then need not have.
        n_missing: Rows without it.
        notes: What the user should know, as sentences.
    """

    column: str
    expression: str | None = None
    made_of: tuple[str, ...] = ()
    n_missing: int = 0
    notes: tuple[str, ...] = field(default=())

    @property
    def sql(self) -> str:
        """SQL of the time, over the table."""
        return self.expression or quote(self.column)


def find(view: View, *, target: str) -> Moment | None:
    """Find the time of the rows; None if the table has none that could split it.

    Where there are several, the first in the table that is neither somebody's birth nor, by its
    name, what comes at an end.
    """
    columns = [c for c in view.columns.values() if c.name != target and _is_full(view, c)]
    found = [one for column in columns if (one := _read(view, column)) is not None]
    found.sort(key=lambda one: _is_late(one.made_of[0]))
    if not found:
        return _from_parts(view, target)
    chosen = _with_hour(view, found[0], target)
    others = [one.made_of[0] for one in found[1:]]
    told = f"{chosen.made_of[0]} is taken as the time of a row"
    if others:
        told += f", not {' or '.join(others)}"
    return replace(chosen, notes=(f"{told}.", *chosen.notes))


def _is_late(name: str) -> bool:
    return any(word.startswith(LATE) for word in words(name).split("_"))


def _is_full(view: View, column: Column) -> bool:
    """Whether a column could be the time of (almost) every row."""
    few = column.n_missing > MOST_MISSING_SHARE * view.n_rows or column.n_distinct < FEWEST
    return not few and not BIRTH.search(words(column.name))


def _read(view: View, column: Column) -> Moment | None:
    """A column as a time, if it is one."""
    if column.kind in {"time", "date"}:
        return Moment(column=column.name, made_of=(column.name,), n_missing=column.n_missing)
    if column.kind == "text":
        return _read_text(view, column)
    if column.kind == "integer" and DATED.search(words(column.name)):
        x = f"CAST({quote(column.name)} AS VARCHAR)"
        return _read_as(view, column, x, r"(19|20)\d{6}", {"%Y%m%d": _parsed(x, "%Y%m%d")})
    return None


def _read_text(view: View, column: Column) -> Moment | None:
    """A column of text as a time, if every text is spelled as a date in the same way."""
    values = [str(value) for value, _ in view.values(column.name, SAMPLE)]
    if all(re.fullmatch(ISO, value) for value in values):  # as Parquet may hold it
        x = quote(column.name)
        return _read_as(view, column, x, ISO, {"ISO 8601": f"TRY_CAST({x} AS TIMESTAMPTZ)"})
    for shape, formats in DATES:
        if not re.match(shape, values[0].strip()):
            continue
        for clock, tail in CLOCKS:
            if all(re.fullmatch(shape + clock, value.strip()) for value in values):
                x = f"trim({quote(column.name)})"
                is_plain = all(value == value.strip() for value in values)
                x = quote(column.name) if is_plain else x
                spellings = {form: _parsed(x, form + tail) for form in formats}
                return _read_as(view, column, x, shape + clock, spellings)
    return None


def _read_as(
    view: View, column: Column, x: str, shape: str, spellings: Mapping[str, str]
) -> Moment | None:
    """A column as a time in the first of some spellings, with their SQL, that fits all values."""
    fits = []
    for form, at in spellings.items():
        ((n_wrong,),) = view.ask(
            f"SELECT count(*) FROM (SELECT DISTINCT {x} AS x, {at} AS found FROM {view.sql_name} "  # noqa: S608  quoted
            f"WHERE {quote(column.name)} IS NOT NULL) WHERE found IS NULL "
            f"OR NOT regexp_full_match(x, '{shape}') OR year(found) NOT BETWEEN 1800 AND 2200"
        )
        if not n_wrong:
            fits.append((form, at))
    if not fits:
        return None
    form, at = fits[0]
    notes: tuple[str, ...] = ()
    if len(fits) > 1:
        notes = (f"{column.name} could be {fits[1][0]} as well as {form}; see the build.",)
    return Moment(
        column=column.name,
        expression=at,
        made_of=(column.name,),
        n_missing=column.n_missing,
        notes=notes,
    )


def _parsed(x: str, spelling: str) -> str:
    return f"try_strptime({x}, '{spelling}')"


def _with_hour(view: View, moment: Moment, target: str) -> Moment:
    """A date joined with the hour or the clock that stands in a column of its own."""
    ((is_day,),) = view.ask(
        f"SELECT bool_and(hour(t) = 0 AND minute(t) = 0) FROM (SELECT {moment.sql} AS t "  # noqa: S608  quoted
        f"FROM {view.sql_name}) WHERE t IS NOT NULL"
    )
    if not is_day:
        return moment
    for column in view.columns.values():
        if column.name in {target, *moment.made_of} or column.n_missing:
            continue
        for added in _hours(view, column):
            day = f"CAST({moment.sql} AS TIMESTAMP)" if moment.expression is None else moment.sql
            made = free(MADE, view.columns)
            return replace(
                moment,
                column=made,
                expression=f"{day} + {added}",
                made_of=(*moment.made_of, column.name),
                notes=(*moment.notes, f"{made} joins {moment.made_of[0]} and {column.name}."),
            )
    return moment


def _hours(view: View, column: Column) -> Iterator[str]:
    """SQL of what a column adds to a day, if it is an hour or a clock."""
    name = words(column.name)
    x = quote(column.name)
    if column.kind == "integer" and re.search(r"(^|_)(hr|hour|hours)($|_)", name):
        ((low, high),) = view.ask(f"SELECT min({x}), max({x}) FROM {view.sql_name}")  # noqa: S608  quoted
        if low >= 0 and 12 <= high <= 24:
            yield f"to_hours({x})"
    elif column.kind == "text" and re.search(r"time|clock|hour", name):
        values = [str(value) for value, _ in view.values(column.name, SAMPLE)]
        for shape, form in DAY_CLOCKS:
            if all(re.fullmatch(shape, value) for value in values):
                yield f"(try_strptime({x}, '{form}') - TIMESTAMP '1900-01-01')"


def _from_parts(view: View, target: str) -> Moment | None:
    """The time of a table that has year, month and perhaps day and hour in columns of their own."""
    named = {
        words(c.name): c
        for c in view.columns.values()
        if c.kind == "integer" and not c.n_missing and c.name != target
    }
    parts = []
    for names in (("year", "yr"), ("month", "mnth"), ("day", "day_of_month"), ("hour", "hr")):
        column = next((named[name] for name in names if name in named), None)
        if column is None:
            break
        parts.append(column)
    if len(parts) < 2:
        return None
    x = [quote(column.name) for column in parts]
    bounds = ((1800, 2200), (1, 12), (1, 31), (0, 24))
    within = " AND ".join(
        f"{part} BETWEEN {low} AND {high}" for part, (low, high) in zip(x, bounds, strict=False)
    )
    ((is_real,),) = view.ask(f"SELECT bool_and({within}) FROM {view.sql_name}")  # noqa: S608  quoted
    if not is_real:
        return None
    day = x[2] if len(x) > 2 else "1"
    text = f"{x[0]} || '-' || {x[1]} || '-' || {day}"
    expression = f"try_strptime({text}, '%Y-%m-%d')"
    expression += f" + to_hours({x[3]})" if len(x) > 3 else ""
    ((n_wrong, n_times),) = view.ask(
        f"SELECT count_if(({expression}) IS NULL), count(DISTINCT {expression}) "  # noqa: S608  quoted
        f"FROM {view.sql_name}"
    )
    if n_wrong or n_times < FEWEST:
        return None
    made_of = tuple(column.name for column in parts)
    made = free(MADE, view.columns)
    told = f"{made} joins {spelled(made_of)} and is taken as the time of a row."
    return Moment(column=made, expression=expression, made_of=made_of, notes=(told,))
