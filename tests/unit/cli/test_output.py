"""What printing promises: one object for scripts, 80 columns for people."""

import json
import os
import pty
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairway.cli import output
from fairway.errors import ProjectError

CELL = st.none() | st.integers() | st.text("ab é\n", max_size=120)


@given(
    st.integers(1, 9).flatmap(
        lambda n: st.lists(st.lists(CELL, min_size=n, max_size=n), min_size=1, max_size=4)
    )
)
def test_a_table_fits_80_columns(rows: list[list[object]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        lines: list[str] = []
        patch.setattr(output, "say", lines.extend)
        patch.setattr(output, "say", lambda *told: lines.extend(told))
        output.table([f"head {i}" for i in range(len(rows[0]))], rows, numbers=["head 0"])

    assert len(lines) == len(rows) + 1
    assert max(len(line) for line in lines) <= 80


def test_a_table_lines_up_and_numbers_stand_on_the_right(
    capsys: pytest.CaptureFixture[str],
) -> None:
    output.table(["name", "rows"], [["ann", 5], ["bob", 12345]], numbers=["rows"])

    assert capsys.readouterr().out == "name   rows\nann       5\nbob   12345\n"


def test_on_a_terminal_a_table_has_the_same_cells_in_80_columns(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as terminal:
        monkeypatch.setattr(sys, "stdout", terminal)
        monkeypatch.setenv("TERM", "dumb")
        output.table(["name", "why [x]"], [["ann", "[bold] " + "w" * 200]])
        terminal.flush()
        lines = os.read(ours, 10_000).decode().splitlines()
    os.close(ours)

    assert lines[0].split() == ["name", "why", "[x]"]
    assert lines[1].startswith("ann   [bold] www")
    assert all(len(line) <= 82 for line in lines)
    assert len(lines) == 2


def test_an_answer_is_one_object_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    output.emit({"at": datetime(2026, 1, 31, tzinfo=UTC), "path": Path("a/b"), "n": 1})

    text = capsys.readouterr().out
    assert text.count("\n") == 1
    assert json.loads(text) == {"at": "2026-01-31T00:00:00Z", "path": "a/b", "n": 1}


def test_what_json_cannot_say_is_never_printed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="JSON"):
        output.emit({"auc": float("nan")})
    with pytest.raises(TypeError, match="set has no JSON form"):
        output.emit({"names": {1}})
    assert capsys.readouterr().out == ""


def test_a_fault_names_its_file_from_where_the_reader_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = ProjectError("It is wrong.", hint="Mend it.", file=tmp_path / "a" / "x.toml", line=3)

    monkeypatch.chdir(tmp_path)
    assert output.fault_line(error) == "a/x.toml:3: It is wrong. Mend it."
    (tmp_path / "b").mkdir()
    monkeypatch.chdir(tmp_path / "b")
    assert output.fault_line(error) == f"{tmp_path}/a/x.toml:3: It is wrong. Mend it."


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        (True, "yes"),
        (336776, "336,776"),
        (0.68512, "0.6851"),
        (23912.4, "23,912"),
        ("passed", "passed"),
    ],
)
def test_a_number_is_written_for_people(value: object, text: str) -> None:
    assert output.number(value) == text


def test_sizes_and_digests_are_short() -> None:
    assert output.size(999) == "999 B"
    assert output.size(5_400_000) == "5.4 MB"
    assert output.short("sha256:" + "0123456789abcdef" * 4) == "0123456789ab"
    assert output.short("production") == "production"
