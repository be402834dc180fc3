"""What the strength of one column promises: exact where it can be, honest where it must guess."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairway.data.leak.strength import (
    Groups,
    auc,
    best_auc,
    best_r2,
    chance_error,
    telling_means,
    telling_split,
)


@pytest.fixture
def chance() -> np.random.Generator:
    return np.random.default_rng(7)


def groups(x: Any, y: Any, *, ordered: bool = True) -> Groups:
    """One group a row, dealt to two folds at random."""
    x, y = np.asarray(x, float), np.asarray(y, float)
    fold = np.random.default_rng(1).integers(0, 2, len(x))
    return Groups(value=x, fold=fold, n=np.ones(len(x)), y=y, yy=y**2, ordered=ordered)


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=2, max_size=40))
def test_auc_is_the_share_of_pairs_in_the_right_order(rows: list[tuple[int, bool]]) -> None:
    up = [x for x, y in rows if y]
    down = [x for x, y in rows if not y]
    score, y = np.array([x for x, _ in rows], float), np.array([y for _, y in rows], float)

    found = auc(score, y, 1 - y)

    if not up or not down:
        assert np.isnan(found)
    else:
        pairs = [(a > b) + (a == b) / 2 for a in up for b in down]
        assert found == pytest.approx(sum(pairs) / len(pairs))


def test_chance_error_is_the_spread_of_a_worthless_auc(chance: np.random.Generator) -> None:
    y = np.r_[np.ones(30), np.zeros(50)]
    drawn = [auc(chance.random(80), y, 1 - y) for _ in range(2000)]

    assert np.std(drawn) == pytest.approx(chance_error(30, 50), rel=0.1)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_column_counts_in_either_direction(sign: int, chance: np.random.Generator) -> None:
    y = np.arange(400) % 2

    assert best_auc(groups(sign * (y + 0.1 * chance.random(400)), y)) == 1.0


def test_a_column_that_is_high_at_both_ends_is_found_by_its_bins(
    chance: np.random.Generator,
) -> None:
    x = chance.uniform(-1, 1, 4000)
    y = np.abs(x) > 0.5

    assert best_auc(groups(x, y)) > 0.95


def test_missing_is_a_value_like_any_other(chance: np.random.Generator) -> None:
    y = np.arange(400) % 2
    x = np.where(y == 1, np.nan, chance.random(400))

    assert best_auc(groups(x, y)) == 1.0
    assert best_auc(groups(np.where(y == 1, np.nan, 0), y, ordered=False)) > 0.99


def test_an_identity_does_not_look_perfect(chance: np.random.Generator) -> None:
    y = chance.random(2000) < 0.3

    assert best_auc(groups(np.arange(2000), y, ordered=False)) < 0.56
    assert best_auc(groups(chance.permutation(2000), y)) < 0.56
    assert best_r2(groups(np.arange(2000), y, ordered=False)) < 0.05


def test_a_text_that_means_the_target_is_found(chance: np.random.Generator) -> None:
    y = chance.random(2000) < 0.3
    shade = 2 * chance.integers(0, 10, 2000)

    assert best_auc(groups(shade + y, y, ordered=False)) > 0.99


def test_a_straight_line_and_a_bent_one_explain_the_target(chance: np.random.Generator) -> None:
    x = chance.lognormal(0, 2, 3000)
    bent = chance.uniform(-3, 3, 3000)

    assert best_r2(groups(x, 5 - 2 * x)) == pytest.approx(1.0)
    assert best_r2(groups(bent, bent**2)) > 0.97
    assert best_r2(groups(chance.random(3000), bent)) < 0.02


def test_a_line_with_gaps_and_infinities_is_no_failure(chance: np.random.Generator) -> None:
    x = chance.random(1000)
    y = 3 * x
    x[:50], x[50:55] = np.nan, np.inf

    assert 0.8 < best_r2(groups(x, y)) < 1


def test_a_target_that_does_not_vary_has_nothing_to_explain(chance: np.random.Generator) -> None:
    assert best_r2(groups(chance.random(50), np.ones(50))) == 0.0


def test_people_are_told_the_split_that_tells_most() -> None:
    x = [1, 2, 3, 4, 5, np.nan]
    y = [0, 0, 1, 1, 1, 0]

    said = telling_split(groups(x, y), "delay", "late = true", "{:g}".format)

    assert said == ("late = true in 100.0% of the 3 rows with delay >= 3, in 0.0% of the others.")


def test_people_are_told_of_a_text_and_of_missing_values_by_name() -> None:
    texts = ["'a'", "'b'"]
    text = groups([0, 0, 1, 1], [0, 0, 1, 1], ordered=False)
    missing = groups([np.nan, np.nan, 1, 2], [1, 1, 0, 0])

    assert "with city = 'a'" in telling_split(text, "city", "y = 1", lambda x: texts[int(x)])
    assert "whose x is missing" in telling_split(missing, "x", "y = 1", "{:g}".format)


def test_people_are_told_how_the_mean_moves() -> None:
    said = telling_means(groups([1, 1, 2, 2], [10, 12, 90, 94]), "rides", "total", "{:g}".format)

    assert said == (
        "total is on average 11 over the 2 rows where rides is 1, "
        "and 92 over the 2 rows where rides is 2."
    )
