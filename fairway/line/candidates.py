"""Train the candidates and measure them: plan their steps, run them, and gather what came of each.

Room: ``fairway.line``, for ``run``. Training and evaluating are steps; a candidate that fails or
cannot be started is an outcome, not an error, and the others go on.
"""

import re
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from fairway.digest import Digest, canonical, of_json
from fairway.errors import FairwayError, IntegrityError, StepError, StoreError
from fairway.line.prepare import Prepared, environment_digest, require, stage, variables
from fairway.line.progress import Report
from fairway.line.record import BASELINE, Outcome
from fairway.line.stages.spec import EvaluationSpec
from fairway.pipeline import search, space
from fairway.pipeline.execution import run_steps
from fairway.pipeline.result import Result
from fairway.pipeline.search import Trial
from fairway.pipeline.step import Step
from fairway.project import Candidate, Evaluate, Project
from fairway.store.home import Home
from fairway.tracking.log import CandidateRecord, Metric

INPUTS = {
    "train": "train.parquet",
    "valid": "valid.parquet",
    "train.csv": "train.csv",
    "valid.csv": "valid.csv",
}
PARTS = ("validation", "test")
ANSWER_S = 60.0
"""Seconds that a predicting process may take for a batch of at most 10,000 rows."""
SHELL_WORDS = (
    "alias bg break case cd command continue do done elif else esac eval exec exit export fg fi for"
    " getopts hash if jobs local read readonly return set shift then times trap type ulimit umask"
    " unalias unset until wait while"
)
"""What a shell does by itself: no program need have that name. Source: POSIX.1-2024, XCU 2."""


@dataclass(frozen=True, kw_only=True)
class Shop:
    """What every candidate of a run shares."""

    home: Home
    project: Project
    prepared: Prepared
    run: str
    report: Report


def train_step(shop: Shop, one: Candidate, parameters: Mapping[str, Any], *, label: str) -> Step:
    """The training command of a candidate with its settings."""
    files = shop.home.blobs.entries(shop.prepared.dataset)
    wanted = {
        place: files[name].digest for place, name in INPUTS.items() if f"{{{place}}}" in one.run
    }
    return Step(
        name=label,
        command=one.run,
        inputs=wanted,
        suffixes={place: INPUTS[place] for place in wanted},
        output="model",
        parameters={**one.parameters, **parameters},
        environment=environment_digest(shop.project),
        variables=variables(shop.project),
        timeout_s=one.timeout_s,
        retries=one.retries,
        memory_bytes=one.memory_bytes,
    )


def evaluate_step(
    shop: Shop, one: Candidate | None, model: Digest, *, label: str, parts: tuple[str, ...] = PARTS
) -> Step:
    """The stage that predicts with a model and measures it; None is the baseline."""
    only = len(parts) == 1
    asked = EvaluationSpec(
        parts=parts,
        predict=one.predict if one else None,
        evaluate=Evaluate() if only else shop.project.evaluate,
        payoff=shop.project.payoff,
        timeout_s=answer_s(one) if one else ANSWER_S,
    )
    inputs = {"dataset": shop.prepared.dataset, "model": model}
    return stage(shop.home, shop.project, "evaluation", asked, inputs, label=label)


def answer_s(one: Candidate) -> float:
    """Seconds that a candidate's process may take for a batch; its timeout, if that is less."""
    return min(one.timeout_s, ANSWER_S)


def missing_program(one: Candidate) -> str | None:
    """The program that a candidate's commands start with and that this machine lacks, if any.

    Only a plain first word is judged: what the shell itself does, and what it would have to
    expand, is left to the shell.
    """
    for command in (one.run, one.predict):
        words = (command or "").split()
        program = next((word for word in words if not re.match(r"\w+=", word)), "")
        is_plain = re.fullmatch(r"[A-Za-z0-9][\w.+-]*", program) is not None
        if is_plain and program not in SHELL_WORDS.split() and not shutil.which(program):
            return program
    return None


def baseline(shop: Shop) -> Digest:
    """A model that always answers the training part's mean."""
    with shop.home.scratch("baseline") as folder:
        constant = {"constant": shop.prepared.report["train_mean"]}
        (folder / "constant.json").write_bytes(canonical(constant))
        return shop.home.blobs.put_tree(folder)


def run_all(shop: Shop, steps: Iterable[Step]) -> dict[str, Result]:
    """Run steps, as many at once as there are cores; results by name."""
    project = shop.project
    found = {}
    for result in run_steps(
        shop.home,
        list(steps),
        root=project.root,
        project=project.name,
        run=shop.run,
    ):
        shop.report.step(f"{result.name}: {'cached' if result.cached else result.state}")
        found[result.name] = result
    return found


def score(shop: Shop, document: Mapping[str, Any]) -> float:
    """What the best candidate has most of: pay-off, else minus log loss or squared error."""
    metrics = document["validation"]["metrics"]
    if shop.project.payoff is not None:
        return float(metrics["payoff"]["value"])
    if document["validation"]["task"] == "binary":
        return -float(metrics["log_loss"]["value"])
    return -float(metrics["rmse"]["value"])


def failed(shop: Shop, name: str, result: Result, parameters: Mapping[str, Any]) -> Outcome:
    """What to say of a candidate whose training or evaluation did not end well.

    Raises:
        IntegrityError: If bytes are damaged: that is no candidate's fault.
        StoreError: If a disk is full: that neither.
    """
    try:
        require(shop.home, shop.project, result)
        why = result.why
    except (IntegrityError, StoreError):
        raise
    except FairwayError as error:
        why = f"{error.problem} {error.hint}"
    return Outcome(name=name, state=result.state, why=why, parameters=parameters)


def trained(shop: Shop, one: Candidate, result: Result, parameters: Mapping[str, Any]) -> Outcome:
    """What a training step came to; its model is checked to be of a form that can be loaded."""
    if result.output is None:
        return failed(shop, one.name, result, parameters)
    return Outcome(
        name=one.name,
        state="done",
        why=result.why,
        cached=result.cached,
        model=result.output,
        parameters=parameters,
        predict=one.predict,
    )


def searched(shop: Shop, one: Candidate) -> tuple[Outcome, list[CandidateRecord]]:
    """Search a candidate's settings by what they are worth on the validation part."""
    step = train_step(shop, one, {}, label=one.name)
    first = (PARTS[0],)
    like = evaluate_step(shop, one, shop.prepared.dataset, label="value", parts=first)

    def judge(trial: Step) -> Step:
        inputs = {place: digest for place, digest in like.inputs.items() if place != "model"}
        label = f"{trial.name} value"
        return replace(like, name=label, inputs=inputs, after={"model": trial.name})

    def value(judged: Result) -> float:
        document = _document(shop, judged)
        shop.report.step(judged.name.removesuffix(" value"))
        metric = "log_loss" if document["validation"]["task"] == "binary" else "rmse"
        return float(document["validation"]["metrics"][metric]["value"])

    trials = search.search(
        shop.home,
        step,
        space.parse(one.search, candidate=one.name),
        n_trials=one.trials,
        evaluate=value,
        evaluation=of_json([like.inputs["spec"], shop.prepared.dataset]),
        then=judge,
        root=shop.project.root,
        project=shop.project.name,
        run=shop.run,
    )
    rows = [_trial(one, trial, shop.prepared.report["task"]) for trial in trials]
    try:
        best = search.best(trials)
    except StepError as error:
        return Outcome(name=one.name, state="failed", why=f"{error.problem} {error.hint}"), rows
    return trained(shop, one, best.result, best.parameters), rows


def measure_all(
    shop: Shop, outcomes: Mapping[str, Outcome]
) -> tuple[dict[str, Outcome], dict[str, Mapping[str, Any]]]:
    """Predict and measure every trained candidate; the outcomes, and what was measured."""
    steps = {
        f"{name} evaluation": evaluate_step(
            shop, shop.project.candidates.get(name), one.model, label=f"{name} evaluation"
        )
        for name, one in outcomes.items()
        if one.model is not None
    }
    results = run_all(shop, steps.values())
    told = dict(outcomes)
    documents: dict[str, Mapping[str, Any]] = {}
    for name, one in outcomes.items():
        result = results.get(f"{name} evaluation")
        if result is None:
            continue
        if result.output is None:
            told[name] = failed(shop, name, result, one.parameters)
            continue
        documents[name] = _document(shop, result)
        told[name] = replace(
            one,
            evaluation=result.output,
            cached=(one.cached or name == BASELINE) and result.cached,
            code=_kept_code(shop, result) if one.predict else {},
            validation=score(shop, documents[name]),
            threshold=threshold(shop.project, documents[name]),
        )
    return told, documents


def _kept_code(shop: Shop, result: Result) -> dict[str, Digest]:
    """Store the project's files that a predicting process read, so that a release can hold them."""
    read = {path: digest for path, digest in result.reads.items() if digest}
    found = {}
    for path, digest in read.items():
        file = shop.project.root / path
        if file.is_file() and shop.home.blobs.put_file(file) == digest:
            found[path] = digest
    return found


def threshold(project: Project, document: Mapping[str, Any]) -> float | None:
    """From which score on one acts: the pay-offs imply it; one half where there are none."""
    if project.payoff is not None:
        return project.payoff.implied_threshold
    return 0.5 if document["test"]["task"] == "binary" else None


def _document(shop: Shop, result: Result) -> Mapping[str, Any]:
    """What an evaluation says, by part.

    Raises:
        StepError: If the evaluation failed.
    """
    tree = require(shop.home, shop.project, result)
    file = shop.home.blobs.entries(tree)["evaluation.json"]
    found: Mapping[str, Any] = shop.home.blobs.read_json(file.digest)
    return found


def _trial(one: Candidate, trial: Trial, task: str) -> CandidateRecord:
    name = "validation_log_loss" if task == "binary" else "validation_rmse"
    return CandidateRecord(
        name=one.name,
        trial=trial.number,
        model=trial.result.output,
        state=trial.result.state if trial.value is not None else "failed",
        cached=trial.result.cached,
        parameters=trial.parameters,
        metrics={} if trial.value is None else {name: Metric(value=trial.value)},
        body={"why": trial.problem or trial.result.why},
    )
