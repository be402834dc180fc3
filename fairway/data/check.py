"""Hold a table to its contract: what breaks a promise is set aside, the rest goes on.

Room: ``fairway.data``, after ``contract`` and ``source``, before ``snapshot``. What a rule means
stands in ``rule``; ``condition`` makes questions of a contract; here they are asked and the answers
judged. Nothing is written here: the caller keeps the rows set aside.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from fairway.data.contract import Contract
from fairway.data.promise.rule import Limit, Severity
from fairway.errors import ContractError

if TYPE_CHECKING:
    import ibis.expr.types as ir
    from ibis.backends.duckdb import Backend

    from fairway.data.checking.condition import Condition, Typed

N_EXAMPLES = 5
MOST_KEPT = 1_000_000  # breaking rows copied once; beyond it they are read from the source again
BROKEN = ("broken_rule", "broken_column", "broken_value")
"""Columns that say why a row was set aside."""


@dataclass(frozen=True, kw_only=True)
class Example:
    """One breaking row: the value as text, and the row's key as text where the contract has one."""

    value: str | None
    key: tuple[str | None, ...] = ()


@dataclass(frozen=True, kw_only=True)
class RuleResult:
    """What became of one rule.

    Attributes:
        rule: The rule's name: a ``rule.Kind``, ``unique``, ``reference``, ``present``, a limit's
            metric, or ``freshness``.
        column: The columns that it is about, joined by ", "; empty for the whole table.
        severity: ``error`` or ``warning``.
        n_breaking: Rows that break it; of a limit, what was counted.
        examples: At most five, the least by value and key, so that they are the same every time.
        passed: Whether the promise was kept.
        why: The fact, as a sentence.
    """

    rule: str
    column: str
    severity: Severity
    n_breaking: int = 0
    examples: tuple[Example, ...] = ()
    passed: bool
    why: str


@dataclass(frozen=True, kw_only=True)
class CheckResult:
    """A table held to its contract.

    Law: the rows of ``passing`` and the ``n_aside`` rows set aside are the table's rows, each once.

    Attributes:
        passing: Rows that break no rule of severity ``error``; text is converted where the
            contract asks for another type (null where it does not read and that only warns).
            Nothing is computed until it is read.
        aside: The other rows as they came, with ``BROKEN``: a row stands once for each rule that
            it breaks. Not computed until it is read.
        rules: What became of each rule.
        n_rows: Rows of the table.
        n_aside: Rows that are not in ``passing``.
        newest: Latest value of the time column, UTC; None without one or without rows.
    """

    passing: "ir.Table"
    aside: "ir.Table"
    rules: tuple[RuleResult, ...]
    n_rows: int
    n_aside: int
    newest: datetime | None


def check(
    connection: "Backend",
    table: "ir.Table",
    contract: Contract,
    *,
    references: "Mapping[str, ir.Table] | None" = None,
    time: str | None = None,
) -> CheckResult:
    """Hold a table to its contract.

    One scan finds the breaking rows for all row rules, one counts rows and limits, and each key and
    reference reads its own columns. Memory does not grow with the table.

    Args:
        connection: The engine that the table lives in.
        table: The rows, as the source gave them.
        contract: The promises.
        references: Other sources by name, for the contract's references. One that is not given
            fails its rules without setting rows aside.
        time: The column whose newest value is wanted; without it the contract's ``fresh_column``.

    Raises:
        ContractError: If the table as a whole breaks a promise of severity ``error``: a column is
            missing or mistyped, or a limit such as the number of rows is not kept.
    """
    from fairway.data.checking import breach, condition

    table = breach.plain(table)
    schema = [
        RuleResult(rule=rule, column=column, severity=severity, passed=False, why=why)
        for rule, column, severity, why in condition.misfits(table, contract)
    ]
    _refuse(contract, schema)
    asked = _Asked(connection, condition.Typed(table, contract), table)
    asked.conditions += condition.of_rows(asked.typed, contract)
    asked.look_up(contract, references or {})
    whole, n_rows, newest = _judge_table(asked, contract, time or contract.fresh_column)
    _refuse(contract, whole)
    found = _find(asked, contract.key)
    told = [_tell(one, found, i, n_rows) for i, one in enumerate(asked.conditions)]
    return CheckResult(
        passing=asked.typed.convert(asked.without() if found.n_aside else table),
        aside=found.aside,
        rules=(*schema, *whole, *told, *asked.unanswered),
        n_rows=n_rows,
        n_aside=found.n_aside,
        newest=newest,
    )


def freshness(contract: Contract, newest: datetime | None, *, at: datetime) -> RuleResult | None:
    """Judge by a clock whether the newest row is fresh; a warning, as time passes without a fault.

    Returns:
        None if the contract promises nothing about it.
    """
    if contract.fresh_s is None:
        return None
    age_s = (at - newest).total_seconds() if newest else None
    told = f"The newest row is {age_s:,.0f} s old" if newest else "There is no newest row"
    return RuleResult(
        rule="freshness",
        column=contract.fresh_column or "",
        severity="warning",
        passed=age_s is not None and age_s <= contract.fresh_s,
        why=f"{told}; {contract.fresh_s:,.0f} s are allowed.",
    )


@dataclass
class _Asked:
    """The questions of a contract, and the table with the marks that some of them need."""

    connection: "Backend"
    typed: "Typed"
    marked: "ir.Table"
    conditions: "list[Condition]" = field(default_factory=list)
    unanswered: list[RuleResult] = field(default_factory=list)

    def look_up(self, contract: Contract, others: "Mapping[str, ir.Table]") -> None:
        """Mark what breaks keys and references."""
        from fairway.data.checking import condition

        columns = set(self.typed.table.columns)
        for unique in contract.unique_keys():
            if set(unique.columns) <= columns:
                args = (self.connection, self.typed, self.marked, unique)
                self.marked, one = condition.of_key(*args)
                self.conditions.append(one)
        for reference in contract.references:
            if not set(reference.columns) <= columns:
                continue
            other, why = others.get(reference.source), None
            if other is None:
                why = f"The source {reference.source} was not given, so nothing was looked up."
            else:
                why = condition.can_refer(self.typed, reference, other)
            if other is None or why:
                named = ", ".join(reference.columns)
                self.unanswered.append(
                    RuleResult(
                        rule="reference",
                        column=named,
                        severity=reference.severity,
                        passed=False,
                        why=why or "",
                    )
                )
                continue
            found = condition.of_reference(
                self.connection, self.typed, self.marked, reference, other
            )
            self.marked = found[0]
            self.conditions.append(found[1])

    def breaks(self, table: "ir.Table", severity: Severity | None = None) -> "ir.BooleanValue":
        """Whether a row breaks any rule, or any of a severity; never null."""
        import ibis

        chosen = [one.of(table) for one in self.conditions if severity in {None, one.severity}]
        return ibis.or_(ibis.literal(False), *chosen).fill_null(False)  # noqa: FBT003  a value

    def without(self) -> "ir.Table":
        """The rows that break no rule of severity ``error``."""
        return self.marked.filter(~self.breaks(self.marked, "error"))


@dataclass(frozen=True)
class _Found:
    """The breaking rows: how many for each question, how many in all, and some of them."""

    counts: Sequence[int]
    n_aside: int
    examples: Mapping[int, tuple[Example, ...]]
    aside: "ir.Table"


def _find(asked: _Asked, key: tuple[str, ...]) -> _Found:
    """Find the breaking rows in one scan, and count them by rule."""
    import ibis

    n = len(asked.conditions)
    breaking = asked.marked.filter(asked.breaks(asked.marked))
    name = ibis.util.gen_name("fairway_breaking")
    kept = asked.connection.create_table(name, breaking.limit(MOST_KEPT + 1), temp=True)
    if int(kept.count().to_pyarrow().as_py()) > MOST_KEPT:
        asked.connection.raw_sql(f'DROP TABLE "{name}"')
        kept = breaking
    counted = kept.aggregate(
        n_aside=kept.count(where=asked.breaks(kept, "error")),
        **{f"n{i}": kept.count(where=one.of(kept)) for i, one in enumerate(asked.conditions)},
    ).to_pyarrow()
    counts = [int(counted[f"n{i}"][0].as_py()) for i in range(n)]
    return _Found(
        counts=counts,
        n_aside=int(counted["n_aside"][0].as_py()),
        examples=_examples(asked, kept, counts, key) if any(counts) else {},
        aside=_aside(asked, kept, counts),
    )


def _unfold(
    asked: _Asked, table: "ir.Table", chosen: Sequence[int]
) -> "tuple[ir.Table, ir.StringValue]":
    """One row for each broken rule: ``fairway_i`` is the rule's number; and the value as text."""
    import ibis

    numbers = [asked.conditions[i].of(table).ifelse(i, None) for i in chosen]
    rows = table.mutate(fairway_i=ibis.array(numbers).cast("array<int32>").unnest())
    rows = rows.filter(rows.fairway_i.notnull())
    values = [(rows.fairway_i == i, asked.conditions[i].value(rows)) for i in chosen]
    return rows, ibis.cases(*values, else_=ibis.null("string"))


def _examples(
    asked: _Asked, kept: "ir.Table", counts: Sequence[int], key: tuple[str, ...]
) -> dict[int, tuple[Example, ...]]:
    """The least breaking rows of each rule, by value and key."""
    import ibis

    chosen = [i for i, n in enumerate(counts) if n]
    rows, value = _unfold(asked, kept, chosen)
    keys = {f"key{j}": rows[name].cast("string") for j, name in enumerate(key) if name in rows}
    shown = rows.select("fairway_i", value=value, **keys)
    window = ibis.window(group_by="fairway_i", order_by=["value", *keys])
    first = shown.mutate(place=ibis.row_number().over(window))
    first = first.filter(first.place < N_EXAMPLES).order_by("fairway_i", "place")
    found: dict[int, list[Example]] = {}
    for row in first.to_pyarrow().to_pylist():
        example = Example(value=row["value"], key=tuple(row[name] for name in keys))
        found.setdefault(row["fairway_i"], []).append(example)
    return {i: tuple(examples) for i, examples in found.items()}


def _aside(asked: _Asked, kept: "ir.Table", counts: Sequence[int]) -> "ir.Table":
    """The rows set aside as they came, once for each broken rule, with the reason."""
    import ibis

    columns = asked.typed.table.columns
    errors = [i for i, one in enumerate(asked.conditions) if one.severity == "error" and counts[i]]
    if not errors:
        nothing = kept.filter(ibis.literal(False)).select(*columns)  # noqa: FBT003
        return nothing.mutate(**{name: ibis.null("string") for name in BROKEN})
    rows, value = _unfold(asked, kept, errors)
    named = [(rows.fairway_i == i, asked.conditions[i]) for i in errors]
    rule = ibis.cases(*[(hit, one.rule) for hit, one in named])
    column = ibis.cases(*[(hit, ", ".join(one.columns)) for hit, one in named])
    return rows.select(*columns, **dict(zip(BROKEN, (rule, column, value), strict=True)))


def _judge_table(
    asked: _Asked, contract: Contract, time: str | None
) -> tuple[list[RuleResult], int, datetime | None]:
    """Count rows and limits, and find the newest row: one scan of what that needs."""
    import ibis

    from fairway.data.checking import breach, duplicate

    typed = asked.typed
    table = typed.table
    limits = [one for one in contract.limits if set(one.columns) <= set(table.columns)]
    wanted: dict[str, Any] = {"n_rows": table.count()}
    if time is not None and time in table.columns and typed.value(table, time).type().is_temporal():
        wanted["newest"] = typed.value(table, time).cast("timestamp").max()
    for name in typed.types:
        wanted |= {
            f"known {name}": table[name].count(),
            f"read {name}": typed.value(table, name).count(),
        }
    for i, limit in enumerate(limits):
        asks = [breach.breaks(typed.value(table, rule.column), rule) for rule in limit.rules]
        if asks:
            wanted[f"n{i}"] = table.count(where=ibis.or_(*asks))
    row = table.aggregate(**wanted).to_pyarrow().to_pylist()[0]
    n_rows, newest = int(row["n_rows"]), row.get("newest")
    results = []
    for name, kind in typed.types.items():
        n_known, n_read = row[f"known {name}"], row[f"read {name}"]
        if n_read * 2 < n_known:
            told = _tell_unreadable(asked, name, kind, n_known - n_read, n_known)
            results.append(replace(told, severity=contract.columns[name].severity_of("type")))
    for i, limit in enumerate(limits):
        n = row.get(f"n{i}", n_rows)
        if limit.metric == "duplicateValues":
            found = duplicate.find(asked.connection, typed.convert(table), limit.columns)
            n = found.n_repeats if found else 0
        results.append(_tell_limit(limit, int(n), n_rows))
    return results, n_rows, newest.replace(tzinfo=UTC) if newest else None


def _tell_limit(limit: Limit, n: int, n_rows: int) -> RuleResult:
    columns = ", ".join(limit.columns)
    unit = " percent" if limit.percent else ""
    bound = limit.bound if not isinstance(limit.bound, tuple) else "{} and {}".format(*limit.bound)
    counted = f"{limit.metric} of {columns} is" if columns else f"{limit.metric} is"
    return RuleResult(
        rule=limit.metric,
        column=columns,
        severity=limit.severity,
        n_breaking=n,
        passed=limit.holds(n, of=n_rows),
        why=f"{counted} {n:,} of {n_rows:,} rows ({limit.operator} {bound}{unit}).",
    )


def _tell(condition: "Condition", found: _Found, i: int, n_rows: int) -> RuleResult:
    n = found.counts[i]
    return RuleResult(
        rule=condition.rule,
        column=", ".join(condition.columns),
        severity=condition.severity,
        n_breaking=n,
        examples=found.examples.get(i, ()),
        passed=n == 0,
        why=f"{n:,} of {n_rows:,} rows break the promise: {condition.promise}.",
    )


def _tell_unreadable(asked: _Asked, name: str, kind: str, n: int, n_known: int) -> RuleResult:
    """A column that is of another type altogether: not some values, but most of them."""
    from fairway.data.checking import breach

    raw = asked.typed.table[name]
    unread = asked.typed.table.filter(raw.notnull() & breach.convert(raw, kind).isnull())
    shown = unread.select(name).distinct().order_by(name).limit(3).to_pyarrow()[name].to_pylist()
    values = ", ".join(repr(value) for value in shown)
    return RuleResult(
        rule="type",
        column=name,
        severity="error",
        n_breaking=n,
        passed=False,
        why=f"{name} is text; {n:,} of {n_known:,} values do not read as {kind}, such as {values}.",
    )


def _refuse(contract: Contract, results: Sequence[RuleResult]) -> None:
    """Refuse the table if it breaks a promise of the whole table."""
    broken = [one.why for one in results if not one.passed and one.severity == "error"]
    if broken:
        more = f" ({len(broken) - 3} more)" if len(broken) > 3 else ""
        raise ContractError(
            f"{contract.name} breaks its contract: {' '.join(broken[:3])}{more}",
            hint="Mend the source, or change the contract if this is meant to be.",
        )
