"""Find two or three columns whose exact sum is the target.

Room: ``fairway.data``, used by ``leakage``. A sample of rows names the suspects, one scan by the
engine confirms them over all rows. It does not refuse anything.
"""

from collections.abc import Sequence
from itertools import combinations
from typing import TYPE_CHECKING

from fairway.data.split import is_missing

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

RELATIVE = 1e-9  # floats that differ by less are equal
SEED = 20130101


def exact_sums(columns: "Floats", target: "Floats") -> list[tuple[int, ...]]:
    """Name the pairs and triples of columns that add up to the target in every sampled row.

    Each column is folded into one number by the same random weights, so that a sum of columns
    shows as a sum of numbers: ``O(k**2 log k)`` for k columns instead of ``O(k**3)`` times rows.

    Args:
        columns: (m rows, k columns), missing values as 0.
        target: (m rows,).

    Returns:
        Places of the columns, ascending, each pair or triple once. Columns that are 0 throughout
        are in none.
    """
    import numpy as np

    used = np.flatnonzero(np.any(columns != 0, axis=0))
    if len(target) == 0 or len(used) < 2:
        return []
    weights = np.random.default_rng(SEED).standard_normal(len(target))
    folded = weights @ columns[:, used]
    wanted = weights @ target
    scale = np.abs(weights) @ np.abs(np.column_stack([columns[:, used], target]))
    slack = RELATIVE * scale.max()

    found: set[tuple[int, ...]] = set()
    for pair in combinations(range(len(used)), 2):
        if abs(folded[list(pair)].sum() - wanted) <= slack:
            found.add(pair)
    order = np.argsort(folded)
    ranked = folded[order]
    for i in range(len(used) - 2):
        rest = wanted - folded[i] - folded[i + 1 :]
        first = np.searchsorted(ranked, rest - slack)
        last = np.searchsorted(ranked, rest + slack, side="right")
        for j in np.flatnonzero(first < last):
            for third in order[first[j] : last[j]]:
                if third > i + 1 + j:
                    found.add((i, int(i + 1 + j), int(third)))

    def is_exact(places: tuple[int, ...]) -> bool:
        parts = columns[:, used[list(places)]]
        size = np.maximum(np.abs(target), np.abs(parts).max(axis=1))
        return bool((np.abs(parts.sum(axis=1) - target) <= RELATIVE * size).all())

    return [tuple(int(used[i]) for i in places) for places in sorted(found) if is_exact(places)]


def _number(column: "ir.Column") -> "ir.FloatingColumn":
    """A part of a sum; a missing one adds nothing."""
    import ibis

    return ibis.ifelse(is_missing(column), 0.0, column.cast("float64"))


def confirm(
    table: "ir.Table", suspects: Sequence[tuple[str, ...]], target: str
) -> list[tuple[tuple[str, ...], int, str]]:
    """Keep the sums that hold in every row of ``table`` whose target is known.

    Args:
        table: The dataset; a missing part of a sum counts as 0.
        suspects: Names of the columns of each sum.
        target: Numeric target.

    Returns:
        For each sum that holds: its columns, the number of rows, and one row as an example.
    """
    import ibis

    if not suspects:
        return []
    y = table[target].cast("float64")
    labelled = ~is_missing(table[target])
    measures = {}
    for i, names in enumerate(suspects):
        parts = [_number(table[name]) for name in names]
        total = sum(parts[1:], start=parts[0])
        size = ibis.greatest(y.abs(), *(part.abs() for part in parts))
        measures[f"wrong_{i}"] = (labelled & ((total - y).abs() > RELATIVE * size)).sum()
    counts = table.aggregate(n=labelled.sum(), **measures).to_pyarrow().to_pylist()[0]
    held = [names for i, names in enumerate(suspects) if counts[f"wrong_{i}"] == 0]
    columns = sorted({name for names in held for name in names})
    full = [table[name].notnull() & (table[name] != 0) for name in columns]
    row = table.filter(labelled, *full).select(*columns, target).order_by(target, *columns).limit(1)
    found = row.to_pyarrow().to_pylist() if held else []
    return [
        (
            names,
            int(counts["n"]),
            f"{' + '.join(str(found[0][name]) for name in names)} = {found[0][target]}"
            if found
            else "",
        )
        for names in held
    ]
