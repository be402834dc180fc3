"""What a search may try, as the project file says it."""

import pytest

from fairway.errors import ProjectError
from fairway.pipeline.space import Choice, Range, parse, spell


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("int 8..256 log", Range(low=8, high=256, is_log=True, is_whole=True)),
        ("0.01..0.3 log", Range(low=0.01, high=0.3, is_log=True)),
        ("0.1..0.9", Range(low=0.1, high=0.9)),
        ("-1..1", Range(low=-1, high=1)),
        ("1e-3..1e3 log", Range(low=0.001, high=1000, is_log=True)),
        ("int -3 .. 3", Range(low=-3, high=3, is_whole=True)),
        (["gini", "entropy"], Choice(values=("gini", "entropy"))),
        ([1, 0.5], Choice(values=(1, 0.5))),
    ],
)
def test_a_range_or_choice_is_read(text: object, expected: Range | Choice) -> None:
    assert parse({"x": text}, candidate="c") == {"x": expected}


@pytest.mark.parametrize(
    ("search", "problem"),
    [
        ({}, "search of candidate 'c' has no values"),
        ({"x": ""}, "c.search.x = '' is neither"),
        ({"x": []}, "holds no values"),
        ({"x": ["a"]}, "holds no values"),
        ({"x": ["a", "a"]}, "offers 'a' twice"),
        ({"x": [True, "a"]}, "offers True"),
        ({"x": "9..1"}, "holds no values"),
        ({"x": "1..1"}, "holds no values"),
        ({"x": "0..1 log"}, "reaches zero"),
        ({"x": "int 0.5..3"}, "no whole number"),
        ({"x": "1..1e999"}, "too large"),
        ({"x": "8-256"}, "neither a range"),
        ({"x": 3}, "neither a range"),
    ],
)
def test_a_search_without_sense_is_refused(search: dict[str, object], problem: str) -> None:
    with pytest.raises(ProjectError, match=problem):
        parse(search, candidate="c")


def test_two_spaces_are_spelled_alike_only_when_they_are_the_same() -> None:
    texts = ["1..2", "1..2 log", "int 1..2", "int 1..3", [1, 2], ["1", "2"]]
    spelled = [repr(spell(parse({"x": text}, candidate="c"))) for text in texts]
    assert len({*spelled}) == len(texts)
