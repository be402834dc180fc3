"""Run an ONNX model with ONNX Runtime.

Room: ``fairway.model``; called by ``runtime`` alone. ONNX Runtime is an extra: where it is absent,
the error says how to get it. A model takes either one matrix of all features, or one input per
column, named as the column. A classifier's probability of class 1 is taken, whether it comes as
a tensor or as skl2onnx's list of dictionaries.

Source: ONNX, ``ai.onnx.ml`` operators ``TreeEnsembleClassifier``, ``LinearClassifier``, ``ZipMap``.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fairway.errors import StepError
from fairway.model import matrix

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

MODEL = "The ONNX model"
TYPES = {
    "tensor(float)": "float32",
    "tensor(double)": "float64",
    "tensor(int64)": "int64",
    "tensor(int32)": "int32",
    "tensor(int8)": "int8",
    "tensor(uint8)": "uint8",
    "tensor(bool)": "bool",
}


def load(file: Path, features: Sequence[str]) -> "Callable[[pa.Table], np.ndarray]":
    """Open a session on one thread and give back what scores rows.

    Raises:
        StepError: If ONNX Runtime is not installed, the file is damaged, or the model takes
            inputs that are no features.
    """
    try:
        import onnxruntime
        from onnxruntime.capi import onnxruntime_pybind11_state as state
    except ModuleNotFoundError as error:
        raise StepError(
            f"{MODEL} {file.name} needs ONNX Runtime, which is not installed.",
            hint="Run: pip install onnxruntime",
        ) from error
    failures = tuple(
        one for one in vars(state).values() if isinstance(one, type) and issubclass(one, Exception)
    )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(
            str(file), options, providers=["CPUExecutionProvider"]
        )
    except failures as error:
        raise StepError(
            f"{MODEL} {file.name} cannot be read: {error}.", hint="Export it again."
        ) from error
    inputs = {one.name: one for one in session.get_inputs()}
    is_matrix = len(inputs) == 1 and not set(inputs) <= set(features)
    columns = matrix.choose(None if is_matrix else list(inputs), features, model=MODEL)
    if is_matrix:
        (only,) = inputs.values()
        width = only.shape[1] if len(only.shape) == 2 else None
        if isinstance(width, int):
            matrix.check_width(width, columns, model=MODEL)
    output = _output(session.get_outputs())

    def predict(table: "pa.Table") -> "np.ndarray":
        if is_matrix:
            feed = {only.name: _matrix(table, columns, only)}
        else:
            feed = {
                name: _column(table, c, inputs[name])
                for name, c in zip(inputs, columns, strict=True)
            }
        try:
            (answer,) = session.run([output], feed)
        except failures as error:
            raise StepError(f"{MODEL} failed: {error}.", hint="Export it again.") from error
        return _scores(answer)

    return predict


def _output(outputs: Sequence[Any]) -> str:
    """The output that holds the score: probabilities before any other number before a label."""
    ranks = {"seq": 0, "probability": 1, "float": 2, "label": 3}

    def rank(one: Any) -> int:  # noqa: ANN401  untyped
        if one.type.startswith("seq(map("):
            return ranks["seq"]
        is_float = one.type in {"tensor(float)", "tensor(double)"}
        if is_float and "prob" in one.name.lower():
            return ranks["probability"]
        return ranks["float"] if is_float else ranks["label"]

    return str(min(outputs, key=rank).name)


def _matrix(table: "pa.Table", columns: Sequence[str], wanted: Any) -> "np.ndarray":  # noqa: ANN401
    type_ = TYPES.get(wanted.type)
    if type_ is None:
        raise StepError(
            f"{MODEL} takes one matrix of {wanted.type}.",
            hint="Export it with one matrix of floats, or with one input per column.",
        )
    return matrix.numbers(table, columns, model=MODEL).astype(type_)


def _column(table: "pa.Table", name: str, wanted: Any) -> "np.ndarray":  # noqa: ANN401  untyped
    """One input of its own: (n, 1), or (n,) where the model says so."""
    import numpy as np

    if wanted.type == "tensor(string)":
        texts = table.column(name).cast("string").to_pylist()
        values = np.array(texts, dtype=object)
    else:
        values = _matrix(table, [name], wanted)[:, 0]
    return values if len(wanted.shape) == 1 else values.reshape(-1, 1)


def _scores(answer: Any) -> "np.ndarray":  # noqa: ANN401  what the session returned
    import numpy as np

    if isinstance(answer, list):  # one dictionary per row: class -> probability
        return np.array([_of_class_1(one) for one in answer], dtype=np.float64)
    values: np.ndarray = np.asarray(answer)
    if values.ndim == 2 and values.shape[1] == 2:
        return values[:, 1]
    return values


def _of_class_1(probabilities: Mapping[Any, float]) -> float:
    """P(class 1) of two classes, whatever they are called: the last in order."""
    if len(probabilities) != 2:
        raise StepError(
            f"{MODEL} knows the classes {', '.join(map(str, probabilities))}.",
            hint="Train it on a target of 0 and 1.",
        )
    return float(probabilities[max(probabilities)])
