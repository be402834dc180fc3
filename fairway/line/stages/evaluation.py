"""Predict the parts that a model has not learned from, and measure what its answers are worth.

Room: ``fairway.line``; after the candidates. Inputs: the dataset's folder, and a model's or a
release's. Output folder: ``evaluation.json`` by part, and ``predictions.parquet`` (part, outcome,
score, in the rows' order). Predictions go through repairs and ``fairway.model`` alone.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from fairway.evaluation import custom, latency, vocabulary
from fairway.evaluation.estimate import Estimate
from fairway.evaluation.measure import measure
from fairway.line.stages import spec
from fairway.line.stages.spec import EvaluationSpec
from fairway.model import bundle, pickles, process, runtime, signature
from fairway.model.bundle import Raw
from fairway.model.signature import Signature

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from fairway.model.runtime import Predictor

BATCH_ROWS = 10_000
N_SINGLE = 1000  # one-row predictions whose latency is measured


def take(spec_file: Path, out: Path, dataset: Path, model: Path) -> None:
    """Write the predictions and what they are worth.

    Args:
        spec_file: An ``EvaluationSpec``.
        out: The empty folder to write into.
        dataset: The folder that the stage ``dataset`` wrote.
        model: The model's folder; with ``is_release`` that of a whole release.

    Raises:
        StepError: If the model cannot be loaded, dies, or answers what is no score.
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    asked = spec.read(spec_file.read_bytes(), EvaluationSpec)
    signed, predictor = _predictor(asked, dataset, model)
    report = json.loads((dataset / "report.json").read_bytes())
    task: Literal["binary", "regression"] = report["task"]
    slices = asked.evaluate.slices
    wanted = {*(field.name for field in signed.inputs), signed.target, *slices}
    rows = pq.read_table(dataset / "rows.parquet", columns=sorted(wanted))
    part = pq.read_table(dataset / "part.parquet", columns=["part"])["part"]
    metrics = asked.evaluate.metrics
    functions = {n: custom.load(n, Path.cwd()) for n in metrics if vocabulary.is_custom(n)}
    told: dict[str, Any] = {}
    kept: list[pa.Table] = []
    try:
        for name in asked.parts:
            chosen = rows.filter(pc.equal(part, name))
            scores, outcome = _predict(predictor, chosen), _numbers(chosen[signed.target])
            is_test = name == "test"
            told[name] = measure(
                outcome,
                scores,
                task=task,
                train_mean=report["train_mean"],
                metrics=metrics or None,
                slices={column: chosen[column] for column in slices},
                payoff=asked.payoff,
                functions=functions,
                p99_ms=_latency(predictor, chosen) if is_test else None,
                size_bytes=_size(model) if is_test else None,
            )
            parts = pa.array([name] * len(chosen)).dictionary_encode()
            kept.append(pa.table({"part": parts, "outcome": outcome, "score": scores}))
    finally:
        predictor.close()
    (out / "evaluation.json").write_text(json.dumps(told, sort_keys=True, allow_nan=False))
    whole = pa.concat_tables(kept).unify_dictionaries()
    pq.write_table(whole, out / "predictions.parquet", compression="zstd")


def _predictor(asked: EvaluationSpec, dataset: Path, model: Path) -> tuple[Signature, Raw]:
    """What scores raw rows, and what it takes."""
    if asked.is_release:
        found = bundle.read(model)
        return found.signature, bundle.predictor(found)
    signed = signature.from_json(json.loads((dataset / "signature.json").read_bytes()))
    repairs = json.loads((dataset / "repair.json").read_bytes())
    loaded: Predictor
    if asked.predict is None:
        loaded = runtime.load(model, features=signed.features, task=signed.task)
    else:
        pickles.refuse(model)
        loaded = process.start(
            asked.predict,
            model=model,
            columns=signed.features,
            cwd=Path.cwd(),
            environment=None,
            timeout_s=asked.timeout_s,
            task=signed.task,
        )
    return signed, Raw(repairs, loaded)


def _predict(predictor: Raw, rows: "pa.Table") -> "np.ndarray[Any, Any]":
    """Score rows in batches: (n rows) -> (n,) float64."""
    import numpy as np

    starts = range(0, len(rows), BATCH_ROWS)
    scores = [predictor.predict(rows.slice(start, BATCH_ROWS)) for start in starts]
    return np.concatenate([np.empty(0), *scores])


def _latency(predictor: Raw, rows: "pa.Table") -> Estimate | None:
    """Time one-row predictions, repairs included, as a server would make them."""
    if not len(rows):
        return None
    singles = [rows.slice(number % len(rows), 1).combine_chunks() for number in range(N_SINGLE)]

    def one(number: int) -> None:
        predictor.predict(singles[number])

    return latency.latency(one, N_SINGLE)


def _numbers(column: "pa.ChunkedArray") -> "np.ndarray[Any, Any]":
    import pyarrow as pa
    import pyarrow.compute as pc

    whole = pc.cast(column, "int8") if pa.types.is_boolean(column.type) else column
    numbers: np.ndarray[Any, Any] = pc.cast(whole, "float64").to_numpy()
    return numbers


def _size(model: Path) -> int:
    return sum(path.stat().st_size for path in model.rglob("*") if path.is_file())
