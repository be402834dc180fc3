"""What a step made before, found again by everything that decided it.

Room: ``fairway.pipeline``, after ``trace`` and before ``execution``. The look-up has two levels: a
step's key names what is known before it runs; under a key stand the results, each with the
project's files that its command was seen to read. A result counts when each of those files is as
it was then, and its bytes are whole. This file runs no command.

The table ``step_result`` is this module's: rows are added, never changed.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from fairway.digest import Digest, of_bytes, of_json
from fairway.errors import IntegrityError, NotFoundError
from fairway.pipeline import own
from fairway.pipeline.file import Files
from fairway.pipeline.interpreter import Interpreters
from fairway.pipeline.step import Step, expand, spell
from fairway.store import instant
from fairway.store.database import Transaction
from fairway.store.home import Home

FORMAT = 1  # raise it when a result of an earlier Fairway must not be taken any more

N_MANIFESTS = 32  # results under one key that are tried, the newest first


@dataclass(frozen=True, kw_only=True)
class Found:
    """A result of an earlier run that holds now.

    Attributes:
        output: What the step made.
        log: What it printed.
        reads: The project's files that it read.
        seconds: How long it ran.
        cpu_s: Processor seconds that it used.
    """

    output: Digest
    log: Digest
    reads: Mapping[str, Digest | None]
    seconds: float
    cpu_s: float


@dataclass(frozen=True, kw_only=True)
class Miss:
    """Why no earlier result holds.

    Attributes:
        why: In words, for people.
    """

    why: str


class Cache:
    """The results of one project's steps in one home, during one run.

    Attributes:
        home: Where the results are.
        project: Whose steps they are; another project with the same step shares the result.
        files: The project's files.
    """

    def __init__(
        self, home: Home, *, project: str, files: Files, interpreters: Interpreters, language: str
    ) -> None:
        self.home = home
        self.project = project
        self.files = files
        self._interpreters = interpreters
        self._language = language
        self._whole: set[Digest] = set()
        self._earlier: dict[str, dict[str, Any]] | None = None

    def about(self, step: Step) -> dict[str, Any]:
        """All that is known of a step before it runs, as JSON; its digest is the key.

        Values of variables stand in it as digests, because it is stored.
        """
        return {
            "format": FORMAT,
            "command": expand(step.command, step.parameters),
            "inputs": dict(step.inputs),
            "names": {place: step.suffixes.get(place, "") for place in step.inputs},
            "output": [step.output, step.output_kind, step.output_suffix],
            "environment": step.environment,
            "variables": {
                name: of_bytes(value.encode(errors="surrogateescape"))
                for name, value in step.variables.items()
            },
            "language": self._language,
            "programs": dict(self._interpreters.of(step.command)),
            "fairway": own.maker() if step.internal else None,
        }

    def look_up(self, abouts: Iterable[tuple[Step, Mapping[str, Any]]]) -> list[Found | Miss]:
        """Look for the results of several steps with one query, in their order.

        Raises:
            StoreError: If the database refuses.
        """
        asked = [(step, about, of_json(about)) for step, about in abouts]
        keys = json.dumps(sorted({key for _, _, key in asked}))
        rows: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
        for row in self.home.db.read(_LOOK_UP, {"keys": keys, "n": N_MANIFESTS}):
            rows[row["key"]].append(row)
        return [self._choose(step, about, rows[key]) for step, about, key in asked]

    def record(
        self,
        tx: Transaction,
        step: Step,
        about: Mapping[str, Any],
        found: Found,
    ) -> None:
        """Remember a result for the runs to come, once its bytes are in the store."""
        parameters = {name: spell(value) for name, value in step.parameters.items()}
        body = {
            "name": step.name,
            "about": {**about, "template": step.command, "parameters": parameters},
            "absent": [name for name, state in found.reads.items() if state is None],
            "files": {name: state for name, state in found.reads.items() if state is not None},
        }
        _add(tx, about, body, project=self.project, found=found)
        if self._earlier is not None:
            self._earlier[step.name] = body
        self._whole.add(found.output)

    def _choose(
        self, step: Step, about: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]
    ) -> Found | Miss:
        why = ""
        for row in rows:
            body = json.loads(row["reads"])
            reads: dict[str, Digest | None] = {**body["files"], **dict.fromkeys(body["absent"])}
            changed = next((n for n, was in reads.items() if self.files.state(n) != was), None)
            if changed is not None:
                why = why or _told(changed, reads[changed], self.files.state(changed))
                continue
            if damage := self._damage(step, row["output"]):
                why = damage
                continue
            return Found(
                output=row["output"],
                log=row["log"],
                reads=reads,
                seconds=row["seconds"],
                cpu_s=row["cpu_s"],
            )
        return Miss(why=why or self._why(step, about))

    def _damage(self, step: Step, output: Digest) -> str:
        """What is wrong with the bytes of a result, or nothing; each is verified once in a run."""
        if output in self._whole:
            return ""
        blobs = self.home.blobs
        try:
            if step.output_kind == "folder":
                for entry in blobs.entries(output).values():
                    blobs.path(entry.digest)
            else:
                blobs.path(output)
        except IntegrityError:
            return "its stored output was damaged"
        except NotFoundError:
            return "its stored output was deleted"
        self._whole.add(output)
        return ""

    def _why(self, step: Step, about: Mapping[str, Any]) -> str:
        """Compare with the newest result of a step of that name."""
        if self._earlier is None:
            self._earlier = {}
            for row in self.home.db.read(_EARLIER, {"project": self.project}):
                body = json.loads(row["reads"])
                self._earlier[body["name"]] = body
        body = self._earlier.get(step.name)
        if body is None:
            return "never run"
        return _difference(body["about"], about, step)


def recall(home: Home, about: Mapping[str, Any]) -> Any:  # noqa: ANN401  any JSON value
    """A JSON value that was remembered under what it is about; None where there is none whole."""
    key = of_json(about)
    for row in home.db.read(_LOOK_UP, {"keys": json.dumps([key]), "n": 1}):
        with suppress(IntegrityError, NotFoundError):
            return home.blobs.read_json(row["output"])
    return None


def remember(
    home: Home,
    about: Mapping[str, Any],
    value: Any,  # noqa: ANN401  any JSON value
    *,
    project: str,
    name: str,
) -> None:
    """Keep a JSON value that no command made, under what it is about; the newest counts."""
    blob = home.blobs.put_json(value)
    with home.db.transaction() as tx:
        _add(
            tx,
            about,
            {"name": f"{name}: {next(iter(about))}", "about": dict(about)},
            project=project,
            found=Found(output=blob, log=blob, reads={}, seconds=0.0, cpu_s=0.0),
        )


def _add(
    tx: Transaction,
    about: Mapping[str, Any],
    body: Mapping[str, Any],
    *,
    project: str,
    found: Found,
) -> None:
    tx.execute(
        _RECORD,
        {
            "key": of_json(about),
            "project": project,
            "output": found.output,
            "reads": json.dumps(body, separators=(",", ":")),
            "log": found.log,
            "seconds": found.seconds,
            "cpu_s": found.cpu_s,
            "recorded_at": instant.to_text(instant.now()),
        },
    )


def _difference(was: Mapping[str, Any], now: Mapping[str, Any], step: Step) -> str:
    for place, digest in now["inputs"].items():
        if was["inputs"].get(place) != digest:
            return f"input changed: {place}"
    if was["template"] != step.command:
        return "command changed"
    for name, value in step.parameters.items():
        if was["parameters"].get(name) != spell(value):
            return f"parameter changed: {name}"
    names = {**was["variables"], **now["variables"]}
    for name in sorted(names):
        if was["variables"].get(name) != now["variables"].get(name):
            return f"variable changed: {name}"
    for part, told in (
        ("environment", "locked environment changed"),
        ("programs", "interpreter changed"),
        ("language", "LANG changed"),
        ("fairway", "Fairway changed"),
        ("format", "Fairway changed"),
    ):
        if was[part] != now[part]:
            return told
    return "its declaration changed"


def _told(name: str, was: Digest | None, now: Digest | None) -> str:
    if name.endswith("/"):
        return f"the names in {name} changed"
    if was is None:
        return f"{name} is new"
    return f"{name} is gone" if now is None else f"{name} changed"


_LOOK_UP = """
SELECT key, output, reads, log, seconds, cpu_s FROM (
    SELECT *, row_number() OVER (PARTITION BY key ORDER BY id DESC) AS place
    FROM step_result WHERE key IN (SELECT value FROM json_each(:keys))
) WHERE place <= :n ORDER BY key, place
"""

_EARLIER = """
SELECT reads FROM step_result
WHERE project = :project AND id > (SELECT max(id) FROM step_result) - 2000 ORDER BY id
"""

_RECORD = """
INSERT INTO step_result (key, project, output, reads, log, seconds, cpu_s, recorded_at)
VALUES (:key, :project, :output, :reads, :log, :seconds, :cpu_s, :recorded_at)
"""
