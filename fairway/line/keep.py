"""``fairway gc``: delete the blobs that no release, pointer or latest run needs.

Room: ``fairway.line``. The journal stays whole: it knows digests, and a digest stays true when its
bytes are gone. What a cached step had made may go; the step is then run again when it is asked for.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from fairway.digest import Digest
from fairway.errors import ConflictError
from fairway.line import record
from fairway.line.run import is_alive
from fairway.pipeline import result as results
from fairway.project import Project
from fairway.store import journal
from fairway.store.home import Home
from fairway.store.journal import Entry
from fairway.store.tree import is_tree
from fairway.tracking import run as runs

RELEASES = ("released", "received")


def gc(home: Home, project: Project, *, dry_run: bool) -> dict[str, Any]:
    """Delete what nothing needs, of all projects of the home; say how much that is.

    Raises:
        ConflictError: If a run is at work, whose bytes nothing names yet.
    """
    said = journal.every(home.db)
    names = sorted({entry.project for entry in said} | {project.name})
    with home.lock("release"):
        for name in names:
            latest = runs.latest(home.db, project=name)
            if latest is not None and latest.state == "running" and is_alive(latest.body):
                raise ConflictError(
                    f"The run {latest.id} of {name} is at work.", hint="Wait until it has ended."
                )
        needed = set(_needed(home, said, names))
        unneeded = [digest for digest in home.blobs.digests() if digest not in needed]
        n_bytes = sum(
            home.blobs.n_bytes(digest) if dry_run else home.blobs.remove(digest)
            for digest in unneeded
        )
    return {
        "n_blobs": len(unneeded),
        "n_bytes": n_bytes,
        "n_kept": len(needed),
        "dry_run": dry_run,
    }


def _needed(home: Home, said: Iterable[Entry], projects: Iterable[str]) -> Iterator[Digest]:
    """Every digest that must stay, trees with all their files."""
    for entry in said:
        if entry.kind in RELEASES:
            release = Digest(entry.body["release"])
            yield release
            manifest = home.blobs.read_json(release)
            wanted = ("model", "dataset", "evaluation", "baseline_evaluation", "snapshot")
            named = [Digest(manifest[name]) for name in wanted if manifest.get(name)]
            yield from _whole(home, [Digest(entry.body["tree"]), *named])
    for name in projects:
        finished = [one for one in said if one.project == name and one.kind == record.FINISHED]
        if finished:
            kept = Digest(finished[-1].body["record"])
            yield kept
            made = msgspec.to_builtins(record.load(home, kept))
            yield from _whole(home, _digests(made))
            for result in results.of_run(home.db, made["run"]):
                yield from _whole(home, [d for d in (result.output, result.log) if d])


def _whole(home: Home, digests: Iterable[Digest]) -> Iterator[Digest]:
    for digest in digests:
        yield digest
        if home.blobs.has(digest) and is_tree(home.blobs.read(digest)):
            yield from (entry.digest for entry in home.blobs.entries(digest).values())


def _digests(value: Any) -> Iterator[Digest]:  # noqa: ANN401  any JSON value
    """Every digest within a JSON value."""
    if isinstance(value, str) and value.startswith("sha256:"):
        yield Digest(value)
    elif isinstance(value, dict):
        for one in value.values():
            yield from _digests(one)
    elif isinstance(value, list):
        for one in value:
            yield from _digests(one)
