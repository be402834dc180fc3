"""Run an XGBoost model from its ``.ubj`` or ``.json`` file.

Room: ``fairway.model``; called by ``runtime`` alone. XGBoost is an extra: where it is absent, the
error says how to get it. Categories stored with the model are encoded as they were in training.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fairway.errors import StepError
from fairway.model import matrix

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

MODEL = "The XGBoost model"


def load(file: Path, features: Sequence[str]) -> "Callable[[pa.Table], np.ndarray]":
    """Read a booster and give back what scores rows.

    Raises:
        StepError: If XGBoost is not installed, the file is damaged, or the model takes columns
            that are no features.
    """
    try:
        import xgboost
    except ModuleNotFoundError as error:
        raise StepError(
            f"{MODEL} {file.name} needs XGBoost, which is not installed.",
            hint="Run: pip install xgboost-cpu",
        ) from error
    booster = xgboost.Booster()
    try:
        booster.load_model(file)
    except xgboost.core.XGBoostError as error:
        raise StepError(
            f"{MODEL} {file.name} cannot be read: {str(error).splitlines()[0]}.",
            hint="Save it with save_model.",
        ) from error
    booster.set_param({"nthread": 1})
    columns = matrix.choose(booster.feature_names, features, model=MODEL)
    matrix.check_width(booster.num_features(), columns, model=MODEL)
    codes = _codes(booster, columns)
    best = booster.attr("best_iteration")
    trees = (0, int(best) + 1) if best is not None else (0, 0)

    def predict(table: "pa.Table") -> "np.ndarray":
        x = matrix.numbers(table, columns, model=MODEL, categories=codes)
        try:
            scores: np.ndarray = booster.inplace_predict(
                x.astype("float32"), iteration_range=trees, validate_features=False
            )
        except xgboost.core.XGBoostError as error:
            said = str(error).splitlines()[0]
            raise StepError(f"{MODEL} failed: {said}.", hint="Train it again.") from error
        return scores

    return predict


def _codes(booster: Any, columns: Sequence[str]) -> Mapping[str, Mapping[Any, int]]:  # noqa: ANN401  untyped
    """The categories that the model was trained with: column -> value -> code."""
    if "c" not in (booster.feature_types or []):
        return {}
    stored = booster.get_categories(export_to_arrow=True).to_arrow()
    return {
        column: {value: i for i, value in enumerate(values.to_pylist())}
        for column, (_, values) in zip(columns, stored, strict=True)
        if values is not None
    }
