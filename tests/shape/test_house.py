"""Every module keeps every rule of the house, and every rule can fail."""

import ast
import statistics
from collections.abc import Sequence
from functools import cache

import pytest

from tests.shape import house
from tests.shape.house import ROOT, Rule

MODULES = {str(path.relative_to(ROOT)): path for path in sorted((ROOT / "fairway").rglob("*.py"))}


@cache
def parsed(source: str) -> ast.Module:
    return ast.parse(source)


def faults(rule: Rule, name: str, source: str) -> Sequence[str]:
    return rule(name, parsed(source), source)


def name_of(rule: Rule) -> str:
    return rule.__name__


@pytest.mark.parametrize("rule", house.RULES, ids=name_of)
def test_every_module(rule: Rule) -> None:
    found = {name: faults(rule, name, path.read_text()) for name, path in MODULES.items()}

    assert {name: told for name, told in found.items() if told} == {}


def test_the_median_module_is_near_150_lines() -> None:
    sizes = [
        len(path.read_text().splitlines())
        for path in MODULES.values()
        if path.name != "__init__.py"
    ]

    assert statistics.median(sizes) <= 180


PLANTED: Sequence[tuple[Rule, str, str]] = [
    (house.says_its_room_in_at_most_400_lines, "data/x.py", "x = 1"),
    (house.says_its_room_in_at_most_400_lines, "data/x.py", '"""Reads rows."""'),
    (house.says_its_room_in_at_most_400_lines, "data/__init__.py", '"""R."""\ndef f(): ...'),
    (house.says_its_room_in_at_most_400_lines, "data/x.py", '"""R.\n\nRoom: y.\n"""' + "\n#" * 400),
    (house.has_names_that_say_something, "data/x.py", "class RowInfo: ..."),
    (house.has_names_that_say_something, "data/x.py", "def _join_helper(): ..."),
    (house.has_names_that_say_something, "data/utils.py", ""),
    (house.leaves_the_date_to_cli_and_store, "line/x.py", "datetime.now(UTC)"),
    (house.leaves_the_date_to_cli_and_store, "line/x.py", "dt.datetime.now(UTC)"),
    (house.leaves_the_date_to_cli_and_store, "line/x.py", "from time import time"),
    (house.leaves_the_date_to_cli_and_store, "data/x.py", "ask('SELECT now()')"),
    (house.leaves_renaming_to_the_store, "line/x.py", "os.replace(a, b)"),
    (house.leaves_renaming_to_the_store, "line/x.py", "from_here.rename(there)"),
    (house.leaves_renaming_to_the_store, "line/x.py", "from_here.replace(there)"),
    (house.adds_nothing_to_the_line, "cli/x.py", "from fairway.data.source import read"),
    (house.adds_nothing_to_the_line, "cli/x.py", "def f():\n  import fairway.delivery.gate"),
    (house.keeps_a_library_in_its_room, "line/x.py", "from sqlalchemy import text"),
    (house.keeps_a_library_in_its_room, "store/x.py", "def f():\n  import ibis.expr.types as ir"),
    (
        house.knows_at_most_one_other_room,
        "evaluation/x.py",
        "from fairway.model.form import a\nfrom fairway.data.split import b",
    ),
    (house.catches_what_it_can_name, "data/x.py", "try: f()\nexcept Exception: g()"),
    (house.catches_what_it_can_name, "data/x.py", "try: f()\nexcept (OSError, Exception): g()"),
    (house.catches_what_it_can_name, "data/x.py", "try: f()\nexcept: g()"),
    (house.is_given_the_environment, "data/x.py", "os.environ['HOME']"),
    (house.is_given_the_environment, "line/x.py", "os.getenv('HOME')"),
    (house.gives_a_reason_for_each_exception, "data/x.py", "x = f()  # noqa"),
    (house.gives_a_reason_for_each_exception, "data/x.py", "x = f()  # noqa: ANN401"),
    (house.gives_a_reason_for_each_exception, "data/x.py", "x = f()  # type: ignore[misc]"),
    (
        house.gives_a_reason_for_each_exception,
        "data/x.py",
        "x = f()  # noqa: ANN401  any value\ny = f()  # noqa: ANN001",
    ),
]


@pytest.mark.parametrize(("rule", "name", "source"), PLANTED)
def test_a_planted_fault_is_found(rule: Rule, name: str, source: str) -> None:
    assert faults(rule, f"fairway/{name}", source)


KEPT: Sequence[tuple[Rule, str, str]] = [
    (house.says_its_room_in_at_most_400_lines, "data/__init__.py", '"""Reads."""\n__version__ = 1'),
    (house.says_its_room_in_at_most_400_lines, "data/x.py", '"""Reads.\n\nRoom: data.\n"""'),
    (house.has_names_that_say_something, "data/x.py", "def database(): ..."),
    (house.leaves_the_date_to_cli_and_store, "line/x.py", "time.monotonic()"),
    (house.leaves_the_date_to_cli_and_store, "cli/x.py", "datetime.now(UTC)"),
    (house.leaves_renaming_to_the_store, "line/x.py", "'a'.replace('a', 'b')"),
    (house.leaves_renaming_to_the_store, "line/x.py", "instant.replace(tzinfo=UTC)"),
    (house.leaves_renaming_to_the_store, "store/x.py", "os.replace(a, b)"),
    (house.adds_nothing_to_the_line, "cli/x.py", "from fairway.line.run import run"),
    (house.keeps_a_library_in_its_room, "data/x.py", "import duckdb\nimport numpy"),
    (
        house.knows_at_most_one_other_room,
        "evaluation/x.py",
        "from fairway.model.form import a\nif TYPE_CHECKING: from fairway.data.split import b",
    ),
    (house.catches_what_it_can_name, "data/x.py", "try: f()\nexcept OSError: g()"),
    (
        house.catches_what_it_can_name,
        "data/x.py",
        "try: f()\nexcept BaseException:\n  g()\n  raise",
    ),
    (house.catches_what_it_can_name, "cli/main.py", "try: f()\nexcept Exception: g()"),
    (house.is_given_the_environment, "cli/x.py", "read(os.environ)"),
    (
        house.gives_a_reason_for_each_exception,
        "data/x.py",
        "x = f()  # noqa: ANN401  any\ny = g()  # type: ignore[misc]  # noqa: ANN401  untyped",
    ),
]


@pytest.mark.parametrize(("rule", "name", "source"), KEPT)
def test_what_keeps_the_rule_passes(rule: Rule, name: str, source: str) -> None:
    assert not faults(rule, f"fairway/{name}", source)


def test_every_rule_is_shown_to_fail_and_to_pass() -> None:
    rules = {*house.RULES}

    assert {rule for rule, _, _ in PLANTED} == rules
    assert {rule for rule, _, _ in KEPT} == rules
