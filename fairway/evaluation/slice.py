"""Parts of the test rows by the value of a column, and which of them are large enough to judge.

Room: ``fairway.evaluation``, used by ``measure``. It deals rows; it measures nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fairway.evaluation.vocabulary import Task

Vector = NDArray[np.float64]

MIN_ROWS = 200
MIN_OF_CLASS = 20
MAX_SLICES = 100
MISSING = "(missing)"
OTHER = "(other)"


@dataclass(frozen=True, kw_only=True)
class Slice:
    """The rows with one value of a column.

    Attributes:
        label: The value as text; missing values are ``(missing)``.
        rows: (m,) row numbers, rising.
        is_single: False for ``(other)``, which holds the rare values of a column with over 100.
    """

    label: str
    rows: NDArray[np.intp]
    is_single: bool = True


def deal(values: object) -> list[Slice]:
    """Split rows by value: (n,) -> slices, sorted by label; each row is in exactly one.

    Args:
        values: One value per row: an Arrow or numpy column, or a sequence. NaN counts as missing.
    """
    import pyarrow as pa

    if isinstance(values, pa.ChunkedArray):
        column = values.combine_chunks()
    elif isinstance(values, pa.Array):
        column = values
    else:
        column = pa.array(values, from_pandas=True)
    if isinstance(column, pa.ChunkedArray):
        column = pa.concat_arrays(column.chunks)
    if pa.types.is_floating(column.type):
        column = pa.array(column.to_numpy(zero_copy_only=False), from_pandas=True)
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    words = column.dictionary.cast(pa.string()).to_pylist()
    labels = [MISSING if word is None else word for word in words] + [MISSING]
    names = sorted(set(labels))
    code_of = {name: code for code, name in enumerate(names)}
    table = np.array([code_of[label] for label in labels], dtype=np.intp)
    codes = table[column.indices.cast(pa.int64()).fill_null(len(words)).to_numpy()]
    return _parts(codes, names)


def _parts(codes: NDArray[np.intp], names: Sequence[str]) -> list[Slice]:
    counts = np.bincount(codes, minlength=len(names))
    order = np.argsort(codes, kind="stable")
    pieces = np.split(order, np.cumsum(counts)[:-1])
    kept = {int(code) for code in np.argsort(-counts, kind="stable")[:MAX_SLICES]}
    if len(names) > MAX_SLICES:
        kept -= {code for code, name in enumerate(names) if name == OTHER}
    found = [
        Slice(label=names[code], rows=rows)
        for code, rows in enumerate(pieces)
        if code in kept and len(rows)
    ]
    rare = [rows for code, rows in enumerate(pieces) if code not in kept and len(rows)]
    if rare:
        found.append(Slice(label=OTHER, rows=np.sort(np.concatenate(rare)), is_single=False))
    return found


def is_judged(part: Slice, y: Vector, task: Task) -> bool:
    """Tell whether a slice may decide a gate: 200 rows and, if binary, 20 of each class.

    Args:
        part: The slice.
        y: (m,) the outcomes of its rows.
        task: What is predicted.
    """
    if not part.is_single or len(y) < MIN_ROWS:
        return False
    if task == "regression":
        return True
    n_positive = int((y > 0.5).sum())
    return min(n_positive, len(y) - n_positive) >= MIN_OF_CLASS
