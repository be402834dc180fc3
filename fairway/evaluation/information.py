"""Bits: what a forecast tells that was not known before.

Room: ``fairway.evaluation``, beside ``metric``, which gives the same numbers with intervals. Here
are the plain definitions, for tables and worked examples. It needs no rows and loads no engine.
"""

import math
from collections.abc import Sequence

from fairway.errors import RequestError


def entropy(share: float) -> float:
    """Give the bits in a yes-or-no question whose answer is yes with probability ``share``.

    This is H(prior): what a model that knows everything would tell per decision.

    Raises:
        RequestError: If ``share`` is outside [0, 1].
    """
    if not 0 <= share <= 1:
        raise RequestError(f"{share} is no share.", hint="Give a number from 0 to 1.")
    return -sum(part * math.log2(part) for part in (share, 1 - share) if part > 0)


def mutual_information(table: Sequence[Sequence[float]]) -> float:
    """Give the bits that an answer tells about the truth, from counts of both.

    Args:
        table: Counts: rows are what was true, columns what was answered; (r rows, c columns).

    Raises:
        RequestError: If the counts are negative, or there are none.

    Source: Shannon, "A mathematical theory of communication", 1948.
    """
    total = sum(map(sum, table))
    if total <= 0 or any(count < 0 for row in table for count in row):
        raise RequestError(f"{table} holds no counts.", hint="Give counts of at least one row.")
    rows = [sum(row) for row in table]
    columns = [sum(column) for column in zip(*table, strict=True)]
    return sum(
        count / total * math.log2(count * total / (rows[i] * columns[j]))
        for i, row in enumerate(table)
        for j, count in enumerate(row)
        if count > 0
    )


def gaussian_bits(mse_base: float, mse_model: float) -> float:
    """Give ``1/2 log2(MSE_base / MSE_model)``: bits per prediction if errors are Gaussian.

    Negative where the model is worse than the base. An R^2 of 0.75 is exactly one bit.

    Raises:
        RequestError: If an error is not positive: a perfect model tells infinitely many bits.
    """
    if mse_base <= 0 or mse_model <= 0:
        raise RequestError(
            f"Squared errors {mse_base} and {mse_model} leave no ratio.",
            hint="Give two errors above 0.",
        )
    return 0.5 * math.log2(mse_base / mse_model)
