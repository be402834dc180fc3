"""The definitions of information, by their known answers."""

import pytest

from fairway.errors import RequestError
from fairway.evaluation.information import entropy, gaussian_bits, mutual_information


def test_one_in_ten_is_0_468996_bits_of_question() -> None:
    assert entropy(0.1) == pytest.approx(0.468996, abs=5e-7)


def test_a_certain_answer_leaves_no_question() -> None:
    assert entropy(0) == entropy(1) == 0
    assert entropy(0.5) == 1


def test_the_known_confusion_tells_0_397313_bits() -> None:
    assert mutual_information([[40, 10], [5, 45]]) == pytest.approx(0.397313, abs=5e-7)


def test_an_answer_that_ignores_the_truth_tells_nothing() -> None:
    assert mutual_information([[30, 10], [15, 5]]) == pytest.approx(0)


def test_a_quarter_of_the_squared_error_left_is_one_bit() -> None:
    assert gaussian_bits(4.0, 1.0) == pytest.approx(1.0)
    assert gaussian_bits(1.0, 4.0) == pytest.approx(-1.0)


def test_what_has_no_answer_is_refused() -> None:
    with pytest.raises(RequestError, match=r"1.5 is no share"):
        entropy(1.5)
    with pytest.raises(RequestError, match="no counts"):
        mutual_information([[0, 0], [0, 0]])
    with pytest.raises(RequestError, match="no ratio"):
        gaussian_bits(1.0, 0.0)
