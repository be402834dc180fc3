"""What the one grammar of conditions promises."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairway.delivery.condition import Condition, Operator, Reference, Word, parse
from fairway.errors import ProjectError

METRICS = ("auc", "log_loss", "information_gain", "calibration_error", "late.metrics:cost")

FLIGHTS = [
    "auc >= 0.65",
    "information_gain > 0",
    "worst(carrier).auc >= 0.55",
    "leakage == none",
    "p99_ms <= 20",
    "payoff >= champion - 100",
    "calibration_error <= 0.08",
    "tests == passed",
    "approvals(owner) >= 1",
    "approvals(owner, not author) >= 1",
    "contract == passed",
    "size_bytes < 1000000",
    "auc > champion + 0.01",
    "log_loss <= baseline",
    "payoff > fixed",
    "late.metrics:cost <= 12.5",
    "worst(origin).payoff > -30000",
    "payoff < fixed over 7d",
    "errors > 0.01 over 10m",
    "calibration_error > 0.08 over 90s",
]


@pytest.mark.parametrize("text", FLIGHTS)
def test_every_condition_of_the_documents_is_read_and_spelled_again(text: str) -> None:
    assert parse(text).text == text


def test_the_parts_of_a_condition_are_told_apart() -> None:
    assert parse("worst(carrier).auc >= 0.55") == Condition(
        name="auc", worst_column="carrier", operator=">=", right=0.55
    )
    assert parse("payoff >= champion - 100") == Condition(
        name="payoff", operator=">=", right=Reference.CHAMPION, offset=-100.0
    )
    assert parse("approvals(owner,not  author)>=2") == Condition(
        name="approvals", argument="owner, not author", operator=">=", right=2.0
    )
    assert parse("leakage == none") == Condition(name="leakage", operator="==", right=Word.NONE)
    assert parse("p99_ms > 50 over 10m").window_s == 600


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("auc>=0.65", "auc >= 0.65"),
        ("  auc  >=  .65  ", "auc >= 0.65"),
        ("worst( carrier ) . auc >= 55e-2", "worst(carrier).auc >= 0.55"),
        ("payoff>=champion-100", "payoff >= champion - 100"),
        ("payoff >= -24_000", "payoff >= -24000"),
        ("payoff >= champion + 0", "payoff >= champion"),
        ("errors > 0.01 over 60 m", "errors > 0.01 over 1h"),
        ("approvals( owner ) >= 1", "approvals(owner) >= 1"),
    ],
)
def test_spacing_and_spelling_of_numbers_do_not_matter(text: str, same: str) -> None:
    assert parse(text) == parse(same)
    assert parse(text).text == same


@given(
    name=st.sampled_from(METRICS),
    column=st.none() | st.sampled_from(["carrier", "dest airport", "a-b"]),
    operator=st.sampled_from([">=", "<=", ">", "<"]),
    right=st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["champion", "baseline"]),
    offset=st.floats(allow_nan=False, allow_infinity=False, allow_subnormal=False),
    window_s=st.none() | st.integers(1, 10**7).map(float),
)
def test_what_is_spelled_is_read_back_the_same(
    name: str,
    column: str | None,
    operator: Operator,
    right: float | str,
    offset: float,
    window_s: float | None,
) -> None:
    is_reference = isinstance(right, str)
    condition = Condition(
        name=name,
        worst_column=None if is_reference else column,
        operator=operator,
        right=Reference(right) if isinstance(right, str) else right,
        offset=offset if is_reference else 0.0,
        window_s=window_s,
    )

    assert parse(condition.text) == condition


@given(text=st.text(max_size=40))
def test_any_text_is_read_or_refused_with_an_order(text: str) -> None:
    fault: ProjectError | None = None
    try:
        condition = parse(text)
    except ProjectError as error:
        fault = error

    if fault is None:
        assert parse(condition.text) == condition
    else:
        assert fault.problem.endswith(".")
        assert fault.hint


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "begins with no name"),
        (">= 0.65", "begins with no name"),
        ("auc", "has no operator"),
        ("auc is good", "has 'is good' where an operator belongs"),
        ("auc = 0.65", "Write one of >=, <=, >, < and =="),
        ("auc >=", "has no right side"),
        ("auc >= 65%", "5 % is 0.05"),
        ("auc >= good", "has 'good' on its right side"),
        ("auc >= champoin", "Write 'champion'"),
        ("auc >= 0.65 and brier < 1", "has 'and brier < 1' left over"),
        ("auc >= 0.6 + 0.05", "do the sum"),
        ("auc >= 1e999", "too large"),
        ("auc > 0.5 over 0d", "no length"),
        ("auc > 0.5 over 7 days", "left over"),
        ("leakage == 0", "Write leakage == none"),
        ("leakage >= none", "Write leakage == none"),
        ("tests == none", "Write tests == passed"),
        ("contract(x) == passed", "Write contract == passed"),
        ("worst(carrier).leakage == none", "Write leakage == none"),
        ("auc == passed", "asks a number to be passed"),
        ("approvals >= 1", "Write approvals(owner) >= 1"),
        ("approvals(owner) <= 1", "least number"),
        ("approvals(owner) >= champion", "does not count a role"),
        ("approvals(owner or author) >= 1", "as role"),
        ("approvals() >= 1", "as role"),
        ("auc(owner) >= 1", "gives auc an argument"),
        ("auc >= fixed", "Only payoff is known of fixed actions"),
        ("worst(carrier).p99_ms <= 20", "asks p99_ms of slices"),
        ("worst(carrier).auc >= champion", "holds slices against no bound"),
        ("worst(carrier).auc == 0.5", "holds slices against no bound"),
        ("worst(carrier) >= 0.5", "says worst without a metric"),
    ],
)
def test_what_cannot_be_judged_is_refused_with_what_to_write(text: str, told: str) -> None:
    with pytest.raises(ProjectError) as caught:
        parse(text)

    assert told in str(caught.value)


@pytest.mark.parametrize("text", ["acu >= 0.65", "worst(carrier).acu >= 0.65"])
def test_an_unknown_metric_is_answered_by_the_nearest(text: str) -> None:
    with pytest.raises(
        ProjectError, match=r"names 'acu', which the project does not measure.*'auc'"
    ):
        parse(text, names=METRICS)


def test_names_of_every_project_need_not_be_listed() -> None:
    for text in ("leakage == none", "payoff > 0", "p99_ms < 1", "approvals(owner) >= 1"):
        parse(text, names=())


def test_a_column_that_is_not_sliced_by_is_answered_by_the_nearest() -> None:
    with pytest.raises(ProjectError, match=r"'carier'.*Write 'carrier'"):
        parse("worst(carier).auc >= 0.5", columns=["carrier", "origin"])


def test_a_period_can_be_kept_out_of_gates_while_reading() -> None:
    with pytest.raises(ProjectError, match="not for gates"):
        parse("auc > 0.5 over 7d", windows=False)


@pytest.mark.parametrize(
    ("operator", "verdicts"),
    [
        (">=", (False, True, True)),
        (">", (False, False, True)),
        ("<=", (True, True, False)),
        ("<", (True, False, False)),
        ("==", (False, True, False)),
    ],
)
def test_operators_compare_as_they_are_written(
    operator: Operator, verdicts: tuple[bool, bool, bool]
) -> None:
    condition = Condition(name="auc", operator=operator, right=0.5)

    assert tuple(condition.holds(left, 0.5) for left in (0.4, 0.5, 0.6)) == verdicts


def test_reading_conditions_loads_no_engine() -> None:
    code = (
        "import sys, fairway.delivery.gate;"
        "heavy = ('numpy', 'scipy', 'pandas', 'pyarrow', 'pydantic', 'ibis', 'sqlalchemy');"
        "print([name for name in heavy if name in sys.modules])"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
