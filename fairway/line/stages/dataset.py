"""Build the dataset, split it, look for leaks, fit the repairs, and write the parts.

Room: ``fairway.line``; after ``sources``, before the candidates. Output folder: ``rows.parquet``
(the snapshot: every row, unrepaired), ``part.parquet`` (its part, row by row), ``train.parquet``
and ``valid.parquet`` (repaired, for candidates; also as CSV where asked), ``repair.json``,
``signature.json``, ``contract.odcs.yaml``, ``leakage.json``, ``examples.json`` (a row for each
finding, which no evidence repeats), ``report.json``, and ``aside.parquet`` where rows broke the
dataset's contract. The test part leaves it only through ``evaluation``.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from fairway.data import check, contract, dataset, repair, snapshot, source
from fairway.data.contract import Contract
from fairway.data.name import choice
from fairway.errors import ContractError, ProjectError
from fairway.line.stages import audit, promise, spec
from fairway.line.stages.spec import DatasetSpecs
from fairway.line.stages.tell import rules as tell_rules
from fairway.model import repair as repairs_of
from fairway.model import text
from fairway.model.signature import Signature

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pyarrow as pa

    from fairway.data.reading.engine import Engine

DATASET = "dataset"
PARTS = {"train": "train", "validation": "valid"}
"""The parts that candidates see, and what their files are called."""

Task = Literal["binary", "regression"]


@dataclass(frozen=True, kw_only=True)
class _Built:
    """The dataset with what it was built from."""

    engine: "Engine"
    asked: DatasetSpecs
    tables: "Mapping[str, ir.Table]"
    files: Mapping[str, Path]
    contracts: Mapping[str, Contract]
    built: "ir.Table"


def take(spec_file: Path, out: Path, sources: Path, *outputs: Path) -> None:
    """Write the parts and the report.

    Args:
        spec_file: A ``DatasetSpecs``.
        out: The empty folder to write into.
        sources: The folder that the stage ``sources`` wrote.
        outputs: What the project's own steps wrote, in the order of the spec's ``outputs``.

    Raises:
        ContractError: If rows are lost or multiplied, or the data breaks a contract as a whole.
        ProjectError: If ``build`` fails, or the split or the target cannot be.
    """
    asked = spec.read(spec_file.read_bytes(), DatasetSpecs)
    whole = _build(asked, sources, dict(zip(asked.outputs, outputs, strict=True)))
    told = _snapshot(whole, out)
    rows = whole.engine.read_parquet(out / "rows.parquet")
    task = _task(rows, asked.dataset.target)
    for name in asked.slices:
        if name not in rows.columns:
            raise ProjectError(
                f"Slice: the dataset has no column {name!r}.", hint=choice(name, rows.columns)
            )
    rows, windows = _split(rows, asked)
    key = asked.dataset.key
    snapshot.write(rows.select(*key, "part"), out / "part.parquet", key=key)
    features, left_out = dataset.features(dict(rows.schema().items()), asked.dataset)
    features = [name for name in features if name != "part"]
    findings = audit.find(
        whole.engine,
        rows,
        asked,
        task=task,
        features=features,
        tables=whole.tables,
        contracts=whole.contracts,
        files=whole.files,
        built=whole.built,
    )
    unprobed = audit.unprobed(whole.engine, asked, whole.tables, whole.files)
    withheld = {one["column"] for one in findings if one["state"] == "withheld"}
    kept = [name for name in features if name not in withheld]
    if not kept:
        raise ContractError(
            "No feature is left: every column was withheld.", hint="Look at the findings above."
        )
    train = rows.filter(rows.part == "train")
    repairs = repair.fit(train, asked.repairs, kept)
    counts = _write_parts(rows, asked, repairs, kept, out)
    inputs = [n for n in rows.columns if n not in {asked.dataset.target, "part", *withheld}]
    promised = whole.contracts.get(DATASET) or promise.draft(train.select(inputs), asked.dataset)
    signed = Signature(
        key=asked.dataset.key,
        inputs=promise.fields(rows, inputs, promised, key=asked.dataset.key),
        features=tuple(repairs_of.columns(repairs, kept)),
        target=asked.dataset.target,
        task=task,
    )
    mean = train[asked.dataset.target].cast("float64").mean().execute()
    (out / "contract.odcs.yaml").write_text(contract.dump(promised))
    _write(out / "repair.json", repairs)
    _write(out / "signature.json", signed.to_json())
    kept_findings = [{k: v for k, v in one.items() if k != "example"} for one in findings]
    _write(out / "leakage.json", kept_findings)
    _write(out / "examples.json", [one["example"] for one in findings])
    _write(
        out / "report.json",
        told
        | {
            "task": task,
            "train_mean": float(mean),
            "split": counts,
            "windows": windows,
            "features": kept,
            "left_out": left_out,
            "warnings": [*repair.notes(repairs), *unprobed],
        },
    )


def _write(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, sort_keys=True, indent=1, allow_nan=False))


def _build(asked: DatasetSpecs, sources: Path, files: Mapping[str, Path]) -> _Built:
    engine = source.connect()
    tables = {name: engine.read_parquet(sources / f"{name}.parquet") for name in asked.sources}
    contracts = {name: contract.load(Path.cwd() / path) for name, path in asked.contracts.items()}
    keys = {name: one.key for name, one in asked.sources.items()}
    built = dataset.build(engine, asked.dataset, tables, files, Path.cwd(), keys=keys)
    if "part" in built.columns:
        raise ProjectError(
            "The dataset has a column 'part', which is what Fairway calls train, validation, test.",
            hint="Give it another name in the build.",
        )
    return _Built(
        engine=engine, asked=asked, tables=tables, files=files, contracts=contracts, built=built
    )


def _snapshot(whole: _Built, out: Path) -> dict[str, Any]:
    """Write every row that keeps to the dataset's contract; what the report says of it."""
    rows, key = whole.built, whole.asked.dataset.key
    told: dict[str, Any] = {"rules": [], "n_aside": 0}
    if DATASET in whole.contracts:
        found = check.check(whole.engine, rows, whole.contracts[DATASET])
        told["rules"] = tell_rules(found.rules)
        if found.n_aside:
            told["n_aside"] = snapshot.write(found.aside, out / "aside.parquet", key=key).n_rows
        rows = found.passing
    kept = snapshot.write(rows, out / "rows.parquet", key=key)
    if not kept.n_rows:
        raise ContractError(
            "The dataset has no row.", hint="Look at the sources' rows and at the build's filters."
        )
    return told | {"n_rows": kept.n_rows, "columns": kept.columns}


def _task(rows: "ir.Table", target: str) -> Task:
    """Say what kind of prediction the target's type asks for."""
    column = rows[target]
    if column.type().is_boolean():
        return "binary"
    if not column.type().is_numeric():
        raise ProjectError(
            f"The target {target} is {column.type()}; a model predicts a number, or yes and no.",
            hint=f"Make it one in the build, as in ({target} = 'yes')::tinyint.",
        )
    values = rows.filter(column.notnull()).select(target).distinct().limit(3).to_pyarrow()[target]
    found = {float(value) for value in values.to_pylist()}
    if found <= {0.0, 1.0}:
        if len(found) < 2:
            raise ContractError(
                f"The target {target} has no two values: there is nothing to predict.",
                hint="Look at the rows and at how the target is made.",
            )
        return "binary"
    return "regression"


def _split(rows: "ir.Table", asked: DatasetSpecs) -> tuple["ir.Table", dict[str, str]]:
    """Add the column ``part``; and how the windows lie, if the split is by time."""
    from fairway.data import split

    target = asked.dataset.target
    if asked.by_time is None:
        if asked.by_entity is None:
            raise AssertionError
        return asked.by_entity.assign(rows, target=target), {}
    time = asked.dataset.time or ""
    windows = asked.by_time.resolve(*split.labelled_span(rows, time=time, target=target))
    named = {"train": windows.train, "validation": windows.validation, "test": windows.test}
    told = {name: str(window) for name, window in named.items()}
    return asked.by_time.assign(rows, time=time, target=target, windows=windows), told


def _write_parts(
    rows: "ir.Table",
    asked: DatasetSpecs,
    repairs: Sequence[Mapping[str, Any]],
    features: Sequence[str],
    out: Path,
) -> dict[str, int]:
    """Write the parts that candidates see, repaired; the rows of each part."""
    import pyarrow.parquet as pq

    spec_ = asked.dataset
    columns = [*spec_.key, *(name for name in features if name not in spec_.key), spec_.target]
    counts: dict[str, int] = {}
    for part, name in PARTS.items():
        chosen = rows.filter(rows.part == part).order_by(list(spec_.key)).select(columns)
        table = chosen.to_pyarrow()
        if part == "train":
            table = repairs_of.drop_rows(repairs, table)
        table = _target_last(repairs_of.apply(repairs, table), spec_.target)
        counts[part] = table.num_rows
        pq.write_table(table, out / f"{name}.parquet", compression="zstd", compression_level=1)
        if asked.csv:
            with (out / f"{name}.csv").open("wb") as file:
                text.write_csv(table, file, header=True)
    counts["test"] = int(rows.filter(rows.part == "test").count().execute())
    for part, n_rows in counts.items():
        if not n_rows:
            raise ContractError(
                f"The {part} part has no labelled row.", hint="Choose other windows or shares."
            )
    return counts


def _target_last(table: "pa.Table", target: str) -> "pa.Table":
    names = [name for name in table.column_names if name != target]
    return table.select([*names, target])
