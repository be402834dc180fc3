"""Where releases stand, stood and came from: deploy, rollback, at, trace, push, pull and gc."""

import os
from pathlib import Path

import pytest

from tests.line.place import OWNER, Place, once


@pytest.fixture(scope="session")
def kept_two(tmp_path_factory: pytest.TempPathFactory, kept_release: Place) -> Place:
    """The tiny project after its second release."""

    def make(root: Path) -> None:
        place = kept_release.copy(root)
        place.swap("train.py", "steep = sum", "steep = 0.9 * sum")
        place.ask("run", "--as", "ann")
        place.ask("release", "--as", "ann")

    return once(tmp_path_factory, "kept-two", make)


@pytest.fixture
def two(kept_two: Place, tmp_path: Path) -> Place:
    return kept_two.copy(tmp_path / "shop")


def releases(place: Place) -> list[str]:
    """The digests of a home's releases, oldest first."""
    sql = "SELECT json_extract(body, '$.release') FROM journal WHERE kind = 'released' ORDER BY seq"
    return [row[0] for row in place.rows(sql)]


def standing(place: Place, at: str = "now") -> dict[str, str]:
    told: dict[str, str] = place.ask("at", at, "--at", "2025-06-01")["environments"]
    return told


def test_a_pointer_moves_and_its_past_is_known(two: Place) -> None:
    first, second = releases(two)
    two.ask("deploy", first, "--env", "staging", "--at", "2024-09-01T12:00Z")
    two.ask("deploy", second, "--env", "staging", "--at", "2024-10-01T12:00Z")
    back = two.ask("rollback", "--env", "staging", "--at", "2024-11-01T12:00Z")

    assert back == {"environment": "staging", "release": first, "verdict": None}
    assert standing(two, "2024-09-01T11:59:59Z") == {}
    assert standing(two, "2024-09-01T12:00Z") == {"staging": first}
    assert standing(two, "2024-10-15") == {"staging": second}
    assert standing(two, "2024-11-02") == {"staging": first}
    assert standing(two) == {"staging": first}
    again = two.ask("rollback", "--env", "staging", "--at", "2024-12-01")
    assert again["release"] == second
    assert two.ask("audit", "verify")["ok"]


def test_a_deployment_that_is_told_late_is_put_where_it_belongs(two: Place) -> None:
    first, second = releases(two)
    two.ask("deploy", second, "--env", "staging", "--at", "2024-10-01")
    two.ask("deploy", first, "--env", "staging", "--at", "2024-09-01")

    assert standing(two, "2024-09-15") == {"staging": first}
    assert standing(two) == {"staging": second}


def test_deploying_what_stands_there_moves_nothing(released: Place) -> None:
    (release,) = releases(released)
    released.ask("deploy", release, "--env", "staging")
    released.ask("deploy", release[:17], "--env", "staging")

    assert released.rows("SELECT count(*) FROM pointer") == [(1,)]


def test_nothing_is_rolled_back_to_what_never_stood_there(two: Place) -> None:
    first, second = releases(two)
    assert "stood" in two.refused("rollback", "--env", "staging", code=2)
    two.ask("deploy", first, "--env", "staging")

    assert "before" in two.refused("rollback", "--env", "staging", code=2)
    assert "stood" in two.refused("rollback", "--env", "staging", "--to", second, code=2)
    assert standing(two) == {"staging": first}


def test_a_version_names_a_release(two: Place) -> None:
    first, second = releases(two)

    assert two.ask("verify", "2024.8.1")["release"] == first
    assert two.ask("verify", "shop@2024.8.2")["release"] == second


def test_a_trace_goes_both_ways_from_whatever_it_starts(two: Place) -> None:
    first, second = releases(two)
    two.ask("deploy", second, "--env", "staging")
    told = two.ask("trace", second)
    (made,) = told["releases"]
    (run,) = told["runs"]
    assert made["release"] == second
    assert told["environments"] == {"staging": second}
    kinds = [entry["kind"] for entry in told["entries"]]
    assert {"run_finished", "released", "gate_decided", "deployed"} <= set(kinds)

    for start in (made["model"], second[7:19], run["run"]):
        again = two.ask("trace", start)
        assert [one["release"] for one in again["releases"]] == [second], start
        assert again["environments"] == {"staging": second}
    of_rows = two.ask("trace", made["snapshot"])  # both runs learned from these rows
    assert {one["release"] for one in of_rows["releases"]} == {first, second}
    assert two.ask("trace", first)["environments"] == {}


def test_a_push_carries_equal_digests_and_the_receiving_gate_judges_again(
    released: Place, tmp_path: Path
) -> None:
    (release,) = releases(released)
    other = Place(released.root)
    there = ["--home", str(tmp_path / "there")]
    told = released.ask("push", release, there[1])

    assert told["release"] == release
    assert told["verdict"]["pass"] is True
    name = release.removeprefix("sha256:")
    mine, yours = released.home / "releases" / name, tmp_path / "there/releases" / name
    paths = [path.relative_to(mine) for path in mine.rglob("*")]
    assert sorted(path.relative_to(yours) for path in yours.rglob("*")) == sorted(paths)
    for path in paths:
        assert (mine / path).is_dir() or (mine / path).read_bytes() == (yours / path).read_bytes()
    assert other.ask("verify", release, *there)["ok"] is True
    assert other.ask("deploy", release, "--env", "staging", *there)["verdict"]["pass"] is True
    assert other.ask("at", "now", *there)["environments"] == {"staging": release}
    assert released.ask("at", "now")["environments"] == {}
    assert released.ask("push", release, there[1])["n_blobs"] == 0
    assert other.ask("audit", "verify", *there)["ok"] is True


def test_approvals_stay_in_the_home_where_they_were_given(released: Place, tmp_path: Path) -> None:
    (release,) = releases(released)
    there = ["--home", str(tmp_path / "there")]
    released.ask("approve", release, "--as", OWNER)
    released.ask("push", release, there[1])
    released.ask("deploy", release, "--env", "production", code=0)

    released.ask("deploy", release, "--env", "production", *there, code=1)
    released.ask("approve", release, "--as", OWNER, *there)
    released.ask("deploy", release, "--env", "production", *there)


def test_a_receiving_gate_that_refuses_shows_nothing(released: Place, tmp_path: Path) -> None:
    (release,) = releases(released)
    there = ["--home", str(tmp_path / "there")]
    released.swap("fairway.toml", "auc >= 0.55", "auc >= 0.99")
    told = released.ask("push", release, there[1], code=1)

    assert told["verdict"]["pass"] is False
    assert not list(tmp_path.glob("there/releases/*"))
    assert released.refused("deploy", release, "--env", "staging", *there, code=2)
    released.swap("fairway.toml", "auc >= 0.99", "auc >= 0.55")
    assert released.ask("push", release, there[1])["verdict"]["pass"] is True
    assert released.ask("verify", release, *there)["ok"] is True


def test_a_pull_brings_a_release_with_its_past_and_its_key(released: Place, tmp_path: Path) -> None:
    (release,) = releases(released)
    there = ["--home", str(tmp_path / "there")]
    told = released.ask("pull", release[:17], str(released.home), *there)

    assert told["release"] == release
    assert told["n_blobs"] > 10
    assert released.ask("pull", release, str(released.home), *there)["n_blobs"] == 0
    assert released.ask("verify", release, *there)["ok"] is True
    traced = released.ask("trace", release, *there)
    assert [one["release"] for one in traced["releases"]] == [release]
    path = tmp_path / "there/releases" / release.removeprefix("sha256:") / "model/line"
    path.chmod(0o644)
    path.write_text("{}")
    assert released.ask("verify", release, *there, code=5)["ok"] is False


def test_a_damaged_release_does_not_travel(released: Place, tmp_path: Path) -> None:
    (release,) = releases(released)
    model = released.ran()["plain"]["model"]
    path = released.blob(model)
    path.chmod(0o644)
    path.write_bytes(path.read_bytes().replace(b"{", b"[", 1))
    manifest = released.blob(release)
    manifest.chmod(0o644)
    manifest.write_bytes(manifest.read_bytes().replace(b"plain", b"plane"))
    said = released.refused("push", release, str(tmp_path / "there"), code=5)

    assert "sha256:" in said
    assert not list(tmp_path.glob("there/releases/*"))


def test_the_champion_is_measured_anew_where_a_release_is_judged(
    two: Place, tmp_path: Path
) -> None:
    first, second = releases(two)
    there = ["--home", str(tmp_path / "there")]
    for release in (first, second):
        two.ask("push", release, there[1])
        two.ask("approve", release, "--as", OWNER, *there)
    two.ask("deploy", first, "--env", "production", *there)
    told = two.ask("deploy", second, "--env", "production", *there)

    assert "champion" in told["verdict"]["rules"][0]["why"]
    assert told["verdict"]["notes"] == []
    assert two.ask("at", "now", *there)["environments"] == {"production": second}


def test_gc_keeps_releases_evidence_and_the_latest_run(two: Place) -> None:
    first, second = releases(two)
    n_before = len(blobs(two))
    dry = two.ask("gc", "--dry-run")
    assert len(blobs(two)) == n_before
    told = two.ask("gc")

    assert told["n_blobs"] == dry["n_blobs"] > 0
    assert len(blobs(two)) == n_before - told["n_blobs"]
    assert two.ask("gc")["n_blobs"] == 0
    for release in (first, second):
        assert two.ask("verify", release)["ok"] is True
        two.ask("deploy", release, "--env", "staging")
    assert two.ask("audit", "verify")["ok"] is True
    two.ask("run")
    assert two.worked() == []
    assert two.ask("release")["release"] == second

    two.swap("train.py", "steep = 0.9 * sum", "steep = sum")  # of the run before
    two.ask("run")
    assert set(two.worked()) <= {"plain", "plain evaluation"}
    assert two.ask("release")["release"] == first


def test_gc_waits_for_no_run_but_says_that_one_is_at_work(ran: Place) -> None:
    os.mkfifo(ran.root / "gate")
    ran.add('[candidate.slow]\nrun = "cat gate; : {model}"')
    process = ran.start("run")
    with (ran.root / "gate").open("w"):  # opens when the candidate reads
        said = ran.refused("gc", code=4)
    process.communicate(timeout=60)

    assert "at work" in said
    assert ran.ask("gc", "--dry-run")["n_blobs"] >= 0


def blobs(place: Place) -> list[Path]:
    return [path for path in (place.home / "blobs").rglob("*") if path.is_file()]
