"""What a metric of the project's own promises."""

import sys
from pathlib import Path

import numpy as np
import pytest

from fairway.errors import ProjectError, StepError
from fairway.evaluation import custom


def project(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.py").write_text(text)
    return folder


def test_a_function_is_found_in_the_projects_folder(tmp_path: Path) -> None:
    root = project(tmp_path, "fw_costs", "def miss(y, score):\n    return abs(y - score).max()\n")

    function = custom.load("fw_costs:miss", root)

    found = custom.estimate(function, [0.0, 1.0, 1.0], [0.5, 0.5, 0.25])
    assert found.value == 0.75
    assert (found.low or 0) <= 0.75 <= (found.high or 0)
    assert str(root) not in sys.path


def test_two_projects_with_a_module_of_one_name_get_their_own(tmp_path: Path) -> None:
    first = project(tmp_path / "a", "fw_same", "def f(y, score):\n    return 1\n")
    second = project(tmp_path / "b", "fw_same", "def f(y, score):\n    return 2\n")

    one, two = custom.load("fw_same:f", first), custom.load("fw_same:f", second)

    rows = np.array([0.0, 1.0])
    assert (custom.call(one, rows, rows), custom.call(two, rows, rows)) == (1, 2)


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("fw_costs2", "names no function"),
        ("fw_absent:f", "cannot be imported"),
        ("fw_costs2:absent", "has no function absent"),
        ("fw_broken:f", "cannot be imported"),
    ],
)
def test_a_function_that_is_not_there_is_named(tmp_path: Path, name: str, problem: str) -> None:
    project(tmp_path, "fw_costs2", "def f(y, score):\n    return 0\n")
    project(tmp_path, "fw_broken", "def f(:\n")

    with pytest.raises(ProjectError, match=problem):
        custom.load(name, tmp_path)


def test_a_function_that_fails_on_all_rows_is_refused_with_its_words() -> None:
    def wrong(y: np.ndarray, score: np.ndarray) -> float:
        raise ValueError("no such thing")

    with pytest.raises(StepError, match=r"wrong failed on 2 rows: ValueError: no such thing"):
        custom.estimate(wrong, [0, 1], [0.5, 0.5])


def test_a_function_that_fails_on_a_slice_leaves_it_unknown() -> None:
    def picky(y: np.ndarray, score: np.ndarray) -> float:
        if y.min() == y.max():
            raise ValueError("one class")
        return float(score[y == 1].mean() - score[y == 0].mean())

    assert custom.estimate(picky, [1, 1], [0.5, 0.5], is_slice=True).value is None
    whole = custom.estimate(picky, [0, 1, 0, 1] * 5, [0.2, 0.6] * 10)
    assert whole.value == pytest.approx(0.4)
    assert whole.low is not None


def test_nan_is_unknown_and_text_is_refused() -> None:
    assert custom.estimate(lambda y, score: float("nan"), [0, 1], [0, 1]).value is None
    with pytest.raises(StepError, match="one number"):
        custom.estimate(lambda y, score: "much", [0, 1], [0, 1])  # type: ignore[arg-type,return-value]  # that is the point


def test_no_rows_are_not_shown_to_the_function() -> None:
    def never(y: np.ndarray, score: np.ndarray) -> float:
        raise AssertionError

    assert custom.estimate(never, [], []).value is None
