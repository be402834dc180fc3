"""``fairway run``: from the sources to measured candidates, as far as that is not known already.

Room: ``fairway.line``; after ``prepare`` and ``candidates``, before ``release``. It judges
and releases nothing. A run in which nothing changed runs nothing and loads no engine.
"""

import os
import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from fairway.digest import Digest
from fairway.errors import FairwayError
from fairway.line import candidates, commit, record
from fairway.line.candidates import Shop
from fairway.line.look import spell
from fairway.line.prepare import Prepared, environment, prepare
from fairway.line.progress import Report
from fairway.line.record import BASELINE, Outcome, Record
from fairway.project import Project
from fairway.store import journal
from fairway.store.home import Home
from fairway.tracking import log
from fairway.tracking import run as runs
from fairway.tracking.log import CandidateRecord, Metric
from fairway.tracking.run import RunId


def run(
    home: Home, project: Project, at: datetime, actor: str, *, report: Report
) -> dict[str, Any]:
    """Take a snapshot, train every candidate and measure it; the answer is the wire's ``run``.

    Raises:
        ContractError: If the data as a whole breaks its contract.
        ProjectError: If the project's file or code cannot be used.
        StepError: If a step of the project fails.
    """
    begun = time.monotonic()
    code = commit.read(project.root)
    project_file = home.blobs.put_file(project.file)
    criteria = {n: tuple(rule.text for rule in rules) for n, rules in project.gate.items()}
    with home.db.transaction() as tx:
        runs.mark_interrupted(tx, project.name, is_alive)
        run_id = runs.start(
            tx,
            project=project.name,
            actor=actor,
            effective_at=at,
            body={"pid": os.getpid(), "boot": _birth(os.getpid()), "commit": code.id},
        )
        journal.append(
            tx,
            project=project.name,
            actor=actor,
            effective_at=at,
            kind="run_started",
            subjects=[project_file],
            body={
                "run": run_id,
                "commit": code.id,
                "is_clean": code.is_clean,
                "criteria": criteria,
            },
        )
    try:
        prepared = prepare(home, project, at, actor, run=run_id, report=report)
        shop = Shop(home=home, project=project, prepared=prepared, run=run_id, report=report)
        outcomes, trials, documents = _candidates(shop)
    except FairwayError as error:
        with home.db.transaction() as tx:
            runs.finish(tx, run_id, state="failed", body={"problem": error.problem})
        raise
    made = Record(
        run=run_id,
        at=spell(at),
        actor=actor,
        commit=code.id,
        is_clean=code.is_clean,
        project_file=project_file,
        sources=prepared.sources,
        dataset=prepared.dataset,
        snapshot=prepared.file(home, "rows.parquet"),
        criteria=criteria,
        environment=_kept(home, project),
        contracts={n: home.blobs.put_file(path) for n, path in project.contracts.items()},
        outcomes=outcomes,
        best=_best(outcomes),
    )
    _keep(home, project, at, actor, prepared, made, [*trials, *_rows(outcomes, documents)])
    answer = _answer(prepared, made, documents, seconds=time.monotonic() - begun)
    return answer | {"looks_at_test": _looks(home, project, made.snapshot)}


def _candidates(
    shop: Shop,
) -> tuple[list[Outcome], list[CandidateRecord], dict[str, Mapping[str, Any]]]:
    """Train, tune and measure; outcomes in the file's order, trials, evaluations by name."""
    outcomes: dict[str, Outcome] = {}
    trials: list[CandidateRecord] = []
    steps = {}
    for name, one in shop.project.candidates.items():
        lacking = candidates.missing_program(one)
        if lacking:
            why = f"There is no program {lacking} here. Install it, then run again."
            outcomes[name] = Outcome(name=name, state="skipped", why=why)
        elif not one.search:
            steps[name] = candidates.train_step(shop, one, {}, label=name)
    shop.report.start("Training", len(steps))
    for name, result in candidates.run_all(shop, steps.values()).items():
        outcomes[name] = candidates.trained(shop, shop.project.candidates[name], result, {})
    for name, one in shop.project.candidates.items():
        if one.search and name not in outcomes:
            shop.report.start(f"Searching {name}", one.trials)
            outcomes[name], tried = candidates.searched(shop, one)
            trials += tried
    outcomes[BASELINE] = Outcome(name=BASELINE, state="done", model=candidates.baseline(shop))
    ordered = [*shop.project.candidates, BASELINE]
    shop.report.start("Measuring", len(ordered))
    measured, documents = candidates.measure_all(shop, {name: outcomes[name] for name in ordered})
    return [measured[name] for name in ordered], trials, documents


def _kept(home: Home, project: Project) -> dict[str, Digest]:
    """Store the lock files, so that a release can hold them."""
    for path in project.env:
        home.blobs.put_file(path)
    return environment(project)


def _best(outcomes: list[Outcome]) -> str | None:
    """The candidate with the highest validation pay-off, else the least loss; no baseline."""
    scored = [
        (o.validation, -place, o.name)
        for place, o in enumerate(outcomes)
        if o.validation is not None and o.name != BASELINE and o.state == "done"
    ]
    return max(scored)[2] if scored else None


def _keep(
    home: Home,
    project: Project,
    at: datetime,
    actor: str,
    prepared: Prepared,
    made: Record,
    rows: list[CandidateRecord],
) -> None:
    """Write what is known into the journal and the logbook, in one transaction."""
    kept = record.keep(home, made)

    def say(kind: str, subjects: list[Digest], body: Mapping[str, Any]) -> None:
        journal.append(
            tx,
            project=project.name,
            actor=actor,
            effective_at=at,
            kind=kind,
            subjects=subjects,
            body={"run": made.run, **body},
        )

    with home.db.transaction() as tx:
        about = [made.snapshot, made.dataset]
        n_rows = prepared.report["n_rows"]
        say("snapshot_taken", about, {"snapshot": made.snapshot, "n_rows": n_rows})
        say("contract_checked", about, _contract(prepared))
        say("leakage_audited", about, {"findings": prepared.findings})
        for one in made.outcomes:
            if one.model and one.evaluation:
                say(
                    "model_evaluated",
                    [one.model, made.snapshot, one.evaluation],
                    {
                        "candidate": one.name,
                        "model": one.model,
                        "evaluation": one.evaluation,
                        "snapshot": made.snapshot,
                    },
                )
        say(
            record.FINISHED,
            [kept, made.snapshot, *(o.model for o in made.outcomes if o.model)],
            {
                "record": kept,
                "snapshot": made.snapshot,
                "commit": made.commit,
                "is_clean": made.is_clean,
                "best": made.best,
            },
        )
        log.record(tx, RunId(made.run), project.name, rows)
        runs.finish(tx, RunId(made.run), state="done", body={"record": kept})


def _looks(home: Home, project: Project, snapshot: Digest) -> int:
    """How many models were ever measured on this snapshot's test part: each look wears it out."""
    kind = "model_evaluated"
    said = journal.entries(home.db, project=project.name, kind=kind, subject=snapshot)
    return len(
        {
            (one.body["candidate"], one.body["model"])
            for one in said
            if one.body["candidate"] != BASELINE
        }
    )


def _contract(prepared: Prepared) -> dict[str, Any]:
    """Whether every rule of severity error held for the rows that were kept."""
    told = {**prepared.told["sources"], "dataset": prepared.report}
    aside = {name: one["n_aside"] for name, one in told.items() if one["n_aside"]}
    broken = [
        f"{name}: {rule['why']}"
        for name, one in told.items()
        for rule in one["rules"]
        if not rule["passed"] and rule["severity"] == "error"
    ]
    return {"passed": not broken, "why": " ".join(broken), "n_aside": aside}


def _rows(
    outcomes: list[Outcome], documents: Mapping[str, Mapping[str, Any]]
) -> list[CandidateRecord]:
    return [
        CandidateRecord(
            name=one.name,
            model=one.model,
            state=one.state,
            cached=one.cached,
            threshold=one.threshold,
            parameters=one.parameters,
            metrics={
                name: Metric(value=figure["value"], low=figure["low"], high=figure["high"])
                for name, figure in metrics(documents.get(one.name)).items()
                if figure["value"] is not None
            },
            body={"why": one.why},
        )
        for one in outcomes
    ]


def metrics(document: Mapping[str, Any] | None) -> dict[str, dict[str, Any]]:
    """The metrics of the test part in an evaluation; none without one."""
    return dict(document["test"]["metrics"]) if document else {}


def _answer(
    prepared: Prepared,
    made: Record,
    documents: Mapping[str, Mapping[str, Any]],
    *,
    seconds: float,
) -> dict[str, Any]:
    return {
        "run": made.run,
        "snapshot": made.snapshot,
        "split": prepared.split,
        "windows": prepared.report["windows"],
        "refused": [
            {name: one[name] for name in ("column", "test", "evidence", "example")}
            for one in prepared.shown("withheld")
        ],
        "accepted": prepared.shown("accepted"),
        "candidates": [
            {
                "name": one.name,
                "model": one.model,
                "state": one.state,
                "cached": one.cached,
                "why": one.why,
                "parameters": dict(one.parameters),
                "metrics": metrics(documents.get(one.name)),
                "threshold": one.threshold,
            }
            for one in made.outcomes
        ],
        "skipped": [
            {"name": one.name, "why": one.why} for one in made.outcomes if one.state == "skipped"
        ],
        "best": made.best,
        "warnings": prepared.warnings,
        "seconds": round(seconds, 3),
    }


def _birth(pid: int) -> str:
    """When a process began, as the kernel counts; empty where it cannot be asked."""
    try:
        told = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
    return told.rpartition(")")[2].split()[19]


def is_alive(body: Mapping[str, Any]) -> bool:
    """Whether the process that a run's logbook names is still at work."""
    pid = body.get("pid")
    return isinstance(pid, int) and bool(_birth(pid)) and _birth(pid) == body.get("boot")
