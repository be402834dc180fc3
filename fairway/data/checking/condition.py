"""Turn a contract's rules into questions to the rows of one table.

Room: ``fairway.data``, between ``contract`` and ``check``, which asks the questions. A rule about a
single row becomes an expression; keys and references are looked up once, and the rows that break
them are marked by a column. Import it inside functions: it loads Ibis.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import ibis
import ibis.expr.types as ir

from fairway.data.checking import breach, duplicate
from fairway.data.contract import Contract
from fairway.data.promise.rule import Reference, RowRule, Severity, Unique

if TYPE_CHECKING:
    from ibis.backends.duckdb import Backend

SHOWN = 8  # accepted values that a message shows


@dataclass(frozen=True, kw_only=True)
class Condition:
    """A rule as a question to a row, whichever table the row stands in.

    Attributes:
        rule: Its name: a ``rule.Kind``, ``unique`` or ``reference``.
        columns: What it is about.
        severity: ``error`` or ``warning``.
        promise: What should be so, as the end of a sentence: "n rows break: ...".
        of: Whether a row of a table breaks it; null counts as no.
        value: What breaks it, as text.
    """

    rule: str
    columns: tuple[str, ...]
    severity: Severity
    promise: str
    of: Callable[[ir.Table], ir.BooleanValue]

    def value(self, table: ir.Table) -> ir.StringValue:
        """The value, or values, of a row that it is about, as text."""
        return breach.text([table[name] for name in self.columns])


class Typed:
    """A table whose text columns read as the types that a contract asks for.

    Attributes:
        table: The table as it came.
        types: The logical type of each column that is text and should be something else.
    """

    def __init__(self, table: ir.Table, contract: Contract) -> None:
        self.table = table
        self.types: Mapping[str, str] = {
            name: rule.type
            for name, rule in contract.columns.items()
            if name in table.columns and breach.fit(table[name].type(), rule.type) == "as text"
        }

    def value(self, table: ir.Table, column: str) -> ir.Value:
        """A column of a table that has the original's columns, converted if need be."""
        kind = self.types.get(column)
        return breach.convert(table[column], kind) if kind else table[column]

    def convert(self, table: ir.Table) -> ir.Table:
        """The original's columns of a table, converted."""
        plain = table.select(*self.table.columns)
        if not self.types:
            return plain
        return plain.mutate(**{name: self.value(plain, name) for name in self.types})


def misfits(table: ir.Table, contract: Contract) -> list[tuple[str, str, Severity, str]]:
    """What is wrong with a table's columns before any row is read.

    Returns:
        Rule, column, severity and the fact, for each missing or mistyped column and each rule that
        cannot be asked of a column of its type.
    """
    found: list[tuple[str, str, Severity, str]] = []
    for name, rule in contract.columns.items():
        severity = rule.severity_of("type")
        if name not in table.columns:
            found.append(("present", name, severity, f"The column {name} is missing."))
            continue
        type_ = table[name].type()
        fits = breach.fit(type_, rule.type)
        if fits == "never":
            why = f"{name} is {type_}, the contract says {rule.type}."
            found.append(("type", name, severity, why))
        limited = [o for limit in contract.limits for o in limit.rules if o.column == name]
        for one in (*rule.rules(name), *limited) if fits == "as is" else ():
            if not breach.is_comparable(type_, one):
                why = f"{name} is {type_}, which cannot be held to {one.kind} {one.value}."
                found.append((one.kind, name, one.severity, why))
    return found


def of_rows(typed: Typed, contract: Contract) -> list[Condition]:
    """The questions that a row answers alone, types first; those of misfitting columns left out."""
    table, conditions = typed.table, []
    for name, column in contract.columns.items():
        if name not in table.columns or breach.fit(table[name].type(), column.type) == "never":
            continue
        if breach.fit(table[name].type(), column.type) != "as is":
            severity = column.severity_of("type")
            rule = RowRule(column=name, kind="type", value=column.type, severity=severity)
            conditions.append(_of_row(typed, rule))
        type_ = typed.value(table, name).type()
        conditions += [
            _of_row(typed, rule) for rule in column.rules(name) if breach.is_comparable(type_, rule)
        ]
    return conditions


def of_key(
    connection: "Backend", typed: Typed, marked: ir.Table, unique: Unique
) -> tuple[ir.Table, Condition]:
    """Mark the rows whose key is there more than once: all of them, as none is the right one."""
    promise = f"{', '.join(unique.columns)} must be unique"
    found = duplicate.find(connection, typed.convert(typed.table), unique.columns)
    if found is None:
        return marked, _never("unique", unique.columns, unique.severity, promise)
    marked, mark = _mark(typed, marked, unique.columns, found.keys)
    return marked, _marked("unique", unique.columns, unique.severity, promise, mark)


def of_reference(
    connection: "Backend", typed: Typed, marked: ir.Table, reference: Reference, other: ir.Table
) -> tuple[ir.Table, Condition]:
    """Mark the rows whose values are not found in another source."""
    columns, to = reference.columns, reference.to
    promise = f"{', '.join(columns)} must stand in {reference.source} ({', '.join(to)})"
    table = typed.convert(typed.table)
    named = other.select(**dict(zip(columns, (other[name] for name in to), strict=True)))
    whole = ~ibis.or_(*[breach.is_missing(table[name]) for name in columns])
    orphans = table.filter(whole).select(*columns).distinct().anti_join(named, list(columns))
    kept = connection.create_table(ibis.util.gen_name("fairway_orphans"), orphans, temp=True)
    if not kept.count().to_pyarrow().as_py():
        return marked, _never("reference", columns, reference.severity, promise)
    marked, mark = _mark(typed, marked, columns, kept)
    return marked, _marked("reference", columns, reference.severity, promise, mark)


def can_refer(typed: Typed, reference: Reference, other: ir.Table) -> str | None:
    """Why a reference cannot be looked up; None if it can."""
    absent = [name for name in reference.to if name not in other.columns]
    if absent:
        return f"{reference.source} has no column {', '.join(absent)}."
    for name, to in zip(reference.columns, reference.to, strict=True):
        own, theirs = typed.value(typed.table, name).type(), other[to].type()
        if own.is_string() != theirs.is_string() or own.is_temporal() != theirs.is_temporal():
            return f"{name} is {own} and {reference.source}.{to} is {theirs}: they never meet."
    return None


def _of_row(typed: Typed, rule: RowRule) -> Condition:
    def of(table: ir.Table) -> ir.BooleanValue:
        raw = rule.kind == "type"
        return breach.breaks(table[rule.column] if raw else typed.value(table, rule.column), rule)

    return Condition(
        rule=rule.kind,
        columns=(rule.column,),
        severity=rule.severity,
        promise=_promise(rule),
        of=of,
    )


def _promise(rule: RowRule) -> str:
    """A row rule as the end of a sentence."""
    value = rule.value
    if isinstance(value, tuple):
        more = ", ..." if len(value) > SHOWN else ""
        value = ", ".join(str(one) for one in value[:SHOWN]) + more
    told = {
        "type": f"must read as {value}",
        "required": "must not be missing",
        "minimum": f"must be at least {value}",
        "maximum": f"must be at most {value}",
        "exclusiveMinimum": f"must be above {value}",
        "exclusiveMaximum": f"must be below {value}",
        "minLength": f"must have at least {value} characters",
        "maxLength": f"must have at most {value} characters",
        "pattern": f"must match {value}",
        "accepted": f"must be one of {value}",
        "refused": f"must be none of {value}",
    }
    return f"{rule.column} {told[rule.kind]}"


def _mark(
    typed: Typed, marked: ir.Table, columns: tuple[str, ...], keys: ir.Table
) -> tuple[ir.Table, str]:
    """Join a column that is true where a row has one of ``keys`` (each there once), else null."""
    mark = ibis.util.gen_name("fairway_mark")
    names = [ibis.util.gen_name("fairway_key") for _ in columns]
    flagged = keys.select(
        **{n: keys[c] for n, c in zip(names, columns, strict=True)}, **{mark: True}
    )
    on = [typed.value(marked, c) == flagged[n] for n, c in zip(names, columns, strict=True)]
    return marked.left_join(flagged, on).drop(*names), mark


def _marked(
    rule: str, columns: tuple[str, ...], severity: Severity, promise: str, mark: str
) -> Condition:
    return Condition(
        rule=rule,
        columns=columns,
        severity=severity,
        promise=promise,
        of=lambda table: table[mark].notnull(),
    )


def _never(rule: str, columns: tuple[str, ...], severity: Severity, promise: str) -> Condition:
    """A rule that no row breaks, as a look-up has shown."""
    return Condition(
        rule=rule,
        columns=columns,
        severity=severity,
        promise=promise,
        of=lambda _: ibis.literal(False),  # noqa: FBT003  a value
    )
