"""What approvals promise: a person once, by their last word, and nobody for their own work."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from fairway import digest as naming
from fairway.delivery import approval
from fairway.errors import RequestError
from fairway.store import journal
from fairway.store.home import Home, open_home

CLOCK = datetime(2013, 9, 1, tzinfo=UTC)
RELEASE, OTHER = naming.of_bytes(b"release"), naming.of_bytes(b"other")
OWNER, SECOND = "risk@example.org", "ann@example.org"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return open_home(tmp_path / "home")


def approve(home: Home, actor: str, **changes: object) -> None:
    with home.db.transaction() as tx:
        approval.approve(
            tx,
            **{
                "project": "p",
                "actor": actor,
                "effective_at": CLOCK,
                "release": RELEASE,
                **changes,
            },
        )


def counted(home: Home, *, authors: tuple[str, ...] = ()) -> dict[str, list[str]]:
    return approval.approvers(
        journal.entries(home.db, project="p"),
        release=RELEASE,
        environment="production",
        roles={"owner": [OWNER, SECOND]},
        authors=authors,
    )


def test_an_approval_is_evidence_about_the_release(home: Home) -> None:
    approve(home, OWNER, comment="as discussed")

    (entry,) = journal.entries(home.db, project="p", subject=RELEASE)
    assert entry.kind == "approved"
    assert entry.actor == OWNER
    assert entry.body == {
        "release": RELEASE,
        "environment": None,
        "approves": True,
        "comment": "as discussed",
    }


def test_only_holders_of_the_role_count_each_once(home: Home) -> None:
    for actor in (OWNER, OWNER, "stranger@example.org", SECOND):
        approve(home, actor)

    assert counted(home)["owner"] == [SECOND, OWNER]


def test_four_eyes_do_not_count_the_author_however_spelled(home: Home) -> None:
    approve(home, " Risk@Example.org ")

    assert counted(home, authors=(OWNER,)) == {
        "owner": [" Risk@Example.org "],
        "owner, not author": [],
    }
    approve(home, SECOND)
    assert counted(home, authors=(OWNER,))["owner, not author"] == [SECOND]


def test_the_last_word_of_a_person_counts(home: Home) -> None:
    approve(home, OWNER)
    approve(home, OWNER, approves=False, comment="the outcome was wrong")
    assert counted(home)["owner"] == []

    approve(home, OWNER)
    assert counted(home)["owner"] == [OWNER]


def test_an_approval_of_another_release_or_environment_counts_nothing(home: Home) -> None:
    approve(home, OWNER, release=OTHER)
    approve(home, OWNER, environment="staging")
    assert counted(home)["owner"] == []

    approve(home, OWNER, environment="production")
    assert counted(home)["owner"] == [OWNER]


@pytest.mark.parametrize("actor", ["", "  "])
def test_nobody_cannot_approve(home: Home, actor: str) -> None:
    with pytest.raises(RequestError, match="needs a name"):
        approve(home, actor)
