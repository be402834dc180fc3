"""What the journal promises: order, a seal over all before, and a name for each break."""

import sqlite3
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fairway import digest as naming
from fairway.digest import Digest
from fairway.errors import RequestError
from fairway.store import journal
from fairway.store.home import Home
from fairway.store.journal import Entry

NOON = datetime(2013, 9, 1, 12, tzinfo=UTC)
SNAPSHOT = naming.of_bytes(b"snapshot")
MODEL = naming.of_bytes(b"model")


def append(home: Home, kind: str = "checked", **changes: object) -> Entry:
    given: dict[str, object] = {
        "project": "late-arrivals",
        "actor": "ann@example.org",
        "effective_at": NOON,
        "subjects": [SNAPSHOT],
        "body": {"rules": 3},
    }
    with home.db.transaction() as tx:
        return journal.append(tx, kind=kind, **{**given, **changes})


def edit(home: Home, *statements: str) -> None:
    """Change the database by hand, as somebody with a shell would."""
    home.db.close()
    connection = sqlite3.connect(home.root / "fairway.db")
    with connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()


def broken(home: Home) -> list[tuple[int, str]]:
    return [(found.seq, found.problem) for found in journal.verify(home.db)]


def test_an_entry_comes_back_as_it_was_written(home: Home) -> None:
    before = datetime.now(UTC)
    written = append(home, subjects=[SNAPSHOT, MODEL, SNAPSHOT], body={"ü": [1, 2.5, None, "x"]})

    assert journal.entries(home.db, project="late-arrivals") == [written]
    assert written.subjects == (SNAPSHOT, MODEL)
    assert written.effective_at == NOON
    assert before <= written.recorded_at <= datetime.now(UTC)
    assert written.previous == journal.GENESIS


def test_each_entry_names_the_one_before_over_all_projects(home: Home) -> None:
    first = append(home)
    second = append(home, project="other")

    assert second.previous == first.digest
    assert [first.seq, second.seq] == [1, 2]
    assert journal.head(home.db) == second.digest
    assert journal.verify(home.db) == []


def test_an_entry_can_be_sealed_again_by_anybody_with_json_and_sha256(home: Home) -> None:
    append(home)
    row = home.db.read("SELECT * FROM journal")[0]
    sealed = row.pop("digest")

    assert naming.of_json(row) == sealed


def test_entries_are_found_by_kind_subject_project_and_instant(home: Home) -> None:
    checked = append(home)
    trained = append(home, "trained", subjects=[MODEL], effective_at=NOON + timedelta(hours=1))
    append(home, project="other")

    def found(**query: object) -> list[Entry]:
        return journal.entries(home.db, project="late-arrivals", **query)

    assert found() == [checked, trained]
    assert found(kind="trained") == [trained]
    assert found(subject=SNAPSHOT) == [checked]
    assert found(until=NOON) == [checked]
    assert found(kind="trained", subject=SNAPSHOT) == []


def test_an_entry_is_seen_within_its_transaction_and_undone_with_it(home: Home) -> None:
    def half() -> None:
        with home.db.transaction() as tx:
            entry = journal.append(
                tx,
                project="p",
                actor="a",
                effective_at=NOON,
                kind="checked",
                subjects=[],
                body={},
            )
            assert journal.entries(tx, project="p") == [entry]
            assert journal.head(tx) == entry.digest
            raise KeyError

    with pytest.raises(KeyError):
        half()
    assert journal.head(home.db) == journal.GENESIS
    assert append(home).seq == 1


def test_what_is_no_json_no_digest_or_no_instant_is_refused(home: Home) -> None:
    with pytest.raises(RequestError, match="no JSON"):
        append(home, body={"auc": float("nan")})
    with pytest.raises(RequestError, match="no JSON"):
        append(home, body={"at": NOON})
    with pytest.raises(RequestError, match="no digest"):
        append(home, subjects=[Digest("model")])
    with pytest.raises(RequestError, match="no time zone"):
        append(home, effective_at=datetime(2013, 9, 1))  # noqa: DTZ001  the fault under test
    assert journal.head(home.db) == journal.GENESIS


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("body", '{"rules":4}'),
        ("body", "{"),
        ("body", '{"rules": 3}'),
        ("actor", "eve@example.org"),
        ("kind", "approved"),
        ("project", "other"),
        ("effective_at", "2013-09-02T12:00:00.000000Z"),
        ("recorded_at", "2013-09-02T12:00:00.000000Z"),
        ("subjects", f'["{MODEL}"]'),
        ("subjects", "7"),
        ("previous", naming.of_bytes(b"x")),
        ("digest", naming.of_bytes(b"x")),
    ],
)
def test_a_changed_entry_is_the_first_that_is_named(home: Home, column: str, value: str) -> None:
    for _ in range(5):
        append(home)
    home.db.close()
    connection = sqlite3.connect(home.root / "fairway.db")
    with connection:
        connection.execute(f"UPDATE journal SET {column} = ? WHERE seq = 3", (value,))
    connection.close()

    found = broken(home)

    assert found[0][0] == 3
    assert "Entry 3 was changed" in found[0][1]


def test_a_changed_entry_that_was_sealed_anew_breaks_the_link_to_the_next(home: Home) -> None:
    for _ in range(4):
        append(home)
    row = home.db.read("SELECT * FROM journal WHERE seq = 2")[0]
    row["actor"] = "eve@example.org"
    sealed = naming.of_json({name: row[name] for name in row if name != "digest"})
    edit(
        home,
        f"UPDATE journal SET actor = 'eve@example.org', digest = '{sealed}' WHERE seq = 2",
    )

    assert [seq for seq, _ in broken(home)] == [3]
    assert "does not follow" in broken(home)[0][1]


@pytest.mark.parametrize(
    ("deleted", "expected"),
    [
        ("= 1", "Entry 1 is missing."),
        ("= 3", "Entry 3 is missing."),
        ("BETWEEN 2 AND 4", "Entries 2 to 4 are missing."),
        ("= 6", "Entry 6 is missing."),
        (">= 4", "Entries 4 to 6 are missing."),
        (">= 1", "Entries 1 to 6 are missing."),
    ],
)
def test_deleted_entries_are_named_once(home: Home, deleted: str, expected: str) -> None:
    for _ in range(6):
        append(home)
    edit(
        home,
        f"DELETE FROM journal_subject WHERE seq {deleted}",
        f"DELETE FROM journal WHERE seq {deleted}",
    )

    assert [problem for _, problem in broken(home)] == [expected]


def test_swapped_entries_are_named(home: Home) -> None:
    for n in range(4):
        append(home, body={"n": n})
    edit(
        home,
        "UPDATE journal SET seq = 99 WHERE seq = 2",
        "UPDATE journal SET seq = 2 WHERE seq = 3",
        "UPDATE journal SET seq = 3 WHERE seq = 99",
    )

    assert broken(home)[0][0] == 2
    assert "was changed" in broken(home)[0][1]


def test_an_entry_taken_out_with_the_rest_moved_up_is_named(home: Home) -> None:
    for n in range(4):
        append(home, body={"n": n})
    edit(
        home,
        "DELETE FROM journal WHERE seq = 2",
        "UPDATE journal SET seq = seq - 1 WHERE seq > 2",
        "DELETE FROM journal_subject WHERE seq = 4",
        "UPDATE sqlite_sequence SET seq = 3 WHERE name = 'journal'",
    )

    assert broken(home)[0][0] == 2


def test_a_tail_cut_without_trace_is_shown_by_a_head_kept_elsewhere(home: Home) -> None:
    for n in range(4):
        append(home, body={"n": n})
    anchor = journal.head(home.db)
    edit(
        home,
        "DELETE FROM journal_subject WHERE seq > 2",
        "DELETE FROM journal WHERE seq > 2",
        "UPDATE sqlite_sequence SET seq = 2 WHERE name = 'journal'",
    )

    assert broken(home) == []
    found = journal.verify(home.db, anchors=[anchor])
    assert [(found[0].seq, anchor in found[0].problem)] == [(2, True)]


def test_a_changed_index_of_subjects_is_named(home: Home) -> None:
    for _ in range(3):
        append(home)
    edit(home, "DELETE FROM journal_subject WHERE seq = 2")

    assert [seq for seq, _ in broken(home)] == [2]


def test_subjects_listed_for_an_entry_that_never_was_are_named(home: Home) -> None:
    append(home)
    edit(home, f"INSERT INTO journal_subject VALUES ('{MODEL}', 7)")

    assert [seq for seq, _ in broken(home)] == [7]


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.text(max_size=5)
    # Whole floats are spelled as the JSON number that they are.
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)


@given(body=st.dictionaries(st.text(max_size=4), json_values, max_size=4))
@settings(
    max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
def test_any_json_body_is_kept_exactly(home: Home, body: dict[str, object]) -> None:
    seq = append(home, body=body).seq

    assert journal.entries(home.db, project="late-arrivals")[seq - 1].body == body
    assert journal.verify(home.db) == []
