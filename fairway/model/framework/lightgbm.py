"""Run a LightGBM model from its text file.

Room: ``fairway.model``; called by ``runtime`` alone. Categories that pandas stored with the model
are encoded as they were in training.
"""

import logging
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fairway.errors import StepError
from fairway.model import matrix

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

UNNAMED = re.compile(r"Column_\d+")
MODEL = "The LightGBM model"


def load(file: Path, features: Sequence[str]) -> "Callable[[pa.Table], np.ndarray]":
    """Read a booster and give back what scores rows.

    Raises:
        StepError: If the file is damaged, or the model takes columns that are no features.
    """
    import lightgbm
    import numpy as np

    lightgbm.register_logger(logging.getLogger("lightgbm"))  # it prints on stdout otherwise
    try:
        booster = lightgbm.Booster(model_file=str(file))
    except lightgbm.basic.LightGBMError as error:
        raise StepError(
            f"{MODEL} {file.name} cannot be read: {error}.", hint="Save it with save_model."
        ) from error
    names = booster.feature_name()
    is_named = not all(UNNAMED.fullmatch(name) for name in names)
    columns = matrix.choose(names if is_named else None, features, model=MODEL)
    matrix.check_width(booster.num_feature(), columns, model=MODEL)
    lists = booster.pandas_categorical or []
    categorical = booster.params.get("categorical_feature") or []

    def predict(table: "pa.Table") -> "np.ndarray":
        coded = [columns[int(i)] for i in categorical]
        if len(coded) != len(lists):  # others were codes already when it was trained
            coded = [name for name in columns if _is_text(table, name)]
        pairs = zip(coded, lists, strict=False)
        codes = {name: {v: i for i, v in enumerate(values)} for name, values in pairs}
        x = matrix.numbers(table, columns, model=MODEL, categories=codes)
        try:
            return np.asarray(booster.predict(x, num_threads=1))
        except lightgbm.basic.LightGBMError as error:
            raise StepError(f"{MODEL} failed: {error}.", hint="Train it again.") from error

    return predict


def _is_text(table: "pa.Table", name: str) -> bool:
    import pyarrow.types as pt

    return bool(pt.is_string(table.column(name).type))
