from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from fairway.delivery import approval
from fairway.delivery.condition import parse
from fairway.delivery.gate import Verdict
from fairway.digest import Digest, of_bytes
from fairway.errors import NotFoundError, RequestError
from fairway.line import judge
from fairway.line.judge import Case
from fairway.project import Project
from fairway.store.home import Home
from tests.unit.line.scribe import AT, Scribe

MODEL, SNAPSHOT = of_bytes(b"model"), of_bytes(b"snapshot")


def manifest(home: Home, *, criteria: Mapping[str, Any], auc: float = 0.7) -> dict[str, Any]:
    """What a release says of itself, with an evaluation that the home has."""
    test = {"task": "binary", "metrics": {"auc": {"value": auc, "low": auc, "high": auc}}}
    with home.scratch("evaluation") as folder:
        (folder / "evaluation.json").write_bytes(
            home.blobs.read(home.blobs.put_json({"validation": test, "test": test}))
        )
        evaluation = home.blobs.put_tree(folder)
    return {
        "model": MODEL,
        "snapshot": SNAPSHOT,
        "evaluation": evaluation,
        "task": "binary",
        "criteria": dict(criteria),
    }


def judged(
    home: Home, project: Project, scribe: Scribe, *rules: str, declared: list[str] | None = None
) -> tuple[Case, Verdict]:
    """A case under these rules, judged after its model was measured."""
    project = replace(project, gate={"staging": tuple(map(parse, rules))})
    told = manifest(home, criteria={"staging": list(rules) if declared is None else declared})
    release = scribe.release(told, version="2024.8.1", authors=["ann"])
    measured = {"evaluation": told["evaluation"]}
    scribe.say("model_evaluated", MODEL, SNAPSHOT, told["evaluation"], body=measured)
    case = Case(release=release, manifest=told, authors=["ann"])
    return case, judge.judge(home, project, case, "staging", AT)


def test_the_conditions_of_an_unknown_environment_are_refused_with_the_known_ones(
    project: Project,
) -> None:
    assert [one.text for one in judge.conditions_of(project, "staging")] == [
        "auc >= 0.55",
        "leakage == none",
    ]
    with pytest.raises(RequestError, match="no environment 'live'") as refused:
        judge.conditions_of(project, "live")
    assert "staging, production" in refused.value.hint


def test_a_release_is_found_by_version_with_what_its_manifest_says(
    home: Home, project: Project, scribe: Scribe
) -> None:
    told = manifest(home, criteria={})
    release = scribe.release(told, version="2024.8.1", authors=["ann", "ben"])

    found = judge.find(home, project, "2024.8.1")

    assert found == Case(release=release, manifest=told, authors=["ann", "ben"])
    assert found.digest("model") == MODEL
    with pytest.raises(NotFoundError):
        judge.find(home, project, "2024.8.2")


def test_the_tree_of_a_release_is_that_which_the_journal_names(
    home: Home, project: Project, scribe: Scribe
) -> None:
    tree = of_bytes(b"tree")
    release = scribe.release(manifest(home, criteria={}), version="2024.8.1", tree=tree)

    assert judge.tree(home, project, release) == tree
    with pytest.raises(NotFoundError, match="has no release"):
        judge.tree(home, project, of_bytes(b"another"))


def test_a_metric_is_judged_by_what_was_measured_of_the_model(
    home: Home, project: Project, scribe: Scribe
) -> None:
    _, verdict = judged(home, project, scribe, "auc >= 0.69", "auc >= 0.71")

    assert [rule.passed for rule in verdict.rules] == [True, False]
    assert verdict.rules[0].value == 0.7


@pytest.mark.parametrize("rule", ["leakage == none", "contract == passed", "tests == passed"])
def test_evidence_that_is_missing_refuses(
    home: Home, project: Project, scribe: Scribe, rule: str
) -> None:
    _, verdict = judged(home, project, scribe, rule)

    assert not verdict.passed
    assert verdict.rules[0].value is None


def test_evidence_of_another_snapshot_does_not_count(
    home: Home, project: Project, scribe: Scribe
) -> None:
    scribe.say("leakage_audited", of_bytes(b"another snapshot"), body={"findings": []})
    _, before = judged(home, project, scribe, "leakage == none")
    scribe.say("leakage_audited", SNAPSHOT, body={"findings": []})
    _, after = judged(home, project, scribe, "leakage == none")

    assert (before.passed, after.passed) == (False, True)


def test_the_last_word_on_the_tests_counts(home: Home, project: Project, scribe: Scribe) -> None:
    case, _ = judged(home, project, scribe, "tests == passed")
    found = []
    for code in (1, 0):
        scribe.say(judge.TESTED, case.release, body={"release": case.release, "exit_code": code})
        found.append(judged(home, project, scribe, "tests == passed")[1].passed)

    assert found == [False, True]


def test_an_approval_counts_for_the_owner_and_not_for_an_author(
    home: Home, project: Project, scribe: Scribe
) -> None:
    rules = ("approvals(owner) >= 1", "approvals(owner, not author) >= 1")
    case, before = judged(home, project, scribe, *rules)

    def approve(actor: str, release: Digest) -> Verdict:
        with home.db.transaction() as tx:
            approval.approve(
                tx, project=project.name, actor=actor, effective_at=AT, release=release
            )
        by_owner = replace(case, authors=["ann", project.owner])
        gate = replace(project, gate={"staging": tuple(map(parse, rules))})
        return judge.judge(home, gate, by_owner, "staging", AT)

    stranger = approve("carl", case.release)
    owner = approve(project.owner, case.release)

    assert [rule.passed for rule in before.rules] == [False, False]
    assert [rule.passed for rule in stranger.rules] == [False, False]
    assert [rule.passed for rule in owner.rules] == [True, False]


def test_criteria_that_changed_after_training_began_are_said(
    home: Home, project: Project, scribe: Scribe
) -> None:
    _, same = judged(home, project, scribe, "auc >= 0.6")
    _, changed = judged(home, project, scribe, "auc >= 0.6", declared=["auc >= 0.8"])

    assert not any("criteria changed" in note for note in same.notes)
    assert any("criteria changed" in note and "auc >= 0.8" in note for note in changed.notes)
