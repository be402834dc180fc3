"""What a home promises when processes die or race: whole or absent, and nobody is locked out."""

import shutil
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fairway import digest as naming
from fairway.digest import Digest
from fairway.store import journal, pointer
from fairway.store.home import Home, open_home

CLOCK = datetime(2013, 9, 1, tzinfo=UTC)
MOST_POINTS = 60  # more than any act below has

ACT = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from fairway.store import journal, pointer
from fairway.store.home import open_home

root, at, folder = Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
clock = datetime(2013, 9, 1, tzinfo=UTC)
with open_home(root, crash_at=at or None) as home:
    home.secret("signing", lambda: b"k" * 32)
    (folder / "moved").write_bytes(b"moved")
    home.blobs.put_file(folder / "moved", move=True)
    tree = home.blobs.put_tree(folder / "release")
    with home.scratch("step") as scratch:
        (scratch / "half").write_bytes(b"half")
        path = home.publish(tree, shelf="releases")
    with home.db.transaction() as tx:
        entry = journal.append(
            tx,
            project="p",
            actor="ann",
            effective_at=clock,
            kind="deployed",
            subjects=[tree],
            body={"environment": "production"},
        )
        pointer.move(
            tx,
            project="p",
            name="production",
            target=tree,
            actor="ann",
            effective_at=clock,
            entry=entry,
        )
    home.blobs.remove(home.blobs.put_bytes(b"garbage"))
print("done")
"""

OPEN = """
import sys
from pathlib import Path
from fairway.store.home import open_home
sys.stdin.readline()
with open_home(Path(sys.argv[1]), crash_at=int(sys.argv[2]) or None) as home:
    print(home.db.read("SELECT count(*) AS n FROM journal")[0]["n"])
"""

APPEND = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from fairway.store import journal
from fairway.store.home import open_home
with open_home(Path(sys.argv[1])) as home:
    sys.stdin.readline()
    for n in range(int(sys.argv[2])):
        with home.db.transaction() as tx:
            journal.append(
                tx,
                project="p",
                actor=sys.argv[3],
                effective_at=datetime(2013, 9, 1, tzinfo=UTC),
                kind="checked",
                subjects=[],
                body={"n": n},
            )
"""

LOCK = """
import sys
from pathlib import Path
from fairway.store.home import open_home
with open_home(Path(sys.argv[1])) as home, home.lock("run"):
    print("locked", flush=True)
    sys.stdin.readline()
"""


def run(script: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", script, *map(str, arguments)],
        input="\n",
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def start(script: str, *arguments: object) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", script, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("empty") / "home"
    open_home(root).close()
    return root


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("work")
    (folder / "release/model").mkdir(parents=True)
    (folder / "release/model/model.txt").write_bytes(b"leaves")
    (folder / "release/release.json").write_bytes(b"{}")
    return folder


def append(home: Home, kind: str = "checked") -> None:
    with home.db.transaction() as tx:
        journal.append(
            tx,
            project="p",
            actor="ann",
            effective_at=CLOCK,
            kind=kind,
            subjects=[],
            body={"text": "x" * 2000},
        )


def require_whole(home: Home, folder: Path) -> None:
    """Everything that is there is whole, and pointer, journal, blobs and folders agree."""
    for digest in home.blobs.digests():
        home.blobs.read(digest)
    assert journal.verify(home.db) == []
    assert pointer.verify(home.db) == []
    entries = journal.entries(home.db, project="p")
    target = pointer.current(home.db, project="p", name="production")
    assert [entry.subjects[0] for entry in entries] == ([] if target is None else [target])
    published = list((home.root / "releases").glob("*"))
    if target is not None:
        assert [path.name for path in published] == [target.removeprefix("sha256:")]
    for path in published:
        assert home.blobs.has(Digest(f"sha256:{path.name}"))
        assert home.blobs.put_tree(path) == f"sha256:{path.name}"
    secrets = list((home.root / "keys").glob("*"))
    assert [path.read_bytes() for path in secrets] in ([], [b"k" * 32])
    assert len(list((home.root / "tmp").iterdir())) <= 1  # our own; the dead one's is gone
    assert not list(home.root.rglob("half"))
    moved = naming.of_bytes(b"moved")
    assert home.blobs.has(moved) or (folder / "moved").exists() or not published


def test_killed_at_any_write_everything_is_whole_or_absent_and_the_act_ends_when_repeated(
    empty: Path, release: Path, tmp_path: Path
) -> None:
    killed = 0
    for at in range(1, MOST_POINTS):
        root = tmp_path / f"home-{at}"
        shutil.copytree(empty, root)
        ran = run(ACT, root, at, release)
        with open_home(root) as home:
            require_whole(home, release)
        if ran.returncode == 0:
            assert ran.stdout == "done\n"
            break
        assert ran.returncode == -signal.SIGKILL, ran.stderr
        killed += 1
        shutil.rmtree(root)
    else:
        pytest.fail(f"The act passes more than {MOST_POINTS} points.")

    assert killed == 18  # twice: the key, five blobs, the folder, the commit, the removal
    again = run(ACT, root, 0, release)
    assert again.stdout == "done\n", again.stderr


def test_killed_in_the_middle_then_repeated_the_act_ends(
    empty: Path, release: Path, tmp_path: Path
) -> None:
    shutil.copytree(empty, tmp_path / "home")
    for at in (3, 7, 2, 3):
        assert run(ACT, tmp_path / "home", at, release).returncode == -signal.SIGKILL
    ended = run(ACT, tmp_path / "home", 0, release)

    assert ended.stdout == "done\n", ended.stderr
    with open_home(tmp_path / "home") as home:
        require_whole(home, release)
        assert len(journal.entries(home.db, project="p")) == 1


def test_killed_while_a_home_is_made_the_next_start_makes_it(tmp_path: Path) -> None:
    for at in range(1, MOST_POINTS):
        ran = run(OPEN, tmp_path / str(at), at)
        if ran.returncode == 0:
            break
        assert ran.returncode == -signal.SIGKILL, ran.stderr
        with open_home(tmp_path / str(at)) as home:
            append(home)
            assert journal.verify(home.db) == []
    assert at == 4


def test_processes_that_open_an_empty_home_at_once_all_get_it(tmp_path: Path) -> None:
    processes = [start(OPEN, tmp_path / "home", 0) for _ in range(4)]
    answers = [process.communicate("\n", timeout=120) for process in processes]

    assert [answer for answer in answers if answer != ("0\n", "")] == []
    with open_home(tmp_path / "home") as home:
        assert home.db.read("SELECT count(*) AS n FROM alembic_version") == [{"n": 1}]


def test_eight_processes_append_at_once_and_the_chain_holds(empty: Path, tmp_path: Path) -> None:
    shutil.copytree(empty, tmp_path / "home")
    processes = [start(APPEND, tmp_path / "home", 25, f"w{n}") for n in range(8)]
    answers = [process.communicate("\n", timeout=120) for process in processes]

    assert [answer for answer in answers if answer != ("", "")] == []
    with open_home(tmp_path / "home") as home:
        entries = journal.entries(home.db, project="p")
        assert journal.verify(home.db) == []
    for actor in range(8):
        written = [entry.body["n"] for entry in entries if entry.actor == f"w{actor}"]
        assert written == list(range(25))


def test_a_writer_killed_among_others_leaves_them_at_work(empty: Path, tmp_path: Path) -> None:
    shutil.copytree(empty, tmp_path / "home")
    processes = [start(APPEND, tmp_path / "home", 2000, f"w{n}") for n in range(2)]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    with open_home(tmp_path / "home") as home:
        while len(journal.entries(home.db, project="p")) < 50:
            append(home)
        for process in processes:
            process.kill()
            process.communicate()
        append(home, "after")

        assert journal.verify(home.db) == []
        assert journal.entries(home.db, project="p")[-1].kind == "after"


def test_the_lock_of_a_killed_process_is_free(empty: Path, tmp_path: Path) -> None:
    shutil.copytree(empty, tmp_path / "home")
    holder = start(LOCK, tmp_path / "home")
    assert holder.stdout is not None
    assert holder.stdout.readline() == "locked\n"
    waiter = start(LOCK, tmp_path / "home")
    holder.kill()
    holder.communicate()

    assert waiter.communicate("\n", timeout=60) == ("locked\n", "")
