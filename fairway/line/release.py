"""``fairway release``, ``approve`` and ``verify``: from a measured candidate to a signed folder.

Room: ``fairway.line``; after ``run``, before ``deploy``. The first environment's gate judges;
what it refuses leaves nothing visible behind.
"""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from fairway import digest as naming
from fairway.delivery import approval, attestation, registry
from fairway.delivery import release as releases
from fairway.delivery.gate import Verdict
from fairway.delivery.release import Release
from fairway.digest import Digest
from fairway.errors import NotFoundError, RequestError
from fairway.line import judge, pins, record
from fairway.line.candidates import ANSWER_S, answer_s
from fairway.line.judge import Case
from fairway.line.prepare import environment_digest, variables
from fairway.line.progress import Report
from fairway.line.record import BASELINE, Outcome, Record
from fairway.model import bundle
from fairway.pipeline.execution import run_step
from fairway.pipeline.file import IGNORED
from fairway.pipeline.step import Step
from fairway.project import Project
from fairway.store import journal
from fairway.store.home import Home
from fairway.store.tree import write_tree

RELEASED = "released"
SIGNATURES = "attestations/"
TOLD = ("candidate", "model", "snapshot", "commit", "owner")
"""What the journal repeats of a release's manifest, so that a trace need not open it."""


def release(
    home: Home,
    project: Project,
    at: datetime,
    actor: str,
    *,
    candidate: str | None,
    report: Report,
) -> dict[str, Any]:
    """Judge a candidate by the first environment's gate; what passes is signed and published.

    Releasing the same again answers with the release that is there.

    Raises:
        NotFoundError: If there is no finished run, or no such candidate.
        RequestError: If the candidate is none that could be released.
    """
    made = record.latest(home, project.name)
    outcome = _chosen(made, candidate)
    environment = next(iter(project.gate))
    report.start("Assembling the release")
    with home.lock("release"):
        parts = _parts(home, project, made, outcome)
        known = _known(home, project, parts)
        version = known or registry.next_version(home.db, project=project.name, effective_at=at)
        whole = _assemble(home, project, parts, version, verdict=None)
        if project.release.test:
            report.start("Running the release's tests")
            _test(home, project, at, actor, made, whole)
        report.start("Judging")
        case = Case(release=whole.digest, manifest=whole.manifest, authors=(made.actor, actor))
        verdict = judge.judge(home, project, case, environment, at)
        path = None
        if verdict.passed:
            whole = _assemble(home, project, parts, version, verdict=verdict.to_json())
            if known:
                whole = replace(whole, tree=judge.tree(home, project, whole.digest))
            path = releases.publish(home, whole)
            whole = replace(whole, tree=home.blobs.put_tree(path))  # a killed call may have signed
        _write(home, project, at, actor, whole, environment, verdict, made, is_new=known is None)
    return {
        "release": whole.digest if verdict.passed else None,
        "version": version if verdict.passed else None,
        "candidate": outcome.name,
        "environment": environment,
        "path": str(path) if path else None,
        "verdict": verdict.to_json(),
    }


def approve(
    home: Home,
    project: Project,
    at: datetime,
    actor: str,
    *,
    release: str,
    environment: str | None,
) -> dict[str, Any]:
    """Say by name that one stands by a release.

    Raises:
        NotFoundError: If there is no such release.
        RequestError: If there is no such environment.
    """
    found = registry.resolve(home.db, project=project.name, text=release)
    if environment is not None:
        judge.conditions_of(project, environment)
    with home.db.transaction() as tx:
        approval.approve(
            tx,
            project=project.name,
            actor=actor,
            effective_at=at,
            release=found.release,
            environment=environment,
        )
    return {"release": found.release, "environment": environment, "actor": actor}


def verify(home: Home, project: Project, release: str) -> dict[str, Any]:
    """Compare every byte of a release's folder with what was released, and check its signatures.

    Raises:
        NotFoundError: If there is no such release.
    """
    found = registry.resolve(home.db, project=project.name, text=release)
    tree = Digest(found.entry.body["tree"])
    differs = differences(home, found.release, tree, signer(home, found.entry.body))
    return {
        "release": found.release,
        "version": found.version,
        "ok": not differs,
        "differs": differs,
    }


def signer(home: Home, body: Mapping[str, Any]) -> bytes:
    """The public key that must have signed a release: the one noted when it became known here."""
    if "signer" in body:
        return str(body["signer"]).encode()
    return attestation.public_key(attestation.signing_key(home))


def differences(
    home: Home, release: Digest, tree: Digest, public_key: bytes
) -> list[dict[str, Any]]:
    """Where a release's folder is not what was released; empty where nothing differs.

    The manifest answers for the parts, the journal's ``tree`` for the signatures beside them.
    """
    folder = releases.folder(home, release)
    found = [
        {
            "file": one.file,
            "problem": one.problem,
            "expected": one.expected,
            "found": one.found,
            "expected_bytes": one.expected_bytes,
            "found_bytes": one.found_bytes,
        }
        for one in bundle.verify(folder, release, public_key)
    ]
    named = {row["file"] for row in found}
    for path, entry in home.blobs.entries(tree).items():
        if path in named or not path.startswith(SIGNATURES):
            continue
        data = (folder / path).read_bytes() if (folder / path).is_file() else None
        there = None if data is None else naming.of_bytes(data)
        if there != entry.digest:
            found.append(
                {
                    "file": path,
                    "problem": "missing" if data is None else "changed",
                    "expected": entry.digest,
                    "found": there,
                    "expected_bytes": entry.n_bytes,
                    "found_bytes": None if data is None else len(data),
                }
            )
    return found


@dataclass(frozen=True, kw_only=True)
class _Parts:
    """What a release is made of, before it has a version."""

    files: Mapping[str, Digest | bytes]
    trees: Mapping[str, Digest]
    about: Mapping[str, Any]


def _chosen(made: Record, candidate: str | None) -> Outcome:
    name = candidate or made.best
    if name is None:
        raise NotFoundError(
            f"No candidate of the run {made.run} was trained and measured.",
            hint="See why: fairway logs",
        )
    outcome = made.outcome(name)
    if name == BASELINE:
        raise RequestError(
            "The baseline is what candidates are held against, not one of them.",
            hint="Name a candidate: see fairway candidates.",
        )
    if outcome.model is None or outcome.evaluation is None:
        raise RequestError(
            f"The candidate {name} was not trained and measured: {outcome.why}",
            hint=f"See: fairway logs {name}",
        )
    return outcome


def _parts(home: Home, project: Project, made: Record, outcome: Outcome) -> _Parts:
    """Gather model, repairs, contracts, evidence, pins, application and code."""
    dataset = home.blobs.entries(made.dataset)
    evaluation = home.blobs.entries(outcome.evaluation or made.dataset)
    baseline = made.outcome(BASELINE)
    files: dict[str, Digest | bytes] = {
        "fairway.toml": made.project_file,
        "repair.json": dataset["repair.json"].digest,
        "signature.json": dataset["signature.json"].digest,
        "evidence/dataset.json": dataset["report.json"].digest,
        "evidence/leakage.json": dataset["leakage.json"].digest,
        "evidence/evaluation.json": evaluation["evaluation.json"].digest,
        "environment/python.txt": pins.installed(),
    }
    for path, content in made.environment.items():
        files[f"environment/{path}"] = content
    files["contracts/dataset.odcs.yaml"] = dataset["contract.odcs.yaml"].digest
    for name, content in made.contracts.items():
        files[f"contracts/{name}.odcs.yaml"] = content
    for path, content in outcome.code.items():
        files[f"code/{path}"] = content
    trees = {"model": outcome.model or made.dataset}
    if project.release.app:
        trees["app"] = _application(home, project.release.app)
    one = project.candidates.get(outcome.name)
    predict = None
    if outcome.predict:
        timeout_s = answer_s(one) if one else ANSWER_S  # the file may have dropped it meanwhile
        predict = {"command": outcome.predict, "timeout_s": timeout_s}
    about = {
        "purpose": project.purpose,
        "owner": project.owner,
        "candidate": outcome.name,
        "parameters": dict(outcome.parameters),
        "commit": made.commit,
        "is_clean": made.is_clean,
        "task": json.loads(home.blobs.read(dataset["report.json"].digest))["task"],
        "threshold": outcome.threshold,
        "predict": predict,
        "model": outcome.model,
        "snapshot": made.snapshot,
        "dataset": made.dataset,
        "evaluation": outcome.evaluation,
        "baseline_evaluation": baseline.evaluation,
        "criteria": {name: list(rules) for name, rules in made.criteria.items()},
    }
    return _Parts(files=files, trees=trees, about=about)


def _application(home: Home, folder: Path) -> Digest:
    """Store the application without what its tests and tools leave beside it."""
    with home.scratch("app") as scratch:
        target = scratch / folder.name
        shutil.copytree(
            folder, target, symlinks=True, ignore=lambda _, names: IGNORED.intersection(names)
        )
        return home.blobs.put_tree(target, move=True)


def _assemble(
    home: Home, project: Project, parts: _Parts, version: str, *, verdict: Mapping[str, Any] | None
) -> Release:
    return releases.assemble(
        home,
        name=project.name,
        version=version,
        files=parts.files,
        trees=parts.trees,
        about=parts.about,
        verdict=verdict,
    )


def _known(home: Home, project: Project, parts: _Parts) -> str | None:
    """The version under which exactly these parts were released before, if they were."""
    for one in reversed(registry.releases(home.db, project=project.name)):
        again = _assemble(home, project, parts, one.version, verdict=None)
        if again.digest == one.release:
            return one.version
    return None


def _test(
    home: Home, project: Project, at: datetime, actor: str, made: Record, whole: Release
) -> None:
    """Run the release's own tests on its folder; the exit code is evidence, whatever it is."""
    given = "export FAIRWAY_RELEASE={release} PYTHONDONTWRITEBYTECODE=1"
    unsigned = {  # signing the same twice gives two signatures, which nobody need test twice
        path: entry
        for path, entry in home.blobs.entries(whole.tree).items()
        if not path.startswith("attestations/")
    }
    step = Step(
        name="tests",
        command=f"{given}\n( {project.release.test}\n) && echo passed >{{out}}",
        inputs={"release": home.blobs.put_bytes(write_tree(unsigned))},
        output_kind="file",
        environment=environment_digest(project),
        variables=variables(project),
        timeout_s=3600.0,
    )
    result = run_step(home, step, root=project.root, project=project.name, run=made.run)
    code = 0 if result.output is not None else (result.exit_code or 1)
    with home.db.transaction() as tx:
        journal.append(
            tx,
            project=project.name,
            actor=actor,
            effective_at=at,
            kind=judge.TESTED,
            subjects=[whole.digest],
            body={
                "release": whole.digest,
                "command": project.release.test,
                "exit_code": code,
                "state": result.state,
                "log": result.log,
            },
        )


def _write(
    home: Home,
    project: Project,
    at: datetime,
    actor: str,
    whole: Release,
    environment: str,
    verdict: Verdict,
    made: Record,
    *,
    is_new: bool,
) -> None:
    """Write the verdict, and with it what was released, in one transaction."""
    key = attestation.public_key(attestation.signing_key(home)).decode()
    with home.db.transaction() as tx:
        head = journal.head(tx)
        journal.append(
            tx,
            project=project.name,
            actor=actor,
            effective_at=at,
            kind=judge.DECIDED,
            subjects=[whole.digest, Digest(whole.manifest["model"])],
            body={
                "release": whole.digest,
                "run": made.run,
                "environment": environment,
                "verdict": verdict.to_json(),
            },
        )
        if not verdict.passed or not is_new:
            return
        journal.append(
            tx,
            project=project.name,
            actor=actor,
            effective_at=at,
            kind=RELEASED,
            subjects=[whole.digest, whole.tree, Digest(whole.manifest["model"])],
            body={
                "release": whole.digest,
                "tree": whole.tree,
                "name": whole.name,
                "version": whole.version,
                "head": head,
                "signer": key,
                "run": made.run,
                "authors": sorted({made.actor, actor}),
                **{name: whole.manifest[name] for name in TOLD},
            },
        )
