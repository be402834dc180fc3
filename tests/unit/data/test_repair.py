"""What fitting repairs promises: learned from the rows given, exact, and no surprise."""

import json
import math
import statistics
from typing import Any

import ibis
import ibis.expr.types as ir
import msgspec
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairway.data import repair, statistic
from fairway.data.repair import OTHERS, RepairRule, fit, from_table, notes
from fairway.errors import ProjectError
from fairway.model import repair as applied


def table(**columns: Any) -> ir.Table:
    return ibis.memtable(pa.table(columns))


def op(repairs: list[dict[str, Any]], column: str, name: str = "missing") -> dict[str, Any]:
    (found,) = [one for one in repairs if one["column"] == column and one["op"] == name]
    return found


numbers = (
    st.floats(-1e12, 1e12) | st.sampled_from([0.0, 1.0, -999.0, math.nan, math.inf]) | st.none()
)


@settings(max_examples=25, deadline=None)
@given(st.lists(numbers, min_size=1, max_size=30), st.randoms())
def test_a_fill_is_the_exact_median_whatever_the_order_of_rows(
    values: list[Any], random: Any
) -> None:
    rules = {"x": RepairRule(missing="median", sentinel=(-999,))}
    once = fit(table(x=pa.array(values, "float64")), rules, ["x"])
    random.shuffle(values)

    known = [v for v in values if v is not None and math.isfinite(v) and v != -999]
    assert op(once, "x")["fill"] == (statistics.median(known) if known else 0.0)
    assert op(once, "x")["n_missing"] == len(values) - len(known)
    assert fit(table(x=pa.array(values, "float64")), rules, ["x"]) == once


texts = st.sampled_from(["a", "b", "A", " ", "", "N/A", None])


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(numbers, texts), min_size=1, max_size=20),
    st.sampled_from(["missing", "drop"]),
)
def test_applied_to_the_training_rows_repairs_do_what_fitting_counted(
    values: list[Any], then: str
) -> None:
    columns = list(zip(*values, strict=True))
    rows = pa.table({"x": pa.array(columns[0], "float64"), "s": pa.array(columns[1], "string")})
    rules = {
        "x": RepairRule(mad_k=2.0, then=then, clip=(-5.0, None), sentinel=(-999,), flag=True),
        "s": RepairRule(missing="mode", flag=True, sentinel=("N/A",), spelling={"A": "a"}),
    }
    repairs = fit(ibis.memtable(rows), rules, ["x", "s"])
    kept = applied.drop_rows(repairs, rows)
    out = applied.apply(repairs, kept)

    assert op(repairs, "x")["n_rows"] == kept.num_rows
    for name in ("x", "s"):
        flagged = out[f"{name}_missing"].to_pylist()
        assert sum(flagged) == op(repairs, name)["n_missing"]
        assert {v for v, f in zip(out[name].to_pylist(), flagged, strict=True) if f} <= {
            op(repairs, name)["fill"]
        }
    if then == "drop":
        assert kept.num_rows <= rows.num_rows
    known = [
        v for v, f in zip(out["x"].to_pylist(), out["x_missing"].to_pylist(), strict=True) if not f
    ]
    if known:
        assert op(repairs, "x")["fill"] == statistics.median(known)


@settings(max_examples=10, deadline=None)
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=9))
def test_repairs_are_json_values_that_come_back_exactly(values: list[float]) -> None:
    rules = {"x": RepairRule(mad_k=3.5, clip=(-1.5, None))}
    repairs = fit(table(x=values, s=["é"] * len(values)), rules, ["x", "s"])

    assert json.loads(json.dumps(repairs, allow_nan=False)) == repairs


def test_every_kind_of_rule_is_written_in_the_order_of_application() -> None:
    rows = table(
        carrier=["AA", "A A", "", "UA", None],
        wind=[1.0, 2.0, 3.0, 1048.0, None],
        gust=[None, 5.0, None, None, None],
    )
    rules = {
        "carrier": from_table("carrier", {"spelling": {"A A": "AA"}, "sentinel": ["N/A"]}),
        "wind": from_table("wind", {"outlier": "mad > 8", "clip": [0, 100]}),
        "gust": from_table("gust", {"missing": 0.0}),
        OTHERS: from_table(OTHERS, {"missing": "median", "flag": True}),
    }

    def missing(column: str, type_: str, **rest: Any) -> dict[str, Any]:
        return {"column": column, "op": "missing", "type": type_, **rest, "n_rows": 5}

    assert fit(rows, rules, ["carrier", "wind", "gust"]) == [
        {"column": "carrier", "op": "blank", "values": ["N/A"]},
        {"column": "carrier", "op": "spelling", "map": {"A A": "AA"}},
        missing("carrier", "string", fill="(missing)", flag=False, n_missing=2),
        {
            "column": "wind",
            "op": "mad",
            "center": 2.5,
            "scale": 1.4826,
            "k": 8.0,
            "then": "missing",
        },
        {"column": "wind", "op": "clip", "low": 0.0, "high": 100.0},
        missing("wind", "float64", fill=2.0, flag=True, n_missing=2),
        missing("gust", "float64", fill=0.0, flag=False, n_missing=4),
    ]


def test_what_an_outlier_rule_blanked_takes_the_fill_of_all_other_columns() -> None:
    rules = {"x": RepairRule(mad_k=8.0), OTHERS: RepairRule(missing=-1)}

    fitted = fit(table(x=[1.0, 2.0, 3.0, 1e9]), rules, ["x"])

    assert (op(fitted, "x")["fill"], op(fitted, "x")["n_missing"]) == (-1.0, 1)


def test_a_mad_of_zero_blanks_nothing_and_says_so() -> None:
    rows = table(x=[0.0, 0.0, 0.0, 0.0, 7.0])
    repairs = fit(rows, {"x": RepairRule(mad_k=8.0)}, ["x"])

    assert op(repairs, "x", "mad")["scale"] == 0
    assert applied.apply(repairs, rows.to_pyarrow())["x"].to_pylist() == [0, 0, 0, 0, 7]
    assert "x: at least half of its training values are 0" in notes(repairs)[0]


def test_dropping_takes_training_rows_before_the_fills_are_learned() -> None:
    rows = table(x=[1.0, 2.0, 3.0, 1e9], y=[1.0, None, 1.0, 100.0])
    rules = {"x": RepairRule(mad_k=8.0, then="drop")}

    repairs = fit(rows, rules, ["x", "y"])

    assert (op(repairs, "x")["n_rows"], op(repairs, "y")["fill"]) == (3, 1.0)
    assert applied.drop_rows(repairs, rows.to_pyarrow())["y"].to_pylist() == [1.0, None, 1.0]


def test_without_rules_only_columns_that_miss_a_value_get_a_flag() -> None:
    rows = table(a=[1.0, None], b=[1.5, 2.0], s=["x", None], t=[True, None])

    repairs = fit(rows, {}, ["a", "b", "s", "t"])

    assert applied.columns(repairs, ["a", "b", "s", "t"]) == [
        "a",
        "b",
        "s",
        "t",
        "a_missing",
        "t_missing",
    ]
    assert [op(repairs, c)["fill"] for c in "abst"] == [1.0, 1.75, "(missing)", 1]


def test_a_flag_asked_for_by_name_is_there_even_if_no_training_value_is_missing() -> None:
    repairs = fit(table(s=["x", "y"]), {"s": RepairRule(flag=True)}, ["s"])

    assert applied.columns(repairs, ["s"]) == ["s", "s_missing"]


def test_whole_numbers_stay_whole_only_where_nothing_needs_repair() -> None:
    rows = table(a=[1, 2, 3], b=[1, None, 3], c=[1, 2, 3])

    repairs = fit(rows, {"c": RepairRule(clip=(0.0, 2.0))}, ["a", "b", "c"])

    assert [op(repairs, c)["type"] for c in "abc"] == ["int64", "float64", "float64"]


def test_the_mode_is_the_most_frequent_value_and_a_tie_goes_to_the_smaller() -> None:
    rows = table(s=["b", "b", "a", "a", "c"], t=[True, False, None, None, None], x=[3, 3, 1, 1, 0])
    rules = {c: RepairRule(missing="mode") for c in "stx"}

    assert [op(fit(rows, rules, list("stx")), c)["fill"] for c in "stx"] == ["a", 0, 1]


def test_times_are_filled_by_a_time() -> None:
    times = pa.array([3_000_000, None, 1_000_000, 9_500_000], pa.timestamp("us"))

    assert op(fit(table(t=times), {}, ["t"]), "t")["fill"] == "1970-01-01T00:00:03Z"


def test_a_column_without_any_value_is_filled_and_said() -> None:
    repairs = fit(table(x=pa.array([None, None], "float64")), {}, ["x"])

    assert op(repairs, "x")["fill"] == 0.0
    assert notes(repairs) == ["x: no training row has a value; each is filled with 0.0."]


def test_rules_for_all_other_columns_touch_only_columns_whose_type_they_fit() -> None:
    rules = {OTHERS: RepairRule(sentinel=(-999, "N/A"), mad_k=8.0, missing="mode")}

    repairs = fit(table(x=[1.0, -999.0, 1.0], s=["N/A", "a", "a"]), rules, ["x", "s"])

    assert op(repairs, "x", "blank")["values"] == [-999.0]
    assert op(repairs, "s", "blank")["values"] == ["-999", "N/A"]
    assert (op(repairs, "x")["fill"], op(repairs, "s")["fill"]) == (1.0, "a")


def test_a_sentinel_is_found_in_single_precision_too() -> None:
    rows = table(x=pa.array([99.9, 1.0, 1.0], "float32"))

    assert op(fit(rows, {"x": RepairRule(sentinel=(99.9,))}, ["x"]), "x")["n_missing"] == 1


def test_a_rule_for_a_withheld_column_is_left_aside_but_a_misspelt_one_is_refused() -> None:
    rows = table(wind_speed=[1.0], dep_delay=[1.0])
    rules = {"dep_delay": RepairRule(missing=0)}
    assert [one["column"] for one in fit(rows, rules, ["wind_speed"])] == ["wind_speed"]

    with pytest.raises(ProjectError, match=r"'wind_sped', which is no column.*mean 'wind_speed'"):
        fit(rows, {"wind_sped": RepairRule()}, ["wind_speed"])


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ("median", r"repair.x is 'median', not a table. Write x = \{ missing"),
        ({"mising": 1}, "unknown key 'mising'. Did you mean 'missing'"),
        ({"outlier": "mad > 8", "then": "dorp"}, "then is 'dorp'. Did you mean 'drop'"),
        ({"then": "drop"}, "has then, but no outlier rule"),
        ({"outlier": "iqr > 3"}, "outlier is 'iqr > 3'. Write \"mad > 8\""),
        ({"outlier": "mad > 0"}, "outlier is 'mad > 0'"),
        ({"flag": "yes"}, "flag is 'yes'. Write true or false"),
        ({"clip": [3, 1]}, r"clip is \[3, 1\]. Write \[lowest, highest\]"),
        ({"clip": [1]}, r"clip is \[1\]"),
        ({"clip": ["a", "b"]}, r"clip is \['a', 'b'\]"),
        ({"sentinel": -999}, "sentinel is -999. Write a list"),
        ({"sentinel": [[1]]}, r"sentinel is \[1\]"),
        ({"spelling": {"a": 1}}, "spelling is {'a': 1}"),
        ({"missing": math.nan}, "missing is nan"),
        ({"missing": [1]}, r"missing is \[1\]"),
    ],
)
def test_an_entry_that_cannot_be_is_refused_with_what_to_write(entry: Any, problem: str) -> None:
    with pytest.raises(ProjectError, match=problem):
        from_table("x", entry)


def test_a_rule_can_be_handed_on_as_json() -> None:
    entry = {
        "missing": 0.0,
        "outlier": "mad > 3.5",
        "then": "drop",
        "sentinel": [-999, "N/A", 1.5],
        "spelling": {"a": "b"},
        "clip": [-math.inf, 10],
    }
    rule = from_table("x", entry)

    assert msgspec.json.decode(msgspec.json.encode(rule), type=RepairRule) == rule
    assert rule.clip == (None, 10.0)


@pytest.mark.parametrize(
    ("rule", "problem"),
    [
        (RepairRule(missing="median"), "repair.s.missing is 'median', but the column holds text"),
        (RepairRule(mad_k=8.0), "repair.s.outlier needs numbers"),
        (RepairRule(clip=(0.0, 1.0)), "repair.s.clip needs numbers"),
    ],
)
def test_a_rule_that_does_not_fit_its_column_is_refused(rule: RepairRule, problem: str) -> None:
    with pytest.raises(ProjectError, match=problem):
        fit(table(s=["a"]), {"s": rule}, ["s"])


def test_a_misspelt_way_to_fill_numbers_names_the_nearest() -> None:
    with pytest.raises(ProjectError, match=r"'meadian'.*Did you mean 'median'"):
        fit(table(x=[1.0]), {"x": RepairRule(missing="meadian")}, ["x"])


def test_a_type_that_no_repair_knows_is_refused() -> None:
    with pytest.raises(ProjectError, match=r"'x' has the type array<int64>"):
        fit(table(x=[[1]]), {}, ["x"])


def test_a_column_named_like_a_flag_is_refused() -> None:
    with pytest.raises(ProjectError, match="a column 'x_missing', the name of a repair's flag"):
        fit(table(x=[1.0], x_missing=[1]), {"x": RepairRule(flag=True)}, ["x"])


def test_both_rooms_spell_flag_and_blank_alike() -> None:
    assert (repair.FLAG, statistic.BLANK_TEXT) == (applied.FLAG, applied.BLANK_TEXT)
