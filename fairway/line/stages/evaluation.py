"""Predict the parts that a model has not learned from, and measure what its answers are worth.

Room: ``fairway.line``; after the candidates. Inputs: the dataset's folder and the model's. Output
folder: ``evaluation.json`` by part, and ``predictions.parquet`` (part, outcome, score, in the rows'
order). Predictions go through the repairs and ``fairway.model`` alone, as they will in production.
"""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fairway.evaluation import custom, latency, vocabulary
from fairway.evaluation.estimate import Estimate
from fairway.evaluation.measure import measure
from fairway.line.stages import spec
from fairway.line.stages.spec import EvaluationSpec
from fairway.model import process, repair, runtime, signature
from fairway.model.runtime import Predictor
from fairway.model.signature import Signature
from fairway.pipeline.step import expand

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

BATCH_ROWS = 10_000
N_SINGLE = 1000  # one-row predictions whose latency is measured


def take(
    spec_file: Path, out: Path, dataset: Path, model: Path, release: Path | None = None
) -> None:
    """Write the predictions and what they are worth.

    Args:
        spec_file: An ``EvaluationSpec``.
        out: The empty folder to write into.
        dataset: The folder that the stage ``dataset`` wrote.
        model: The model's folder.
        release: The folder of a release whose repairs, signature and code are to be used.

    Raises:
        StepError: If the model cannot be loaded, dies, or answers what is no score.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    asked = spec.read(spec_file.read_bytes(), EvaluationSpec)
    own = release or dataset
    signed = signature.from_json(json.loads((own / "signature.json").read_bytes()))
    repairs = json.loads((own / "repair.json").read_bytes())
    report = json.loads((dataset / "report.json").read_bytes())
    part = pq.read_table(dataset / "part.parquet")["part"]
    wanted = sorted({*(one.name for one in signed.inputs), signed.target, *asked.evaluate.slices})
    rows = pq.read_table(dataset / "rows.parquet", columns=wanted)
    predictor = _predictor(asked, signed, model, code=release / "code" if release else Path.cwd())
    functions = {
        name: custom.load(name, Path.cwd())
        for name in asked.evaluate.metrics
        if vocabulary.is_custom(name)
    }
    told: dict[str, Any] = {}
    kept: list[pa.Table] = []
    try:
        for name in asked.parts:
            chosen = rows.filter(pa.compute.equal(part, name))
            scores = _predict(predictor, repairs, chosen)
            outcome = _numbers(chosen[signed.target])
            single = name == "test"
            told[name] = measure(
                outcome,
                scores,
                task="binary" if signed.task == "binary" else "regression",
                train_mean=report["train_mean"],
                metrics=asked.evaluate.metrics or None,
                slices={column: chosen[column] for column in asked.evaluate.slices},
                payoff=asked.payoff,
                functions=functions,
                p99_ms=_latency(predictor, repairs, chosen) if single else None,
                size_bytes=_size(model) if single else None,
            )
            size = len(chosen)
            kept.append(pa.table({"part": [name] * size, "outcome": outcome, "score": scores}))
    finally:
        predictor.close()
    (out / "evaluation.json").write_text(json.dumps(told, sort_keys=True, allow_nan=False))
    pq.write_table(pa.concat_tables(kept), out / "predictions.parquet", compression="zstd")


def _predictor(asked: EvaluationSpec, signed: Signature, model: Path, *, code: Path) -> Predictor:
    if asked.predict is None:
        return runtime.load(model, features=signed.features, task=signed.task)
    command = expand(asked.predict, {"python": sys.executable, "model": str(model.resolve())})
    columns = [*signed.key, *signed.features]
    return process.start(
        command,
        columns=list(dict.fromkeys(columns)),
        cwd=code,
        environment=os.environ,
        timeout_s=asked.timeout_s,
        task=signed.task,
    )


def _predict(
    predictor: Predictor, repairs: list[Mapping[str, Any]], rows: "pa.Table"
) -> "np.ndarray[Any, Any]":
    """Score rows in batches: (n rows) -> (n,) float64."""
    import numpy as np

    batches = (rows.slice(start, BATCH_ROWS) for start in range(0, len(rows), BATCH_ROWS))
    return np.concatenate(
        [np.empty(0), *(predictor.predict(repair.apply(repairs, batch)) for batch in batches)]
    )


def _latency(predictor: Predictor, repairs: list[Mapping[str, Any]], rows: "pa.Table") -> Estimate | None:
    """Time one-row predictions, repairs included, as a server would make them."""
    if not len(rows):
        return None
    singles = [rows.slice(number % len(rows), 1) for number in range(N_SINGLE)]
    return latency.latency(
        lambda number: predictor.predict(repair.apply(repairs, singles[number])), N_SINGLE
    )


def _numbers(column: "pa.ChunkedArray") -> "np.ndarray[Any, Any]":
    import pyarrow.compute as pc

    whole = pc.cast(column, "int8") if column.type == "bool" else column
    numbers: np.ndarray[Any, Any] = pc.cast(whole, "float64").to_numpy()
    return numbers


def _size(model: Path) -> int:
    return sum(path.stat().st_size for path in model.rglob("*") if path.is_file())
