"""Catch values that come from the future of other rows, by building the dataset without it.

Room: ``fairway.data``, after ``leakage``. At a few instants it hides from the tables what was not
known then (``past``), lets the caller rebuild the dataset, and compares the rows that were to be
predicted by then. It knows nothing of how a dataset is built, so it judges time joins, windows,
aggregates and SQL alike.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from fairway.data.known_at import KnownAt, instant
from fairway.data.leak import lineage
from fairway.data.leak.held import held
from fairway.data.leak.past import NEEDED, Past, Predicted
from fairway.data.leakage import EXAMPLE, Finding
from fairway.data.split import is_missing

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from fairway.data.contract import Contract
    from fairway.data.source import Source

LOOK_BACK = timedelta(days=30)  # rows compared before a cut: those nearest to it tell most
RELATIVE = 1e-9  # floats that differ by less are equal: engines add in any order
CANDIDATES = timedelta(days=7)  # where a cut is looked for, from each quantile of the rows on
MIDST = (0.3, 0.7)  # the middle of a day, counted in rows

Rebuild = Callable[[Mapping[str, "ir.Table"]], "ir.Table"]


@dataclass(frozen=True, kw_only=True)
class _Change:
    """How one column fared at one cut."""

    cut: datetime
    n_changed: int
    n_rows: int
    example: str


def probe(
    rebuild: Rebuild,
    tables: Mapping[str, "ir.Table"],
    *,
    sources: Mapping[str, "Source"],
    contracts: Mapping[str, "Contract"],
    dataset: "ir.Table",
    key: Sequence[str],
    features: Sequence[str],
    known_at: KnownAt,
    unknown: Collection[str] = (),
    refused: Collection[str] | None = None,
    steps: Collection[str] = (),
    cuts: int = 3,
) -> list[Finding]:
    """Refuse features whose value at prediction time depends on what was known only later.

    It judges what may come from other rows. A feature that is made within its own row of the base
    source, as far as lineage can follow it, is left to the test ``declared``.

    At each cut the tables show what was known by then (``past`` says it whole): a value whose
    contract says a later ``knownAt`` is blank. Of the base source (whose key is the dataset's),
    and of a step's table with that key, a row that is to be predicted only later keeps its key and
    times, and loses what no ``knownAt`` shows earlier; so schedules can be counted. Another source
    shows a row from its ``time`` on. Then every row of the dataset that was to be predicted in
    the 30 days up to the cut must come out the same.

    Law: a feature whose every ingredient is known at the prediction time is never refused,
    provided that ``rebuild`` gives equal rows for equal tables.

    Args:
        rebuild: Makes the dataset from tables by source name, without counting rows.
        tables: The sources' and the steps' tables, as the dataset was built from.
        sources: By name; a table that is neither a source nor a step is left as it is.
        contracts: By source name, where there is one.
        dataset: What was built from ``tables``; best a snapshot, as it is scanned several times.
        key: Columns that name a row of the dataset.
        features: Columns to judge.
        known_at: The prediction time of a row, in terms of columns of ``dataset``.
        unknown: Columns of the base source that are known only after the prediction time of their
            own row, such as the outcome (``lineage.sole`` finds them): blank at and after a cut.
        refused: Features that another test has refused. Given, a feature made within its own base
            row is judged too, if an ``unknown`` column is in it and it is none of these.
        steps: Names of tables that steps of the project made; one without the dataset's key is
            left as it is (``carries`` tells).
        cuts: How many instants to try, each at the cost of one rebuild.

    Returns:
        Findings in the order of ``features``.

    Raises:
        ProjectError: If a ``knownAt`` names a column that is absent or holds no time.
    """
    base = next((n for n, s in sources.items() if n in tables and set(s.key) == set(key)), None)
    past = _pasts(tables, sources, contracts, base=base, steps=steps, key=key, known_at=known_at)
    others = [name for name in features if name not in key]
    unknown = {*unknown, *past[base].outcomes} if base else set()
    if not any(one.has_future for one in past.values()):
        return []
    told = dataset.select(*key, *others, **{NEEDED: instant(dataset, known_at)})
    changes: dict[str, list[_Change]] = {}
    with held(told.select(*key, NEEDED)) as needed:
        predicted = Predicted(table=needed, key=key)
        for cut in _cuts(needed, told, others, cuts):
            shown = dict(tables)
            for name, one in past.items():
                shown[name] = one.at(cut, predicted, unknown if name == base else one.outcomes)
            rebuilt = rebuild(shown)
            start = shown[base] if base else None
            own = {} if start is None else lineage.origins(rebuilt, start)
            within = set() if start is None else lineage.within(rebuilt, start)
            judged = _judged(others, own, within, unknown=unknown, refused=refused)
            if not judged:
                continue
            window = (told[NEEDED] <= cut) & (told[NEEDED] > cut - LOOK_BACK)
            found = _compare(
                told.filter(window),
                rebuilt,
                key,
                foreign=_foreign(judged, start, own),
                features=judged,
                cut=cut,
                spare_lost_at_cut=bool(unknown),
            )
            for name, change in found:
                changes.setdefault(name, []).append(change)
    return [_finding(name, changes[name], cuts) for name in others if name in changes]


def carries(table: "ir.Table", key: Sequence[str]) -> bool:
    """Tell whether a table has the dataset's key, so that its rows have prediction times."""
    return bool(key) and set(key) <= set(table.columns)


def _pasts(
    tables: Mapping[str, "ir.Table"],
    sources: Mapping[str, "Source"],
    contracts: Mapping[str, "Contract"],
    *,
    base: str | None,
    steps: Collection[str],
    key: Sequence[str],
    known_at: KnownAt,
) -> dict[str, Past]:
    """Say of each table from when on its rows are known.

    A step's table with the dataset's key is held to the base source's contract, where its columns
    have the same names; it has no other.
    """
    past = {}
    for name, source in sources.items():
        if name not in tables:
            continue
        by_row = name == base or (set(source.key) == set(key) and source.time is None)
        past[name] = Past(
            tables[name],
            key=source.key,
            time=source.time,
            ahead=known_at.column if by_row else None,
            contract=contracts.get(name),
            by_row=by_row,
        )
    time = sources[base].time if base else None
    for name in steps:
        if carries(tables[name], key):
            past[name] = Past(
                tables[name],
                key=key,
                time=time if time in tables[name].columns else None,
                ahead=known_at.column,
                contract=contracts.get(base) if base else None,
                by_row=True,
            )
    return past


def _cuts(needed: "ir.Table", told: "ir.Table", features: Sequence[str], n: int) -> list[datetime]:
    """Choose prediction times spread over the rows, where the features have values to lose.

    Candidates lie in a week from each quantile of the rows, in the midst of their day (in a dead
    hour nothing is under way that could change). Of these the one wins that has values in most
    features, those seen least so far counting most; then the one with most rows.
    """
    import numpy as np

    rows = needed.filter(needed[NEEDED].notnull())
    rows = rows.mutate(day=rows[NEEDED].truncate("D"))
    days = rows.group_by("day").aggregate(n=rows.count()).order_by("day").to_pyarrow().to_pydict()
    if not days["day"]:
        return []
    passed = np.cumsum(days["n"])
    starts = [
        days["day"][int(np.searchsorted(passed, passed[-1] * (i + 1) / (n + 1), side="right"))]
        for i in range(n)
    ]
    times = told.group_by(NEEDED).aggregate(
        n=told.count(),
        **{f"has_{i}": (~is_missing(told[name])).any() for i, name in enumerate(features)},
    )
    seen = np.zeros(len(features))
    cuts: list[datetime] = []
    for start in sorted(set(starts)):
        week = (times[NEEDED] >= start) & (times[NEEDED] < start + CANDIDATES)
        found = times.filter(week).order_by(NEEDED).to_pyarrow()
        at = found[NEEDED].to_pylist()
        weight = np.array(found["n"].to_pylist())
        has = np.array([found[f"has_{i}"].to_pylist() for i in range(len(features))], dtype=float)
        midst = _midst(at, found["n"].to_pylist())
        score = ((1 / (1 + seen)) @ has).round(9)
        best = max(midst, key=lambda i: (score[i], weight[i], -i))
        seen += has[:, best]
        cuts.append(at[best].astimezone(UTC))
    return sorted(set(cuts))


def _midst(at: Sequence[datetime], n_rows: Sequence[int]) -> list[int]:
    """Places of the times that lie in the middle of their day's rows; each day has one."""
    total: dict[date, int] = {}
    for time, n in zip(at, n_rows, strict=True):
        total[time.date()] = total.get(time.date(), 0) + n
    passed: dict[date, int] = dict.fromkeys(total, 0)
    places = []
    for place, (time, n) in enumerate(zip(at, n_rows, strict=True)):
        day = time.date()
        start, passed[day] = passed[day], passed[day] + n
        low, high = (share * total[day] for share in MIDST)
        if start <= high and passed[day] >= low:
            places.append(place)
    return places


def _judged(
    features: Sequence[str],
    own: Mapping[str, frozenset[str]],
    within: Collection[str],
    *,
    unknown: Collection[str],
    refused: Collection[str] | None,
) -> list[str]:
    """Leave out what its own base row holds, unless it is made of what that row does not know."""
    again = set() if refused is None else set(features) - set(refused)
    return [n for n in features if n not in within or (n in again and own[n] & set(unknown))]


def _foreign(
    features: Sequence[str], base: "ir.Table | None", own: Mapping[str, frozenset[str]]
) -> list[str]:
    """Features that take nothing from their own base row: they answer for a row that is lost."""
    if base is None:
        return list(features)
    is_followed = any(own.values())
    return [n for n in features if not (own[n] if is_followed else n in base.columns)]


def _compare(
    told: "ir.Table",
    rebuilt: "ir.Table",
    key: Sequence[str],
    *,
    foreign: Collection[str],
    features: Sequence[str],
    cut: datetime,
    spare_lost_at_cut: bool,
) -> list[tuple[str, _Change]]:
    """Compare rows of the dataset with the same rows rebuilt; only columns that changed.

    A lost row counts against the ``foreign`` features; not one that is predicted at the cut, where
    asked, as a build may rightly leave out rows whose own outcome is blank.
    """
    import ibis

    again = {f"again_{i}": rebuilt[name] for i, name in enumerate(features)}
    other = rebuilt.select(*key, fairway_there=ibis.literal(value=True), **again)
    joined = told.left_join(other, list(key)).select(
        *told.columns, "fairway_there", *(f"again_{i}" for i in range(len(features)))
    )
    with held(joined) as rows:
        changed = {}
        for i, name in enumerate(features):
            differs = ~_is_same(rows[name], rows[f"again_{i}"])
            if name not in foreign:
                differs &= rows.fairway_there.notnull()
            elif spare_lost_at_cut:
                differs &= rows.fairway_there.notnull() | (rows[NEEDED] < cut)
            changed[name] = differs
        counts = rows.aggregate(
            n=rows.count(), **{f"n_{i}": changed[name].sum() for i, name in enumerate(features)}
        )
        count = counts.to_pyarrow().to_pylist()[0]
        found = []
        for i, name in enumerate(features):
            if not count[f"n_{i}"]:
                continue
            worst = rows.filter(changed[name]).order_by(ibis.desc(NEEDED), *key).limit(1)
            shown = worst.select(*key, NEEDED, now=name, then=f"again_{i}")
            row = shown.to_pyarrow().to_pylist()[0]
            change = _Change(
                cut=cut,
                n_changed=count[f"n_{i}"],
                n_rows=count["n"],
                example=_example(row, key),
            )
            found.append((name, change))
    return found


def _is_same(one: "ir.Value", other: "ir.Value") -> "ir.BooleanValue":
    """Equal, or both missing, or floats that differ by rounding."""
    import ibis

    same = one.identical_to(other)
    if one.type().is_floating():
        slack = RELATIVE * ibis.greatest(one.abs(), other.abs())
        same |= ibis.coalesce((one - other).abs() <= slack, ibis.literal(value=False))
    return same


def _example(row: Mapping[str, Any], key: Sequence[str]) -> str:
    names = ", ".join(f"{name} = {_text(row[name])}" for name in key)
    return (
        f"{names}, to be predicted at {_text(row[NEEDED])}: {_text(row['now'])} in the "
        f"dataset, {_text(row['then'])} from what was known"
    )


def _text(value: object) -> str:
    if value is None:
        return "missing"
    return f"{value:%Y-%m-%dT%H:%MZ}" if isinstance(value, datetime) else str(value)


def _finding(name: str, changes: Sequence[_Change], cuts: int) -> Finding:
    """Tell people of the cut at which most rows changed."""
    worst = max(changes, key=lambda change: change.n_changed)
    return Finding(
        column=name,
        test="probe",
        evidence=f"Built from what was known at {_text(worst.cut)}, {name} differs in "
        f"{worst.n_changed:,} of {worst.n_rows:,} rows of the 30 days before "
        f"({len(changes)} of {cuts} cuts show it).{EXAMPLE}{worst.example}.",
        value=worst.n_changed,
    )
