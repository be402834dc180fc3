"""What the database promises: all or nothing, many writers, errors that say what to do."""

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from fairway.errors import ConflictError, RequestError, StoreError
from fairway.store.crash import CrashPoints
from fairway.store.database import Database, meaning


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    path = tmp_path / "test.db"
    path.touch()
    db = Database(path, crash=CrashPoints())
    with db.transaction() as tx:
        tx.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, text TEXT)")
    yield db
    db.close()


def count(db: Database) -> int:
    return int(db.read("SELECT count(*) AS n FROM t")[0]["n"])


def test_rows_come_back_by_name(db: Database) -> None:
    with db.transaction() as tx:
        tx.execute("INSERT INTO t VALUES (:id, :text)", {"id": 1, "text": "12:30 :x"})
        tx.execute("INSERT INTO t VALUES (:id, :text)", [{"id": n, "text": None} for n in (2, 3)])
        tx.execute("INSERT INTO t VALUES (:id, :text)", [])
        assert tx.read("SELECT count(*) AS n FROM t") == [{"n": 3}]

    assert db.read("SELECT * FROM t WHERE id < :top ORDER BY id", {"top": 3}) == [
        {"id": 1, "text": "12:30 :x"},
        {"id": 2, "text": None},
    ]


def test_an_error_in_the_block_undoes_all_of_it(db: Database) -> None:
    def half() -> None:
        with db.transaction() as tx:
            tx.execute("INSERT INTO t VALUES (1, 'a')")
            raise KeyError("half way")

    with pytest.raises(KeyError):
        half()

    assert count(db) == 0
    with db.transaction() as tx:
        tx.execute("INSERT INTO t VALUES (1, 'a')")
    assert count(db) == 1


def test_readers_see_only_what_is_committed_and_never_wait(db: Database) -> None:
    with db.transaction() as tx:
        tx.execute("INSERT INTO t VALUES (1, 'a')")
        assert count(db) == 0
    assert count(db) == 1


def test_writers_in_threads_queue_up(db: Database) -> None:
    def write(first: int) -> None:
        for n in range(20):
            with db.transaction() as tx:
                tx.execute("INSERT INTO t VALUES (:id, 'x')", {"id": first + n})

    threads = [threading.Thread(target=write, args=(k * 100,)) for k in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert count(db) == 120


def test_a_thread_that_would_wait_for_itself_is_told_so(db: Database) -> None:
    with db.transaction(), pytest.raises(RequestError, match="under way in this thread"):
        db.transaction().__enter__()
    with db.transaction() as tx:
        tx.execute("INSERT INTO t VALUES (1, 'a')")
    assert count(db) == 1


def test_what_is_committed_is_synced(db: Database) -> None:
    assert db.read("PRAGMA synchronous") == [{"synchronous": 2}]  # 2 is FULL
    assert db.read("PRAGMA foreign_keys") == [{"foreign_keys": 1}]


def test_a_second_row_of_the_same_key_is_a_conflict(db: Database) -> None:
    def twice() -> None:
        with db.transaction() as tx:
            tx.execute("INSERT INTO t VALUES (1, 'a')")
            tx.execute("INSERT INTO t VALUES (1, 'b')")

    with pytest.raises(ConflictError, match=r"t\.id"):
        twice()
    assert count(db) == 0


def test_an_error_of_the_engine_is_a_store_error_with_its_words(db: Database) -> None:
    with pytest.raises(StoreError, match="no such table: absent"):
        db.read("SELECT * FROM absent")
    with pytest.raises(StoreError, match="value is required for bind parameter"):
        db.read("SELECT :absent")


def test_a_read_only_database_refuses_the_write_and_answers_the_read(
    db: Database, tmp_path: Path
) -> None:
    db.close()
    reader = Database(db.path, crash=CrashPoints(), is_read_only=True)

    assert count(reader) == 0
    with pytest.raises(StoreError, match=f"{tmp_path} cannot be written"):
        reader.transaction().__enter__()
    with pytest.raises(StoreError, match="read-only"):
        reader.read("INSERT INTO t VALUES (1, 'a') RETURNING id")
    reader.close()


def test_a_database_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    db = Database(tmp_path / "absent.db", crash=CrashPoints())

    with pytest.raises(StoreError, match="cannot be opened"):
        db.read("SELECT 1")
    assert not (tmp_path / "absent.db").exists()


def test_a_full_disk_a_lock_and_a_damaged_file_each_have_their_hint() -> None:
    for code, fact in {
        "SQLITE_FULL": "the disk is full",
        "SQLITE_BUSY_SNAPSHOT": "another process keeps it locked",
        "SQLITE_IOERR_FSYNC": "the disk reports an error",
        "SQLITE_CORRUPT_INDEX": "it is damaged",
    }.items():
        error = sqlite3.OperationalError("as the engine says it")
        error.sqlite_errorname = code
        found = meaning(Path("/h/fairway.db"), error)

        assert isinstance(found, StoreError)
        assert found.problem == f"The database /h/fairway.db cannot be used: {fact}."
        assert found.hint.endswith(".")
