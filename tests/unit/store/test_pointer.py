"""What pointers promise: a past for every instant, and no move without a reason."""

import sqlite3
from datetime import UTC, datetime, timedelta

import pytest

from fairway import digest as naming
from fairway.digest import Digest
from fairway.errors import GateError, RequestError
from fairway.store import journal, pointer
from fairway.store.home import Home

FIRST = datetime(2013, 9, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
A, B = naming.of_bytes(b"a"), naming.of_bytes(b"b")


def deploy(
    home: Home,
    target: Digest,
    at: datetime,
    *,
    name: str = "production",
    kind: str = "deployed",
    project: str = "p",
) -> None:
    with home.db.transaction() as tx:
        entry = journal.append(
            tx,
            project=project,
            actor="ann",
            effective_at=at,
            kind=kind,
            subjects=[target],
            body={"environment": name},
        )
        pointer.move(
            tx, project="p", name=name, target=target, actor="ann", effective_at=at, entry=entry
        )


def at(home: Home, instant: datetime | None) -> Digest | None:
    return pointer.current(home.db, project="p", name="production", at=instant)


def test_a_pointer_stands_from_the_instant_of_its_move_on(home: Home) -> None:
    deploy(home, A, FIRST)
    deploy(home, B, FIRST + HOUR)

    assert at(home, FIRST - timedelta(microseconds=1)) is None
    assert at(home, FIRST) == A
    assert at(home, FIRST + HOUR - timedelta(microseconds=1)) == A
    assert at(home, FIRST + HOUR) == B
    assert at(home, None) == B


def test_history_follows_the_instants_that_moves_are_about_then_the_order_of_writing(
    home: Home,
) -> None:
    deploy(home, B, FIRST + HOUR)
    deploy(home, A, FIRST)
    deploy(home, A, FIRST + HOUR)

    moves = pointer.history(home.db, project="p", name="production")

    assert [(move.target, move.effective_at) for move in moves] == [
        (A, FIRST),
        (B, FIRST + HOUR),
        (A, FIRST + HOUR),
    ]
    assert [move.entry for move in moves] == [2, 1, 3]
    assert at(home, None) == A


def test_what_stood_where_is_answered_for_every_name_of_the_project(home: Home) -> None:
    deploy(home, A, FIRST, name="staging")
    deploy(home, A, FIRST + HOUR)
    deploy(home, B, FIRST + 2 * HOUR, name="staging")

    assert pointer.standing(home.db, project="p", at=FIRST + HOUR) == {
        "production": A,
        "staging": A,
    }
    assert pointer.standing(home.db, project="p", at=FIRST + 3 * HOUR)["staging"] == B
    assert pointer.standing(home.db, project="other", at=FIRST + 3 * HOUR) == {}
    assert pointer.standing(home.db, project="p", at=FIRST - HOUR) == {}


@pytest.mark.parametrize("kind", ["deployed", "rolled_back", "received"])
def test_a_pointer_moves_with_an_entry_that_says_why(home: Home, kind: str) -> None:
    deploy(home, A, FIRST, kind=kind)

    assert at(home, None) == A


def test_an_entry_of_another_kind_or_project_moves_nothing_and_is_undone_too(home: Home) -> None:
    with pytest.raises(GateError, match="only with a journal entry that says why"):
        deploy(home, A, FIRST, kind="released")
    with pytest.raises(GateError, match="only with a journal entry that says why"):
        deploy(home, A, FIRST, project="other")

    assert at(home, None) is None
    assert journal.head(home.db) == journal.GENESIS


def test_an_entry_about_other_bytes_moves_nothing(home: Home) -> None:
    def elsewhere() -> None:
        with home.db.transaction() as tx:
            entry = journal.append(
                tx,
                project="p",
                actor="ann",
                effective_at=FIRST,
                kind="deployed",
                subjects=[A],
                body={},
            )
            pointer.move(
                tx,
                project="p",
                name="production",
                target=B,
                actor="ann",
                effective_at=FIRST,
                entry=entry,
            )

    with pytest.raises(RequestError, match=f"does not speak of {B}"):
        elsewhere()
    assert at(home, None) is None


@pytest.mark.parametrize(
    "statement",
    [
        f"UPDATE pointer SET target = '{B}'",
        "DELETE FROM pointer",
        (
            f"INSERT INTO pointer SELECT 9, 'p', 'x', '{B}', 'eve', effective_at, recorded_at, 99"
            " FROM pointer"
        ),
        (
            f"INSERT OR REPLACE INTO pointer SELECT seq, 'p', 'x', '{B}', 'eve', effective_at,"
            " recorded_at, entry FROM pointer"
        ),
    ],
)
def test_the_database_itself_guards_the_history(home: Home, statement: str) -> None:
    deploy(home, A, FIRST)
    home.db.close()
    connection = sqlite3.connect(home.root / "fairway.db")

    with pytest.raises(sqlite3.IntegrityError, match=r"pointer"):
        connection.execute(statement)
    connection.close()
    assert at(home, None) == A


def test_a_move_that_the_journal_does_not_bear_out_is_named(home: Home) -> None:
    deploy(home, A, FIRST)
    deploy(home, B, FIRST + HOUR)
    assert pointer.verify(home.db) == []
    home.db.close()
    connection = sqlite3.connect(home.root / "fairway.db")
    with connection:
        connection.execute("DROP TRIGGER pointer_is_not_changed")
        connection.execute("UPDATE pointer SET target = ? WHERE entry = 2", (A,))
    connection.close()

    found = pointer.verify(home.db)

    assert [problem.seq for problem in found] == [2]
    assert f"production points to {A}" in found[0].problem
