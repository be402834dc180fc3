"""What a gate promises: it passes only on sound evidence, and says why."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairway.delivery.condition import parse
from fairway.delivery.evidence import Evidence, Statement
from fairway.delivery.gate import RuleVerdict, decide, digest_of
from fairway.digest import Digest, of_bytes

MODEL, CHAMPION, SNAPSHOT, RELEASE, OTHER = (
    of_bytes(name) for name in (b"model", b"champion", b"snapshot", b"release", b"other")
)
RULES = ["auc >= 0.65", "leakage == none"]


def metric(value: float | None, low: float | None = None, high: float | None = None) -> Any:
    return {"value": value, "low": low, "high": high}


def part(value: float, low: float, high: float, *, judged: bool = True) -> Any:
    return {
        "n_rows": 500,
        "n_positive": 100,
        "judged": judged,
        "metrics": {"auc": metric(value, low, high), "log_loss": metric(value, low, high)},
    }


EVALUATION = {
    "metrics": {
        "auc": metric(0.69, 0.68, 0.70),
        "log_loss": metric(0.51, 0.5, 0.52),
        "payoff": metric(-23_863.0, -24_200.0, -23_500.0),
        "p99_ms": metric(1.5, 1.4, 1.9),
        "brier": metric(None),
    },
    "slices": {
        "carrier": {
            "AA": part(0.7, 0.66, 0.74),
            "OO": part(0.52, 0.44, 0.6),
            "HA": part(0.3, 0.1, 0.5, judged=False),
        },
        "small": {"x": part(0.1, 0.1, 0.1, judged=False)},
    },
    "payoff": {"unit": "USD", "over_fixed": metric(6124.0, 5800.0, 6400.0)},
    "fixed": {"action": "never", "value": -29_987.0},
}


def against(digest: Digest | str, **differences: Any) -> Statement:
    body = {
        "against": digest,
        "differences": differences,
        "metrics": {"p99_ms": metric(1.0, 0.9, 1.1)},
    }
    return Statement(subjects=(MODEL, SNAPSHOT), body=body)


FULL = Evidence(
    model=MODEL,
    snapshot=SNAPSHOT,
    release=RELEASE,
    champion=CHAMPION,
    evaluation=Statement(subjects=(MODEL, SNAPSHOT), body=EVALUATION),
    champion_comparison=against(
        CHAMPION, payoff=metric(-80.0, -300.0, 140.0), auc=metric(0.01, 0.005, 0.015)
    ),
    baseline_comparison=against("baseline", auc=metric(0.19, 0.18, 0.2)),
    leakage=Statement(
        subjects=(SNAPSHOT,),
        body={
            "findings": [
                {"column": "dep_delay", "state": "withheld"},
                {"column": "temp", "state": "accepted", "by": "ana", "reason": "forecast"},
            ]
        },
    ),
    contract=Statement(subjects=(SNAPSHOT,), body={"passed": True}),
    tests=Statement(subjects=(RELEASE,), body={"exit_code": 0}),
    approvals=Statement(
        subjects=(RELEASE,), body={"owner": ["ana", "bo", "ana"], "owner, not author": ["bo"]}
    ),
    declared=tuple(RULES),
)


def judge(rule: str, evidence: Evidence = FULL) -> RuleVerdict:
    (verdict,) = decide([parse(rule)], evidence).rules
    assert verdict.rule == rule
    return verdict


@pytest.mark.parametrize(
    ("rule", "value", "why"),
    [
        ("auc >= 0.65", 0.69, "auc 0.69 [0.68, 0.7] is at least 0.65."),
        ("auc > 0.65", 0.69, "is above 0.65"),
        ("log_loss <= 0.51", 0.51, "is at most 0.51"),
        ("p99_ms < 20", 1.5, "is below 20"),
        ("payoff >= -24000", -23863, "-23,863 [-24,200, -23,500] USD per 1,000 decisions is"),
        ("leakage == none", "none", "1 withheld, 1 accepted"),
        ("contract == passed", "passed", "keeps its contract"),
        ("tests == passed", "passed", "ended with 0"),
        ("approvals(owner) >= 2", 2, "2 of owner (ana, bo)"),
        ("approvals(owner, not author) >= 1", 1, "1 of owner, not author (bo)"),
        ("worst(carrier).auc >= 0.55", 0.6, "the worst of 2 slices, is 0.52 [0.44, 0.6]"),
        ("worst(carrier).log_loss <= 0.67", 0.66, "the interval's lower end 0.66 meets <= 0.67"),
        ("payoff >= champion - 100", -23863, "80 [-140, 300] below that of the champion"),
        ("auc >= champion", 0.69, "0.01 [0.005, 0.015] above that of the champion"),
        ("auc > baseline + 0.1", 0.69, "0.19 [0.18, 0.2] above that of the baseline, as asked."),
        ("payoff > fixed", -23863, "6,124 [5,800, 6,400] above that of the best fixed action"),
        ("p99_ms <= champion + 1", 1.5, "0.5 above that of the champion"),
    ],
)
def test_a_rule_that_holds_passes_with_value_and_interval(
    rule: str, value: object, why: str
) -> None:
    verdict = judge(rule)

    assert verdict.passed
    assert verdict.value == value
    assert why in verdict.why


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ("auc >= 0.7", "auc 0.69 [0.68, 0.7] is below 0.7: Release a better candidate"),
        ("auc < 0.69", "0.69 [0.68, 0.7] is not below 0.69: "),
        ("p99_ms <= 1", "p99_ms 1.5 [1.4, 1.9] is above 1: Release a smaller"),
        ("worst(carrier).auc >= 0.65", "even the interval's upper end 0.6 misses >= 0.65"),
        ("payoff >= champion - 50", "and >= champion - 50 is asked: Compare the candidates"),
        ("approvals(owner) >= 3", "2 of owner (ana, bo); >= 3 is asked. Have the release approved"),
        ("approvals(auditor) >= 1", "0 of auditor; >= 1 is asked."),
    ],
)
def test_a_rule_that_does_not_hold_fails_and_says_what_to_do(rule: str, why: str) -> None:
    verdict = judge(rule)

    assert not verdict.passed
    assert why in verdict.why


def test_a_pass_that_the_interval_does_not_prove_says_so() -> None:
    assert "does not exclude the contrary" in judge("payoff >= champion - 100").why
    assert "does not exclude" not in judge("auc >= champion").why


def test_a_value_that_rounds_to_its_bound_is_told_in_full() -> None:
    body = {**EVALUATION, "metrics": {"auc": metric(0.649999, 0.64, 0.66)}}
    verdict = judge(
        "auc >= 0.65", replace(FULL, evaluation=Statement(subjects=(MODEL, SNAPSHOT), body=body))
    )

    assert not verdict.passed
    assert "0.649999" in verdict.why


ALL_RULES = [
    ("evaluation", "auc >= 0.65"),
    ("evaluation", "worst(carrier).auc >= 0.55"),
    ("evaluation", "payoff > fixed"),
    ("champion_comparison", "payoff >= champion - 100"),
    ("baseline_comparison", "auc > baseline"),
    ("leakage", "leakage == none"),
    ("contract", "contract == passed"),
    ("tests", "tests == passed"),
    ("approvals", "approvals(owner) >= 1"),
]


@pytest.mark.parametrize(("kind", "rule"), ALL_RULES)
def test_missing_evidence_refuses(kind: str, rule: str) -> None:
    verdict = judge(rule, replace(FULL, **{kind: None}))

    assert (verdict.passed, verdict.value) == (False, None)
    assert "there is no evidence of" in verdict.why


@pytest.mark.parametrize(("kind", "rule"), ALL_RULES)
def test_evidence_of_other_bytes_refuses(kind: str, rule: str) -> None:
    statement = replace(getattr(FULL, kind), subjects=(OTHER,))

    verdict = judge(rule, replace(FULL, **{kind: statement}))

    assert not verdict.passed
    assert "is stale: it speaks of" in verdict.why


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.floats() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(
                ["metrics", "auc", "value", "slices", "carrier", "payoff", "differences", "against"]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)


@pytest.mark.parametrize(("kind", "rule"), ALL_RULES)
@settings(max_examples=25, deadline=None)
@given(body=json_values)
def test_evidence_that_cannot_be_read_refuses_and_never_crashes(
    kind: str, rule: str, body: object
) -> None:
    statement = replace(getattr(FULL, kind), body=body)

    verdict = decide([parse(rule)], replace(FULL, **{kind: statement}))

    json.dumps(verdict.to_json(), allow_nan=False)
    if not isinstance(body, dict):
        assert not verdict.passed
        assert "cannot be read" in verdict.rules[0].why


@pytest.mark.parametrize(
    ("kind", "rule", "body"),
    [
        ("contract", "contract == passed", {"passed": "yes"}),
        ("contract", "contract == passed", {}),
        ("tests", "tests == passed", {"exit_code": False}),
        ("tests", "tests == passed", {}),
        ("leakage", "leakage == none", {}),
        ("leakage", "leakage == none", {"findings": "none"}),
        ("leakage", "leakage == none", {"findings": ["dep_delay"]}),
        ("approvals", "approvals(owner) >= 1", {"owner": 1}),
        ("evaluation", "auc >= 0.65", {"metrics": {"auc": metric(True)}}),
        ("evaluation", "auc >= 0.65", {"metrics": {"auc": metric(float("nan"))}}),
        ("evaluation", "auc >= 0.65", {"metrics": {"auc": 0.7}}),
        (
            "evaluation",
            "worst(c).auc >= 0",
            {"metrics": EVALUATION["metrics"], "slices": {"c": {"x": {}}}},
        ),
    ],
)
def test_each_kind_of_evidence_is_read_with_suspicion(kind: str, rule: str, body: object) -> None:
    verdict = judge(rule, replace(FULL, **{kind: replace(getattr(FULL, kind), body=body)}))

    assert not verdict.passed
    assert "cannot be read" in verdict.why


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ("bits >= 0", "it was not measured. Add bits to [evaluate] metrics"),
        ("brier <= 1", "brier could not be measured on these rows"),
        ("worst(origin).auc >= 0.5", "no slices by origin were measured"),
        ("worst(small).auc >= 0.05", "none of 1 slices by small has 200 rows"),
        ("log_loss <= champion", "does not tell it"),
        ("auc >= 0.5 over 7d", "not for gates"),
    ],
)
def test_what_is_not_known_refuses(rule: str, why: str) -> None:
    verdict = judge(rule)

    assert (verdict.passed, verdict.value) == (False, None)
    assert why in verdict.why


def test_a_pay_off_that_was_not_declared_is_asked_for() -> None:
    body = {**EVALUATION, "metrics": {"auc": metric(0.7, 0.6, 0.8)}}
    evidence = replace(FULL, evaluation=Statement(subjects=(MODEL, SNAPSHOT), body=body))

    assert "Declare [payoff]" in judge("payoff > 0", evidence).why


@pytest.mark.parametrize(
    "finding",
    [
        {"column": "dep_delay", "state": "open"},
        {"column": "dep_delay"},
        {"column": "dep_delay", "state": "accepted", "by": "ana"},
        {"column": "dep_delay", "state": "accepted", "by": "", "reason": "known"},
    ],
)
def test_a_finding_that_nobody_settled_stands_in_the_way(finding: dict[str, str]) -> None:
    statement = Statement(subjects=(SNAPSHOT,), body={"findings": [finding, finding]})

    verdict = judge("leakage == none", replace(FULL, leakage=statement))

    assert (verdict.passed, verdict.value) == (False, "dep_delay")
    assert "let a named person accept it" in verdict.why


def test_failing_tests_and_a_broken_contract_fail_with_their_reason() -> None:
    tests = Statement(subjects=(RELEASE,), body={"exit_code": 5})
    contract = Statement(subjects=(SNAPSHOT,), body={"passed": False, "why": "3 rows twice"})
    evidence = replace(FULL, tests=tests, contract=contract)

    assert judge("tests == passed", evidence).value == "failed"
    assert "ended with 5" in judge("tests == passed", evidence).why
    assert "3 rows twice" in judge("contract == passed", evidence).why


def test_before_there_is_a_release_its_tests_and_approvals_are_missing() -> None:
    evidence = replace(FULL, release=None)

    assert "there is no release yet" in judge("tests == passed", evidence).why
    assert "there is no release yet" in judge("approvals(owner) >= 1", evidence).why


def test_without_a_champion_the_pay_off_is_held_against_the_best_fixed_action() -> None:
    verdict = decide([parse("payoff >= champion - 100")], replace(FULL, champion=None))

    assert verdict.passed
    assert "best fixed action (never)" in verdict.rules[0].why
    assert any("champion means the best fixed action" in note for note in verdict.notes)


def test_without_a_champion_other_metrics_are_held_against_the_baseline() -> None:
    verdict = decide([parse("auc >= champion")], replace(FULL, champion=None))

    assert verdict.passed
    assert any("for auc, champion means the baseline" in note for note in verdict.notes)


def test_a_comparison_with_yesterdays_champion_is_stale() -> None:
    verdict = judge("auc >= champion", replace(FULL, champion=OTHER))

    assert not verdict.passed
    assert "is stale: it was made with" in verdict.why


def test_one_failing_rule_fails_the_gate_and_all_are_judged() -> None:
    verdict = decide([parse("auc >= 0.9"), parse("leakage == none")], FULL)

    assert not verdict.passed
    assert [rule.passed for rule in verdict.rules] == [False, True]


def test_the_verdict_is_spelled_as_the_wire_says() -> None:
    told = decide([parse(rule) for rule in RULES], FULL).to_json()

    assert told == {
        "pass": True,
        "rules": [
            {
                "rule": "auc >= 0.65",
                "pass": True,
                "value": 0.69,
                "why": "auc 0.69 [0.68, 0.7] is at least 0.65.",
            },
            {
                "rule": "leakage == none",
                "pass": True,
                "value": "none",
                "why": "No finding is open (1 withheld, 1 accepted).",
            },
        ],
        "notes": [],
        "criteria": digest_of(RULES),
    }


def test_criteria_that_changed_after_training_began_are_said() -> None:
    now = [parse("auc >= 0.6"), parse("leakage == none")]

    (note,) = decide(now, FULL).notes

    assert "changed after training began" in note
    assert "Added: auc >= 0.6." in note
    assert "Removed: auc >= 0.65." in note
    (by_digest,) = decide(now, replace(FULL, declared=digest_of(RULES))).notes
    assert "changed after training began" in by_digest
    assert (
        decide([parse(rule) for rule in RULES], replace(FULL, declared=digest_of(RULES))).notes
        == ()
    )
    assert "Nothing tells which" in decide(now, replace(FULL, declared=None)).notes[0]


def test_criteria_are_named_by_meaning_and_not_by_spacing() -> None:
    assert digest_of([parse("auc>=0.65")]) == digest_of([parse("auc  >= .65")])
    assert digest_of([parse("auc >= 0.65")]) != digest_of([parse("auc > 0.65")])


def test_a_gate_without_rules_passes_and_says_that_it_has_none() -> None:
    verdict = decide([], replace(FULL, declared=()))

    assert verdict.passed
    assert verdict.notes == ("This gate has no rules: everything passes.",)
