"""``fairway push`` and ``pull``: carry a release and its snapshot from one home to another.

Room: ``fairway.line``. Bytes keep their names; statements are copied into the receiving journal
with their origin; the receiving home's gate judges again. Approvals stay where they were given.
"""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from fairway.delivery import release as releases
from fairway.digest import Digest
from fairway.errors import IntegrityError, RequestError
from fairway.line import judge
from fairway.line import release as releasing
from fairway.line.judge import Case
from fairway.project import Project
from fairway.store import journal
from fairway.store.home import Home, open_home
from fairway.store.tree import is_tree

RECEIVED = "received"
CARRIED = ("model_evaluated", "leakage_audited", "contract_checked", judge.TESTED)


def push(
    home: Home, project: Project, at: datetime, actor: str, *, release: str, target: str
) -> dict[str, Any]:
    """Carry a release to another home, made there if need be; see ``_carry``."""
    with open_home(_place(home, target), crash_at=home.crash.at) as other:
        return _carry(home, other, project, at, actor, release)


def pull(
    home: Home, project: Project, at: datetime, actor: str, *, release: str, source: str
) -> dict[str, Any]:
    """Carry a release here from another home; see ``_carry``.

    Raises:
        RequestError: If there is no home at ``source``.
    """
    place = _place(home, source)
    if not (place / "home.json").is_file():
        raise RequestError(f"{source} is no home.", hint="Name the folder of one, as .fairway.")
    with open_home(place) as other:
        return _carry(other, home, project, at, actor, release)


def _place(home: Home, text: str) -> Path:
    if "://" in text:
        raise RequestError(f"The home {text} is not a folder.", hint="Name a folder.")
    place = Path(text).absolute()
    if place == home.root:
        raise RequestError(f"{text} is this very home.", hint="Name another one.")
    return place


def _carry(
    source: Home, target: Home, project: Project, at: datetime, actor: str, release: str
) -> dict[str, Any]:
    """Verify, copy, judge again, and let the release appear in the target; repeating is harmless.

    Raises:
        IntegrityError: If the release is not what was released; nothing is copied then.
        NotFoundError: If the source has no such release.
    """
    case = judge.find(source, project, release)
    told = releasing.verify(source, project, case.release)
    if not told["ok"]:
        raise IntegrityError(
            f"The release {case.release} differs in {len(told['differs'])} files.",
            hint="See: fairway verify",
        )
    tree = judge.tree(source, project, case.release)
    names = ("dataset", "evaluation", "baseline_evaluation")
    wanted = [tree, *(case.digest(name) for name in names if case.manifest.get(name))]
    n_blobs = n_bytes = 0
    for digest in _closure(source, wanted):
        if not target.blobs.has(digest):
            target.blobs.put_file(source.blobs.path(digest))
            n_blobs += 1
            n_bytes += source.blobs.n_bytes(digest)
    with target.lock("release"):
        _copy_statements(source, target, project, case)
        environment = next(iter(project.gate))
        verdict = judge.judge(target, project, case, environment, at)
        if verdict.passed:
            path = releases.publish(
                target,
                releases.Release(
                    digest=case.release,
                    tree=tree,
                    name=case.manifest["name"],
                    version=case.manifest["version"],
                    manifest=case.manifest,
                ),
            )
            tree = target.blobs.put_tree(path)  # what lies there may have been signed here before
        body = _body(source, project, case, tree, environment, verdict.to_json())
        known = journal.entries(
            target.db, project=project.name, kind=RECEIVED, subject=case.release
        )
        with target.db.transaction() as tx:
            if not (known and verdict.passed):
                journal.append(
                    tx,
                    project=project.name,
                    actor=actor,
                    effective_at=at,
                    kind=RECEIVED if verdict.passed else judge.DECIDED,
                    subjects=[case.release, tree, case.digest("model")],
                    body=body,
                )
    return {
        "release": case.release,
        "version": case.manifest["version"],
        "n_blobs": n_blobs,
        "n_bytes": n_bytes,
        "verdict": verdict.to_json(),
    }


def _body(
    source: Home,
    project: Project,
    case: Case,
    tree: Digest,
    environment: str,
    verdict: dict[str, Any],
) -> dict[str, Any]:
    listed = journal.entries(source.db, project=project.name, subject=case.release)
    known = next(one for one in listed if one.kind in {"released", RECEIVED})
    return {
        "release": case.release,
        "tree": tree,
        "name": case.manifest["name"],
        "version": case.manifest["version"],
        "signer": releasing.signer(source, known.body).decode(),
        "environment": environment,
        "verdict": verdict,
        "origin": {"entry": known.digest, "actor": known.actor},
        "run": known.body["run"],
        "authors": list(case.authors),
        **{name: case.manifest[name] for name in releasing.TOLD},
    }


def _closure(home: Home, digests: list[Digest]) -> Iterator[Digest]:
    """Blobs, and for trees their files first, so that a tree that is there is whole."""
    for digest in digests:
        if is_tree(home.blobs.read(digest)):
            yield from (entry.digest for entry in home.blobs.entries(digest).values())
        yield digest


def _copy_statements(source: Home, target: Home, project: Project, case: Case) -> None:
    """Copy what the source's journal says of the model, the snapshot and the release."""
    subjects = {case.release, case.digest("model"), case.digest("snapshot")}
    there = {
        entry.body["origin"]["entry"]
        for kind in CARRIED
        for entry in journal.entries(target.db, project=project.name, kind=kind)
        if "origin" in entry.body
    }
    said = [
        entry
        for kind in CARRIED
        for entry in journal.entries(source.db, project=project.name, kind=kind)
        if subjects & set(entry.subjects) and entry.digest not in there
    ]
    with target.db.transaction() as tx:
        for entry in sorted(said, key=lambda entry: entry.seq):
            journal.append(
                tx,
                project=project.name,
                actor=entry.actor,
                effective_at=entry.effective_at,
                kind=entry.kind,
                subjects=entry.subjects,
                body={**entry.body, "origin": {"entry": entry.digest, "actor": entry.actor}},
            )
