"""What a release promises: one digest for all that it is, a whole folder, two signatures."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fairway import digest as naming
from fairway.delivery import attestation, release
from fairway.delivery.release import Release
from fairway.digest import Digest
from fairway.errors import IntegrityError, NotFoundError, RequestError
from fairway.model import bundle
from fairway.store.home import Home, open_home

VERDICT = {"environment": "staging", "pass": True, "rules": []}


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with open_home(tmp_path / "home") as home:
        yield home


def tree(home: Home, files: dict[str, bytes]) -> Digest:
    with home.scratch("in") as scratch:
        for name, data in files.items():
            (scratch / name).parent.mkdir(parents=True, exist_ok=True)
            (scratch / name).write_bytes(data)
            (scratch / name).chmod(0o755 if name.endswith(".sh") else 0o644)
        return home.blobs.put_tree(scratch)


def assemble(home: Home, **changes: Any) -> Release:
    given: dict[str, Any] = {
        "name": "late-arrivals",
        "version": "2026.11.1",
        "files": {"repair.json": b"[]", "fairway.toml": home.blobs.put_bytes(b"format = 1\n")},
        "trees": {
            "model": tree(home, {"model.txt": b"leaves"}),
            "app": tree(home, {"run.sh": b"#!/bin/sh\n", "deep/page.txt": b"hello"}),
        },
        "about": {"model": naming.of_bytes(b"m"), "commit": "abc", "is_clean": True},
        "verdict": VERDICT,
    }
    return release.assemble(home, **{**given, **changes})


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_a_release_is_a_folder_named_by_the_digest_of_its_manifest(home: Home) -> None:
    made = assemble(home)
    folder = release.publish(home, made)

    assert folder == home.root / "releases" / made.digest.removeprefix("sha256:")
    assert folder == release.folder(home, made.digest)
    assert naming.of_file(folder / "release.json") == made.digest
    assert names(folder) == [
        "app/deep/page.txt",
        "app/run.sh",
        "attestations/public.pem",
        "attestations/release.dsse.json",
        "attestations/verdict.dsse.json",
        "fairway.toml",
        "model/model.txt",
        "release.json",
        "repair.json",
    ]
    assert (folder / "app/run.sh").stat().st_mode & 0o777 == 0o555


def test_the_manifest_gives_digest_and_size_of_each_part_in_canonical_json(home: Home) -> None:
    folder = release.publish(home, assemble(home))
    data = (folder / "release.json").read_bytes()
    manifest = json.loads(data)

    assert naming.canonical(manifest) == data
    assert manifest["format"] == 1
    assert manifest["name"] == "late-arrivals"
    assert manifest["version"] == "2026.11.1"
    assert manifest["commit"] == "abc"
    listed = manifest["files"]
    assert sorted([*listed, "release.json"]) == [
        name for name in names(folder) if not name.startswith("attestations/")
    ]
    for name, expected in listed.items():
        assert expected == {
            "digest": naming.of_file(folder / name),
            "bytes": (folder / name).stat().st_size,
        }


def test_the_statement_names_every_file_and_the_verdict_the_release(home: Home) -> None:
    made = assemble(home)
    folder = release.publish(home, made) / "attestations"
    public = (folder / "public.pem").read_bytes()
    envelopes = [
        json.loads((folder / f"{name}.dsse.json").read_bytes()) for name in ("release", "verdict")
    ]
    said, verdict = (attestation.verify(envelope, public) for envelope in envelopes)

    digests = {item["name"]: item["digest"]["sha256"] for item in said["subject"]}
    assert digests["release.json"] == made.digest.removeprefix("sha256:")
    assert set(digests) == {*made.manifest["files"], "release.json"}
    assert said["predicate"] == {"name": "late-arrivals", "version": "2026.11.1"}
    assert verdict["predicate"] == VERDICT
    assert [item["name"] for item in verdict["subject"]] == ["release.json"]


def test_openssl_alone_verifies_what_was_published(
    home: Home, openssl: Callable[[dict[str, Any], bytes], str]
) -> None:
    folder = release.publish(home, assemble(home)) / "attestations"

    for name in ("release.dsse.json", "verdict.dsse.json"):
        envelope = json.loads((folder / name).read_bytes())
        assert openssl(envelope, (folder / "public.pem").read_bytes()) == "Verified OK"


def test_the_reader_of_bundles_finds_nothing_to_say_until_a_byte_is_changed(home: Home) -> None:
    made = assemble(home)
    folder = release.publish(home, made)
    public = attestation.public_key(attestation.signing_key(home))
    assert bundle.verify(folder, made.digest, public) == []

    (folder / "model/model.txt").chmod(0o644)
    (folder / "model/model.txt").write_bytes(b"thorns!")

    (found,) = bundle.verify(folder, made.digest, public)
    assert (found.file, found.expected_bytes, found.found_bytes) == ("model/model.txt", 6, 7)
    assert found.expected == naming.of_bytes(b"leaves")
    assert found.found == naming.of_bytes(b"thorns!")


def test_equal_parts_are_the_same_release_and_any_other_part_another(home: Home) -> None:
    made = assemble(home)

    assert assemble(home, verdict=None).digest == made.digest
    assert assemble(home, version="2026.11.2").digest != made.digest
    assert assemble(home, about={"commit": "abd"}).digest != made.digest
    assert assemble(home, files={"repair.json": b"[ ]"}).digest != made.digest


def test_publishing_again_keeps_the_first_folder_and_its_signatures(home: Home) -> None:
    folder = release.publish(home, assemble(home))
    before = (folder / "attestations/release.dsse.json").read_bytes()

    assert release.publish(home, assemble(home)) == folder
    assert (folder / "attestations/release.dsse.json").read_bytes() == before


def test_without_a_verdict_none_is_signed(home: Home) -> None:
    folder = release.publish(home, assemble(home, verdict=None))

    assert not (folder / "attestations/verdict.dsse.json").exists()


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"about": {"files": {}}}, "'files' is the format's own key"),
        ({"files": {"release.json": b""}}, "release.json is the format's own"),
        ({"files": {"attestations/x": b""}}, "attestations/x is the format's own"),
        ({"files": {"../x": b""}}, "leads outside"),
        ({"files": {"model/model.txt": b""}}, "model/model.txt is given twice"),
        ({"files": {"model": b""}}, "'model' is both a file and a folder"),
        ({"about": {"auc": float("nan")}}, "no JSON"),
    ],
)
def test_what_cannot_be_a_release_is_refused(
    home: Home, changes: dict[str, Any], problem: str
) -> None:
    with pytest.raises(RequestError) as refused:
        assemble(home, **changes)
    assert problem in refused.value.problem


def test_absent_and_damaged_parts_are_refused_and_nothing_is_published(home: Home) -> None:
    with pytest.raises(NotFoundError):
        assemble(home, files={"x": naming.of_bytes(b"absent")})
    made = assemble(home)
    place = home.blobs.path(naming.of_bytes(b"leaves"))
    place.chmod(0o644)
    place.write_bytes(b"thorns")

    with pytest.raises(IntegrityError, match=naming.of_bytes(b"leaves")):
        release.publish(home, made)
    assert not release.folder(home, made.digest).exists()
