"""Approvals: who stands by a release, said by name in the journal.

Room: ``fairway.delivery``, after ``store``; the gate counts what ``approvers`` finds. It knows no
accounts: that a name is whose it claims to be is the caller's matter.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from fairway.digest import Digest
from fairway.errors import RequestError
from fairway.store import journal
from fairway.store.database import Transaction
from fairway.store.journal import Entry

KIND = "approved"


def approve(
    tx: Transaction,
    *,
    project: str,
    actor: str,
    effective_at: datetime,
    release: Digest,
    environment: str | None = None,
    approves: bool = True,
    comment: str = "",
) -> Entry:
    """Write down that ``actor`` stands by a release, or no longer does.

    Args:
        tx: The transaction.
        project: The project.
        actor: The person's name.
        effective_at: From when on it counts.
        release: What is approved.
        environment: For this environment only; None for all.
        approves: False is a dissent: it is kept, and takes the person's approval back.
        comment: Why, in the person's words.

    Raises:
        RequestError: If the person has no name.
        StoreError: If the database refuses.
    """
    if not _same(actor):
        raise RequestError("An approval needs a name.", hint="Say who approves: --as NAME.")
    return journal.append(
        tx,
        project=project,
        actor=actor,
        effective_at=effective_at,
        kind=KIND,
        subjects=[release],
        body={
            "release": release,
            "environment": environment,
            "approves": approves,
            "comment": comment,
        },
    )


def approvers(
    entries: Sequence[Entry],
    *,
    release: Digest,
    environment: str,
    roles: Mapping[str, Collection[str]],
    authors: Collection[str],
) -> dict[str, list[str]]:
    """Who approves a release for an environment, by the roles that a gate may count.

    A person's last word counts, and each person once; names that differ in case or in blanks
    around them are the same person, so that nobody approves their own work by spelling.

    Args:
        entries: The journal's entries of kind ``approved``, by ``seq``; others are passed over.
        release: What is approved.
        environment: The environment that is judged.
        roles: Who has which role.
        authors: Who made the release: started its run or committed its code.

    Returns:
        ``{"owner": [...], "owner, not author": [...]}`` for each role, names sorted.
    """
    words: dict[str, Entry] = {}
    for entry in entries:
        scope = entry.body.get("environment")
        if entry.kind == KIND and release in entry.subjects and scope in {None, environment}:
            words[_same(entry.actor)] = entry
    standing = {name: entry.actor for name, entry in words.items() if entry.body["approves"]}
    made = {_same(author) for author in authors}
    found: dict[str, list[str]] = {}
    for role, members in roles.items():
        holders = {_same(member) for member in members}
        named = {name: actor for name, actor in standing.items() if name in holders}
        found[role] = sorted(named.values())
        found[f"{role}, not author"] = sorted(a for name, a in named.items() if name not in made)
    return found


def _same(name: str) -> str:
    """What two spellings of one person's name have in common."""
    return " ".join(name.casefold().split())
