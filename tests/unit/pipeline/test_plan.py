"""The order of steps."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairway.errors import ProjectError
from fairway.pipeline.plan import order, order_names
from fairway.pipeline.step import Step


def step(name: str, *after: str) -> Step:
    return Step(name=name, command="true", after={f"in.{other}": other for other in after})


@given(st.dictionaries(st.integers(0, 30), st.sets(st.integers(0, 30)), max_size=20))
def test_each_stands_after_all_that_it_waits_for(numbers: dict[int, set[int]]) -> None:
    waits = {
        str(name): [str(other) for other in sorted(others) if other < name and other in numbers]
        for name, others in numbers.items()
    }
    found = order_names(waits)

    assert sorted(found) == sorted(waits)
    for name, others in waits.items():
        assert all(found.index(other) < found.index(name) for other in others)


def test_steps_that_wait_for_nothing_keep_their_order() -> None:
    assert [each.name for each in order([step("b"), step("a"), step("c")])] == ["b", "a", "c"]


def test_a_circle_is_named() -> None:
    steps = [step("x", "b"), step("a", "c"), step("b", "a"), step("c", "b")]
    with pytest.raises(ProjectError, match=r"in a circle: b -> a -> c -> b\."):
        order(steps)
    with pytest.raises(ProjectError, match=r"in a circle: a -> a\."):
        order([step("a", "a")])


def test_an_absent_step_is_named_with_the_nearest() -> None:
    with pytest.raises(ProjectError, match="'fit' waits for 'cleen', which is no step") as error:
        order([step("clean"), step("fit", "cleen")])
    assert error.value.hint == "Did you mean 'clean'?"


def test_a_name_used_twice_is_refused() -> None:
    with pytest.raises(ProjectError, match="Two steps are called 'a'"):
        order([step("a"), step("a")])


def test_a_thousand_steps_in_one_chain_are_ordered() -> None:
    steps = [step(str(n), *([str(n - 1)] if n else [])) for n in reversed(range(3000))]
    assert [each.name for each in order(steps)] == [str(n) for n in range(3000)]
