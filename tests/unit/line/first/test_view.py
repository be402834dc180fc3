"""What looking at a table promises."""

import csv
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairway.errors import StoreError
from fairway.line.first import comma, view


@given(st.lists(st.integers(), max_size=50))
def test_batches_are_the_names_in_their_order(numbers: list[int]) -> None:
    names = [str(number) for number in numbers]
    batches = list(view.batches(names))

    assert [name for batch in batches for name in batch] == names
    assert all(1 <= len(batch) <= view.AT_ONCE for batch in batches)


def test_each_of_many_columns_is_counted_and_its_commas_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(view, "AT_ONCE", 3)
    n = 8
    with (tmp_path / "wide.csv").open("w", newline="") as file:
        out = csv.writer(file, delimiter=";")
        out.writerow([f"c{i}" for i in range(n)])
        out.writerows([[f"{j % (i + 1)},5" for i in range(n)] for j in range(40)])
    seen = view.look(tmp_path / "wide.csv")

    assert [column.n_distinct for column in seen.columns.values()] == list(range(1, n + 1))
    assert list(comma.find(seen)) == list(seen.columns)


def test_two_hundred_columns_are_counted_within_the_memory_of_the_engine(tmp_path: Path) -> None:
    columns = {f"x{i}": [(i + 1) * j % 307 / 7 for j in range(300)] for i in range(200)}
    pq.write_table(pa.table(columns), tmp_path / "wide.parquet")

    seen = view.look(tmp_path / "wide.parquet")

    assert {column.n_distinct for column in seen.columns.values()} == {300}


def test_too_little_memory_is_told_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("x,y\n1,2\n")
    seen = view.look(tmp_path / "rows.csv")
    seen.engine.con.execute("SET memory_limit = '1MB'").fetchall()

    with pytest.raises(StoreError, match="more memory") as caught, view.bounded():
        seen.ask("SELECT count(DISTINCT (i, x)) FROM range(1000000) r(i), rows")
    assert "fewer columns" in caught.value.hint
