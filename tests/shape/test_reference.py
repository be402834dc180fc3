"""The reference pages say what the code says: every key, verb and metric, and nothing else."""

import importlib
import sys
from pathlib import Path
from types import ModuleType

import pytest

from fairway.cli import main
from fairway.project import schema

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def reference() -> ModuleType:
    """The script that writes the pages."""
    sys.path.insert(0, str(ROOT / "scripts"))
    try:
        return importlib.import_module("reference")
    finally:
        sys.path.remove(str(ROOT / "scripts"))


def test_the_pages_are_what_the_code_says(reference: ModuleType) -> None:
    stale = [
        file.name
        for file, text in reference.pages().items()
        if not file.is_file() or file.read_text(encoding="utf-8") != text
    ]

    assert stale == [], "Run: python scripts/reference.py"


def test_every_key_of_the_project_file_has_a_meaning_and_every_meaning_a_key(
    reference: ModuleType,
) -> None:
    known = [(table, name) for table, name, *_ in reference.keys(schema())]
    named = {f"{table}.{name}".rstrip(".") for table, name in known if table != "repair"}

    assert named == set(reference.said.MEANINGS)
    assert set(reference.repair_keys()) == set(reference.said.REPAIRS)
    assert {table for table, _ in known} == {*reference.said.TABLES, "format"}


def test_every_verb_has_an_example_that_can_be_read_and_exit_codes_that_exist(
    reference: ModuleType,
) -> None:
    codes = {0, *main.EXIT_CODES.values()}

    assert set(reference.said.EXITS) == set(main.VERBS)
    for name in main.VERBS:
        assert reference.example(name).startswith(f"fairway {name}")
        assert set(reference.said.EXITS[name]) <= codes
        assert f"### fairway {name}\n" in reference.commands()


def test_every_option_of_a_verb_is_on_the_page(reference: ModuleType) -> None:
    page = reference.commands()
    options = {
        option
        for name in main.VERBS
        for one in reference.command(name).params
        if not getattr(one, "hidden", False)
        for option in one.opts
        if option.startswith("--")
    }

    assert {option for option in options if f"`{option}" not in page} == set()
