"""What slicing promises."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairway.evaluation.slice import MAX_SLICES, MISSING, OTHER, Slice, deal, is_judged


def labels(values: object) -> dict[str, list[int]]:
    return {part.label: part.rows.tolist() for part in deal(values)}


@settings(max_examples=60, deadline=None)
@given(values=st.lists(st.sampled_from(["a", "b", "(missing)", "é", None]), max_size=50))
def test_every_row_is_in_exactly_one_slice(values: list[str | None]) -> None:
    found = labels(pa.array(values, pa.string()))

    assert sorted(row for rows in found.values() for row in rows) == list(range(len(values)))
    for label, rows in found.items():
        assert all((values[row] or MISSING) == label for row in rows)


@pytest.mark.parametrize(
    "values",
    [
        ["x", None, "x"],
        np.array(["x", None, "x"], dtype=object),
        pa.array(["x", None, "x"]),
        pa.chunked_array([["x"], [None, "x"]]),
        pa.array(["x", None, "x"]).dictionary_encode(),
    ],
)
def test_any_column_can_slice(values: object) -> None:
    assert labels(values) == {"x": [0, 2], MISSING: [1]}


def test_numbers_and_truths_are_labelled_by_their_text() -> None:
    assert labels([1, 2, 1]) == {"1": [0, 2], "2": [1]}
    assert labels([True, False, True]) == {"false": [1], "true": [0, 2]}
    assert labels(np.array([0.5, np.nan, 0.5])) == {"0.5": [0, 2], MISSING: [1]}


def test_rare_values_of_a_wide_column_share_a_slice_that_is_not_judged() -> None:
    values = [f"v{number}" for number in range(MAX_SLICES + 50)] * 2 + ["v0", OTHER]

    found = {part.label: part for part in deal(values)}

    assert len(found) == MAX_SLICES + 1
    assert sum(len(part.rows) for part in found.values()) == len(values)
    assert found[OTHER].is_single is False
    assert len(found["v0"].rows) == 3


def test_no_rows_make_no_slices() -> None:
    assert deal([]) == []


@pytest.mark.parametrize(
    ("n_rows", "n_positive", "judged"),
    [(200, 20, True), (199, 50, False), (400, 19, False), (400, 381, False), (400, 380, True)],
)
def test_a_slice_is_judged_from_200_rows_and_20_of_each_class(
    n_rows: int, n_positive: int, *, judged: bool
) -> None:
    y = np.zeros(n_rows)
    y[:n_positive] = 1

    part = Slice(label="a", rows=np.arange(n_rows))

    assert is_judged(part, y, "binary") is judged


def test_a_slice_of_numbers_is_judged_from_200_rows() -> None:
    part = Slice(label="a", rows=np.arange(200))

    assert is_judged(part, np.zeros(200), "regression")
    assert not is_judged(part, np.zeros(199), "regression")
    mixed = Slice(label=OTHER, rows=np.arange(200), is_single=False)
    assert not is_judged(mixed, np.zeros(200), "regression")
