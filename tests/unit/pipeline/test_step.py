"""What a step's command becomes, and what is refused."""

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairway.digest import of_bytes
from fairway.errors import ProjectError
from fairway.pipeline.step import Step, check, expand, placeholders

TEXTS = st.text(st.characters(exclude_characters="\0\r", exclude_categories=["Cs"]), max_size=20)


@given(st.lists(st.tuples(st.sampled_from(["{x}", "'{x}'", '"{x}"']), TEXTS), max_size=4))
def test_the_shell_reads_a_value_as_the_one_text_that_it_is(parts: list[tuple[str, str]]) -> None:
    command = "printf '%s\\0'" + "".join(f" {form}" for form, _ in parts)
    for n, (form, _) in enumerate(parts):
        command = command.replace(form, form.replace("{x}", f"{{x{n}}}"), 1)
    values = {f"x{n}": text for n, (_, text) in enumerate(parts)}
    found = subprocess.run(
        ["sh", "-c", expand(command, values)], capture_output=True, check=True
    ).stdout.decode()

    assert found == "".join(f"{text}\0" for _, text in parts) or (not parts and found == "\0")


def test_text_in_double_braces_and_shell_variables_are_left_alone() -> None:
    assert expand("awk '{{print}}' ${HOME} {} {x}", {"x": 1, "HOME": "no"}) == (
        "awk '{print}' ${HOME} {} 1"
    )
    assert placeholders("{a} {in.b} {{c}} ${d} {1} { e }") == {"a", "in.b"}


def test_a_number_is_spelled_so_that_it_reads_back() -> None:
    assert expand("{a} {b} {c}", {"a": 8, "b": 0.1, "c": 1e-7}) == "8 0.1 1e-07"


def test_a_placeholder_that_nothing_gives_is_refused_by_name() -> None:
    step = Step(name="fit", command="run {train} {leafs}", inputs={"train": of_bytes(b"")})
    with pytest.raises(ProjectError, match=r"'fit' uses \{leafs\}, which nothing gives"):
        check(step)


@pytest.mark.parametrize(
    ("limits", "problem"),
    [
        ({"timeout_s": 0}, "timeout = 0"),
        ({"memory_bytes": -1}, "memory = -1"),
        ({"retries": -1}, "retries = -1"),
    ],
)
def test_a_limit_that_makes_no_sense_is_refused(limits: dict[str, int], problem: str) -> None:
    with pytest.raises(ProjectError, match=problem):
        check(Step(name="fit", command="true", **limits))  # type: ignore[arg-type]  # one of three
