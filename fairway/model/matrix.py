"""Line up Arrow columns as a framework wants them: which columns, in which order, as numbers.

Room: ``fairway.model``, between ``runtime`` and the frameworks' loaders. It repairs nothing.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from fairway.errors import StepError

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa


def choose(stored: Sequence[str] | None, features: Sequence[str], *, model: str) -> list[str]:
    """The columns that a model gets: those whose names its file stores, else all features.

    Args:
        stored: Names in the model's file, or None where it stores none.
        features: All features in ``{train}``'s order.
        model: How messages call the model.

    Raises:
        StepError: If the file names a column that is no feature.
    """
    if stored is None:
        return list(features)
    spelt = {name.replace(" ", "_"): name for name in features}  # as LightGBM writes them
    spelt |= {name: name for name in features}
    absent = [name for name in stored if name not in spelt]
    if absent:
        raise StepError(
            f"{model} was trained on {', '.join(absent[:5])}, which is no feature.",
            hint=f"Train it on the columns of {{train}} alone: {', '.join(features)}.",
        )
    return [spelt[name] for name in stored]


def check_width(n_stored: int, columns: Sequence[str], *, model: str) -> None:
    """Refuse a model without names that was trained on another number of columns.

    Raises:
        StepError: With both numbers.
    """
    if n_stored != len(columns):
        raise StepError(
            f"{model} takes {n_stored} columns, but there are {len(columns)} features.",
            hint="Store the columns' names with the model, or train it on all features in order.",
        )


def numbers(
    table: "pa.Table",
    columns: Sequence[str],
    *,
    model: str,
    categories: Mapping[str, Mapping[Any, int]] | None = None,
) -> "np.ndarray":
    """Columns as one matrix: (n rows, ...) -> (n, len(columns)) float64, NaN where null.

    Args:
        table: Repaired rows.
        columns: Which, in order.
        model: How messages call the model.
        categories: Columns that the model knows as categories, with the code of each; a value
            that it has never seen becomes NaN.

    Raises:
        StepError: If another column is not numbers.
    """
    import numpy as np
    import pyarrow.types as pt

    out = np.empty((table.num_rows, len(columns)))
    for j, name in enumerate(columns):
        column = table.column(name)
        codes = categories.get(name) if categories else None
        if codes is not None:
            out[:, j] = [codes.get(value, np.nan) for value in column.to_pylist()]
            continue
        if not (pt.is_integer(column.type) or pt.is_floating(column.type)):
            if not (pt.is_boolean(column.type) or pt.is_decimal(column.type)):
                raise StepError(
                    f"{model} takes numbers, but the column {name!r} is {column.type}.",
                    hint="Store categories with the model, name the columns it was trained on, or "
                    "turn the column into numbers in the dataset's build.",
                )
            column = column.cast("float64")
        out[:, j] = column.to_numpy()
    return out
