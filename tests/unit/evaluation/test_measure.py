"""What the evaluation document promises."""

import json
from typing import Any

import numpy as np
import pytest

from fairway.errors import ProjectError, RequestError
from fairway.evaluation.estimate import Estimate
from fairway.evaluation.measure import measure
from fairway.evaluation.payoff import N_POINTS, Payoff, value
from fairway.evaluation.vocabulary import BINARY, REGRESSION

FLIGHTS = Payoff(unit="USD", tp=-30, fp=-30, fn=-120, tn=0)


def rows(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    p = generator.beta(1.2, 3.6, n)
    return (generator.random(n) < p).astype(float), p


def numbers(document: Any) -> list[object]:
    if isinstance(document, dict):
        return [leaf for value in document.values() for leaf in numbers(value)]
    if isinstance(document, list):
        return [leaf for value in document for leaf in numbers(value)]
    return [document]


def test_the_document_has_its_keys_and_is_plain_json() -> None:
    y, p = rows(600)
    told = measure(
        y,
        p,
        task="binary",
        train_mean=0.25,
        slices={"origin": ["EWR", "JFK", "LGA"] * 200},
        payoff=FLIGHTS,
        p99_ms=Estimate(value=1.5, low=1.4, high=1.9),
        size_bytes=1234,
    )

    assert json.loads(json.dumps(told, allow_nan=False)) == told
    assert list(told) == [
        "task",
        "n_rows",
        "n_positive",
        "train_mean",
        "metrics",
        "slices",
        "payoff",
        "threshold",
        "calibration",
        "fixed",
    ]
    assert (told["n_rows"], told["n_positive"]) == (600, int(y.sum()))
    assert list(told["metrics"]) == [*BINARY, "payoff", "p99_ms", "size_bytes"]
    assert told["metrics"]["size_bytes"] == {"value": 1234.0, "low": 1234.0, "high": 1234.0}
    assert told["threshold"] == 0.25
    assert len(told["calibration"]) == 10
    assert len(told["payoff"]["curve"]) <= N_POINTS
    assert told["payoff"]["value"] == pytest.approx(value(FLIGHTS, y, p, 0.25).value)
    assert told["payoff"]["value"] == told["metrics"]["payoff"]["value"]
    assert told["fixed"]["value"] == max(
        told["fixed"]["always"]["value"], told["fixed"]["never"]["value"]
    )
    assert told["payoff"]["over_fixed"]["value"] == pytest.approx(
        told["payoff"]["value"] - told["fixed"]["value"]
    )


def test_a_slice_is_measured_as_if_it_stood_alone() -> None:
    y, p = rows(800)
    part = np.arange(800) % 4 == 0

    told = measure(
        y,
        p,
        task="binary",
        train_mean=0.25,
        slices={"big": np.where(part, "yes", "no")},
        payoff=FLIGHTS,
    )
    alone = measure(y[part], p[part], task="binary", train_mean=0.25, payoff=FLIGHTS)

    assert told["slices"]["big"]["yes"] == {
        "n_rows": 200,
        "n_positive": int(y[part].sum()),
        "judged": True,
        "metrics": alone["metrics"],
    }


def test_a_small_slice_is_shown_and_not_judged() -> None:
    y, p = rows(500)
    told = measure(
        y, p, task="binary", train_mean=0.25, slices={"c": ["few"] * 150 + ["many"] * 350}
    )

    assert told["slices"]["c"]["few"]["judged"] is False
    assert told["slices"]["c"]["few"]["metrics"]["auc"]["value"] is not None
    assert told["slices"]["c"]["many"]["judged"] is True


def test_a_regression_is_judged_by_its_own_metrics() -> None:
    y = np.arange(50.0)

    told = measure(y, y + 1, task="regression", train_mean=20.0)

    assert list(told["metrics"]) == list(REGRESSION)
    assert told["n_positive"] is None
    assert told["payoff"] is None
    assert told["fixed"] is None
    assert told["threshold"] is None
    assert told["metrics"]["bias"] == {"value": 1.0, "low": 1.0, "high": 1.0}


def test_named_metrics_come_in_their_order_and_functions_with_them() -> None:
    y, p = rows(100)

    told = measure(
        y,
        p,
        task="binary",
        train_mean=0.25,
        metrics=["brier", "mine:top", "auc"],
        functions={"mine:top": lambda y, score: float(score.max())},
        slices={"all": ["one"] * 100},
    )

    assert list(told["metrics"]) == ["brier", "mine:top", "auc"]
    assert told["metrics"]["mine:top"]["value"] == p.max()
    assert told["slices"]["all"]["one"]["metrics"]["mine:top"] == told["metrics"]["mine:top"]


@pytest.mark.parametrize(
    ("y", "p"),
    [
        ([], []),
        ([1], [0.5]),
        ([0, 0, 0], [0.1, 0.2, 0.3]),
        ([1, 1, 1], [0.5, 0.5, 0.5]),
        ([0, 1, 0, 1], [0.5, 0.5, 0.5, 0.5]),
        ([0, 1, 1, 0], [0.0, 1.0, 0.0, 1.0]),
    ],
)
@pytest.mark.parametrize("train_mean", [None, 0.0, 0.25, 1.0])
def test_poor_rows_give_a_document_without_nan(
    y: list[int], p: list[float], train_mean: float | None
) -> None:
    told = measure(
        y,
        p,
        task="binary",
        train_mean=train_mean,
        slices={"c": ["a"] * len(y)},
        payoff=FLIGHTS,
    )

    json.dumps(told, allow_nan=False)
    assert told["n_rows"] == len(y)
    assert len(told["calibration"]) == min(10, len(y))


def test_never_acting_as_best_threshold_is_spelled_as_none() -> None:
    told = measure(
        [0, 0], [0.1, 0.9], task="binary", train_mean=0.1, payoff=Payoff(unit="EUR", tp=1, fp=-1)
    )

    assert told["payoff"]["best"] == {"threshold": None, "value": 0.0}


def test_the_same_rows_give_the_same_document() -> None:
    y, p = rows(300)

    def told() -> dict[str, Any]:
        return measure(
            y,
            p,
            task="binary",
            train_mean=0.2,
            metrics=["calibration_error", "m:f"],
            functions={"m:f": lambda y, score: float(score.mean())},
        )

    assert told() == told()


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(RequestError, match=r"Score 1.5 of row 1 is no probability"):
        measure([0, 1], [0.5, 1.5], task="binary", train_mean=0.5)
    with pytest.raises(RequestError, match="Outcome 2 is neither"):
        measure([0, 2], [0.5, 0.5], task="binary", train_mean=0.5)
    with pytest.raises(RequestError, match="Slice column c has not one value for each"):
        measure([0, 1], [0.5, 0.5], task="binary", train_mean=0.5, slices={"c": ["a"]})
    with pytest.raises(ProjectError, match="target is a number"):
        measure([0, 1], [0.5, 0.5], task="regression", train_mean=0.5, payoff=FLIGHTS)
    with pytest.raises(ProjectError, match="auc is for a yes-or-no target"):
        measure([0, 1], [0.5, 0.5], task="regression", train_mean=0.5, metrics=["auc"])
    with pytest.raises(ProjectError, match="m:f was not loaded"):
        measure([0, 1], [0.5, 0.5], task="binary", train_mean=0.5, metrics=["m:f"])


def test_a_test_part_of_the_flights_size_is_measured_whole_and_by_slice() -> None:
    y, p = rows(55_000)
    generator = np.random.default_rng(1)
    slices = {
        "carrier": generator.choice([f"C{number}" for number in range(16)], 55_000),
        "origin": generator.choice(["EWR", "JFK", "LGA"], 55_000),
    }
    told = measure(y, p, task="binary", train_mean=0.25, slices=slices, payoff=FLIGHTS)

    assert (len(told["slices"]["carrier"]), len(told["slices"]["origin"])) == (16, 3)
    assert None not in numbers(told)
