"""What ``new`` writes into a folder, and where it writes nothing."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fairway.errors import NotFoundError, RequestError
from fairway.line.new import new
from fairway.project import read
from tests.unit.line.first.shop import as_csv, built, orders


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Orders as CSV."""
    return as_csv(tmp_path_factory.mktemp("table"), orders())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh repository."""
    folder = tmp_path_factory.mktemp("new") / "My Shop (2)"
    (folder / ".git").mkdir(parents=True)
    return folder


@pytest.fixture(scope="module")
def answer(folder: Path, table: Path) -> dict[str, Any]:
    """What is told of the project that is made there."""
    return new(folder, table, "returned", None)


def test_a_first_project_has_what_it_needs_and_says_what_it_took(
    answer: dict[str, Any], folder: Path, table: Path
) -> None:
    assert answer["files"] == sorted(
        str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()
    )
    assert any("'yes' is 1, 'no' is 0" in note for note in answer["notes"])
    assert any("order_id is the key" in note for note in answer["notes"])
    assert (folder / "data/orders.csv").read_bytes() == table.read_bytes()


@pytest.mark.usefixtures("answer")
def test_the_name_is_that_of_the_folder_in_plain_letters(
    folder: Path, table: Path, tmp_path: Path
) -> None:
    assert read(folder).name == "my-shop-2"
    with pytest.raises(RequestError) as caught:
        new(tmp_path / "other", table, "returned", "My Shop")
    assert caught.value.hint == "Write my-shop."


def test_nothing_is_overwritten(table: Path, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full/notes.txt").write_text("mine")

    with pytest.raises(RequestError, match="has files in it"):
        new(tmp_path / "full", table, "returned", None)
    with pytest.raises(RequestError, match="is a file"):
        new(table, table, "returned", None)


def test_a_table_that_is_not_there_names_the_nearest(table: Path, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError) as caught:
        new(tmp_path / "shop", table.parent / "order.csv", "returned", None)
    assert caught.value.hint == "Write 'orders.csv'."


def test_nothing_is_written_where_the_target_is_refused(table: Path, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="another number in every row"):
        new(tmp_path / "shop", table, "order_id", None)
    assert not (tmp_path / "shop").exists()


@pytest.mark.parametrize("name", ["events.parquet", "events.jsonl"])
def test_parquet_and_json_lines_are_tables_too(name: str, tmp_path: Path) -> None:
    rows = orders()
    if name.endswith(".parquet"):
        pq.write_table(pa.Table.from_pylist(rows), tmp_path / name)
    else:
        (tmp_path / name).write_text("".join(json.dumps(row) + "\n" for row in rows))

    new(tmp_path / "shop", tmp_path / name, "returned", None)
    project = read(tmp_path / "shop")

    assert len(built(project)) == 200
    assert project.dataset.time == "ordered_at"
