"""That the gate reads what the evaluation writes."""

import json

import numpy as np

from fairway.delivery.condition import parse
from fairway.delivery.evidence import Evidence, Statement
from fairway.delivery.gate import decide
from fairway.digest import of_bytes
from fairway.evaluation.comparison import compare
from fairway.evaluation.estimate import Estimate
from fairway.evaluation.measure import measure
from fairway.evaluation.payoff import Payoff

MODEL, CHAMPION, SNAPSHOT = (of_bytes(name) for name in (b"model", b"champion", b"snapshot"))


def test_the_documents_of_evaluation_are_what_the_gate_reads() -> None:
    generator = np.random.default_rng(3)
    p = generator.beta(1.2, 3.6, 3000)
    y = (generator.random(3000) < p).astype(float)
    champion = np.clip(p + generator.normal(0, 0.2, 3000), 0, 1)
    payoff = Payoff(unit="USD", tp=-30, fp=-30, fn=-120, tn=0)
    document = measure(
        y,
        p,
        task="binary",
        train_mean=0.25,
        slices={"carrier": ["AA", "B6", "DL"] * 1000},
        payoff=payoff,
        p99_ms=Estimate(value=1.0, low=0.9, high=1.2),
        size_bytes=1000,
    )
    comparisons = {
        name: compare(
            y,
            p,
            scores,
            metrics=["auc", "log_loss", "calibration_error", "information_gain"],
            keys="rows",
            other_keys="rows",
            against=name,
            train_mean=0.25,
            payoff=payoff,
        )
        for name, scores in ((str(CHAMPION), champion), ("baseline", np.full(3000, 0.25)))
    }
    subjects = (MODEL, SNAPSHOT)
    evidence = Evidence(
        model=MODEL,
        snapshot=SNAPSHOT,
        champion=CHAMPION,
        evaluation=Statement(subjects=subjects, body=json.loads(json.dumps(document))),
        champion_comparison=Statement(subjects=subjects, body=comparisons[str(CHAMPION)]),
        baseline_comparison=Statement(subjects=subjects, body=comparisons["baseline"]),
    )
    rules = [
        "auc >= 0.65",
        "information_gain > 0",
        "worst(carrier).auc >= 0.6",
        "worst(carrier).payoff >= -29000",
        "payoff >= champion - 100",
        "log_loss < champion",
        "calibration_error <= champion",
        "payoff > baseline",
        "payoff > fixed",
        "p99_ms <= 20",
        "size_bytes <= 1e6",
    ]

    verdict = decide([parse(rule) for rule in rules], evidence)

    assert [rule.why for rule in verdict.rules if not rule.passed] == []
    assert verdict == decide([parse(rule) for rule in rules], evidence)
