"""Load a model of any framework and score rows: the one way in which Fairway predicts.

Room: ``fairway.model``, after ``form``, which tells what is in the folder. Evaluation, delivery and
serving predict through it and through ``process``, and through nothing else. It repairs no rows
(``repair``) and starts no program (``process``).
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from fairway.errors import RequestError
from fairway.model import score
from fairway.model.form import Form, classify, read_constant

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa


class Predictor(Protocol):
    """Whatever scores rows: a loaded model, or a process of another language."""

    def predict(self, table: "pa.Table") -> "np.ndarray":
        """Score repaired rows: (n rows, at least the features) -> (n,) float64."""

    def close(self) -> None:
        """Let go of what it holds."""


class Model:
    """A model loaded into this process. It uses one thread; use it from one thread at a time."""

    def __init__(
        self, score_rows: "Callable[[pa.Table], np.ndarray]", *, form: Form, task: str
    ) -> None:
        self.form = form
        self._score_rows = score_rows
        self._task = task

    def predict(self, table: "pa.Table") -> "np.ndarray":
        """Score repaired rows: (n rows, at least the features) -> (n,) float64.

        Raises:
            StepError: If the model fails or gives anything but one finite number per row (for
                a binary task: a probability); the row and the value are named.
            RequestError: If a column that the model takes is absent.
        """
        import numpy as np

        if table.num_rows == 0:
            return np.empty(0)
        try:
            scores = self._score_rows(table)
        except KeyError as error:
            raise RequestError(
                f"The model's column is absent: {error.args[0]}.",
                hint=f"Send it; there are {', '.join(table.column_names)}.",
            ) from error
        name = f"The {self.form.kind} model"
        return score.check(scores, n_rows=table.num_rows, task=self._task, model=name)

    def close(self) -> None:
        """Nothing is held but memory."""


def load(folder: Path, *, features: Sequence[str], task: str = "binary") -> Model:
    """Load the model in a ``{model}`` folder.

    It gets the columns whose names its file stores, else all features in order.

    Args:
        folder: What the candidate left behind, or a release's ``model`` folder.
        features: The model's input after repair, in ``{train}``'s order.
        task: ``binary`` or ``regression``.

    Raises:
        StepError: If there is nothing loadable, a pickle, an untrusted type, a damaged file, or
            a framework that is not installed (with the command that installs it).
    """
    form = classify(folder)
    if form.kind == "skops":
        from fairway.model.framework import skops

        return Model(skops.load(form.file, features, task), form=form, task=task)
    if form.kind == "lightgbm":
        from fairway.model.framework import lightgbm

        return Model(lightgbm.load(form.file, features), form=form, task=task)
    if form.kind == "xgboost":
        from fairway.model.framework import xgboost

        return Model(xgboost.load(form.file, features), form=form, task=task)
    if form.kind == "onnx":
        from fairway.model.framework import onnx

        return Model(onnx.load(form.file, features), form=form, task=task)
    constant = read_constant(form.file)

    def always(table: "pa.Table") -> "np.ndarray":
        import numpy as np

        return np.full(table.num_rows, constant)

    return Model(always, form=form, task=task)
