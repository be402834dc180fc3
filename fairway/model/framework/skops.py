"""Run a scikit-learn model from a ``.skops`` file, which holds only types that skops trusts.

Room: ``fairway.model``; called by ``runtime`` alone.
"""

import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fairway.errors import StepError
from fairway.model import matrix

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

MODEL = "The scikit-learn model"
FAILURES = (ValueError, TypeError, KeyError, IndexError, AttributeError, RuntimeError)


def load(file: Path, features: Sequence[str], task: str) -> "Callable[[pa.Table], np.ndarray]":
    """Load an estimator and give back what scores rows, on one thread.

    Raises:
        StepError: If the file holds types that skops does not trust (they are listed; loading
            them could run any code), is damaged, or takes columns that are no features.
    """
    import sklearn
    from skops import io
    from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]  # it ships no types

    try:
        untrusted = io.get_untrusted_types(file=file)
        if untrusted:
            raise StepError(
                f"{file.name} holds types that are not trusted: {', '.join(untrusted)}.",
                hint="Build the model of scikit-learn's own classes, or export it to ONNX.",
            )
        estimator = io.load(file, trusted=[])
    except (*FAILURES, OSError, zipfile.BadZipFile) as error:
        raise StepError(
            f"{MODEL} {file.name} cannot be read: {error}.",
            hint="Save it with skops.io.dump and this version of scikit-learn.",
        ) from error
    stored = getattr(estimator, "feature_names_in_", None)
    columns = matrix.choose(None if stored is None else list(stored), features, model=MODEL)
    if stored is None and isinstance(getattr(estimator, "n_features_in_", None), int):
        matrix.check_width(estimator.n_features_in_, columns, model=MODEL)
    _pin(estimator)
    threads = ThreadpoolController()

    def predict(table: "pa.Table") -> "np.ndarray":
        frame = table.select(columns).to_pandas()
        x = frame.to_numpy() if stored is None else frame
        try:
            with (
                threads.limit(limits=1),
                sklearn.config_context(assume_finite=True, skip_parameter_validation=True),
            ):
                return _score(estimator, x, task)
        except FAILURES as error:
            raise StepError(f"{MODEL} failed: {error}.", hint="Train it again.") from error

    return predict


def _score(estimator: Any, x: Any, task: str) -> "np.ndarray":  # noqa: ANN401  untyped
    """P(class 1) where there are probabilities, else the prediction."""
    if task != "binary" or not hasattr(estimator, "predict_proba"):
        scores: np.ndarray = estimator.predict(x)
        return scores
    scores = estimator.predict_proba(x)
    if scores.ndim != 2 or scores.shape[1] != 2:
        raise StepError(
            f"{MODEL} knows the classes {list(getattr(estimator, 'classes_', []))}.",
            hint="Train it on a target of 0 and 1, with rows of both.",
        )
    return scores[:, 1]


def _pin(estimator: Any) -> None:  # noqa: ANN401  untyped
    """Set each ``n_jobs`` to 1: one row is not worth a second thread."""
    if hasattr(estimator, "get_params"):
        names = [name for name in estimator.get_params() if name.split("__")[-1] == "n_jobs"]
        estimator.set_params(**dict.fromkeys(names, 1))
