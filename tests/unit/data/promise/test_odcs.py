"""What reading a contract file by the standard promises: first things first, each with its line."""

from pathlib import Path

import pytest

from fairway.data.contract import load
from fairway.errors import ProjectError

HEAD = """apiVersion: v3.1.0
kind: DataContract
id: orders
version: 1.0.0
status: active
schema:
- name: orders
"""


def fault(tmp_path: Path, body: str, *, head: str = HEAD) -> ProjectError:
    path = tmp_path / "orders.odcs.yaml"
    path.write_text(head + body, encoding="utf-8")
    with pytest.raises(ProjectError) as caught:
        load(path)
    assert caught.value.file == path
    return caught.value


def test_a_misspelt_kind_is_told_first_and_with_its_line(tmp_path: Path) -> None:
    head = HEAD.replace("DataContract", "DataContrakt").replace("v3.1.0", "v9")

    error = fault(tmp_path, "  nonsense: 1\n", head=head)

    assert (error.problem, error.line) == ("kind is 'DataContrakt'.", 2)


def test_an_unknown_version_is_told_before_the_rest(tmp_path: Path) -> None:
    error = fault(tmp_path, "  nonsense: 1\n", head=HEAD.replace("v3.1.0", "v2.2.2"))

    assert (error.problem, error.line) == ("apiVersion is 'v2.2.2'.", 1)
    assert "v3.0.0" in error.hint


def test_an_unknown_field_is_told_with_its_line_and_the_nearest_match(tmp_path: Path) -> None:
    error = fault(tmp_path, "  properties:\n  - name: x\n    logicaltype: string\n")

    assert error.line == 10
    assert "'logicaltype' is no field" in error.problem
    assert "'logicalType'" in error.hint


def test_all_faults_of_a_file_are_told_at_once(tmp_path: Path) -> None:
    error = fault(
        tmp_path,
        "  properties:\n  - {name: x, logicalType: text}\n  - {name: y, required: maybe}\n",
    )

    assert [error.line, *[one.line for one in error.more]] == [9, 10]


def test_a_field_given_twice_is_a_fault(tmp_path: Path) -> None:
    error = fault(tmp_path, "  properties:\n  - name: x\n    required: true\n    required: false\n")

    assert (error.problem, error.line) == ("'required' stands twice.", 11)


@pytest.mark.parametrize(
    ("text", "line"), [("kind: [", 2), ("- kind: DataContract", 1), ("", 1), ("a: b: c\n", 1)]
)
def test_what_is_no_contract_at_all_is_a_fault(tmp_path: Path, text: str, line: int) -> None:
    error = fault(tmp_path, "", head=text)

    assert error.line is not None
    assert error.line <= line


def test_a_missing_file_is_a_fault_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="cannot be read") as caught:
        load(tmp_path / "none.odcs.yaml")

    assert caught.value.file == tmp_path / "none.odcs.yaml"
