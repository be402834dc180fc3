"""Find what tells the rows of a table apart, and which of its columns are names, not features.

Room: ``fairway.line``, for ``new``. It counts; it changes nothing.
"""

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass

from fairway.line.first.moment import Moment
from fairway.line.first.target import PART
from fairway.line.first.view import Column, View, free, quote, spelled, words

ID = re.compile(r"(^|_)(id|ids|uuid|guid|key|pk)$")
NUMBER = re.compile(r"(^|_)(no|nr|num|number|index|row|instant|record|unnamed_0|column_1)$")
WHO = re.compile(
    r"customer|client|user|person|people|patient|member|account|household|subject|student|employee"
)
FEWEST_ENTITIES = 20
MANY_SHARE = 0.1  # of the rows: so many different numbers are names
LONGEST = 64  # characters of a name; a longer text tells something
MOST_COPIED = 200  # different values of a part of the key, up to which one may learn from it
MOST_PARTS = 12  # columns of which pairs and triples are tried beside the time
ROW = "row_id"
COPY = "copy"


@dataclass(frozen=True, kw_only=True)
class Key:
    """What tells the rows apart.

    Attributes:
        columns: The dataset's key.
        is_own: Whether these columns stand in the table as they are.
        made: Columns that the build must add: name, SQL and what for.
        entity: Columns whose rows must stay together in a split that is not by time.
        ids: Other columns that name things, from which nothing can be learned for new ones.
        notes: What the user should know, as sentences.
    """

    columns: tuple[str, ...]
    is_own: bool
    made: tuple[tuple[str, str, str], ...] = ()
    entity: tuple[str, ...]
    ids: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def find(view: View, *, target: str, moment: Moment | None) -> Key:
    """Find the key: an id, a time, an id with a time, a few ids; else the rows' content.

    Law: the key that is answered is unique in the table and never missing.
    """
    named = [c for c in view.columns.values() if c.name != target and _may_name(c)]
    ids = [c for c in named if _is_id(view, c)]
    chosen = _single(view, named) or _with_time(view, named, ids, moment) or _several(view, ids)
    if chosen is None:
        return _by_content(view, ids)
    rest = [c.name for c in ids if c.name not in chosen]
    is_own = moment is None or moment.expression is None or moment.column not in chosen
    notes = [f"{spelled(chosen)} {'is' if len(chosen) == 1 else 'are'} the key."]
    parts = [c for c in chosen if len(chosen) > 1 and c in view.columns and not ID.search(words(c))]
    lost = [c for c in parts if not moment or c != moment.column]
    copied = [c for c in lost if view.columns[c].n_distinct <= MOST_COPIED]
    made = tuple(_copy(view, name) for name in copied)
    for name, (copy, _, _) in zip(copied, made, strict=True):
        notes.append(f"A key is no feature; {copy} is {name} once more, to learn from.")
    if unused := [name for name in lost if name not in copied]:
        verb = "is" if len(unused) == 1 else "are"
        notes.append(f"As part of the key {spelled(unused)} {verb} no feature.")
    return Key(
        columns=chosen,
        is_own=is_own,
        made=made,
        entity=_entity(view, ids, chosen),
        ids=tuple(rest),
        notes=tuple(notes),
    )


def _copy(view: View, name: str) -> tuple[str, str, str]:
    """A part of the key once more as a text, under another name: a key is no feature."""
    x = quote(name)
    sql = x if view.columns[name].kind == "text" else f"CAST({x} AS VARCHAR)"
    return free(f"{name}_name", view.columns), sql, f"{name} once more: a key is no feature"


def _may_name(column: Column) -> bool:
    is_name = column.kind in {"integer", "text"} and column.name != PART
    return is_name and not column.n_missing and column.n_distinct > 1


def _is_id(view: View, column: Column) -> bool:
    """Whether a column names things: by its name, or it numbers many of them."""
    name = words(column.name)
    is_many = column.n_distinct >= MANY_SHARE * view.n_rows
    return bool(ID.search(name) or (NUMBER.search(name) and is_many))


def _single(view: View, named: Sequence[Column]) -> tuple[str, ...] | None:
    """One column that is another value in every row, and is meant to be."""
    likely = [c for c in named if c.n_distinct >= 0.9 * view.n_rows]
    rank = {c.name: _rank(view, c) for c in likely}
    for column in sorted(likely, key=lambda c: rank[c.name]):
        if rank[column.name] < 3 and view.is_unique([quote(column.name)]):
            return (column.name,)
    return None


def _rank(view: View, column: Column) -> int:
    """How much a column looks like a name of rows: 0 most, 3 not at all."""
    name = words(column.name)
    x = quote(column.name)
    if ID.search(name):
        return 0
    if column.kind == "integer":
        ((low, high),) = view.ask(f"SELECT min({x}), max({x}) FROM {view.sql_name}")  # noqa: S608  quoted
        is_row_number = high - low + 1 == view.n_rows
        return 1 if is_row_number or NUMBER.search(name) else 3
    ((longest, with_blank),) = view.ask(
        f"SELECT max(length({x})), count_if(contains({x}, ' ')) FROM {view.sql_name}"  # noqa: S608  quoted
    )
    return 2 if longest <= LONGEST and not with_blank else 3


def _with_time(
    view: View, named: Sequence[Column], ids: Sequence[Column], moment: Moment | None
) -> tuple[str, ...] | None:
    """The time alone, or with one or two columns, ids first."""
    if moment is None or moment.n_missing:
        return None
    others = [c for c in named if c not in ids and c.name not in moment.made_of]
    parts = [c for c in (*ids, *others) if _is_short(view, c)][:MOST_PARTS]
    ((n_times,),) = view.ask(f"SELECT count(DISTINCT {moment.sql}) FROM {view.sql_name}")  # noqa: S608  quoted
    for chosen in itertools.chain(*(itertools.combinations(parts, n) for n in range(3))):
        most = n_times
        for column in chosen:
            most *= column.n_distinct
        expressions = [moment.sql, *(quote(c.name) for c in chosen)]
        if most >= view.n_rows and view.is_unique(expressions):
            names = tuple(c.name for c in chosen)
            return (*names, moment.column)
    return None


def _several(view: View, ids: Sequence[Column]) -> tuple[str, ...] | None:
    """Two or three ids together, such as an order and a product."""
    for n in (2, 3):
        for chosen in itertools.combinations(ids[:MOST_PARTS], n):
            if view.is_unique(quote(c.name) for c in chosen):
                return tuple(c.name for c in chosen)
    return None


def _is_short(view: View, column: Column) -> bool:
    if column.kind != "text":
        return True
    ((longest,),) = view.ask(f"SELECT max(length({quote(column.name)})) FROM {view.sql_name}")  # noqa: S608  quoted
    return bool(longest <= LONGEST)


def _entity(view: View, ids: Sequence[Column], key: Sequence[str]) -> tuple[str, ...]:
    """The id whose rows belong together, that of a person first; else the key."""
    repeated = [c.name for c in ids if FEWEST_ENTITIES <= c.n_distinct < 0.9 * view.n_rows]
    people = [name for name in repeated if WHO.search(words(name))]
    return (*(people or repeated), *key)[:1] if repeated else tuple(key)


def _by_content(view: View, ids: Sequence[Column]) -> Key:
    """Name each row by its content; equal rows are numbered and stay together."""
    row, copy = free(ROW, view.columns), free(COPY, view.columns)
    content = f"md5(CAST({view.row} AS VARCHAR))"
    number = f"row_number() OVER (PARTITION BY {content})"
    ((n_different,),) = view.ask(
        f"SELECT count(DISTINCT {content}) FROM {view.sql_name} AS {view.row}"  # noqa: S608  quoted
    )
    n_again = view.n_rows - n_different
    notes = ["No column tells the rows apart: the build names each by its content."]
    if n_again:
        notes.append(
            f"{n_again:,} rows repeat others in full: they are numbered and stay in one part."
        )
    made = [(row, content, "names the row by its content")]
    if n_again:
        made.append((copy, number, "numbers equal rows"))
    columns = tuple(name for name, *_ in made)
    return Key(
        columns=columns,
        is_own=False,
        made=tuple(made),
        entity=_entity(view, ids, (row,)),
        ids=tuple(c.name for c in ids),
        notes=tuple(notes),
    )
