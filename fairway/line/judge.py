"""Gather what is known about a release, and let a gate judge it.

Room: ``fairway.line``, for ``release`` and ``deploy``. The journal says what is known; a
champion is measured anew on the very rows that the release was measured on. No pointer moves here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fairway.delivery import approval, gate, registry
from fairway.delivery.evidence import Evidence, Statement
from fairway.delivery.gate import Verdict
from fairway.digest import Digest
from fairway.errors import NotFoundError, RequestError
from fairway.line.prepare import require, stage
from fairway.line.stages.spec import EvaluationSpec
from fairway.pipeline.execution import run_step
from fairway.project import Project
from fairway.store import journal, pointer
from fairway.store.home import Home
from fairway.store.journal import Entry

if TYPE_CHECKING:
    import pyarrow as pa

DECIDED = "gate_decided"
TESTED = "tested"


@dataclass(frozen=True, kw_only=True)
class Case:
    """A release, or what is to become one, before the gate.

    Attributes:
        release: Its digest.
        manifest: What its ``release.json`` says.
        authors: Who ran and released it.
    """

    release: Digest
    manifest: Mapping[str, Any]
    authors: Sequence[str]

    def digest(self, name: str) -> Digest:
        """A digest that the manifest names."""
        return Digest(self.manifest[name])


def conditions_of(project: Project, environment: str) -> Sequence[Any]:
    """The conditions of an environment.

    Raises:
        RequestError: If the project has no such environment.
    """
    if environment not in project.gate:
        raise RequestError(
            f"The project has no environment {environment!r}.",
            hint=f"Name one of {', '.join(project.gate)}, or add it to [gate].",
        )
    return project.gate[environment]


def judge(home: Home, project: Project, case: Case, environment: str, at: datetime) -> Verdict:
    """Judge a release by an environment's conditions, on all that the journal knows by now."""
    conditions = conditions_of(project, environment)
    champion = _champion(home, project, environment, at)
    known = Evidence(
        model=case.digest("model"),
        snapshot=case.digest("snapshot"),
        release=case.release,
        champion=champion.release if champion else None,
        evaluation=_evaluation(home, project, case),
        champion_comparison=_against_champion(home, project, case, champion),
        baseline_comparison=_against_baseline(home, project, case),
        leakage=_latest(home, project, "leakage_audited", case.digest("snapshot")),
        contract=_latest(home, project, "contract_checked", case.digest("snapshot")),
        tests=_latest(home, project, TESTED, case.release),
        approvals=_approvals(home, project, case, environment, at),
        declared=case.manifest["criteria"].get(environment),
    )
    return gate.decide(conditions, known)


def _champion(home: Home, project: Project, environment: str, at: datetime) -> Case | None:
    """What stands in the environment at that instant; None for nothing."""
    standing = pointer.current(home.db, project=project.name, name=environment, at=at)
    if standing is None:
        return None
    return find(home, project, standing)


def find(home: Home, project: Project, text: str) -> Case:
    """The release that somebody means, with its manifest.

    Raises:
        NotFoundError: If it means none.
        RequestError: If it means several.
    """
    listed = registry.resolve(home.db, project=project.name, text=text)
    return Case(
        release=listed.release,
        manifest=home.blobs.read_json(listed.release),
        authors=listed.entry.body["authors"],
    )


def _latest(home: Home, project: Project, kind: str, subject: Digest) -> Statement | None:
    found = journal.entries(home.db, project=project.name, kind=kind, subject=subject)
    return _statement(found[-1]) if found else None


def _statement(entry: Entry) -> Statement:
    return Statement(subjects=entry.subjects, body=entry.body)


def _evaluation(home: Home, project: Project, case: Case) -> Statement | None:
    """What was measured of this model on this snapshot, on the test part."""
    kind, model = "model_evaluated", case.digest("model")
    found = journal.entries(home.db, project=project.name, kind=kind, subject=model)
    for entry in reversed(found):
        if entry.body["evaluation"] == case.manifest["evaluation"]:
            file = home.blobs.entries(case.digest("evaluation"))["evaluation.json"].digest
            told = home.blobs.read_json(file)
            return Statement(subjects=entry.subjects, body=told["test"])
    return None


def _approvals(
    home: Home, project: Project, case: Case, environment: str, at: datetime
) -> Statement:
    """Who stands by the release at that instant; what is said from a later one on waits."""
    said = journal.entries(
        home.db, project=project.name, kind=approval.KIND, subject=case.release, until=at
    )
    body = approval.approvers(
        said,
        release=case.release,
        environment=environment,
        roles={"owner": [project.owner] if project.owner else []},
        authors=case.authors,
    )
    return Statement(subjects=(case.release,), body=body)


def _against_baseline(home: Home, project: Project, case: Case) -> Statement | None:
    baseline = case.manifest.get("baseline_evaluation")
    if baseline is None:
        return None
    return _compare(home, project, case, Digest(baseline), against="baseline")


def _against_champion(
    home: Home, project: Project, case: Case, champion: Case | None
) -> Statement | None:
    """Measure the champion on the release's own rows, and compare."""
    if champion is None:
        return None
    dataset = case.digest("dataset")
    if not home.blobs.has(dataset):
        return None
    asked = EvaluationSpec(
        parts=("test",),
        predict=None,
        evaluate=project.evaluate,
        payoff=project.payoff,
        timeout_s=float((champion.manifest.get("predict") or {}).get("timeout_s", 600)),
        is_release=True,
    )
    label = f"champion {champion.manifest['version']} evaluation"
    inputs = {"dataset": dataset, "model": tree(home, project, champion.release)}
    step = stage(home, project, "evaluation", asked, inputs, label=label)
    result = run_step(home, step, root=project.root, project=project.name)
    return _compare(home, project, case, require(home, project, result), against=champion.release)


def tree(home: Home, project: Project, release: Digest) -> Digest:
    """The whole folder of a known release, as a tree of the home.

    Raises:
        NotFoundError: If the home does not know it.
    """
    for kind in registry.KINDS:
        for entry in journal.entries(home.db, project=project.name, kind=kind, subject=release):
            return Digest(entry.body["tree"])
    raise NotFoundError(f"This home has no release {release}.", hint="Pull it first.")


def _compare(home: Home, project: Project, case: Case, other: Digest, *, against: str) -> Statement:
    """Compare two evaluations on the same rows of the test part."""
    from fairway.evaluation import comparison, custom, vocabulary

    mine = _predictions(home, case.digest("evaluation"))
    theirs = _predictions(home, other)
    names = project.evaluate.metrics or vocabulary.names_of(case.manifest["task"])
    told = home.blobs.read_json(home.blobs.entries(other)["evaluation.json"].digest)["test"]
    body = comparison.compare(
        mine["outcome"].to_numpy(),
        mine["score"].to_numpy(),
        theirs["score"].to_numpy(),
        metrics=names,
        keys=case.manifest["snapshot"],
        other_keys=case.manifest["snapshot"],
        against=against,
        train_mean=told["train_mean"],
        payoff=project.payoff,
        functions={
            name: custom.load(name, Path(project.root))
            for name in names
            if vocabulary.is_custom(name)
        },
        other_metrics=told["metrics"],
    )
    return Statement(subjects=(case.digest("model"), case.digest("snapshot")), body=body)


def _predictions(home: Home, evaluation: Digest) -> "pa.Table":
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    file = home.blobs.entries(evaluation)["predictions.parquet"].digest
    table = pq.read_table(home.blobs.path(file))
    return table.filter(pc.equal(table["part"], "test"))
