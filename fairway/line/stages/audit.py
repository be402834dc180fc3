"""Ask every leakage test about the dataset, and say which columns are withheld.

Room: ``fairway.line``, for the stage ``dataset``. A column that somebody has accepted by name,
with a reason, is not withheld; the finding stays.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from fairway.data import dataset, known_at, leakage
from fairway.data.contract import Contract
from fairway.data.known_at import KnownAt
from fairway.data.leak import lineage, probe
from fairway.data.leakage import Finding
from fairway.line.stages.spec import DatasetSpecs

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from fairway.data.reading.engine import Engine


def find(
    engine: "Engine",
    rows: "ir.Table",
    asked: DatasetSpecs,
    *,
    task: Literal["binary", "regression"],
    features: Sequence[str],
    tables: "Mapping[str, ir.Table]",
    contracts: Mapping[str, Contract],
    files: Mapping[str, Path],
    built: "ir.Table",
) -> list[dict[str, Any]]:
    """Every finding as JSON: column, test, evidence, value, state, by, reason.

    Args:
        engine: The engine that the tables live in.
        rows: The snapshot with ``part``.
        asked: What the stage was told.
        task: What kind of target it is.
        features: Columns to judge.
        tables: The sources' tables, as the dataset was built from them.
        contracts: By source, and of the ``dataset``.
        files: Outputs of the project's own steps.
        built: The expression that ``build`` returned.
    """
    spec = asked.dataset
    needed = KnownAt(*spec.known_at) if spec.known_at else None
    base = next((n for n, s in asked.sources.items() if set(s.key) == set(spec.key)), None)
    inherited = None
    if base is not None and base in tables:
        rules = _known_at(contracts.get(base))
        inherited = lineage.inherit(built, tables[base], rules, target=spec.target)
    found = leakage.audit(
        rows,
        task=task,
        key=spec.key,
        features=features,
        target=spec.target,
        known_at=needed,
        stated=_known_at(contracts.get("dataset")),
        inherited=inherited,
    )
    if needed is not None:
        found += _probe(
            engine, rows, asked, needed, features, found, tables, contracts, files, built, base
        )
    return [_told(one, asked) for one in found]


def _probe(
    engine: "Engine",
    rows: "ir.Table",
    asked: DatasetSpecs,
    needed: KnownAt,
    features: Sequence[str],
    found: Sequence[Finding],
    tables: "Mapping[str, ir.Table]",
    contracts: Mapping[str, Contract],
    files: Mapping[str, Path],
    built: "ir.Table",
    base: str | None,
) -> list[Finding]:
    """Rebuild the dataset without what was known only later, and compare."""

    def rebuild(shown: "Mapping[str, ir.Table]") -> "ir.Table":
        return dataset.build(engine, asked.dataset, shown, files, Path.cwd(), is_counted=False)

    late = {one.column for one in found if one.column not in asked.dataset.accept}
    unknown = (
        lineage.sole(lineage.origins(built, tables[base]), [asked.dataset.target, *late])
        if base
        else frozenset()
    )
    return probe.probe(
        rebuild,
        tables,
        sources=asked.sources,
        contracts=contracts,
        dataset=rows,
        key=asked.dataset.key,
        features=features,
        known_at=needed,
        unknown=unknown,
        refused=late,
    )


def _known_at(contract: Contract | None) -> dict[str, KnownAt]:
    if contract is None:
        return {}
    return {
        name: known_at.parse(rule.known_at)
        for name, rule in contract.columns.items()
        if rule.known_at
    }


def _told(one: Finding, asked: DatasetSpecs) -> dict[str, Any]:
    accepted = asked.dataset.accept.get(one.column)
    return {
        "column": one.column,
        "test": one.test,
        "evidence": one.evidence,
        "value": one.value,
        "state": "accepted" if accepted else "withheld",
        "by": accepted.by if accepted else None,
        "reason": accepted.reason if accepted else None,
    }
