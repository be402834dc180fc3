"""What applying repairs promises: each row for itself, the same types, nothing left missing."""

import json
import math
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairway.errors import RequestError
from fairway.model.repair import apply, columns, drop_rows


def op(column: str, name: str, **rest: Any) -> dict[str, Any]:
    return {"column": column, "op": name, **rest}


REPAIRS = [
    op("x", "blank", values=[-999.0]),
    op("x", "mad", center=1.0, scale=1.4826, k=8.0, then="missing"),
    op("x", "clip", low=-2.5, high=None),
    op("x", "missing", type="float64", fill=0.1, flag=True),
    op("s", "blank", values=["N/A"]),
    op("s", "spelling", map={"AIRBUS INDUSTRIE": "AIRBUS", "b": "N/A"}),
    op("s", "missing", type="string", fill="(missing)", flag=True),
    op("b", "missing", type="int8", fill=1, flag=False),
    op("i", "missing", type="int64", fill=7, flag=True),
    op("t", "missing", type="timestamp", fill="2013-01-01T10:00:00Z", flag=False),
]
numbers = st.floats() | st.sampled_from([-999.0, 1.0, 12.9, 12.8]) | st.none()
texts = st.text(max_size=3) | st.sampled_from(["AIRBUS INDUSTRIE", "b", "N/A", " \u3000\t", None])
rows = st.tuples(
    numbers,
    texts,
    st.booleans() | st.none(),
    st.integers(-(2**63), 2**63 - 1) | st.none(),
    st.integers(0, 2**50) | st.none(),
)
SCHEMA = pa.schema(
    {"x": "float64", "s": "string", "b": "bool", "i": "int64", "t": pa.timestamp("us", "UTC")}
)


def table(values: list[Any]) -> pa.Table:
    by_column = list(zip(*values, strict=True))
    arrays = [pa.array(v, t) for v, t in zip(by_column, SCHEMA.types, strict=True)]
    return pa.Table.from_arrays(arrays, schema=SCHEMA)


@given(st.lists(rows, min_size=1, max_size=12))
def test_a_row_alone_comes_out_as_it_does_among_others(values: list[Any]) -> None:
    whole = table(values)
    alone = [apply(REPAIRS, whole.slice(i, 1)) for i in range(len(values))]
    chunked = pa.concat_tables([whole.slice(i, 1) for i in range(len(values))])

    assert pa.concat_tables(alone).equals(apply(REPAIRS, whole))
    assert apply(REPAIRS, chunked).equals(apply(REPAIRS, whole))


@given(st.lists(rows, min_size=1, max_size=12))
def test_afterwards_nothing_is_missing_and_flags_say_what_was(values: list[Any]) -> None:
    out = apply(REPAIRS, table(values))

    assert out.column_names == ["x", "s", "b", "i", "t", "x_missing", "s_missing", "i_missing"]
    assert all(column.null_count == 0 for column in out.columns)
    assert all(math.isfinite(x) for x in out["x"].to_pylist())
    for (x, s, b, i, t), got in zip(values, out.to_pylist(), strict=True):
        is_known = x is not None and math.isfinite(x) and x != -999
        is_known = is_known and abs(x - 1.0) <= 8 * 1.4826
        assert got["x"] == (max(x, -2.5) if is_known else 0.1)
        assert got["x_missing"] == (not is_known)
        is_text = s is not None and not s.isspace() and s not in {"", "N/A"}
        spelt = {"AIRBUS INDUSTRIE": "AIRBUS", "b": "N/A"}
        assert got["s"] == (spelt.get(s, s) if is_text else "(missing)")
        assert got["s_missing"] == (not is_text)
        assert got["b"] == (1 if b is None else b)
        assert got["i"] == (7 if i is None else i)
        assert t is None or got["t"].timestamp() == pytest.approx(t / 1e6)


@given(st.lists(rows, min_size=1, max_size=12))
def test_repairs_read_back_from_json_do_the_same(values: list[Any]) -> None:
    again = json.loads(json.dumps(REPAIRS))

    assert apply(again, table(values)).equals(apply(REPAIRS, table(values)))


def test_types_do_not_depend_on_the_batch() -> None:
    empty = pa.table({name: pa.nulls(1) for name in SCHEMA.names})

    out = apply(REPAIRS, empty)

    assert out.schema.equals(apply(REPAIRS, table([(1.0, "a", True, 1, 1)])).schema)
    assert out["t"].to_pylist() == [datetime(2013, 1, 1, 10, tzinfo=UTC)]


def test_equal_values_of_other_types_come_out_alike() -> None:
    plain = apply(REPAIRS, table([(3.0, "a", True, 4, 1_000_000)]))
    other = pa.table(
        {
            "x": pa.array([3], "int32"),
            "s": pa.array(["a"]).dictionary_encode(),
            "b": pa.array([1.0]),
            "i": pa.array([4.0]),
            "t": ["1970-01-01T00:00:01Z"],
        }
    )

    assert apply(REPAIRS, other).equals(plain)


def test_columns_without_a_repair_pass_as_they_are() -> None:
    given_ = pa.table({"key": [1], "x": [None], "late": [True]})

    out = apply(REPAIRS[:4], given_)

    assert out.column_names == ["key", "x", "late", "x_missing"]
    assert out.select(["key", "late"]).equals(given_.select(["key", "late"]))


def test_a_scale_of_zero_blanks_nothing() -> None:
    repairs = [op("x", "mad", center=0.0, scale=0.0, k=8.0, then="missing"), REPAIRS[3]]

    assert apply(repairs, pa.table({"x": [0.0, 5.0]}))["x"].to_pylist() == [0.0, 5.0]


def test_dropping_is_for_training_only() -> None:
    drop = op("x", "mad", center=0.0, scale=1.0, k=2.0, then="drop")
    repairs = [REPAIRS[0], drop, REPAIRS[3]]
    given_ = pa.table({"x": [1.0, 9.0, None, -999.0], "n": [0, 1, 2, 3]})

    assert drop_rows(repairs, given_)["n"].to_pylist() == [0, 2, 3]
    assert apply(repairs, given_)["x"].to_pylist() == [1.0, 0.1, 0.1, 0.1]


def test_the_models_input_is_the_features_then_the_flags() -> None:
    assert columns(REPAIRS, ["t", "s", "x"]) == [
        "t",
        "s",
        "x",
        "x_missing",
        "s_missing",
        "i_missing",
    ]


@pytest.mark.parametrize(
    ("column", "problem"),
    [
        (["fast"], "The column 'x' has the type string, and not each of its values can be float64"),
        ([[1.0]], "The column 'x' has the type list.* can be float64"),
    ],
)
def test_a_value_that_cannot_be_is_the_senders_fault(column: Any, problem: str) -> None:
    with pytest.raises(RequestError, match=problem):
        apply(REPAIRS[:4], pa.table({"x": column}))


@pytest.mark.parametrize(("name", "value"), [("i", 1.5), ("b", 2), ("b", "maybe"), ("t", "soon")])
def test_a_value_is_never_rounded_or_guessed(name: str, value: Any) -> None:
    repairs = [one for one in REPAIRS if one["column"] == name]

    with pytest.raises(RequestError, match=f"The column {name!r} has the type"):
        apply(repairs, pa.table({name: [value]}))


def test_an_absent_column_is_named() -> None:
    with pytest.raises(RequestError, match=r"'x' is absent\. Send it; there are \['y'\]"):
        apply(REPAIRS[:4], pa.table({"y": [1]}))
