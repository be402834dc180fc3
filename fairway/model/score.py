"""Judge scores before anybody believes them: one finite number per row, probabilities where due.

Room: ``fairway.model``; every way to run a model ends here. It computes nothing.
"""

from typing import TYPE_CHECKING, Any

from fairway.errors import StepError

if TYPE_CHECKING:
    import numpy as np


def check(scores: Any, *, n_rows: int, task: str, model: str) -> "np.ndarray":  # noqa: ANN401  arrays of any framework
    """Give the scores back as (n,) float64 if they are what the task allows.

    Args:
        scores: What the model answered: (n,) or (n, 1).
        n_rows: Rows that it was asked about.
        task: ``binary``: each score is a probability; ``regression``: any finite number.
        model: How messages call the model.

    Raises:
        StepError: Naming the row (from 0) and the value.
    """
    import numpy as np

    values: np.ndarray = np.asarray(scores, dtype=np.float64)
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.shape != (n_rows,):
        raise StepError(
            f"{model} answered {' x '.join(map(str, values.shape))} scores for {n_rows} rows.",
            hint="Train a model that gives one score per row: P(class 1), or the predicted number.",
        )
    is_wrong = ~np.isfinite(values)
    said = "finite"
    if task == "binary":
        is_wrong |= (values < 0) | (values > 1)
        said = "a probability"
    if is_wrong.any():
        row = int(np.flatnonzero(is_wrong)[0])
        raise StepError(
            f"{model} scored row {row} as {values[row]:g}, which is not {said}.",
            hint="Repair the model: no NaN, and for a yes/no target a number between 0 and 1.",
        )
    return values
