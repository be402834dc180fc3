"""What the project file of a first project says."""

import re
from collections.abc import Callable

from fairway.project import Project, read
from tests.unit.line.first.shop import orders


def test_a_number_of_many_values_is_a_regression(made: Callable[..., Project]) -> None:
    project = made(orders(), "price")

    assert 'objective": "regression' in (project.root / "train.py").read_text()
    assert [rule.text for rule in project.gate["production"]] == ["bits > 0.01", "leakage == none"]


def test_suggested_repairs_stand_in_the_file_with_their_reasons(
    made: Callable[..., Project],
) -> None:
    project = made(orders(price=lambda i: 999 if i % 9 == 0 else i % 50))
    text = project.file.read_text()

    assert project.repairs["price"].sentinel == (999,)
    assert "# 999 in 23 rows" in text
    assert max(len(line) for line in text.splitlines()) <= 110


def test_a_commented_example_works_without_its_sign(made: Callable[..., Project]) -> None:
    project = made(orders(1200))
    text = project.file.read_text()
    written = re.sub(r"^# (?=\[|[a-z]+ = )", "", text, flags=re.MULTILINE)
    project.file.write_text(written)

    told = read(project.root)

    assert told.payoff is not None
    assert (told.evaluate.slices, told.owner) == (("shop",), "you@example.org")
    assert '# gap = "1d"' in text
