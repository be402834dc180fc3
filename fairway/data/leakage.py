"""Find columns that know the answer: declared late, too good alone, or telling by their absence.

Room: ``fairway.data``, after ``split`` and ``lineage``; ``probe`` finds what comes from other
rows. It looks at every row of the dataset, those without a label too, and reports; withholding a
column, or accepting it by name, is the caller's act.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from fairway.data.known_at import KnownAt, instant
from fairway.data.leak import strength, sums
from fairway.data.leak.held import held
from fairway.data.split import draw, is_missing
from fairway.errors import ContractError, ProjectError

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from fairway.data.leak.lineage import Inheritance

MAX_AUC = 0.85
MAX_R2 = 0.8
MIN_ROWS = 20  # fewer training rows prove nothing
SAMPLE_ROWS = 1000  # enough to name the columns that may add up to the target
CHANCE_ERRORS = 3.5  # an AUC nearer to 0.5 than so many standard errors may be luck

EXAMPLE = " Example: "  # begins what evidence says of a single row

Test = Literal["declared", "predicts_too_well", "null_with_label", "sum_is_target", "probe"]
TESTS: tuple[Test, ...] = (
    "declared",
    "predicts_too_well",
    "null_with_label",
    "sum_is_target",
    "probe",
)


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One test that refused one column; a column has as many findings as tests that hit it.

    Attributes:
        column: The dataset's column to withhold.
        test: The test that hit.
        evidence: What was found, for people: numbers, rows, an example.
        value: The measure behind it: AUC or R2, else the number of rows.
    """

    column: str
    test: Test
    evidence: str
    value: float | None = None

    def apart(self) -> tuple[str, str]:
        """Part the evidence: what was found, and the row that shows it."""
        found, _, example = self.evidence.partition(EXAMPLE)
        return found, f"{EXAMPLE.strip()} {example}" if example else ""


def audit(
    table: "ir.Table",
    *,
    task: Literal["binary", "regression"],
    key: Sequence[str],
    features: Sequence[str],
    target: str,
    known_at: KnownAt | None = None,
    stated: Mapping[str, KnownAt] | None = None,
    inherited: "Inheritance | None" = None,
) -> list[Finding]:
    """Judge every feature by the three tests that need no rebuild (and sums of columns).

    Args:
        table: The whole dataset with ``part``; best a snapshot, as it is scanned several times.
        task: What kind of target it is.
        key: Columns that name a row.
        features: Columns to judge.
        target: The label; null where unknown.
        known_at: The prediction time of a row, in terms of columns of ``table``.
        stated: By feature: what the dataset's contract says, in terms of columns of ``table``.
        inherited: What the features inherit from the base source's contract.

    Returns:
        Findings in the order of ``features``, then of ``TESTS``.

    Raises:
        ProjectError: If a column is absent, or a ``KnownAt`` names a column that holds no time.
        ContractError: If a binary target has more than two values.
    """
    names = [name for name in features if name not in {target, "part"}]
    if lost := [name for name in (*names, *key, target, "part") if name not in table.columns]:
        raise ProjectError(
            f"No column {lost[0]!r}.", hint=f"Name one of {', '.join(table.columns)}."
        )
    findings = _declared(
        table,
        key,
        names=names,
        target=target,
        known_at=known_at,
        stated=stated or {},
        inherited=inherited,
    )
    findings += _null_with_label(table, names, target)
    findings += _predicts_too_well(table, task, key, names, target)
    place = {name: i for i, name in enumerate(names)}
    return sorted(findings, key=lambda f: (place[f.column], TESTS.index(f.test)))


def _declared(
    table: "ir.Table",
    key: Sequence[str],
    *,
    names: Sequence[str],
    target: str,
    known_at: KnownAt | None,
    stated: Mapping[str, KnownAt],
    inherited: "Inheritance | None",
) -> list[Finding]:
    """Compare when a feature is known with when it is needed, row by row."""
    handed_down = inherited.rules if inherited else {}
    wanted = [(name, stated[name], False) for name in names if name in stated]
    wanted += [(name, rule, True) for name in names for rule in handed_down.get(name, ())]
    with_target = [
        (name, rule, is_base)
        for name, rule, is_base in wanted
        if rule.column == target or (is_base and _is_outcome(rule.column, inherited))
    ]
    findings = [
        Finding(
            column=name,
            test="declared",
            evidence=f'Its contract says that {name} is known at "{rule}": only with the target.',
        )
        for name, rule, _ in with_target
    ]
    timed = [w for w in wanted if w not in with_target]
    if known_at is None:
        return findings + [
            Finding(
                column=name,
                test="declared",
                evidence=f'Its contract says that {name} is known at "{rule}", but [dataset] has '
                "no known_at, so nothing shows that it is known in time.",
            )
            for name, rule, _ in timed
        ]
    if not timed:
        return findings

    # One row of the dataset beside one instant for each different rule, whichever table it names.
    rules = sorted({(rule, is_base) for _, rule, is_base in timed})
    own = {
        f"fairway_at_{i}": instant(table, r) for i, (r, is_base) in enumerate(rules) if not is_base
    }
    rows = table.select(*key, fairway_needed=instant(table, known_at), **own)
    if inherited and any(is_base for _, is_base in rules):
        base = inherited.base
        told = {
            f"fairway_at_{i}": instant(base, r) for i, (r, is_base) in enumerate(rules) if is_base
        }
        rows = rows.left_join(base.select(*key, **told), list(key))
    with held(rows) as rows:
        for name, rule, is_base in timed:
            at = f"fairway_at_{rules.index((rule, is_base))}"
            late = _late(rows, key, at)
            if late is None:
                continue
            n_late, n_rows, most_s, example = late
            findings.append(
                Finding(
                    column=name,
                    test="declared",
                    evidence=f'Its contract says that {name} is known at "{rule}", which is later '
                    f"than the prediction time {known_at} in {n_late:,} of {n_rows:,} rows, by up "
                    f"to {most_s / 3600:,.1f} h.{EXAMPLE}{example}.",
                    value=n_late,
                )
            )
    return findings


def _is_outcome(column: str, inherited: "Inheritance | None") -> bool:
    """Whether to be known at this base column means to be known with the target."""
    if inherited is None or column not in inherited.outcome:
        return False
    kind = inherited.base[column].type()
    return len(inherited.outcome) == 1 or not (kind.is_timestamp() or kind.is_date())


def _late(rows: "ir.Table", key: Sequence[str], at: str) -> tuple[int, int, float, str] | None:
    """Count rows whose instant ``at`` is after the one needed; None if there is none."""
    import ibis

    found = rows.aggregate(
        late=(rows[at] > rows.fairway_needed).sum(),
        total=rows.count(),
        most=(rows[at].epoch_seconds() - rows.fairway_needed.epoch_seconds()).max(),
    )
    counts = found.to_pyarrow().to_pylist()[0]
    if not counts["late"]:
        return None
    worst = rows.filter(rows[at] > rows.fairway_needed)
    worst = worst.order_by(ibis.desc(worst[at] - worst.fairway_needed), *key).limit(1)
    row = worst.to_pyarrow().to_pylist()[0]
    known, needed = (f"{row[column]:%Y-%m-%dT%H:%MZ}" for column in (at, "fairway_needed"))
    example = f"{_name(row, key)}: known {known}, needed {needed}"
    return int(counts["late"]), int(counts["total"]), float(counts["most"]), example


def _null_with_label(table: "ir.Table", names: Sequence[str], target: str) -> list[Finding]:
    """Find the features that are missing in exactly the rows whose target is unknown."""
    if not names:
        return []
    unknown = is_missing(table[target])
    measures = {}
    for i, name in enumerate(names):
        missing = is_missing(table[name])
        measures[f"null_{i}"] = missing.sum()
        measures[f"both_{i}"] = (missing & unknown).sum()
    counts = table.aggregate(unknown=unknown.sum(), total=table.count(), **measures)
    count = counts.to_pyarrow().to_pylist()[0]
    n_unknown = count["unknown"] or 0
    return [
        Finding(
            column=name,
            test="null_with_label",
            evidence=f"{name} is missing in exactly the {n_unknown:,} of {count['total']:,} rows "
            f"whose {target} is unknown: it comes into being together with the target.",
            value=n_unknown,
        )
        for i, name in enumerate(names)
        if 0 < n_unknown < count["total"] and n_unknown == count[f"null_{i}"] == count[f"both_{i}"]
    ]


def _predicts_too_well(
    table: "ir.Table",
    task: Literal["binary", "regression"],
    key: Sequence[str],
    names: Sequence[str],
    target: str,
) -> list[Finding]:
    """Measure each feature alone on the training rows, and sums of features on all labelled."""
    import ibis

    train = table.filter((table.part == "train") & ~is_missing(table[target]))
    y, positive = _target(train, task, target)
    codes = {name: code for name in names if (code := _code(train, name)) is not None}
    coded = {f"x_{i}": name for i, name in enumerate(codes)}
    lot = draw(ibis.literal("").join([train[name].cast("string").fill_null("") for name in key]))
    findings = []
    measured = {code: codes[name] for code, name in coded.items()}
    with held(train.select(y=y, lot=lot, fold=(lot < "8").cast("int64"), **measured)) as rows:
        total = rows.aggregate(n=rows.count(), y=rows.y.sum()).to_pyarrow().to_pylist()[0]
        n_rows, n_positive = total["n"], total["y"] or 0.0
        if n_rows < MIN_ROWS or (task == "binary" and not 0 < n_positive < n_rows):
            return []
        for code, name in coded.items():
            groups, texts = _groups(rows, code)
            if task == "binary":
                value, limit, what = strength.best_auc(groups), MAX_AUC, "AUC"
                luck = strength.chance_error(n_positive, n_rows - n_positive)
                is_refused = value > limit and value - 0.5 > CHANCE_ERRORS * luck
            else:
                value, limit, what = strength.best_r2(groups), MAX_R2, "R2"
                is_refused = value > limit
            if not is_refused:
                continue
            evidence = f"{what} {value:.3f} from {name} alone on {n_rows:,} training rows (limit "
            evidence += f"{limit}). "
            show = _spelling(table[name], texts)
            if task == "binary":
                evidence += strength.telling_split(groups, name, f"{target} = {positive}", show)
            else:
                evidence += strength.telling_means(groups, name, target, show)
            findings.append(
                Finding(column=name, test="predicts_too_well", evidence=evidence, value=value)
            )
        if task == "regression":
            findings += _sum_is_target(table, rows, coded, target)
    return findings


def _sum_is_target(
    table: "ir.Table", rows: "ir.Table", coded: Mapping[str, str], target: str
) -> list[Finding]:
    """Find numeric columns that add up to the target; ``coded`` names the columns of ``rows``."""
    import numpy as np

    numeric = {code: name for code, name in coded.items() if table[name].type().is_numeric()}
    drawn = rows.order_by("lot").limit(SAMPLE_ROWS).select("y", *numeric).to_pyarrow()
    parts = np.column_stack([np.nan_to_num(_numbers(drawn[code])) for code in numeric])
    names = list(numeric.values())
    suspects = [
        tuple(names[i] for i in places) for places in sums.exact_sums(parts, _numbers(drawn["y"]))
    ]
    return [
        Finding(
            column=name,
            test="sum_is_target",
            evidence=f"{' + '.join(found)} = {target} in all {n_rows:,} rows with a label"
            + (f".{EXAMPLE}{example}." if example else "."),
            value=n_rows,
        )
        for found, n_rows, example in sums.confirm(table, suspects, target)
        for name in found
    ]


def _target(train: "ir.Table", task: str, target: str) -> tuple["ir.FloatingValue", str]:
    """The target as a number, and what people call a positive row."""
    column = train[target]
    if task == "regression":
        return column.cast("float64"), ""
    values = sorted(
        train.select(target).distinct().limit(3).to_pyarrow().column(0).to_pylist(), key=str
    )
    if len(values) > 2:
        raise ContractError(
            f"{target} has more than two values, among them {', '.join(map(str, values))}.",
            hint="Make a target of two values in the build.",
        )
    positive = max(values, default=1)
    said = str(positive).lower() if isinstance(positive, bool) else str(positive)
    return (column == positive).cast("float64"), said


def _code(table: "ir.Table", name: str) -> "ir.Column | None":
    """A column as a number where it has an order, else as text; None where it is a structure."""
    column, kind = table[name], table[name].type()
    if kind.is_numeric():
        return column.cast("float64")
    if kind.is_boolean():
        return column.cast("int8").cast("float64")
    if kind.is_timestamp() or kind.is_date():
        return instant(table, KnownAt(name)).epoch_seconds().cast("float64")
    if kind.is_nested() or kind.is_binary() or kind.is_json() or kind.is_null():
        return None
    return column.cast("string")


def _groups(rows: "ir.Table", code: str) -> tuple[strength.Groups, list[str]]:
    """Have the engine group the rows by one column and fold; the texts that codes stand for."""
    grouped = rows.group_by(rows[code], "fold").aggregate(
        n=rows.count(), total=rows.y.sum(), squares=(rows.y * rows.y).sum()
    )
    found = grouped.to_pyarrow()
    texts: list[str] = []
    if rows[code].type().is_string():
        coded = found[code].combine_chunks().dictionary_encode()
        value, texts = _numbers(coded.indices), coded.dictionary.to_pylist()
    else:
        value = _numbers(found[code])
    groups = strength.Groups(
        value=value,
        fold=_numbers(found["fold"]).astype(int),
        n=_numbers(found["n"]),
        y=_numbers(found["total"]),
        yy=_numbers(found["squares"]),
        ordered=not texts,
    )
    return groups, texts


def _spelling(column: "ir.Column", texts: Sequence[str]) -> Callable[[float], str]:
    """How people spell a value that was coded as a number."""
    kind = column.type()
    if texts:
        return lambda code: repr(texts[int(code)])
    if kind.is_boolean():
        return lambda code: "true" if code else "false"
    if kind.is_timestamp() or kind.is_date():
        return lambda code: datetime.fromtimestamp(code, UTC).strftime("%Y-%m-%dT%H:%MZ")
    return lambda code: f"{code:g}"


def _numbers(column: "pa.ChunkedArray | pa.Array") -> "NDArray[np.float64]":
    import pyarrow as pa

    numbers: NDArray[np.float64] = column.cast(pa.float64()).to_numpy(zero_copy_only=False)
    return numbers


def _name(row: Mapping[str, Any], key: Sequence[str]) -> str:
    return ", ".join(f"{name} = {_text(row[name])}" for name in key)


def _text(value: object) -> str:
    return f"{value:%Y-%m-%dT%H:%MZ}" if isinstance(value, datetime) else str(value)
