"""What a stage is told, as JSON beside its other inputs: only what decides its result.

Room: ``fairway.line``. A change of the project file that a stage does not depend on leaves its
spec, and so its cache key, as it was. Nothing here opens a file.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from fairway.data.dataset import DatasetSpec
from fairway.data.repair import RepairRule
from fairway.data.source import Source
from fairway.data.split import EntitySplit, TimeSplit
from fairway.evaluation.payoff import Payoff
from fairway.project import Evaluate

Spec = TypeVar("Spec")


@dataclass(frozen=True, kw_only=True)
class SourcesSpec:
    """Which sources to read, what each must keep to, and at which clock.

    Attributes:
        fingerprints: Digest of each source's files, so that the spec names what is read.
        contracts: Contract file by source, relative to the project's root.
        at: The project's clock, ISO 8601; what is newer is hidden.
    """

    sources: Mapping[str, Source]
    fingerprints: Mapping[str, str]
    contracts: Mapping[str, str]
    at: str


@dataclass(frozen=True, kw_only=True)
class DatasetSpecs:
    """How snapshots of sources become rows for training, tuning and judging.

    Attributes:
        contracts: Contract file by source, and that of the ``dataset``, relative to the root.
        by_time: The split, if by time; else ``by_entity``.
        csv: Whether a candidate asks for CSV beside Parquet.
        outputs: File name by step whose output ``build`` may take.
        slices: Columns by whose values the candidates will be measured apart.
    """

    dataset: DatasetSpec
    sources: Mapping[str, Source]
    contracts: Mapping[str, str]
    by_time: TimeSplit | None
    by_entity: EntitySplit | None
    repairs: Mapping[str, RepairRule]
    csv: bool
    outputs: Mapping[str, str]
    slices: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class EvaluationSpec:
    """What to predict and how to judge it.

    Attributes:
        parts: ``validation`` alone while searching, else also ``test``.
        predict: The command of a process that answers scores, with ``{model}``; None where the
            model is of a form that Fairway loads.
        is_release: Whether the model comes as a release, with its own repairs, signature and code.
    """

    parts: tuple[str, ...]
    predict: str | None
    evaluate: Evaluate
    payoff: Payoff | None
    timeout_s: float
    is_release: bool = False


def write(spec: object) -> Any:  # noqa: ANN401  any JSON value
    """Spell a spec as a JSON value."""
    return msgspec.to_builtins(spec, str_keys=True)


def read(data: bytes, kind: type[Spec]) -> Spec:
    """Read a spec that ``write`` spelled."""
    return msgspec.json.decode(data, type=kind)
