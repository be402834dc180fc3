"""From the sources to the parts that candidates see: plan the stages, and read what they say.

Room: ``fairway.line``; ``check`` and ``run`` begin with it. The stages run as steps
(``line.stages``); nothing here loads an engine.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from fairway import digest as naming
from fairway.data import source
from fairway.data.split import EntitySplit, TimeSplit
from fairway.digest import Digest
from fairway.errors import FairwayError, ProjectError, StepError
from fairway.line.look import spell
from fairway.line.progress import Report
from fairway.line.stages import fault, spec
from fairway.line.stages.spec import DatasetSpecs, SourcesSpec
from fairway.pipeline.execution import run_step, run_steps
from fairway.pipeline.result import Result
from fairway.pipeline.step import Step
from fairway.project import Project, UserStep
from fairway.store import journal
from fairway.store.home import Home

SOURCES_READ = "sources_read"
STAGE = "{python} -m fairway.line.stages"
DATASET = "dataset"


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """What the stages made.

    Attributes:
        sources: Tree of the stage ``sources``.
        dataset: Tree of the stage ``dataset``.
        told: The report of the stage ``sources``.
        report: The report of the stage ``dataset``.
        findings: What the leakage audit found, each with its state; it names no row.
        examples: For each finding a row that shows it, or nothing.
        warnings: What a person should know; nothing is refused for it.
    """

    sources: Digest
    dataset: Digest
    told: Mapping[str, Any]
    report: Mapping[str, Any]
    findings: list[dict[str, Any]]
    examples: list[str]
    warnings: list[str]

    @property
    def split(self) -> dict[str, int]:
        """Rows by part, in the order of their use."""
        return {part: self.report["split"][part] for part in ("train", "validation", "test")}

    def shown(self, state: str) -> list[dict[str, Any]]:
        """The findings of a state with their examples, for who may see rows."""
        both = zip(self.findings, self.examples, strict=True)
        return [one | {"example": example} for one, example in both if one["state"] == state]

    def file(self, home: Home, name: str) -> Digest:
        """The blob of one file of the dataset's folder."""
        return home.blobs.entries(self.dataset)[name].digest


def prepare(
    home: Home, project: Project, at: datetime, actor: str, *, run: str | None, report: Report
) -> Prepared:
    """Read, check, build, split, audit and repair, as far as that is not known already.

    Raises:
        ContractError: If the data breaks its contract as a whole.
        ProjectError: If a source or ``build`` cannot be used.
        StepError: If a step of the project fails.
    """
    report.start("Reading the sources")
    sources, told = _sources(home, project, at, actor, run=run)
    outputs = _user_steps(home, project, sources, run=run, report=report)
    report.start("Building the dataset")
    dataset = _dataset(home, project, sources, outputs, run=run)
    entries = home.blobs.entries(dataset)
    said = home.blobs.read_json(entries["report.json"].digest)
    if said["task"] == "regression" and project.payoff is not None:
        raise project.fault(
            "payoff",
            f"A pay-off is declared, but the target {project.dataset.target} is a number.",
            hint="Remove [payoff], or make the target 0 and 1 in the build.",
        )
    findings = home.blobs.read_json(entries["leakage.json"].digest)
    examples = home.blobs.read_json(entries["examples.json"].digest)
    return Prepared(
        sources=sources,
        dataset=dataset,
        told=told,
        report=said,
        findings=findings,
        examples=examples,
        warnings=[*_stale(project, told, at), *_unchecked(told), *said["warnings"]],
    )


def variables(project: Project) -> dict[str, str]:
    """The declared variables that are set, with their values."""
    return dict(project.environ)


def environment(project: Project) -> dict[str, Digest]:
    """The project's lock files: path from the root, or name where outside of it -> content."""
    return {_name(project, path): naming.of_file(path) for path in project.env}


def environment_digest(project: Project) -> Digest | None:
    """One name for all lock files; None where there is none."""
    files = environment(project)
    return naming.of_json(files) if files else None


def require(home: Home, project: Project, result: Result) -> Digest:
    """The output of a step that must have ended well.

    Raises:
        FairwayError: What a stage refused, with its kind; else a StepError with the log's end.
    """
    if result.output is not None:
        return result.output
    log = home.blobs.read(result.log).decode(errors="replace") if result.log else ""
    refusal = fault.hear(log)
    if refusal is not None:
        raise _placed(project, refusal)
    tail = "\n".join(log.strip().splitlines()[-5:])
    said = f" It ended with:\n{tail}\n" if tail else ""
    raise StepError(
        f"Step {result.name} {result.state.replace('_', ' ')}: {result.problem}{said}",
        hint=f"See: fairway logs {result.name.split()[0]}",
    )


def _placed(project: Project, refusal: FairwayError) -> FairwayError:
    """Let an error of the project's author point at the line that it is about."""
    if not isinstance(refusal, ProjectError) or refusal.file is not None:
        return refusal
    named = re.match(r"Source (\w+)", refusal.problem)
    key = f"source.{named[1]}" if named else "dataset"
    for start, place in (("Split:", "split"), ("Slice:", "evaluate.slices"), ("repair.", "repair")):
        if refusal.problem.startswith(start):
            key = place
    return project.fault(key, refusal.problem, hint=refusal.hint)


def stage(
    home: Home,
    project: Project,
    name: str,
    told: object,
    inputs: Mapping[str, Digest],
    *,
    label: str | None = None,
) -> Step:
    """A stage as a step: its spec and its inputs, in the order in which the stage takes them."""
    places = " ".join(f"{{{place}}}" for place in inputs)
    return Step(
        name=label or name,
        command=f"{STAGE} {name} {{spec}} {{out}} {places}".strip(),
        inputs={"spec": home.blobs.put_json(spec.write(told)), **inputs},
        suffixes={"spec": "spec.json"},
        variables=variables(project),
        environment=environment_digest(project),
        internal=True,
    )


def _sources(
    home: Home, project: Project, at: datetime, actor: str, *, run: str | None
) -> tuple[Digest, Mapping[str, Any]]:
    """Read the sources at a clock that shows the same rows as ``at`` (decision 2)."""
    asked = SourcesSpec(
        sources=project.sources,
        fingerprints={n: source.fingerprint(s, project.root) for n, s in project.sources.items()},
        contracts=_contracts(project, project.sources),
        at="",
    )
    base = naming.of_json([spec.write(asked), _contents(project)])
    clock = _known_clock(home, project, base, spell(at)) or spell(at)
    step = stage(home, project, "sources", replace(asked, at=clock), {})
    result = run_step(home, step, root=project.root, project=project.name, run=run)
    tree = require(home, project, result)
    told = home.blobs.read_json(home.blobs.entries(tree)["report.json"].digest)
    if not result.cached:
        with home.db.transaction() as tx:
            journal.append(
                tx,
                project=project.name,
                actor=actor,
                effective_at=at,
                kind=SOURCES_READ,
                subjects=[tree],
                body={"base": base, "at": clock, "after": told["after"], "until": told["until"]},
            )
    return tree, told


def _known_clock(home: Home, project: Project, base: Digest, at: str) -> str | None:
    """A clock of an earlier reading of the same bytes at which the same rows were visible."""
    for entry in reversed(journal.entries(home.db, project=project.name, kind=SOURCES_READ)):
        after, until = entry.body["after"], entry.body["until"]
        if (
            entry.body["base"] == base
            and (after is None or datetime.fromisoformat(after) < datetime.fromisoformat(at))
            and (until is None or datetime.fromisoformat(at) <= datetime.fromisoformat(until))
        ):
            return str(entry.body["at"])
    return None


def _contracts(project: Project, names: Mapping[str, Any]) -> dict[str, str]:
    return {
        name: str(path.relative_to(project.root))
        for name, path in project.contracts.items()
        if name in names
    }


def _name(project: Project, path: Path) -> str:
    inside = path.is_relative_to(project.root)
    return path.relative_to(project.root).as_posix() if inside else path.name


def _contents(project: Project) -> dict[str, Digest]:
    return {name: naming.of_file(path) for name, path in project.contracts.items()}


def _user_steps(
    home: Home, project: Project, sources: Digest, *, run: str | None, report: Report
) -> dict[str, tuple[UserStep, Digest]]:
    """Run the project's own steps; their outputs by name."""
    if not project.steps:
        return {}
    report.start("Running the project's steps")
    rows = {n: e.digest for n, e in home.blobs.entries(sources).items()}
    steps = [_user_step(home, project, one, rows) for one in project.steps.values()]
    made = {}
    for result in run_steps(home, steps, root=project.root, project=project.name, run=run):
        made[result.name] = (project.steps[result.name], require(home, project, result))
        report.step(result.name)
    return made


def _user_step(home: Home, project: Project, one: UserStep, rows: Mapping[str, Digest]) -> Step:
    inputs: dict[str, Digest] = {}
    after: dict[str, str] = {}
    suffixes: dict[str, str] = {}
    for name, wanted in one.inputs.items():
        place = f"in.{name}"
        if wanted.kind == "source":
            inputs[place] = rows[f"{name}.parquet"]
            suffixes[place] = f"{name}.parquet"
        elif wanted.kind == "step":
            after[place] = name
            suffixes[place] = project.steps[name].output
        else:
            path = wanted.path or Path(name)
            full = project.root / path
            inputs[place] = (
                home.blobs.put_tree(full) if full.is_dir() else home.blobs.put_file(full)
            )
            suffixes[place] = path.name
    suffix = Path(one.output).suffix
    locks = {_name(project, p): naming.of_file(p) for p in one.env} | environment(project)
    return Step(
        name=one.name,
        command=one.run,
        inputs=inputs,
        after=after,
        suffixes=suffixes,
        output_kind="file" if suffix else "folder",
        output_suffix=suffix,
        environment=naming.of_json(locks) if locks else None,
        variables=variables(project),
        timeout_s=one.timeout_s,
        retries=one.retries,
        memory_bytes=one.memory_bytes,
    )


def _dataset(
    home: Home,
    project: Project,
    sources: Digest,
    outputs: Mapping[str, tuple[UserStep, Digest]],
    *,
    run: str | None,
) -> Digest:
    outputs = dict(sorted(outputs.items()))  # as in the spec, whose JSON is canonical
    split = project.split
    asked = DatasetSpecs(
        dataset=project.dataset,
        sources=project.sources,
        contracts=_contracts(project, {**project.sources, DATASET: None}),
        by_time=split if isinstance(split, TimeSplit) else None,
        by_entity=split if isinstance(split, EntitySplit) else None,
        repairs=project.repairs,
        csv=any(
            "{train.csv}" in c.run or "{valid.csv}" in c.run for c in project.candidates.values()
        ),
        outputs={name: step.output for name, (step, _) in outputs.items()},
        slices=project.evaluate.slices,
    )
    places = {f"in.{name}": tree for name, (_, tree) in outputs.items()}
    step = stage(home, project, "dataset", asked, {"in.sources": sources, **places})
    named = {f"in.{name}": one.output for name, (one, _) in outputs.items()}
    step = replace(step, suffixes={**step.suffixes, **named})
    result = run_step(home, step, root=project.root, project=project.name, run=run)
    return require(home, project, result)


def _unchecked(told: Mapping[str, Any]) -> list[str]:
    """What contracts say and Fairway does not check, each with file and line."""
    found = [text for one in told["sources"].values() for text in one.get("unchecked", ())]
    return [f"Not checked: {text}" for text in found]


def _stale(project: Project, told: Mapping[str, Any], at: datetime) -> list[str]:
    """Sources whose newest row is older than they promise; a warning, as it may be no fault."""
    warnings = []
    for name, one in project.sources.items():
        newest = told["sources"][name]["newest_at"]
        if one.fresh_s is None or newest is None:
            continue
        age_s = (at - datetime.fromisoformat(newest)).total_seconds()
        if age_s > one.fresh_s:
            warnings.append(
                f"{name} is stale: its newest row is of {newest}, {age_s / 3600:,.1f} h old; "
                f"{one.fresh_s / 3600:,.1f} h are allowed."
            )
    return warnings
