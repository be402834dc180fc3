"""What a project says, as frozen nouns; each room gets its own from here, never the whole file.

Room: ``fairway.project``, after ``shape`` and before ``reading``. Sources, splits, repairs,
pay-offs and conditions are nouns of the rooms that use them; those that no room below has stand
here. Nothing in this module opens a file.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from fairway.errors import ProjectError
from fairway.project.lines import Lines

if TYPE_CHECKING:
    from fairway.data.dataset import DatasetSpec
    from fairway.data.repair import RepairRule
    from fairway.data.source import Source
    from fairway.data.split import EntitySplit, TimeSplit
    from fairway.delivery.condition import Condition
    from fairway.evaluation.payoff import Payoff

Parameter = int | float | str


@dataclass(frozen=True, kw_only=True)
class Input:
    """What a step reads, by the name that its placeholder ``{in.NAME}`` has.

    Attributes:
        kind: Whether ``name`` is a source, an earlier step, or a file or folder of the project.
        path: The file or folder; None for a source or a step.
    """

    name: str
    kind: Literal["source", "step", "file"]
    path: Path | None = None


@dataclass(frozen=True, kw_only=True)
class UserStep:
    """A command of one's own that makes something for the dataset or for another step.

    Attributes:
        run: The command, with placeholders ``{python}``, ``{in.NAME}`` and ``{out}``.
        inputs: What it reads, by placeholder name, in the order of the file.
        output: Name of the file that it writes, such as ``holidays.parquet``; a name without a
            suffix is a folder.
        memory_bytes: Most memory that it may use; None is no limit.
        env: Lock files of its own besides those of the project.
    """

    name: str
    run: str
    inputs: Mapping[str, Input]
    output: str
    timeout_s: float
    retries: int
    memory_bytes: int | None
    env: tuple[Path, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A command that trains a model, and how its settings are searched.

    Attributes:
        run: The training command.
        predict: The command of a long-lived process that answers scores; None when Fairway loads
            the model itself.
        search: Ranges and choices by placeholder, as written; ``pipeline.space`` reads them.
        trials: How many settings are tried; 1 without a search.
        parameters: Fixed values by placeholder.
    """

    name: str
    run: str
    predict: str | None
    search: Mapping[str, str | list[bool | int | float | str]]
    trials: int
    timeout_s: float
    retries: int
    memory_bytes: int | None
    parameters: Mapping[str, Parameter]


@dataclass(frozen=True, kw_only=True)
class Evaluate:
    """What is measured; no metrics named means all that fit the task.

    Attributes:
        metrics: Names of ``fairway.evaluation.metric`` or ``module:function``.
        slices: Columns of the dataset by whose values the metrics are also taken apart.
    """

    metrics: tuple[str, ...] = ()
    slices: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ReleaseParts:
    """What travels with the model under one version.

    Attributes:
        app: Folder of the application.
        test: Command whose exit code is evidence.
    """

    app: Path | None = None
    test: str | None = None


@dataclass(frozen=True, kw_only=True)
class Default:
    """Something that the file left open, what Fairway took, and why."""

    key: str
    value: str
    why: str


@dataclass(frozen=True, kw_only=True)
class Project:
    """Everything that ``fairway.toml`` says, with defaults where it is silent.

    Attributes:
        file: The project file; ``root``, its folder, is where commands run.
        variables: Names of the environment variables that commands may see.
        env: Lock files of the commands' environment; their digest is in each cache key.
        contracts: Contract files by source, and that of the ``dataset``.
        gate: Conditions by environment, in the order of the file.
        environ: The declared variables that are set, with their values; never shown.
        defaults: What was left open, for ``fairway check`` to print.
    """

    file: Path
    root: Path
    name: str
    purpose: str
    owner: str
    variables: tuple[str, ...]
    env: tuple[Path, ...]
    sources: "Mapping[str, Source]"
    contracts: Mapping[str, Path]
    dataset: "DatasetSpec"
    split: "TimeSplit | EntitySplit"
    repairs: "Mapping[str, RepairRule]"
    steps: Mapping[str, UserStep]
    candidates: Mapping[str, Candidate]
    evaluate: Evaluate
    payoff: "Payoff | None"
    gate: "Mapping[str, tuple[Condition, ...]]"
    release: ReleaseParts
    defaults: tuple[Default, ...] = ()
    environ: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)
    lines: Lines = field(default_factory=Lines, repr=False, compare=False)

    def line(self, key: str) -> int | None:
        """The line of ``key``, such as ``candidate.glm.run``, or of the table that it is in."""
        return self.lines.of_text(key)

    def fault(self, key: str, problem: str, *, hint: str) -> ProjectError:
        """Make an error that points at the line of ``key``, for the caller to raise."""
        return ProjectError(problem, hint=hint, file=self.file, line=self.line(key))
