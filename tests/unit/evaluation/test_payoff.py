"""What pay-offs promise: known answers, identities, and refusals."""

import json
import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairway.errors import ProjectError, RequestError
from fairway.evaluation import payoff as money
from fairway.evaluation.payoff import Payoff

Y = [1, 0, 1, 1, 0, 0, 1, 0]
P = [0.9, 0.2, 0.7, 0.4, 0.1, 0.6, 0.8, 0.3]
EIGHT = 8 / 1000  # from per 1,000 decisions to the eight rows
OFFER = Payoff(unit="USD", tp=100, fp=-60)
FLIGHTS = Payoff(unit="USD", tp=-30, fp=-30, fn=-120, tn=0)

rows_strategy = st.lists(
    st.tuples(st.integers(0, 1), st.floats(0, 1, allow_subnormal=False)), min_size=1, max_size=60
)
payoffs = st.builds(
    lambda fn, gain, fp, cost: Payoff(unit="USD", tp=fn + gain, fp=fp, fn=fn, tn=fp + cost),
    st.integers(-100, 100),
    st.integers(1, 100),
    st.integers(-100, 100),
    st.integers(1, 100),
)


def test_the_known_pay_off_is_earned_at_the_best_threshold() -> None:
    best = money.best(OFFER, Y, P)

    assert best is not None
    assert best.threshold == 0.4
    assert best.payoff * EIGHT == pytest.approx(340)


def test_the_known_values_of_fixed_actions_and_of_perfect_information() -> None:
    assert (money.always(OFFER, Y).value or 0) * EIGHT == pytest.approx(160)
    assert (money.never(OFFER, Y).value or 0) == 0
    assert (money.perfect(OFFER, Y).value or 0) * EIGHT == pytest.approx(400)
    assert money.best_fixed(OFFER, Y) == "always"
    over, perfect_over = money.over_fixed(OFFER, Y, P, 0.4), money.perfect_over_fixed(OFFER, Y)
    assert (over.value or 0) * EIGHT == pytest.approx(180)
    assert (perfect_over.value or 0) * EIGHT == pytest.approx(240)
    assert money.information_yield(over, perfect_over) == pytest.approx(0.75)


def test_the_known_net_benefits() -> None:
    assert money.net_benefit(Y, P, 0.25).value == pytest.approx(0.416667, abs=5e-7)
    assert money.net_benefit_of_all(Y, 0.25).value == pytest.approx(0.333333, abs=5e-7)
    assert money.net_benefit(Y, P, 0.5).value == pytest.approx(0.25)
    assert money.net_benefit_of_all(Y, 0.5).value == pytest.approx(0)


def test_the_flights_act_from_a_quarter_and_their_costs_are_ordinary() -> None:
    assert FLIGHTS.implied_threshold == 0.25
    y = np.array([1.0] * 250 + [0.0] * 750)

    assert money.never(FLIGHTS, y).value == pytest.approx(-30_000)
    assert money.always(FLIGHTS, y).value == pytest.approx(-30_000)
    assert money.best_fixed(FLIGHTS, y) == "never"
    assert money.perfect(FLIGHTS, y).value == pytest.approx(-7_500)


@settings(max_examples=60, deadline=None)
@given(payoff=payoffs)
def test_both_actions_are_worth_the_same_at_the_implied_threshold(payoff: Payoff) -> None:
    t = payoff.implied_threshold

    assert 0 < t < 1
    acting, idle = t * payoff.tp + (1 - t) * payoff.fp, t * payoff.fn + (1 - t) * payoff.tn
    assert acting == pytest.approx(idle, abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(rows=rows_strategy, payoff=payoffs)
def test_each_point_of_the_curve_is_the_value_of_its_threshold(
    rows: list[tuple[int, float]], payoff: Payoff
) -> None:
    y, p = np.array(rows).T

    points = money.curve(payoff, y, p)

    assert 1 <= len(points) <= money.N_POINTS
    for point in points:
        value = money.value(payoff, y, p, point.threshold).value
        counts = money.confusion(y, p, point.threshold)
        assert point.payoff == pytest.approx(value, abs=1e-9)
        assert counts.worth(payoff) * 1000 / len(y) == pytest.approx(value, abs=1e-9)
        assert point.act_share == pytest.approx((counts.tp + counts.fp) / len(y))
        if point.threshold < 1:
            benefit = money.net_benefit(y, p, point.threshold).value
            assert point.net_benefit == pytest.approx(benefit, rel=1e-9, abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(rows=rows_strategy, payoff=payoffs)
def test_no_threshold_earns_more_than_the_best_one_nor_the_best_more_than_perfect(
    rows: list[tuple[int, float]], payoff: Payoff
) -> None:
    y, p = np.array(rows).T
    best = money.best(payoff, y, p)
    assert best is not None

    tried = [money.value(payoff, y, p, t).value or 0 for t in [*p, math.inf]]

    assert best.payoff == pytest.approx(max(tried))
    assert best.payoff <= (money.perfect(payoff, y).value or 0) + 1e-9
    fixed = max(money.always(payoff, y).value or 0, money.never(payoff, y).value or 0)
    assert best.payoff >= fixed - 1e-9


@settings(max_examples=40, deadline=None)
@given(rows=rows_strategy, payoff=payoffs)
def test_net_benefit_is_the_pay_off_above_never_in_units_of_a_true_positive(
    rows: list[tuple[int, float]], payoff: Payoff
) -> None:
    y, p = np.array(rows).T
    t = payoff.implied_threshold
    gain = (money.value(payoff, y, p, t).value or 0) - (money.never(payoff, y).value or 0)

    scaled = gain / 1000 / (payoff.tp - payoff.fn)

    assert money.net_benefit(y, p, t).value == pytest.approx(scaled, abs=1e-9)


def test_never_acting_can_be_best() -> None:
    best = money.best(OFFER, [0, 0], [0.5, 0.9])

    assert best is not None
    assert (best.threshold, best.payoff, best.act_share) == (math.inf, 0.0, 0.0)


def test_the_interval_of_a_pay_off_holds_the_truth_about_95_times_in_100() -> None:
    # p uniform, act from 1/4: E = -30 * 3/4 - 120 * integral of p from 0 to 1/4.
    truth = 1000 * (-30 * 0.75 - 120 * 0.25**2 / 2)
    generator = np.random.default_rng(4)
    hits = 0
    for _ in range(400):
        p = generator.random(300)
        found = money.value(FLIGHTS, generator.random(300) < p, p, 0.25)
        hits += (found.low or 0) <= truth <= (found.high or 0)
    assert 0.91 <= hits / 400 <= 0.985


@pytest.mark.parametrize(
    ("amounts", "problem"),
    [
        ({"tp": 0, "fp": -10, "fn": 0, "tn": 0}, "so one would never act"),
        ({"tp": -50, "fp": -60, "fn": -40, "tn": 0}, "so one would never act"),
        ({"tp": 10, "fp": 0, "fn": 0, "tn": 0}, "so one would always act"),
        ({"tp": math.nan, "fp": 0, "fn": 0, "tn": 0}, "tp = nan is no amount"),
        ({"tp": math.inf, "fp": 0, "fn": 0, "tn": 0}, "tp = inf is no amount"),
    ],
)
def test_pay_offs_that_make_one_action_right_for_all_are_refused(
    amounts: dict[str, float], problem: str
) -> None:
    with pytest.raises(ProjectError, match=problem):
        Payoff(unit="USD", **amounts)


def test_without_rows_nothing_is_worth_anything_known() -> None:
    assert money.value(OFFER, [], [], 0.5).value is None
    assert money.curve(OFFER, [], []) == []
    assert money.best(OFFER, [], []) is None


def test_net_benefit_at_certainty_is_unknown() -> None:
    assert money.net_benefit(Y, P, 1.0).value is None


def test_perfect_information_that_is_worth_nothing_has_no_yield() -> None:
    y = [1, 1]

    over = money.over_fixed(OFFER, y, [0.9, 0.1], 0.5)

    assert money.information_yield(over, money.perfect_over_fixed(OFFER, y)) is None


def test_outcomes_other_than_yes_and_no_are_refused() -> None:
    with pytest.raises(RequestError, match="Outcome 2 is neither"):
        money.check_outcomes([0, 1, 2])


def test_reading_a_pay_off_loads_no_engine() -> None:
    code = (
        "import json, sys, fairway.evaluation.payoff, fairway.evaluation.vocabulary;"
        "heavy = ('numpy', 'scipy', 'pandas', 'pyarrow');"
        "print(json.dumps([name for name in heavy if name in sys.modules]))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert json.loads(done.stdout) == []
