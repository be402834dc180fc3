"""A stranger checks a release with the commands of the documents alone: openssl and sha256sum."""

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from fairway import digest as naming
from fairway.delivery import attestation, release
from fairway.delivery.release import Release
from fairway.store.home import Home, open_home

PAGE = Path(__file__).parents[2] / "docs/how-to/verify-without-fairway.md"
VERDICT = {"environment": "staging", "pass": True, "rules": []}


def blocks() -> list[str]:
    """The page's own commands."""
    return re.findall(r"```sh\n(.*?)```", PAGE.read_text(), flags=re.DOTALL)


def assemble(home: Home, *, n_files: int = 2) -> Release:
    files = {f"app/{n}/a page, no. {n}.txt": f"page {n}".encode() for n in range(n_files)}
    return release.assemble(
        home,
        name="late-arrivals",
        version="2026.11.1",
        files={"repair.json": b"[]", "model/größe.txt": b"1", **files},
        trees={},
        about={"model": naming.of_bytes(b"m"), "commit": "abc"},
        verdict=VERDICT,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of a release, as a stranger has it, who may write to it."""
    with open_home(tmp_path / "home") as home:
        place = release.publish(home, assemble(home))
    shutil.copytree(place, tmp_path / "received", copy_function=shutil.copyfile)
    for path in [tmp_path / "received", *(tmp_path / "received").rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
    return tmp_path / "received"


def check(folder: Path, key: Path | None = None) -> subprocess.CompletedProcess[str]:
    script = folder.parent / "check-release.sh"
    script.write_text(blocks()[0])
    return subprocess.run(
        ["sh", script, folder, key or folder / "attestations/public.pem"],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"},
    )


def test_a_whole_release_is_verified_and_named(folder: Path) -> None:
    done = check(folder)

    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "release: Verified OK",
        "verdict: Verified OK",
        naming.of_file(folder / "release.json"),
    ]
    assert done.returncode == 0


def test_a_statement_of_more_than_16_kilobytes_is_verified(tmp_path: Path) -> None:
    with open_home(tmp_path / "home") as home:
        place = release.publish(home, assemble(home, n_files=120))
    script = tmp_path / "check-release.sh"
    script.write_text(blocks()[0])

    done = subprocess.run(
        ["sh", script, place, place / "attestations/public.pem"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr


def change_a_byte(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def swap_the_signatures(folder: Path) -> None:
    verdict = folder / "attestations/verdict.dsse.json"
    verdict.write_bytes((folder / "attestations/release.dsse.json").read_bytes())


def put_a_link(folder: Path) -> None:
    (folder / "app/0/link").symlink_to("/etc/passwd")


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "a changed byte of a model": (
        lambda folder: change_a_byte(folder / "model/größe.txt"),
        "sha256sum",
    ),
    "a changed byte of the manifest": (
        lambda folder: change_a_byte(folder / "release.json"),
        "release.json",
    ),
    "a changed byte of a file with blanks in its name": (
        lambda folder: change_a_byte(folder / "app/1/a page, no. 1.txt"),
        "a page, no. 1.txt",
    ),
    "a file too many": (lambda folder: (folder / "more.txt").write_text("x"), "> ./more.txt"),
    "a link too many": (put_a_link, "> ./app/0/link"),
    "a file missing": (lambda folder: (folder / "repair.json").unlink(), "< ./repair.json"),
    "a changed byte of the statement": (
        lambda folder: change_a_byte(folder / "attestations/release.dsse.json"),
        "",
    ),
    "a changed byte of the verdict": (
        lambda folder: change_a_byte(folder / "attestations/verdict.dsse.json"),
        "",
    ),
    "no verdict": (
        lambda folder: (folder / "attestations/verdict.dsse.json").unlink(),
        "verdict.dsse.json",
    ),
    "the verdict on another thing": (swap_the_signatures, ""),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_is_refused(folder: Path, damage: str) -> None:
    act, told = DAMAGES[damage]
    act(folder)

    done = check(folder)

    assert done.returncode != 0
    assert told in done.stdout + done.stderr
    assert naming.of_file(folder / "release.json") not in done.stdout


def test_another_key_is_refused(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    other.write_bytes(attestation.public_key(attestation.new_key()))

    done = check(folder, other)

    assert done.returncode != 0
    assert "Verification failure" in done.stdout + done.stderr


def test_the_verdict_can_be_read(folder: Path) -> None:
    done = subprocess.run(
        ["sh", "-c", blocks()[1]], cwd=folder, capture_output=True, text=True, check=True
    )

    assert '"environment":"staging"' in done.stdout


def test_the_page_needs_no_python() -> None:
    assert not re.search(r"python|fairway ", blocks()[0])
