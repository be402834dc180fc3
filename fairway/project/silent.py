"""Say what was taken where the project file is silent, and why.

Room: ``fairway.project``, after ``commands`` and ``dataset``. The choices are those of a careful
team; ``fairway check`` prints them, so that nothing is decided behind anybody's back.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from fairway.data.dataset import DatasetSpec
from fairway.data.split import EntitySplit, TimeSplit
from fairway.project.commands import TIMEOUT_S, TRIALS
from fairway.project.nouns import Default
from fairway.project.shape import CandidateTable, File, ReleaseTable, StepTable

LOCK_FILES = ("uv.lock", "requirements.lock", "requirements.txt", "renv.lock")
ENVIRONMENT = "production"


def lock_files(root: Path) -> list[str]:
    """The lock files beside a project file that names none."""
    return [name for name in LOCK_FILES if (root / name).is_file()]


def gate(release: ReleaseTable, *, has_payoff: bool) -> Mapping[str, list[str]]:
    """The conditions of a project that declares none: one environment, no leak, no loss."""
    conditions = ["leakage == none"]
    if has_payoff:
        conditions.append("payoff >= champion")
    if release.test is not None:
        conditions.append("tests == passed")
    return {ENVIRONMENT: conditions}


def defaults(
    file: File,
    root: Path,
    dataset: DatasetSpec,
    split: TimeSplit | EntitySplit,
    conditions: Mapping[str, list[str]],
) -> tuple[Default, ...]:
    """List what was taken where ``file`` is silent, in the order of the file's tables."""
    found = [*_project(file, root), *_data(file, dataset, split), *_models(file)]
    if not file.gate:
        rules = ", ".join(conditions[ENVIRONMENT])
        found.append(_taken(f"gate.{ENVIRONMENT}", rules, "no release without a judgement"))
    if file.release.test is None:
        found.append(_taken("release.test", "none", "no tests are named, so none are evidence"))
    if file.release.app is None:
        found.append(_taken("release.app", "none", "the release holds the model alone"))
    return tuple(found)


def _project(file: File, root: Path) -> Iterator[Default]:
    if not file.project.owner:
        yield _taken("project.owner", "nobody", "approvals(owner) cannot be met until one is named")
    if not file.project.env:
        names = lock_files(root)
        if names:
            yield _taken("project.env", ", ".join(names), "a new library means a new run")
        else:
            yield _taken("project.env", "none", "no lock file: new libraries cause no new run")


def _data(file: File, dataset: DatasetSpec, split: TimeSplit | EntitySplit) -> Iterator[Default]:
    for name in file.source:
        if name not in file.contract:
            yield _taken(f"contract.{name}", "none", f"fairway contract suggest {name} makes one")
    if "dataset" not in file.contract:
        yield _taken("contract.dataset", "from the training rows", "serving enforces what it saw")
    if file.dataset.build is None:
        yield _taken("dataset.build", "none", "the only source is the dataset as it is")
    if not file.dataset.key:
        yield _taken("dataset.key", ", ".join(dataset.key), "the key of the only source")
    if not file.dataset.time and dataset.time:
        yield _taken("dataset.time", dataset.time, "the time of the only source")
    if file.dataset.known_at is None:
        yield _taken("dataset.known_at", "none", "only declared and measured leaks are found")
    yield from _split(file, split)
    if "*" not in file.repair:
        yield _taken(
            'repair."*"', "missing: median and a flag; text: (missing)", "robust, and not hidden"
        )


def _split(file: File, split: TimeSplit | EntitySplit) -> Iterator[Default]:
    if isinstance(split, TimeSplit):
        if file.split is None:
            yield _taken("split.by", "time", "a model is judged on what comes after it")
        for name, length in (("test", split.test_s), ("validation", split.validation_s)):
            if length is None:
                yield _taken(f"split.{name}", "15 % of the labelled span", "newest rows judge")
        if file.split is None or file.split.gap is None:
            yield _taken("split.gap", "0s", "labels are taken as known at once; set it if not")
        if split.until is None:
            yield _taken("split.until", "after the newest labelled row", "it moves with the data")
        return
    if file.split is None:
        why = "the dataset has no time; no row is in two parts"
        yield _taken("split.by", "entity", why)
    if file.split is None or not file.split.key:
        key = split.key if isinstance(split.key, str) else ", ".join(split.key)
        yield _taken("split.key", key, "the key of the dataset")
    for name, share in (("test", split.test), ("validation", split.validation)):
        if file.split is None or getattr(file.split, name) is None:
            yield _taken(f"split.{name}", f"{share:g}", "enough to judge by")


def _models(file: File) -> Iterator[Default]:
    if not file.candidate:
        yield _taken("candidate", "baseline", "nothing else is trained until one is written")
    commands: list[StepTable | CandidateTable] = [
        *file.step.values(),
        *file.candidate.values(),
    ]
    if any(command.timeout is None for command in commands):
        yield _taken("timeout", f"{TIMEOUT_S / 3600:g}h", "for each command that has none")
    if any(command.memory is None for command in commands):
        yield _taken("memory", "no limit", "for each command that has none")
    if any(one.search and one.trials is None for one in file.candidate.values()):
        yield _taken("trials", str(TRIALS), "for each search that has none")
    if not file.evaluate.metrics:
        yield _taken("evaluate.metrics", "all that fit the target", "none is chosen afterwards")
    if not file.evaluate.slices:
        yield _taken("evaluate.slices", "none", "the whole is judged, no part of it apart")
    if file.payoff is None:
        yield _taken("payoff", "none", "candidates are ordered by error, not by money")


def _taken(key: str, value: str, why: str) -> Default:
    return Default(key=key, value=value, why=why)
