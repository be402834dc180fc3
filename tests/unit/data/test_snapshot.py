"""What a snapshot promises: the same rows are the same bytes."""

import math
import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fairway.data import difference, snapshot
from fairway.data.reading import engine
from fairway.errors import ContractError, StoreError

ENGINES = [engine.start(threads=n) for n in (1, 2)]


def written(table: pa.Table, folder: Path, key: list[str], threads: int = 2) -> bytes:
    """The bytes of a snapshot of these rows in this order."""
    pq.write_table(table, folder / "rows.parquet", row_group_size=50_000)
    source = ENGINES[threads - 1].read_parquet(str(folder / "rows.parquet"))
    snapshot.write(source, folder / "snapshot.parquet", key=key)
    return (folder / "snapshot.parquet").read_bytes()


def test_the_same_300_000_rows_are_the_same_bytes_in_any_order_and_with_any_threads(
    tmp_path: Path,
) -> None:
    n = 300_000
    ids = list(range(n))
    rows = pa.table(
        {
            "value": [math.sin(i) if i % 7 else None for i in ids],
            "name": [f"n{i % 1000}" for i in ids],
            "id": ids,
            "at": pa.array([i * 1_000_000 for i in ids], pa.timestamp("us", "UTC")),
        }
    )
    random.Random(7).shuffle(ids)

    first = written(rows, tmp_path, ["id"], threads=1)
    shuffled = rows.take(ids)

    assert written(rows, tmp_path, ["id"], threads=2) == first
    assert written(shuffled, tmp_path, ["id"], threads=1) == first
    assert written(shuffled, tmp_path, ["id"], threads=2) == first


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    rows=st.lists(
        st.tuples(
            st.sampled_from(["a", "b", None]),
            st.sampled_from([0.0, -0.0, 1.5, math.nan, None]),
            st.lists(st.integers(0, 1), max_size=1),
        ),
        max_size=12,
    ),
    data=st.data(),
)
def test_rows_that_repeat_their_key_are_still_the_same_bytes(
    tmp_path: Path, rows: list[Any], data: st.DataObject
) -> None:
    def table(rows: list[Any]) -> pa.Table:
        names = {"k": pa.string(), "x": pa.float64(), "l": pa.list_(pa.int64())}
        columns = zip(*rows, strict=True) if rows else ((), (), ())
        return pa.table(
            {n: pa.array(v, t) for (n, t), v in zip(names.items(), columns, strict=True)}
        )

    other = data.draw(st.permutations(rows))

    assert written(table(rows), tmp_path, ["k"]) == written(table(list(other)), tmp_path, ["k"])


def test_minus_zero_does_not_let_chance_in(tmp_path: Path) -> None:
    signs = [0.0, -0.0] * 50

    assert written(pa.table({"x": signs}), tmp_path, []) == written(
        pa.table({"x": sorted(signs, key=lambda x: math.copysign(1, x))}), tmp_path, []
    )


def test_another_value_is_other_bytes(tmp_path: Path) -> None:
    assert written(pa.table({"a": [1, 2]}), tmp_path, ["a"]) != written(
        pa.table({"a": [1, 3]}), tmp_path, ["a"]
    )


def test_a_snapshot_holds_the_rows_sorted_by_key_and_tells_their_types(tmp_path: Path) -> None:
    pq.write_table(pa.table({"x": [0.5, None], "k": ["b", "a"]}), tmp_path / "rows.parquet")
    table = ENGINES[1].read_parquet(str(tmp_path / "rows.parquet"))

    info = snapshot.write(table, tmp_path / "s.parquet", key=["k"])

    assert info.n_rows == 2
    assert info.columns == {"x": "float64", "k": "string"}
    assert pq.read_table(tmp_path / "s.parquet").to_pylist() == [
        {"x": None, "k": "a"},
        {"x": 0.5, "k": "b"},
    ]


def test_a_sum_keeps_the_type_that_ibis_promises(tmp_path: Path) -> None:
    pq.write_table(pa.table({"k": ["a", "a"], "n": [1, 2]}), tmp_path / "rows.parquet")
    table = ENGINES[1].read_parquet(str(tmp_path / "rows.parquet"))

    summed = table.group_by("k").aggregate(n=table.n.sum())
    snapshot.write(summed, tmp_path / "s.parquet", key=["k"])

    assert pq.read_schema(tmp_path / "s.parquet").field("n").type == pa.int64()


def test_row_groups_have_a_fixed_size_that_shrinks_with_the_columns(tmp_path: Path) -> None:
    wide = ENGINES[1].sql(
        f"SELECT {', '.join(f'i AS c{j}' for j in range(400))} FROM range(20000) t(i)"
    )
    long = ENGINES[1].sql("SELECT i FROM range(200000) t(i)")

    snapshot.write(wide, tmp_path / "wide.parquet", key=["c0"])
    snapshot.write(long, tmp_path / "long.parquet", key=["i"])

    def groups(name: str) -> list[int]:
        meta = pq.ParquetFile(tmp_path / name).metadata
        return [meta.row_group(i).num_rows for i in range(meta.num_row_groups)]

    assert groups("wide.parquet") == [10_485, 9_515]
    assert groups("long.parquet") == [131_072, 68_928]


def test_a_value_that_cannot_be_computed_is_named(tmp_path: Path) -> None:
    table = ENGINES[1].sql("SELECT CAST(s AS INTEGER) AS n FROM (VALUES ('1'), ('x1')) t(s)")

    with pytest.raises(ContractError, match="'x1'"):
        snapshot.write(table, tmp_path / "s.parquet", key=["n"])


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"gone/s\.parquet cannot be written"):
        snapshot.write(ENGINES[1].sql("SELECT 1 AS n"), tmp_path / "gone/s.parquet", key=["n"])


def test_a_key_that_is_no_column_is_named(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match=r"no column 'idd'.*Write 'id'"):
        snapshot.write(ENGINES[1].sql("SELECT 1 AS id"), tmp_path / "s.parquet", key=["idd"])


def compared(tmp_path: Path, old: dict[str, Any], new: dict[str, Any], *key: str) -> Any:
    for name, rows in (("old", old), ("new", new)):
        pq.write_table(pa.table(rows), tmp_path / name)
    return difference.diff(ENGINES[1], tmp_path / "old", tmp_path / "new", key)


def test_a_difference_counts_rows_by_key_and_changes_by_column(tmp_path: Path) -> None:
    found = compared(
        tmp_path,
        {
            "id": [1, 2, 3, None],
            "x": [0.5, None, 2.0, None],
            "old": [0, 0, 0, 0],
            "n": [1, 2, 3, 4],
        },
        {
            "id": [2, 3, 4, None],
            "x": [0.25, 2.5, 9.0, None],
            "n": [2.0, 3.0, 4.0, 4.5],
            "new": list("abcd"),
        },
        "id",
    )

    assert found.by_key
    assert (found.added, found.removed) == (("new",), ("old",))
    assert found.retyped == {"n": ("int64", "float64")}
    assert (found.n_added, found.n_removed, found.n_changed) == (1, 1, 3)
    assert found.changed == {"x": 2, "n": 1}


def test_without_a_unique_key_whole_rows_are_counted_as_often_as_they_stand(tmp_path: Path) -> None:
    found = compared(
        tmp_path,
        {"id": [1, 1, 2], "x": ["a", "a", "b"]},
        {"id": [1, 2, 2], "x": ["a", "b", "c"]},
        "id",
    )

    assert not found.by_key
    assert (found.n_added, found.n_removed, found.n_changed) == (1, 1, 0)


def test_equal_snapshots_do_not_differ(tmp_path: Path) -> None:
    rows = {"id": [1, 2], "x": [math.nan, None]}

    found = compared(tmp_path, rows, rows, "id")

    assert (found.n_added, found.n_removed, found.n_changed, found.changed) == (0, 0, 0, {})
