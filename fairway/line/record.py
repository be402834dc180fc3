"""What a finished run leaves behind: the digests that releases, gates and look-backs read.

Room: ``fairway.line``. The record is a blob; the journal's ``run_finished`` entry names it, so that
what a gate reads is chained and verified. It holds no row's values.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from fairway.digest import Digest
from fairway.errors import NotFoundError
from fairway.store import journal
from fairway.store.home import Home

FINISHED = "run_finished"
BASELINE = "baseline"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of one candidate.

    Attributes:
        state: ``done``, ``failed``, ``timed_out``, ``out_of_memory`` or ``skipped``.
        why: Why it ran, was cached, failed or was skipped.
        model: Tree of the model's files.
        evaluation: Tree with ``evaluation.json`` and ``predictions.parquet``.
        predict: The command of its predicting process, if it has one.
        code: Project files that this process read: path -> content.
        validation: What ``best`` is chosen by; higher is better.
    """

    name: str
    state: str
    why: str = ""
    cached: bool = False
    model: Digest | None = None
    evaluation: Digest | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    predict: str | None = None
    code: Mapping[str, Digest] = field(default_factory=dict)
    validation: float | None = None
    threshold: float | None = None


@dataclass(frozen=True, kw_only=True)
class Record:
    """A run, by the digests of what it read and made.

    Attributes:
        sources: Tree that the stage ``sources`` wrote.
        dataset: Tree that the stage ``dataset`` wrote.
        snapshot: The dataset's rows, before the split.
        criteria: Each environment's conditions as they stood when training began.
        environment: Path -> content of the project's lock files.
        contracts: Source, or ``dataset`` -> content of the contract file that was enforced.
    """

    run: str
    at: str
    actor: str
    commit: str | None
    is_clean: bool
    project_file: Digest
    sources: Digest
    dataset: Digest
    snapshot: Digest
    criteria: Mapping[str, tuple[str, ...]]
    environment: Mapping[str, Digest]
    contracts: Mapping[str, Digest]
    outcomes: Sequence[Outcome]
    best: str | None

    def outcome(self, name: str) -> Outcome:
        """The candidate of this name.

        Raises:
            NotFoundError: If the run had none.
        """
        for outcome in self.outcomes:
            if outcome.name == name:
                return outcome
        names = ", ".join(outcome.name for outcome in self.outcomes)
        raise NotFoundError(
            f"The run {self.run} has no candidate {name!r}.", hint=f"Name one of {names}."
        )


def keep(home: Home, record: Record) -> Digest:
    """Store a record; returns its name."""
    return home.blobs.put_json(msgspec.to_builtins(record))


def load(home: Home, digest: Digest) -> Record:
    """Read a record back, verified."""
    return msgspec.json.decode(home.blobs.read(digest), type=Record)


def latest(home: Home, project: str) -> Record:
    """The project's newest finished run.

    Raises:
        NotFoundError: If there is none.
    """
    found = journal.entries(home.db, project=project, kind=FINISHED)
    if not found:
        raise NotFoundError(
            f"The project {project} has no finished run in this home.", hint="Run: fairway run"
        )
    return load(home, Digest(found[-1].body["record"]))
