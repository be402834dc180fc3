"""Ask every leakage test about the dataset, and say which columns are withheld.

Room: ``fairway.line``, for the stage ``dataset``. A column that somebody has accepted by name,
with a reason, is not withheld; the finding stays.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from fairway.data import dataset, known_at, leakage, source
from fairway.data.contract import Contract
from fairway.data.known_at import KnownAt
from fairway.data.leak import lineage, probe
from fairway.data.leakage import Finding
from fairway.data.source import Source
from fairway.errors import ProjectError
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
    """Every finding as JSON: column, test, evidence, example, value, state, by, reason.

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
    if needed is not None and spec.build is not None:
        found += _probe(
            engine, rows, asked, needed, features, found, tables, contracts, files, built, base
        )
    return [_told(one, asked) for one in found]


def unprobed(
    engine: "Engine",
    asked: DatasetSpecs,
    tables: "Mapping[str, ir.Table]",
    files: Mapping[str, Path],
) -> list[str]:
    """Name the outputs of steps that the build uses and that no probe can judge, each with why.

    Args:
        engine: The engine that the tables live in.
        asked: What the stage was told.
        tables: The sources' tables.
        files: Outputs of the project's own steps.

    Returns:
        Sentences for people; none where nothing is probed, as no prediction time is known.
    """
    spec = asked.dataset
    if spec.known_at is None or spec.build is None:
        return []
    steps = _step_tables(engine, files)
    why = {}
    for name in files:
        if name not in steps:
            why[name] = "it is no table"
        elif not probe.carries(steps[name], spec.key):
            why[name] = f"it lacks the key {', '.join(spec.key)}"
    return [
        f"{name}, the output of a step, cannot be probed for values from the future: {reason}."
        for name, reason in why.items()
        if _is_used(engine, asked, tables, files, name)
    ]


def _step_tables(engine: "Engine", files: Mapping[str, Path]) -> "dict[str, ir.Table]":
    """The outputs of steps that a build gets as tables."""
    return {
        name: source.read(engine, Source(name=name, location=str(path)), Path.cwd())
        for name, path in files.items()
        if path.is_file() and source.form(path) is not None
    }


def _is_used(
    engine: "Engine",
    asked: DatasetSpecs,
    tables: "Mapping[str, ir.Table]",
    files: Mapping[str, Path],
    name: str,
) -> bool:
    """Tell whether the build fails where it is not given this output of a step."""
    others = {other: path for other, path in files.items() if other != name}
    try:
        dataset.build(engine, asked.dataset, tables, others, Path.cwd(), is_counted=False)
    except ProjectError:
        return True
    return False


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
    steps = _step_tables(engine, files)
    others = {name: path for name, path in files.items() if name not in steps}

    def rebuild(shown: "Mapping[str, ir.Table]") -> "ir.Table":
        return dataset.build(engine, asked.dataset, shown, others, Path.cwd(), is_counted=False)

    late = {one.column for one in found if one.column not in asked.dataset.accept}
    unknown = (
        lineage.sole(lineage.origins(built, tables[base]), [asked.dataset.target, *late])
        if base
        else frozenset()
    )
    return probe.probe(
        rebuild,
        {**tables, **steps},
        sources=asked.sources,
        contracts=contracts,
        dataset=rows,
        key=asked.dataset.key,
        features=features,
        known_at=needed,
        unknown=unknown,
        refused=late,
        steps=tuple(steps),
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
    evidence, example = one.apart()
    return {
        "column": one.column,
        "test": one.test,
        "evidence": evidence,
        "example": example,
        "value": one.value,
        "state": "accepted" if accepted else "withheld",
        "by": accepted.by if accepted else None,
        "reason": accepted.reason if accepted else None,
    }
