"""``release``, ``approve`` and ``verify``: what passes a gate, and what a release proves."""

import base64
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.line.place import OWNER, Place


def release_of(place: Place) -> str:
    """The only release of a home, as 64 digits."""
    (path,) = (place.home / "releases").iterdir()
    return path.name


def folder_of(place: Place) -> Path:
    return place.home / "releases" / release_of(place)


def rules(answer: dict[str, Any]) -> dict[str, bool]:
    """Whether each rule of a verdict passes."""
    return {rule["rule"]: rule["pass"] for rule in answer["verdict"]["rules"]}


def shelves(place: Place) -> list[str]:
    shelf = place.home / "releases"
    return sorted(path.name for path in shelf.iterdir()) if shelf.exists() else []


def test_a_release_holds_model_repair_contract_evidence_pins_and_code(released: Place) -> None:
    folder = folder_of(released)
    names = {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}
    manifest = json.loads((folder / "release.json").read_bytes())

    assert names >= {
        "release.json",
        "model/line",
        "repair.json",
        "signature.json",
        "fairway.toml",
        "evidence/evaluation.json",
        "evidence/leakage.json",
        "environment/python.txt",
        "code/predict.py",
        "attestations/release.dsse.json",
        "attestations/verdict.dsse.json",
        "attestations/public.pem",
    }
    assert set(manifest["files"]) == {n for n in names if not n.startswith("attestations")} - {
        "release.json"
    }
    assert manifest["owner"] == OWNER
    assert manifest["candidate"] == "plain"
    assert "private" not in (folder / "attestations/public.pem").read_text().lower()
    assert not [path for path in folder.rglob("*") if path.stat().st_mode & 0o222]


def test_a_release_made_twice_is_one_release(released: Place) -> None:
    before = released.ask("audit", "verify")["n_entries"]
    again = released.ask("release", "--as", "ann")
    later = released.ask("release", "--as", "bob", "--at", "2024-12-24")

    assert again["release"] == later["release"] == f"sha256:{release_of(released)}"
    assert again["version"] == later["version"]
    assert shelves(released) == [release_of(released)]
    assert released.rows("SELECT count(*) FROM journal WHERE kind = 'released'") == [(1,)]
    assert released.ask("audit", "verify")["n_entries"] == before + 2  # two verdicts


def test_a_refused_release_leaves_nothing(ran: Place) -> None:
    ran.swap("fairway.toml", "auc >= 0.55", "auc >= 0.99")
    told = ran.ask("release", code=1)
    plain = ran.call("release")

    assert told["release"] is None
    assert told["path"] is None
    assert told["verdict"]["pass"] is False
    assert rules(told) == {"auc >= 0.99": False, "leakage == none": True}
    assert "0.99" in told["verdict"]["rules"][0]["why"]
    assert shelves(ran) == []
    assert ran.rows("SELECT count(*) FROM journal WHERE kind = 'released'") == [(0,)]
    assert plain.code == 1
    assert "nothing was released" in plain.out
    assert ran.ask("at", "now")["environments"] == {}
    assert ran.ask("audit", "verify")["ok"]


def test_a_gate_that_refused_lets_the_next_model_through(ran: Place) -> None:
    ran.swap("fairway.toml", "auc >= 0.55", "auc >= 0.99")
    ran.ask("release", code=1)
    ran.swap("fairway.toml", "auc >= 0.99", "auc >= 0.55")

    assert ran.ask("release")["verdict"]["pass"] is True


def test_criteria_changed_after_training_are_seen_and_said(ran: Place) -> None:
    assert ran.ask("release")["verdict"]["notes"] == []
    ran.swap("fairway.toml", "auc >= 0.55", "auc >= 0.51")
    notes = ran.ask("release")["verdict"]["notes"]

    assert "0.51" in " ".join(notes)
    assert "0.55" in " ".join(notes)
    ran.ask("run")  # nothing is trained, but the criteria stand before it now
    assert ran.ask("release")["verdict"]["notes"] == []


def test_an_owner_approves_and_only_then_it_goes_to_production(released: Place) -> None:
    release = release_of(released)
    told = released.ask("deploy", release, "--env", "production", code=1)
    assert rules(told) == {"payoff >= champion - 2000": True, "approvals(owner) >= 1": False}
    assert released.ask("at", "now")["environments"] == {}
    released.ask("approve", release, "--as", "stranger@example.org")
    released.ask("approve", release, "--as", OWNER, "--env", "staging")
    released.ask("deploy", release, "--env", "production", code=1)

    released.ask("approve", release[:10], "--as", OWNER)
    assert released.ask("deploy", release, "--env", "production")["verdict"]["pass"] is True
    assert released.ask("at", "now")["environments"] == {"production": f"sha256:{release}"}


def test_an_approval_counts_from_its_time_on(released: Place) -> None:
    release = release_of(released)
    released.ask("approve", release, "--as", OWNER, "--at", "2024-12-01")
    deploy = ["deploy", release, "--env", "production", "--at"]
    released.ask(*deploy, "2024-11-30", code=1)

    assert released.ask(*deploy, "2024-12-01")["verdict"]["pass"] is True


def test_a_candidate_that_left_the_project_file_is_released_as_it_was_measured(
    ran: Place, tmp_path: Path
) -> None:
    kept = ran.copy(tmp_path / "kept").ask("release")["release"]
    ran.drop("candidate.plain")

    assert ran.ask("release", "plain")["release"] == kept


def test_an_author_is_no_second_pair_of_eyes(ran: Place) -> None:
    ran.swap("fairway.toml", "approvals(owner) >= 1", "approvals(owner, not author) >= 1")
    release = ran.ask("release", "--as", OWNER)["release"]
    ran.ask("approve", release, "--as", f"  {OWNER.upper()} ")
    told = ran.ask("deploy", release, "--env", "production", "--as", "ann", code=1)

    assert rules(told)["approvals(owner, not author) >= 1"] is False


def test_the_one_who_ran_is_an_author_too(ran: Place) -> None:
    ran.swap("fairway.toml", "approvals(owner) >= 1", "approvals(owner, not author) >= 1")
    ran.ask("run", "--as", OWNER)
    release = ran.ask("release", "--as", "ann")["release"]
    ran.ask("approve", release, "--as", OWNER)

    ran.ask("deploy", release, "--env", "production", code=1)


def test_someone_else_than_the_author_is_a_second_pair_of_eyes(released: Place) -> None:
    released.swap("fairway.toml", "approvals(owner) >= 1", "approvals(owner, not author) >= 1")
    release = release_of(released)
    released.ask("approve", release, "--as", OWNER)
    told = released.ask("deploy", release, "--env", "production")

    assert "approvals(owner) >= 1" in " ".join(told["verdict"]["notes"])  # what was declared


def test_the_tests_of_a_release_run_on_its_folder_and_their_exit_code_is_evidence(
    ran: Place,
) -> None:
    ran.write(
        "check.sh", "cat $FAIRWAY_RELEASE/release.json && test -f $FAIRWAY_RELEASE/model/line\n"
    )
    ran.add('[release]\ntest = "sh check.sh"')
    ran.swap("fairway.toml", '"leakage == none"]', '"leakage == none", "tests == passed"]')
    ran.ask("run")
    good = ran.ask("release")
    assert rules(good)["tests == passed"] is True

    ran.write("check.sh", "echo it is not good; exit 9\n")
    bad = ran.ask("release", code=1)
    assert rules(bad)["tests == passed"] is False
    assert "9" in bad["verdict"]["rules"][-1]["why"]
    assert shelves(ran) == [good["release"].removeprefix("sha256:")]


def test_tests_that_were_never_run_refuse(released: Place) -> None:
    released.swap("fairway.toml", "approvals(owner) >= 1", "tests == passed")
    released.add('[release]\ntest = "true"')
    told = released.ask("deploy", release_of(released), "--env", "production", code=1)

    assert rules(told)["tests == passed"] is False
    assert "no evidence" in told["verdict"]["rules"][-1]["why"]


def test_a_release_of_a_later_run_is_held_against_the_champion(released: Place) -> None:
    first = release_of(released)
    released.ask("approve", first, "--as", OWNER)
    released.ask("deploy", first, "--env", "production")
    released.swap("train.py", "steep = sum", "steep = -1 * sum")  # a model that is worse
    released.ask("run")
    released.swap("fairway.toml", "auc >= 0.55", "auc >= 0.05")
    released.swap("fairway.toml", "champion - 2000", "champion - 100")
    second = released.ask("release")["release"]
    released.ask("approve", second, "--as", OWNER)
    told = released.ask("deploy", second, "--env", "production", code=1)

    assert rules(told) == {"payoff >= champion - 100": False, "approvals(owner) >= 1": True}
    assert (
        first[:8] in told["verdict"]["rules"][0]["why"]
        or "champion" in (told["verdict"]["rules"][0]["why"])
    )
    assert released.ask("at", "now")["environments"] == {"production": f"sha256:{first}"}


def test_verify_names_the_changed_file_with_both_digests_and_sizes(released: Place) -> None:
    release, path = release_of(released), folder_of(released) / "model/line"
    good = path.read_bytes()
    path.chmod(0o644)
    path.write_bytes(good + b" ")
    told = released.ask("verify", release, code=5)
    plain = released.call("verify", release)

    assert told["ok"] is False
    (row,) = told["differs"]
    assert row["file"] == "model/line"
    assert (
        row["expected"]
        == json.loads((path.parents[1] / "release.json").read_bytes())["files"]["model/line"][
            "digest"
        ]
    )
    assert row["found"].startswith("sha256:")
    assert row["found"] != row["expected"]
    assert (row["expected_bytes"], row["found_bytes"]) == (len(good), len(good) + 1)
    assert plain.code == 5
    assert "model/line" in plain.out
    assert str(len(good)) in plain.out

    for verb in (["deploy", release, "--env", "staging"], ["push", release, "elsewhere"]):
        assert "verify" in released.refused(*verb, code=5)
    assert released.ask("at", "now")["environments"] == {}
    path.write_bytes(good)
    assert released.ask("verify", release)["ok"] is True


@pytest.mark.parametrize(
    ("file", "change"),
    [
        ("release.json", lambda data: data.replace(b"plain", b"plane")),
        ("model/line", None),
        ("extra.txt", lambda data: b"more"),
        ("attestations/release.dsse.json", lambda data: data.replace(b'"sig":"', b'"sig":"A')),
        ("attestations/public.pem", lambda data: data[::-1]),
        ("attestations/verdict.dsse.json", None),
    ],
)
def test_verify_sees_a_file_changed_removed_or_added(
    released: Place, file: str, change: Any
) -> None:
    path = folder_of(released) / file
    path.parent.chmod(0o755)
    if change is None:
        path.unlink()
    else:
        data = change(path.read_bytes() if path.exists() else b"")
        path.unlink(missing_ok=True)
        path.write_bytes(data)
    told = released.ask("verify", release_of(released), code=5)

    assert file in [row["file"] for row in told["differs"]]


def test_a_release_signed_again_by_another_key_is_not_the_one_released(
    released: Place, tmp_path: Path
) -> None:
    key = tmp_path / "other.pem"
    subprocess.run(
        ["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", key], check=True
    )
    public = subprocess.run(
        ["openssl", "ec", "-in", key, "-pubout"], check=True, capture_output=True
    ).stdout
    folder = folder_of(released) / "attestations"
    folder.chmod(0o755)
    for name in ("release.dsse.json", "verdict.dsse.json"):
        envelope = json.loads((folder / name).read_bytes())
        (tmp_path / "signed").write_bytes(_signed_bytes(envelope))
        made = subprocess.run(
            ["openssl", "dgst", "-sha256", "-sign", key, tmp_path / "signed"],
            check=True,
            capture_output=True,
        ).stdout
        envelope["signatures"][0]["sig"] = base64.b64encode(made).decode()
        (folder / name).unlink()
        (folder / name).write_text(json.dumps(envelope))
    (folder / "public.pem").unlink()
    (folder / "public.pem").write_bytes(public)
    told = released.ask("verify", release_of(released), code=5)

    assert {row["file"] for row in told["differs"]} == {
        f"attestations/{name}" for name in ("public.pem", "release.dsse.json", "verdict.dsse.json")
    }


def test_a_release_whose_folder_is_gone_is_said_and_made_whole_again(released: Place) -> None:
    release, folder = release_of(released), folder_of(released)
    before = {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    for path in [folder, *folder.rglob("*")]:
        if path.is_dir():
            path.chmod(0o755)
    shutil.rmtree(folder)
    assert released.ask("verify", release, code=5)["ok"] is False
    assert "verify" in released.refused("deploy", release, "--env", "staging", code=5)

    assert released.ask("release")["release"] == f"sha256:{release}"
    assert released.ask("verify", release)["ok"] is True
    after = {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    assert after == before


def _signed_bytes(envelope: dict[str, Any]) -> bytes:
    """What a DSSE signature is made over (PAE)."""
    kind, body = envelope["payloadType"].encode(), base64.b64decode(envelope["payload"])
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(body), body)


@pytest.mark.parametrize("name", ["release.dsse.json", "verdict.dsse.json"])
def test_openssl_alone_checks_a_signature(released: Place, tmp_path: Path, name: str) -> None:
    folder = folder_of(released) / "attestations"
    envelope = json.loads((folder / name).read_bytes())
    (tmp_path / "signed").write_bytes(_signed_bytes(envelope))
    (tmp_path / "signature").write_bytes(base64.b64decode(envelope["signatures"][0]["sig"]))
    words = ["openssl", "dgst", "-sha256", "-verify", folder / "public.pem"]
    check = [*words, "-signature", tmp_path / "signature", tmp_path / "signed"]
    assert subprocess.run(check, check=True, capture_output=True).stdout == b"Verified OK\n"

    (tmp_path / "signed").write_bytes(_signed_bytes(envelope) + b" ")
    assert subprocess.run(check, check=False, capture_output=True).returncode == 1


def test_the_signed_statement_names_every_file_and_the_verdict(released: Place) -> None:
    folder = folder_of(released)
    said = [
        json.loads(
            base64.b64decode(json.loads((folder / "attestations" / name).read_bytes())["payload"])
        )
        for name in ("release.dsse.json", "verdict.dsse.json")
    ]
    names = {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}

    assert {one["name"] for one in said[0]["subject"]} == {
        name for name in names if not name.startswith("attestations/")
    }
    assert said[1]["subject"] == [
        {"name": "release.json", "digest": {"sha256": release_of(released)}}
    ]
    assert said[1]["predicate"]["pass"] is True


def test_a_commit_and_whether_the_tree_was_clean_are_in_the_release(ran: Place) -> None:
    git = ["git", "-c", "user.email=a@example.org", "-c", "user.name=a"]
    ran.write(".gitignore", ".fairway/\n__pycache__/\n")
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "one"]):
        subprocess.run([*git, *words], cwd=ran.root, check=True)
    head = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=ran.root, check=True, capture_output=True, text=True
    ).stdout.strip()
    ran.ask("run")
    clean = ran.ask("release")["release"]
    ran.write("notes.md", "not committed\n")
    ran.ask("run")
    dirty = ran.ask("release")["release"]
    told = {name: _manifest(ran, name) for name in (clean, dirty)}

    assert told[clean]["commit"] == told[dirty]["commit"] == head
    assert told[clean]["is_clean"] is True
    assert told[dirty]["is_clean"] is False
    found = ran.ask("trace", head[:10])
    assert found["name"] == head
    assert {one["release"] for one in found["releases"]} == {clean, dirty}


def _manifest(place: Place, release: str) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(place.blob(release).read_bytes())
    return told
