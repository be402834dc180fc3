"""What a home promises: made once, tidy after deaths, published whole, clear when it cannot."""

import json
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from fairway import digest as naming
from fairway.digest import Digest
from fairway.errors import IntegrityError, NotFoundError, RequestError, StoreError
from fairway.store import migrations
from fairway.store.home import Home, open_home, write_file


def tree(home: Home, files: dict[str, bytes]) -> Digest:
    with home.scratch("in") as scratch:
        for name, data in files.items():
            (scratch / name).parent.mkdir(parents=True, exist_ok=True)
            (scratch / name).write_bytes(data)
        return home.blobs.put_tree(scratch)


def test_a_home_is_made_at_first_use_and_opens_again(tmp_path: Path) -> None:
    root = tmp_path / "new" / ".fairway"
    with open_home(root) as home:
        digest = home.blobs.put_bytes(b"rows")
    with open_home(root) as home:
        assert home.blobs.read(digest) == b"rows"
    assert json.loads((root / "home.json").read_text()) == {"format": 1}


def test_a_home_in_a_clone_is_ignored_by_git(home: Home) -> None:
    assert (home.root / ".gitignore").read_text() == "*\n"


def test_opening_a_home_at_head_loads_no_migrations_and_importing_it_no_database(
    home: Home,
) -> None:
    script = (
        "import sys\n"
        "from pathlib import Path\n"
        "from fairway.store.home import open_home\n"
        "from fairway.store import journal, pointer\n"
        "print('sqlalchemy' in sys.modules)\n"
        f"open_home(Path({str(home.root)!r})).close()\n"
        "print('sqlalchemy' in sys.modules, 'alembic' in sys.modules)\n"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert ran.stdout.split() == ["False", "True", "False"]


def test_head_is_what_the_steps_say_and_log_is_write_ahead(home: Home) -> None:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.set_main_option("path_separator", "os")

    assert ScriptDirectory.from_config(config).get_heads() == [migrations.HEAD]
    assert migrations.version(home.db) == migrations.HEAD
    assert home.db.read("PRAGMA journal_mode") == [{"journal_mode": "wal"}]
    assert home.db.read("PRAGMA integrity_check") == [{"integrity_check": "ok"}]


def test_the_tables_that_the_rooms_share_are_there(home: Home) -> None:
    rows = home.db.read("SELECT name FROM sqlite_master WHERE type = 'table'")

    assert {
        *("journal", "journal_subject", "pointer", "run", "candidate", "candidate_metric"),
        *("step_result", "step_run"),
    } <= {row["name"] for row in rows}


def test_what_is_no_folder_is_refused_as_a_home(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(StoreError, match="file is no folder"):
        open_home(tmp_path / "file")
    with pytest.raises(StoreError, match="a part of the path is no folder"):
        open_home(tmp_path / "file" / "home")


def test_a_newer_schema_is_refused_and_left_alone(tmp_path: Path) -> None:
    open_home(tmp_path / "home").close()
    with sqlite3.connect(tmp_path / "home/fairway.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()

    with pytest.raises(StoreError, match="has schema 9999") as refused:
        open_home(tmp_path / "home")
    assert "Install the newer Fairway" in refused.value.hint


@pytest.mark.parametrize("n_bytes", [1, 99, 1000, 4096, 5000, 20480, 40000])
def test_a_truncated_database_is_refused_and_not_replaced(tmp_path: Path, n_bytes: int) -> None:
    open_home(tmp_path / "home").close()
    path = tmp_path / "home/fairway.db"
    os.truncate(path, n_bytes)

    with pytest.raises(StoreError, match=r"fairway\.db"):
        open_home(tmp_path / "home")
    assert path.stat().st_size == n_bytes


def test_an_emptied_or_missing_database_is_refused_and_not_replaced(tmp_path: Path) -> None:
    open_home(tmp_path / "home").close()
    path = tmp_path / "home/fairway.db"
    os.truncate(path, 0)
    with pytest.raises(StoreError, match="is empty"):
        open_home(tmp_path / "home")
    path.unlink()
    with pytest.raises(StoreError, match="is gone"):
        open_home(tmp_path / "home")
    assert not path.exists()


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    open_home(tmp_path / "home").close()
    (tmp_path / "home/fairway.db").write_bytes(b"these are not the rows that you look for" * 200)

    with pytest.raises(StoreError, match="it is no database"):
        open_home(tmp_path / "home")


def test_a_scratch_folder_is_fresh_and_gone_after_its_block(home: Home) -> None:
    with home.scratch("step") as first, home.scratch("step") as second:
        assert first != second
        (first / "deep").mkdir()
        (first / "deep/file").write_bytes(b"x")
        (first / "deep").chmod(0o555)
    assert not first.exists()


def test_scratch_folders_of_the_dead_are_removed_and_those_of_the_living_stay(home: Home) -> None:
    script = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from fairway.store.home import open_home\n"
        f"with open_home(Path({str(home.root)!r})).scratch('dead') as folder:\n"
        "    (folder / 'half').write_bytes(b'half')\n"
        "    print(folder, flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    dead = Path(ran.stdout.strip())
    assert (dead / "half").exists()

    with home.scratch("living") as living:
        open_home(home.root).close()

        assert not dead.parent.exists()
        assert living.exists()


def test_closing_a_home_leaves_nothing_in_its_scratch(tmp_path: Path) -> None:
    home = open_home(tmp_path / "home")
    home.blobs.put_bytes(b"x")
    assert len(list((tmp_path / "home/tmp").iterdir())) == 1
    home.close()
    assert list((tmp_path / "home/tmp").iterdir()) == []


def test_a_published_tree_is_a_read_only_folder_under_its_digest(home: Home) -> None:
    digest = tree(home, {"model/model.txt": b"leaves", "release.json": b"{}"})

    path = home.publish(digest, shelf="releases")

    assert path == home.root / "releases" / digest.removeprefix("sha256:")
    assert (path / "model/model.txt").read_bytes() == b"leaves"
    for inner in (path, path / "model", path / "release.json", path / "model/model.txt"):
        assert not inner.stat().st_mode & 0o222
    assert home.publish(digest, shelf="releases") == path


def test_a_published_folder_may_bear_another_digest(home: Home) -> None:
    other = naming.of_bytes(b"release.json")

    path = home.publish(tree(home, {"a": b"a"}), shelf="releases", name=other)

    assert path.name == other.removeprefix("sha256:")


def test_changing_a_published_file_does_not_change_the_blob(home: Home) -> None:
    digest = tree(home, {"model.txt": b"leaves"})
    path = home.publish(digest, shelf="releases") / "model.txt"
    path.chmod(0o644)
    path.write_bytes(b"tampered")

    assert home.blobs.read(home.blobs.entries(digest)["model.txt"].digest) == b"leaves"


def test_many_may_publish_the_same_tree_at_once(home: Home) -> None:
    digest = tree(home, {"a": b"a", "b/c": b"c"})

    with ThreadPoolExecutor(8) as pool:
        paths = set(pool.map(lambda _: home.publish(digest, shelf="releases"), range(16)))

    assert len(paths) == 1
    assert list((home.root / "releases").iterdir()) == [paths.pop()]


def test_what_cannot_be_published_leaves_nothing_visible(home: Home) -> None:
    damaged = tree(home, {"a": b"abc"})
    place = home.blobs.path(naming.of_bytes(b"abc"))
    place.chmod(0o644)
    place.write_bytes(b"xyz")

    with pytest.raises(IntegrityError):
        home.publish(damaged, shelf="releases")
    with pytest.raises(NotFoundError):
        home.publish(naming.of_bytes(b"absent"), shelf="releases")
    with pytest.raises(RequestError, match="is no tree"):
        home.publish(home.blobs.put_bytes(b"plain"), shelf="releases")
    for shelf in ("blobs", "../out", "a/b", ""):
        with pytest.raises(RequestError):
            home.publish(damaged, shelf=shelf)
    assert not (home.root / "releases").exists() or not list((home.root / "releases").iterdir())


def test_a_secret_is_made_once_for_its_owner_alone(home: Home) -> None:
    made: list[bytes] = []

    def make() -> bytes:
        made.append(os.urandom(16))
        return made[-1]

    with ThreadPoolExecutor(8) as pool:
        secrets = set(pool.map(lambda _: home.secret("salt", make), range(16)))

    assert secrets == {made[0]}
    assert len(made) == 1
    assert stat.S_IMODE((home.root / "keys/salt").stat().st_mode) == 0o600
    assert stat.S_IMODE((home.root / "keys").stat().st_mode) == 0o700
    with pytest.raises(RequestError):
        home.secret("../salt", make)


def test_a_lock_keeps_other_threads_out(home: Home) -> None:
    inside: list[int] = []
    most = 0

    def work(_: int) -> None:
        nonlocal most
        with home.lock("run"):
            inside.append(1)
            most = max(most, len(inside))
            inside.pop()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(200)))
    assert most == 1


def test_a_lock_is_free_again_after_an_error_and_different_names_do_not_meet(home: Home) -> None:
    with pytest.raises(KeyError), home.lock("run"):
        raise KeyError
    done = threading.Event()
    with home.lock("run"), home.lock("other"):
        done.set()
    assert done.is_set()


def test_a_file_outside_the_home_is_replaced_whole(tmp_path: Path) -> None:
    write_file(tmp_path / "demo-results/result.json", b"1")
    write_file(tmp_path / "demo-results/result.json", b"2")

    assert (tmp_path / "demo-results/result.json").read_bytes() == b"2"
    assert [path.name for path in (tmp_path / "demo-results").iterdir()] == ["result.json"]
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StoreError, match="a file is in the way"):
        write_file(tmp_path / "file" / "x", b"")


def test_a_home_may_be_copied_as_files(home: Home, tmp_path: Path) -> None:
    digest = home.blobs.put_bytes(b"rows")
    home.close()
    shutil.copytree(home.root, tmp_path / "copy")

    with open_home(tmp_path / "copy") as copy:
        assert copy.blobs.read(digest) == b"rows"
