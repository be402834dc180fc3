"""What the list of metric names promises."""

import pytest

from fairway.errors import ProjectError
from fairway.evaluation.vocabulary import NAMES, Task, check_name, is_custom, names_of


@pytest.mark.parametrize("name", [*NAMES, "late.metrics:cost", "m:f"])
def test_every_metric_and_every_function_is_accepted(name: str) -> None:
    check_name(name)


def test_a_misspelt_metric_is_answered_by_the_nearest() -> None:
    with pytest.raises(ProjectError, match=r"no metric 'acu'. Write 'auc'"):
        check_name("acu")


def test_a_metric_far_from_all_lists_them() -> None:
    with pytest.raises(ProjectError, match=r"Name one of auc, .*module:function"):
        check_name("zzz")


@pytest.mark.parametrize(("name", "task"), [("auc", "regression"), ("mae", "binary")])
def test_a_metric_of_the_other_task_says_so(name: str, task: Task) -> None:
    with pytest.raises(ProjectError, match=f"{name} is for .* but this task is {task}"):
        check_name(name, task)


def test_every_metric_belongs_to_one_task() -> None:
    assert names_of("binary") + names_of("regression") == NAMES


def test_a_function_is_told_by_its_colon() -> None:
    assert is_custom("late.metrics:cost")
    assert not is_custom("late.metrics")
    assert not is_custom("a:b:c")
