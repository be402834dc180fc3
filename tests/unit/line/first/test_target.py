"""What is to be predicted: which of two values is 1, and what is refused."""

from typing import Any

import pytest

from fairway.errors import NotFoundError, RequestError
from fairway.line.first import target, view
from fairway.line.first.view import View
from tests.unit.line.first.shop import as_csv, orders

N = 200
WORDS = ["Yes", "yes ", "No", "NO", "unknown"]


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> View:
    """One table with many columns, each of which somebody may want to predict."""
    rows = orders(
        N,
        said=lambda i: "yes" if i % 3 else "no",
        neither=lambda i: "kept" if i % 3 else "sent back",
        not_no=lambda i: "sent back" if i % 3 else "no",
        varied=lambda i: WORDS[i % 5],
        truth=lambda i: i % 3 == 0,
        two=lambda i: 2 - i % 2,
        letters=lambda i: "abc"[i % 3],
        three=lambda i: i % 3,
        five=lambda i: 25 + i * 37 % 5,
        many=lambda i: 25 + i * 37 % 170,
        one=lambda i: "only",
        none=lambda i: "",
        day=lambda i: f"2024-01-0{1 + i % 3}",
        told=lambda i: f"It was too large, said customer {i}",
        few=lambda i: i % 7 if i < 20 else "",
        rare=lambda i: "yes" if i < 3 else "no",
    )
    return view.look(as_csv(tmp_path_factory.mktemp("targets"), rows))


def spelled(seen: View, name: str) -> list[Any]:
    """The values of a target as the dataset spells them, in the order of the rows."""
    sql = target.judge(seen, name).expression
    return [y for (y,) in seen.ask(f"SELECT {sql} FROM {seen.sql_name} ORDER BY order_id")]


def test_yes_is_one(seen: View) -> None:
    assert spelled(seen, "said") == [int(bool(i % 3)) for i in range(N)]


def test_the_rarer_of_two_words_is_one_where_neither_says_yes(seen: View) -> None:
    assert spelled(seen, "neither") == [int(not i % 3) for i in range(N)]


def test_a_word_that_is_not_no_is_one(seen: View) -> None:
    assert spelled(seen, "not_no") == [int(bool(i % 3)) for i in range(N)]


def test_spellings_of_yes_and_words_for_no_value_are_understood(seen: View) -> None:
    assert spelled(seen, "varied")[:5] == [1, 1, 0, 0, None]


def test_a_truth_value_becomes_zero_and_one(seen: View) -> None:
    assert spelled(seen, "truth")[:3] == [1, 0, 0]


def test_the_higher_of_two_numbers_is_one(seen: View) -> None:
    assert spelled(seen, "two")[:2] == [1, 0]


@pytest.mark.parametrize("name", ["five", "many"])
def test_whole_numbers_of_many_values_are_amounts(seen: View, name: str) -> None:
    judged = target.judge(seen, name)

    assert judged.task == "regression"
    assert any("taken as amounts" in note for note in judged.notes) == (name == "five")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("letters", "3 classes: 'a', 'b', 'c'"),
        ("three", "3 classes: 0, 1, 2"),
        ("one", "only the value 'only'"),
        ("none", "no value at all"),
        ("day", "is a time"),
        ("told", "free text"),
        ("order_id", "another number in every row"),
        ("rare", "stands in 3 rows"),
        ("few", "Only 20 rows"),
    ],
)
def test_a_target_that_cannot_be_predicted_is_refused_with_the_reason(
    seen: View, name: str, said: str
) -> None:
    with pytest.raises(RequestError, match=said):
        target.judge(seen, name)


def test_the_nearest_column_is_named(seen: View) -> None:
    with pytest.raises(NotFoundError) as caught:
        target.judge(seen, "retured")
    assert caught.value.hint == "Write 'returned'."
