"""What splits promise: one test per promise, named as the promise."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairway.data import source
from fairway.data.split import EntitySplit, TimeSplit, labelled_span
from fairway.errors import ContractError, ProjectError

DAY_S = 86400.0
JANUARY = datetime(2013, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module", autouse=True)
def engine() -> Iterator[None]:
    """Tables in memory are asked of the same engine as a project's tables."""
    before = ibis.options.default_backend
    ibis.set_backend(source.connect())
    yield
    ibis.options.default_backend = before


def memory(**columns: list[Any]) -> ir.Table:
    return ibis.memtable(pa.table(columns))


def customers(n: int) -> ir.Table:
    return memory(customer=[f"c{i}" for i in range(n)])


def parts(split: EntitySplit, table: ir.Table | None = None) -> dict[object, str]:
    """Map each key to its part."""
    table = customers(2000) if table is None else table
    rows = split.assign(table).to_pyarrow().to_pylist()
    return {row[str(split.key)]: row["part"] for row in rows}


def test_shares_are_met_within_sampling_error() -> None:
    drawn = list(parts(EntitySplit(key="customer", test=0.1, validation=0.3)).values())

    # Four standard errors of a share p over n entities: 4 * sqrt(p * (1 - p) / n).
    assert drawn.count("test") / 2000 == pytest.approx(0.1, abs=0.027)
    assert drawn.count("validation") / 2000 == pytest.approx(0.3, abs=0.041)


def test_an_entity_keeps_its_part_when_the_table_grows() -> None:
    split = EntitySplit(key="customer")

    assert parts(split, customers(100)).items() <= parts(split).items()


def test_more_validation_takes_nothing_from_test() -> None:
    small = parts(EntitySplit(key="customer", validation=0.1))
    large = parts(EntitySplit(key="customer", validation=0.5))

    assert [c for c in small if small[c] == "test"] == [c for c in large if large[c] == "test"]


def test_another_salt_deals_anew() -> None:
    assert parts(EntitySplit(key="customer")) != parts(EntitySplit(key="customer", salt="2027"))


def test_the_deal_is_frozen_and_a_null_key_gets_no_part() -> None:
    table = memory(id=["a", "b", "c", "d", None])

    # If this fails, held-out rows of every project have moved into training: never update it.
    assert parts(EntitySplit(key="id", test=0.3, validation=0.3), table) == {
        "a": "validation",
        "b": "train",
        "c": "train",
        "d": "test",
        None: None,
    }


def test_the_deal_of_several_key_columns_is_frozen_and_a_list_of_one_is_that_column() -> None:
    table = memory(a=["x", "x", "y", "y"], b=[1, 2, 1, None])
    pair = EntitySplit(key=("a", "b"), test=0.3, validation=0.3).assign(table).order_by("a", "b")

    # If this fails, held-out rows of every project have moved into training: never update it.
    assert pair.part.to_pyarrow().to_pylist() == ["train", "train", "test", None]
    one = EntitySplit(key=["customer"]).assign(customers(50)).part.to_pyarrow().to_pylist()
    assert one == EntitySplit(key="customer").assign(customers(50)).part.to_pyarrow().to_pylist()


def test_an_entity_without_a_label_gets_no_part() -> None:
    table = memory(id=["a", "b", "c"], y=[1, None, 0])

    dealt = EntitySplit(key="id").assign(table, target="y").order_by("id")

    assert [part is None for part in dealt.part.to_pyarrow().to_pylist()] == [False, True, False]


@pytest.mark.parametrize(
    ("test", "validation", "problem"),
    [
        (1.0, 0.0, "test = 1.0 is no share"),
        (0.0, -0.1, "validation = -0.1 is no share"),
        (0.5, 0.5, "No rows are left to train on"),
    ],
)
def test_impossible_shares_are_refused(test: float, validation: float, problem: str) -> None:
    with pytest.raises(ProjectError, match=problem):
        EntitySplit(key="customer", test=test, validation=validation)


def test_an_entity_without_a_name_is_refused() -> None:
    with pytest.raises(ProjectError, match="No column names the entity"):
        EntitySplit(key=())


def test_a_missing_key_names_the_columns_there_are() -> None:
    with pytest.raises(ProjectError, match=r"Name one of .*customer"):
        EntitySplit(key="client").assign(customers(1))


def test_a_key_that_is_not_there_is_answered_by_the_nearest() -> None:
    table = memory(customer=["a"], week=[1])

    with pytest.raises(ProjectError) as caught:
        EntitySplit(key="custmer").assign(table)
    assert caught.value.problem == "Split: the dataset has no column 'custmer'."
    assert caught.value.hint == "Write 'customer'."
    with pytest.raises(ProjectError) as caught:
        EntitySplit(key="x").assign(table)
    assert caught.value.hint == "Name one of customer, week."


def test_a_float_key_is_refused_as_engines_print_floats_differently() -> None:
    with pytest.raises(ProjectError, match=r"Split: the key x is float64, .* Cast it to text"):
        EntitySplit(key="x").assign(memory(x=[0.1]))


def test_windows_are_counted_back_from_until_with_gaps_before_each_boundary() -> None:
    split = TimeSplit(
        test_s=31 * DAY_S,
        validation_s=31 * DAY_S,
        gap_s=DAY_S,
        until=datetime(2013, 8, 31, tzinfo=UTC),
    )

    windows = split.resolve(JANUARY, datetime(2013, 8, 30, tzinfo=UTC))

    assert str(windows.train) == "the first row until 2013-06-29T00:00:00Z"
    assert str(windows.validation) == "2013-06-30T00:00:00Z until 2013-07-30T00:00:00Z"
    assert str(windows.test) == "2013-07-31T00:00:00Z until 2013-08-31T00:00:00Z"


def test_the_default_is_15_percent_each_in_whole_days_until_the_day_after_the_newest() -> None:
    windows = TimeSplit().resolve(JANUARY, JANUARY + timedelta(days=100, hours=1))

    # 15 % of 100.04 days are 15.006, so 16 days; the newest row is of 11 April.
    assert str(windows.test) == "2013-03-27T00:00:00Z until 2013-04-12T00:00:00Z"
    assert str(windows.validation) == "2013-03-11T00:00:00Z until 2013-03-27T00:00:00Z"


def test_a_span_under_30_days_is_cut_in_whole_hours() -> None:
    windows = TimeSplit().resolve(JANUARY, JANUARY + timedelta(days=2, minutes=10))

    # 15 % of 48.2 hours are 7.2, so 8 hours; the newest row is of the hour from midnight.
    assert str(windows.test) == "2013-01-02T17:00:00Z until 2013-01-03T01:00:00Z"
    assert str(windows.validation) == "2013-01-02T09:00:00Z until 2013-01-02T17:00:00Z"


@given(
    span_s=st.floats(600, 5e8),
    gap_share=st.floats(0, 0.14),
    start=st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1)),  # noqa: DTZ001  the strategy wants naive bounds
)
def test_default_windows_keep_order_gaps_and_both_ends(
    span_s: float, gap_share: float, start: datetime
) -> None:
    oldest = start.replace(tzinfo=UTC)
    newest = oldest + timedelta(seconds=span_s)
    gap = timedelta(seconds=gap_share * span_s)

    windows = TimeSplit(gap_s=gap.total_seconds()).resolve(oldest, newest)

    assert windows.part(oldest) == "train"
    assert windows.part(newest) == "test"
    assert windows.validation.start is not None
    assert windows.test.start is not None
    assert windows.train.until + gap == windows.validation.start < windows.validation.until
    assert windows.validation.until + gap == windows.test.start < windows.test.until


def test_rows_get_the_part_of_their_window_and_none_in_gaps_without_label_or_afterwards() -> None:
    days = [0, 5, 6, 7, 8, 9, 10, 11, 12]
    table = memory(
        at=[JANUARY + timedelta(days=day) for day in days],
        y=[1.0, 0.0, 1.0, None, 0.0, 1.0, 0.0, 1.0, 1.0],
    )
    split = TimeSplit(
        test_s=2 * DAY_S,
        validation_s=3 * DAY_S,
        gap_s=DAY_S,
        until=JANUARY + timedelta(days=12),
    )
    windows = split.resolve(*labelled_span(table, time="at", target="y"))

    dealt = split.assign(table, time="at", target="y", windows=windows).order_by("at")

    expected = ["train", "train", None, None, "validation", None, "test", "test", None]
    assert dealt.part.to_pyarrow().to_pylist() == expected
    assert [windows.part(JANUARY + timedelta(days=day)) for day in (0, 6, 7)] == [
        "train",
        None,
        "validation",
    ]


def test_dates_and_zoneless_times_are_utc() -> None:
    table = memory(on=[date(2013, 1, 1), date(2013, 3, 1)], y=[1, 0])
    naive = table.mutate(at=table["on"].cast("timestamp"))

    for time in ("on", "at"):
        oldest, newest = labelled_span(naive, time=time, target="y")
        assert (oldest, newest) == (JANUARY, datetime(2013, 3, 1, tzinfo=UTC))
        windows = TimeSplit().resolve(oldest, newest)
        dealt = TimeSplit().assign(naive, time=time, target="y", windows=windows)
        assert dealt.order_by("on").part.to_pyarrow().to_pylist() == ["train", "test"]


def test_the_span_is_that_of_labelled_rows_and_none_is_refused() -> None:
    table = memory(at=[JANUARY, JANUARY + timedelta(days=9)], y=[1.0, None])

    assert labelled_span(table, time="at", target="y") == (JANUARY, JANUARY)
    with pytest.raises(ContractError, match="nothing to split"):
        labelled_span(table.filter(table.y.isnull()), time="at", target="y")


@pytest.mark.parametrize(
    ("split", "problem"),
    [
        (
            TimeSplit(test_s=20 * DAY_S, validation_s=21 * DAY_S),
            "Split: no rows are left to train on",
        ),
        (TimeSplit(gap_s=9 * DAY_S), "Split: the gap leaves nothing of the validation window"),
        (
            TimeSplit(until=JANUARY + timedelta(days=90)),
            "Split: the test window starts at 2013-03-2",
        ),
    ],
)
def test_windows_that_cannot_be_are_refused(split: TimeSplit, problem: str) -> None:
    with pytest.raises(ProjectError, match=problem):
        split.resolve(JANUARY, JANUARY + timedelta(days=40))


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ({"test_s": 0.0}, "test = 0.0 s is no window"),
        ({"validation_s": -1.0}, "validation = -1.0 s is no window"),
        ({"gap_s": -1.0}, "gap = -1.0 s is no gap"),
        ({"until": datetime(2013, 1, 1)}, "has no zone"),  # noqa: DTZ001  that is the fault
    ],
)
def test_impossible_lengths_are_refused(wrong: dict[str, float], problem: str) -> None:
    with pytest.raises(ProjectError, match=problem):
        TimeSplit(**wrong)  # type: ignore[arg-type]  # one field of each type


def test_a_text_is_no_time() -> None:
    with pytest.raises(ProjectError, match="at is string, no time"):
        labelled_span(memory(at=["2013"], y=[1]), time="at", target="y")


def test_importing_it_loads_no_engine() -> None:
    heavy = "{'ibis', 'duckdb', 'pandas', 'numpy', 'pyarrow', 'pydantic'}"
    program = f"import sys, fairway.data.split; sys.exit(len({heavy} & set(sys.modules)))"

    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
