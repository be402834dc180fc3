"""Bad luck: races, full and read-only disks, damaged bytes, files that are half written."""

import contextlib
import json
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.line.place import Place, by_name, csv_text, orders


@contextlib.contextmanager
def mounted(*arguments: str | Path) -> Iterator[Path]:
    """Mount for the block; the last argument is where."""
    words = [str(argument) for argument in arguments]
    done = subprocess.run(["mount", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.fail(
            f"This test mounts a disk, which is not permitted here: {done.stderr.strip()} "
            "Run it as root, in a container with CAP_SYS_ADMIN."
        )
    try:
        yield Path(words[-1])
    finally:
        subprocess.run(["umount", "-l", words[-1]], check=True)


def test_two_runs_at_once_in_one_home_do_each_step_once(shop: Place) -> None:
    first, second = shop.start("run", "--json"), shop.start("run", "--json")
    said = [process.communicate(timeout=120) for process in (first, second)]
    assert (first.returncode, second.returncode) == (0, 0), said
    told = [json.loads(out) for out, _ in said]

    assert told[0]["run"] != told[1]["run"]
    assert told[0]["snapshot"] == told[1]["snapshot"]
    assert by_name(told[0])["plain"]["model"] == by_name(told[1])["plain"]["model"]
    assert shop.rows("SELECT count(*), count(DISTINCT key) FROM step_result") == [(5, 5)]
    assert shop.rows("SELECT state, count(*) FROM run GROUP BY state") == [("done", 2)]
    assert shop.ask("audit", "verify")["ok"] is True


def test_four_releases_at_once_are_one_release(ran: Place) -> None:
    processes = [ran.start("release", "--json", "--as", "ann") for _ in range(4)]
    said = [process.communicate(timeout=120) for process in processes]

    assert {process.returncode for process in processes} == {0}, said
    assert len({json.loads(out)["release"] for out, _ in said}) == 1
    assert ran.rows("SELECT count(*) FROM journal WHERE kind = 'released'") == [(1,)]
    assert ran.ask("audit", "verify")["ok"] is True


def test_a_read_only_home_answers_what_it_knows_and_refuses_the_rest(released: Place) -> None:
    (release,) = {path.name for path in (released.home / "releases").iterdir()}
    with mounted("--bind", released.home, released.home):
        subprocess.run(["mount", "-o", "remount,bind,ro", str(released.home)], check=True)
        for words in (
            ["at", "now"],
            ["candidates"],
            ["logs"],
            ["verify", release],
            ["trace", release],
            ["data", "log"],
            ["audit", "verify"],
        ):
            released.ask(*words)
        for words in (
            ["run"],
            ["release"],
            ["approve", release],
            ["deploy", release, "--env", "staging"],
        ):
            said = released.refused(*words, code=4)
            assert "read-only" in said
            assert str(released.home) in said
    released.ask("deploy", release, "--env", "staging")


def test_a_home_that_cannot_be_made_says_where(shop: Place) -> None:
    shop.write("taken", "a file")

    assert "taken" in shop.refused("run", "--home", "taken", code=4)
    assert "taken" in shop.refused("run", "--home", "taken/below", code=4)


def test_a_full_disk_is_said_and_with_room_again_it_works(shop: Place, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    home = ["--home", str(disk / "home")]
    with mounted("-t", "tmpfs", "-o", "size=100k", "tmpfs", disk):
        for size in ("100k", "260k", "300k", "420k"):  # database, a stage's file, a blob
            subprocess.run(["mount", "-o", f"remount,size={size}", str(disk)], check=True)
            said = shop.refused("run", *home, code=4)
            assert re.search("the disk is full|No space left", said)
            assert str(disk) in said
        subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True)
        assert by_name(shop.ask("run", *home))["plain"]["state"] == "done"
        assert shop.ask("audit", "verify", *home)["ok"] is True
        assert [path.name for path in (disk / "home/tmp").iterdir()] == []


def test_a_stage_that_finds_no_room_for_its_last_file_says_that_the_disk_is_full(
    ran: Place, tmp_path: Path
) -> None:
    (spec,) = [path for path in blobs(ran) if b'"fingerprints"' in path.read_bytes()]
    stage = [sys.executable, "-m", "fairway.line.stages", "sources", str(spec)]
    (tmp_path / "all").mkdir()
    subprocess.run([*stage, str(tmp_path / "all")], cwd=ran.root, check=True)
    n_pages = -(-(tmp_path / "all/orders.parquet").stat().st_size // 4096)
    (tmp_path / "disk").mkdir()
    with mounted("-t", "tmpfs", "-o", f"size={n_pages * 4096}", "tmpfs", tmp_path / "disk"):
        told = subprocess.run(
            [*stage, str(tmp_path / "disk")],
            cwd=ran.root,
            check=False,
            capture_output=True,
            text=True,
        )
        assert (tmp_path / "disk/report.json").stat().st_size == 0
    assert told.returncode == 1
    assert "Traceback" not in told.stderr
    assert "StoreError" in told.stderr
    assert "the disk is full" in told.stderr


def flip(path: Path) -> None:
    """Change one byte in the middle of a file."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.chmod(0o644)
    path.write_bytes(bytes(data))


def blobs(place: Place) -> list[Path]:
    return sorted(path for path in (place.home / "blobs").rglob("*") if path.is_file())


def is_whole(path: Path) -> bool:
    from fairway import digest

    return digest.of_file(path) == f"sha256:{path.parent.name}{path.name}"


def test_every_damaged_blob_is_made_again_by_the_next_run(ran: Place) -> None:
    first = ran.ask("run")
    for path in blobs(ran):
        if path.stat().st_size:
            flip(path)
    second = ran.ask("run")

    assert {**second, "run": 0, "seconds": 0} == {**first, "run": 0, "seconds": 0} | {
        "candidates": second["candidates"]
    }
    models = [{n: one["model"] for n, one in by_name(a).items()} for a in (first, second)]
    assert models[0] == models[1]
    for name, one in by_name(second).items():
        for metric in ("auc", "log_loss", "payoff"):
            assert one["metrics"][metric] == by_name(first)[name]["metrics"][metric]
    assert ran.ask("release")["verdict"]["pass"] is True
    ran.ask("verify", "2024.8.1")


def record(place: Place) -> dict[str, Any]:
    ((digest,),) = place.rows(
        "SELECT json_extract(body, '$.record') FROM journal WHERE kind = 'run_finished'"
    )
    told: dict[str, Any] = json.loads(place.blob(digest).read_bytes())
    return told | {"record": digest}


def inside(place: Place, tree: str, name: str) -> str:
    digest: str = json.loads(place.blob(tree).read_bytes())["tree"][name]["digest"]
    return digest


KINDS: dict[str, Callable[[Place, dict[str, Any]], str]] = {
    "record": lambda place, told: str(told["record"]),
    "project file": lambda place, told: str(told["project_file"]),
    "dataset": lambda place, told: str(told["dataset"]),
    "repair": lambda place, told: inside(place, told["dataset"], "repair.json"),
    "model": lambda place, told: str(told["outcomes"][0]["model"]),
    "model file": lambda place, told: inside(place, told["outcomes"][0]["model"], "line"),
    "evaluation": lambda place, told: inside(
        place, told["outcomes"][0]["evaluation"], "evaluation.json"
    ),
    "code": lambda place, told: str(told["outcomes"][0]["code"]["predict.py"]),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_blob_is_refused_by_the_release_that_needs_it(ran: Place, kind: str) -> None:
    digest = KINDS[kind](ran, record(ran))
    flip(ran.blob(digest))
    said = ran.refused("release", code=5)

    assert digest.removeprefix("sha256:")[:12] in said
    assert not list(ran.home.glob("releases/*"))
    assert ran.rows("SELECT count(*) FROM journal WHERE kind = 'released'") == [(0,)]


def test_a_half_written_parquet_is_named(shop: Place) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = [row | {"weight": row["weight"] or None} for row in orders()]
    pq.write_table(pa.Table.from_pylist(rows[:400]), shop.root / "one.parquet")
    pq.write_table(pa.Table.from_pylist(rows[400:]), shop.root / "two.parquet")
    whole = (shop.root / "two.parquet").read_bytes()
    shop.write("two.parquet", whole[: len(whole) // 2])
    shop.swap("fairway.toml", '"orders.csv"', '"*.parquet"')
    told = shop.call("check", "--json")

    assert told.code == 2, told
    assert "two.parquet" in told.problems


def test_an_empty_file_is_named(shop: Place) -> None:
    shop.write("orders.csv", "order_id,ordered_at,amount,weight,channel,returned\n")

    assert "orders.csv" in shop.refused("check", code=2)


def test_a_csv_in_latin_1_is_read_once_its_encoding_is_said(shop: Place) -> None:
    rows = [row | {"channel": row["channel"].replace("shop", "Café")} for row in orders()]
    shop.write("orders.csv", csv_text(rows).encode("latin-1"))
    said = shop.refused("check", code=2)
    assert "orders.csv" in said
    hinted = re.search(r'encoding = "([^"]+)"', said)
    assert hinted, said

    shop.swap("fairway.toml", 'time = "ordered_at" }', f'time = "ordered_at", {hinted[0]} }}')
    told = shop.ask("run")
    import pyarrow.parquet as pq

    channels = set(pq.read_table(shop.dataset("rows.parquet"))["channel"].to_pylist())
    assert channels == {"web", "phone", "Café"}
    assert by_name(told)["plain"]["state"] == "done"


EDITS = {
    "actor": "UPDATE journal SET actor = 'eve' WHERE seq = {seq}",
    "body": "UPDATE journal SET body = replace(body, '\"pass\":false', '\"pass\":true')"
    " WHERE seq = {seq}",
    "time": "UPDATE journal SET effective_at = '2020-01-01T00:00:00.000000Z' WHERE seq = {seq}",
    "deleted": "DELETE FROM journal WHERE seq = {seq}",
    "kind": "UPDATE journal SET kind = 'approved' WHERE seq = {seq}",
}


@pytest.mark.parametrize("edit", EDITS)
def test_a_journal_edited_by_hand_is_seen_and_the_entry_named(released: Place, edit: str) -> None:
    (release,) = {path.name for path in (released.home / "releases").iterdir()}
    released.ask("deploy", release, "--env", "production", code=1)
    released.ask("approve", release)
    ((seq,),) = released.rows(
        "SELECT max(seq) FROM journal WHERE kind = 'gate_decided' AND body LIKE '%\"pass\":false%'"
    )
    edited(released, EDITS[edit].format(seq=seq))
    told = released.ask("audit", "verify", code=5)
    plain = released.call("audit", "verify")

    assert told["ok"] is False
    assert told["breaks"][0]["seq"] in {seq, seq + 1}
    assert plain.code == 5
    assert re.search(rf"Entry ({seq}|{seq + 1})\b", plain.out)


def test_a_pointer_moved_by_hand_is_refused_by_the_database(released: Place) -> None:
    (release,) = {path.name for path in (released.home / "releases").iterdir()}
    released.ask("deploy", release, "--env", "staging")
    columns = "project, target, actor, effective_at, recorded_at"
    for text in (
        "UPDATE pointer SET name = 'production'",
        "DELETE FROM pointer",
        f"INSERT INTO pointer ({columns}, name, entry) SELECT {columns}, 'x', 1 FROM pointer",
    ):
        with pytest.raises(sqlite3.IntegrityError):
            edited(released, text, drop=False)
    assert released.ask("at", "now")["environments"] == {"staging": f"sha256:{release}"}
    edited(released, "UPDATE pointer SET target = 'sha256:' || hex(zeroblob(32))")

    assert "staging" in released.ask("audit", "verify", code=5)["breaks"][0]["problem"]


def edited(place: Place, text: str, *, drop: bool = True) -> None:
    """Change the database by hand, as somebody would who knows SQL."""
    base = sqlite3.connect(place.home / "fairway.db")
    try:
        if drop:
            triggers = base.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
            for (name,) in triggers.fetchall():
                base.execute(f"DROP TRIGGER {name}")
        base.execute(text)
        base.commit()
    finally:
        base.close()


def test_a_database_that_is_gone_or_damaged_is_never_replaced_by_an_empty_one(ran: Place) -> None:
    path = ran.home / "fairway.db"
    good = path.read_bytes()
    path.write_bytes(b"not a database" * 1000)
    assert "fairway.db" in ran.refused("run", code=4)
    path.unlink()
    assert "fairway.db" in ran.refused("run", code=4)
    assert not path.exists()
    path.write_bytes(good)

    assert ran.ask("run")["best"] == "plain"
