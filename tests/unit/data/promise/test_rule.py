"""What the rules themselves promise."""

from typing import Any

import pytest

from fairway.data.promise.rule import Limit, check_pattern


@pytest.mark.parametrize(
    ("operator", "bound", "kept", "broken"),
    [
        ("mustBe", 5, 5, 4),
        ("mustNotBe", 5, 4, 5),
        ("mustBeGreaterThan", 5, 6, 5),
        ("mustBeGreaterOrEqualTo", 5, 5, 4),
        ("mustBeLessThan", 5, 4, 5),
        ("mustBeLessOrEqualTo", 5, 5, 6),
        ("mustBeBetween", (5, 7), 7, 8),
        ("mustNotBeBetween", (5, 7), 8, 7),
    ],
)
def test_every_comparison_of_the_standard_is_known(
    operator: str, bound: Any, kept: int, broken: int
) -> None:
    limit = Limit(metric="rowCount", operator=operator, bound=bound)

    assert limit.holds(kept, of=100)
    assert not limit.holds(broken, of=100)


@pytest.mark.parametrize("pattern", ["a(?!b)", "(?<=a)b", r"(a)\1", "(", "[z-a]"])
def test_a_pattern_that_re2_cannot_match_is_refused(pattern: str) -> None:
    assert check_pattern(pattern) is not None


@pytest.mark.parametrize("pattern", ["", r"\d{4}", "(?:ab)+", r"\\1", "(?P<x>a)", "(?i:a)"])
def test_a_pattern_that_re2_can_match_is_taken(pattern: str) -> None:
    assert check_pattern(pattern) is None
