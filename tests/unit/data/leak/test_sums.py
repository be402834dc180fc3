"""What the search for sums promises: every exact pair and triple, and no other."""

from itertools import combinations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairway.data import source
from fairway.data.leak.sums import confirm, exact_sums


@settings(deadline=None)
@given(st.integers(2, 7), st.integers(0, 2**32 - 1), st.booleans())
def test_the_sums_found_are_those_that_brute_force_finds(
    k: int, seed: int, is_planted: bool
) -> None:
    chance = np.random.default_rng(seed)
    columns = chance.integers(-2, 3, (12, k)).astype(float)
    target = columns[:, : min(k, 3)].sum(axis=1) if is_planted else columns[:, 0] + 1

    found = exact_sums(columns, target)

    used = [i for i in range(k) if columns[:, i].any()]
    brute = [
        places
        for size in (2, 3)
        for places in combinations(used, size)
        if np.array_equal(columns[:, list(places)].sum(axis=1), target)
    ]
    assert sorted(found) == sorted(brute)


def test_a_column_of_zeros_is_in_no_sum() -> None:
    y = np.arange(30.0)

    assert exact_sums(np.column_stack([y, 0 * y]), y) == []


def test_many_columns_are_searched_in_little_time_and_rounding_is_no_difference() -> None:
    columns = np.random.default_rng(3).random((200, 300))
    target = columns[:, 7] + columns[:, 90] + columns[:, 250]

    assert exact_sums(columns, target * (1 + 1e-14)) == [(7, 90, 250)]


@pytest.mark.parametrize(("last", "n_found"), [(3.0, 1), (3.001, 0)])
def test_only_sums_that_hold_in_every_labelled_row_are_kept(last: float, n_found: int) -> None:
    engine = source.connect()
    engine.con.register(
        "rows",
        pa.table({"a": [1, 2, None, 5], "b": [2.0, 0.5, 3.0, 1.0], "y": [3.0, 2.5, last, None]}),
    )

    found = confirm(engine.table("rows"), [("a", "b"), ("b", "a", "a")], "y")

    assert found == [(("a", "b"), 3, "2 + 0.5 = 2.5")][:n_found]
