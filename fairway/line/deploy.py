"""``fairway deploy`` and ``rollback``: move what an environment points to.

Room: ``fairway.line``; after ``release``. No pointer moves without a verdict, or back to what has
not stood there before; verdict, entry and move are one transaction.
"""

from datetime import datetime
from typing import Any

from fairway.delivery.gate import Verdict
from fairway.digest import Digest
from fairway.errors import IntegrityError, NotFoundError
from fairway.line import judge
from fairway.line import release as releasing
from fairway.line.judge import Case
from fairway.project import Project
from fairway.store import journal, pointer
from fairway.store.home import Home

DEPLOYED = "deployed"
ROLLED_BACK = "rolled_back"


def deploy(
    home: Home, project: Project, at: datetime, actor: str, *, release: str, environment: str
) -> dict[str, Any]:
    """Judge a release by an environment's gate, and if it passes, point the environment to it.

    Raises:
        IntegrityError: If the release's folder is not what was released.
        NotFoundError: If there is no such release.
        RequestError: If there is no such environment.
    """
    case = judge.find(home, project, release)
    judge.conditions_of(project, environment)
    with home.lock(f"environment-{_plain(environment)}"):
        _require_whole(home, project, case.release)
        verdict = judge.judge(home, project, case, environment, at)
        _move(home, project, at, actor, case, environment, verdict)
    return {"environment": environment, "release": case.release, "verdict": verdict.to_json()}


def rollback(
    home: Home, project: Project, at: datetime, actor: str, *, environment: str, to: str | None
) -> dict[str, Any]:
    """Point an environment back to a release that stood there before; no gate is asked.

    Raises:
        IntegrityError: If that release's folder is not what was released.
        NotFoundError: If nothing stood there before.
    """
    with home.lock(f"environment-{_plain(environment)}"):
        moves = pointer.history(home.db, project=project.name, name=environment)
        stood = [move.target for move in moves if move.effective_at <= at]
        if not stood:
            raise NotFoundError(
                f"Nothing has stood in {environment!r}.", hint="Deploy first: fairway deploy"
            )
        target = _earlier(home, project, stood, to, environment)
        _require_whole(home, project, target)
        with home.db.transaction() as tx:
            entry = journal.append(
                tx,
                project=project.name,
                actor=actor,
                effective_at=at,
                kind=ROLLED_BACK,
                subjects=[target, stood[-1]],
                body={"release": target, "environment": environment, "instead_of": stood[-1]},
            )
            pointer.move(
                tx,
                project=project.name,
                name=environment,
                target=target,
                actor=actor,
                effective_at=at,
                entry=entry,
            )
    return {"environment": environment, "release": target, "verdict": None}


def _move(
    home: Home,
    project: Project,
    at: datetime,
    actor: str,
    case: Case,
    environment: str,
    verdict: Verdict,
) -> None:
    """Write the verdict, and where it passes move the pointer, all or nothing."""
    with home.db.transaction() as tx:
        decided = journal.append(
            tx,
            project=project.name,
            actor=actor,
            effective_at=at,
            kind=judge.DECIDED,
            subjects=[case.release],
            body={
                "release": case.release,
                "environment": environment,
                "verdict": verdict.to_json(),
            },
        )
        standing = pointer.current(tx, project=project.name, name=environment, at=at)
        if not verdict.passed or standing == case.release:
            return
        entry = journal.append(
            tx,
            project=project.name,
            actor=actor,
            effective_at=at,
            kind=DEPLOYED,
            subjects=[case.release],
            body={
                "release": case.release,
                "environment": environment,
                "instead_of": standing,
                "decision": decided.digest,
            },
        )
        pointer.move(
            tx,
            project=project.name,
            name=environment,
            target=case.release,
            actor=actor,
            effective_at=at,
            entry=entry,
        )


def _require_whole(home: Home, project: Project, release: Digest) -> None:
    told = releasing.verify(home, project, release)
    if not told["ok"]:
        first = told["differs"][0]
        raise IntegrityError(
            f"The release {release} is not what was released: {len(told['differs'])} files differ, "
            f"first {first['file']}.",
            hint="See: fairway verify; then pull it again, or release anew.",
        )


def _earlier(
    home: Home, project: Project, stood: list[Digest], to: str | None, environment: str
) -> Digest:
    """The release to go back to: the named one, else the last other one that stood there."""
    if to is not None:
        target = judge.find(home, project, to).release
        if target not in stood:
            raise NotFoundError(
                f"The release {target} has not stood in {environment}.",
                hint="Deploy it: its gate has not judged it for this environment.",
            )
        return target
    others = [target for target in stood if target != stood[-1]]
    if not others:
        raise NotFoundError(
            f"Nothing stood in {environment} before {stood[-1]}.",
            hint="Deploy another release instead.",
        )
    return others[-1]


def _plain(name: str) -> str:
    return "".join(letter if letter.isalnum() else "_" for letter in name)
