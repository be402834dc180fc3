"""What reading, verifying and predicting with a release's folder promises."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from securesystemslib.dsse import Envelope
from securesystemslib.signer import CryptoSigner

from fairway import digest
from fairway.digest import Digest
from fairway.errors import IntegrityError, RequestError
from fairway.model import bundle
from fairway.model.bundle import Difference

SIGNATURE = {
    "key": ["id"],
    "inputs": [{"name": "x", "type": "number"}],
    "features": ["x", "x_missing"],
    "target": "late",
    "task": "binary",
}
REPAIRS = [
    {"column": "x", "op": "missing", "type": "float64", "fill": 0.5, "flag": True},
]
KEY = generate_private_key(SECP256R1())
PUBLIC = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

PROGRAM = """
import sys, weights
sys.stdin.readline()
rows = []
for line in sys.stdin:
    if line.strip():
        rows.append(line)
    else:
        for row in rows:
            x, missing = row.split(",")
            print(weights.scale * float(x) * (1 - int(missing)))
        sys.stdout.flush()
        rows = []
"""


def release(folder: Path, files: dict[str, str], **about: Any) -> Digest:
    """Write a release as ``delivery.release`` does."""
    parts = {
        "repair.json": json.dumps(REPAIRS),
        "signature.json": json.dumps(SIGNATURE),
        "fairway.toml": "format = 1",
        **files,
    }
    for path, text in parts.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    named = {
        path: {"digest": digest.of_file(folder / path), "bytes": (folder / path).stat().st_size}
        for path in parts
    }
    manifest = {"format": 1, "name": "late", "files": named, **about}
    (folder / "release.json").write_bytes(digest.canonical(manifest))
    name = digest.of_file(folder / "release.json")
    seal(folder, "release", name)
    return name


def seal(folder: Path, what: str, name: Digest) -> None:
    subject = {"name": "release.json", "digest": {"sha256": name.removeprefix("sha256:")}}
    envelope = Envelope(
        digest.canonical({"_type": "https://in-toto.io/Statement/v1", "subject": [subject]}),
        "application/vnd.in-toto+json",
        {},
    )
    envelope.sign(CryptoSigner(KEY))
    (folder / "attestations").mkdir(exist_ok=True)
    sealed = folder / "attestations" / f"{what}.dsse.json"
    sealed.write_bytes(digest.canonical(envelope.to_dict()))


@pytest.fixture
def constant(tmp_path: Path) -> Path:
    release(tmp_path, {"model/constant.json": '{"constant": 0.25}'}, threshold=0.25)
    return tmp_path


def test_a_release_as_it_was_made_differs_in_nothing(constant: Path) -> None:
    name = digest.of_file(constant / "release.json")
    seal(constant, "verdict", name)
    (constant / "attestations/public.pem").write_bytes(PUBLIC)

    assert bundle.verify(constant, name, PUBLIC) == []


def test_changed_missing_and_extra_files_are_listed_with_digests_and_sizes(constant: Path) -> None:
    (constant / "fairway.toml").write_text("format = 2 ")
    (constant / "repair.json").unlink()
    (constant / "model/evil.txt").write_text("x")
    (constant / "attestations/evil.txt").write_text("x")
    x = digest.of_bytes(b"x")

    assert bundle.verify(constant) == [
        Difference(file="attestations/evil.txt", problem="extra", found=x, found_bytes=1),
        Difference(
            file="fairway.toml",
            problem="changed",
            expected=digest.of_bytes(b"format = 1"),
            found=digest.of_bytes(b"format = 2 "),
            expected_bytes=10,
            found_bytes=11,
        ),
        Difference(file="model/evil.txt", problem="extra", found=x, found_bytes=1),
        Difference(
            file="repair.json",
            problem="missing",
            expected=digest.of_bytes(json.dumps(REPAIRS).encode()),
            expected_bytes=len(json.dumps(REPAIRS)),
        ),
    ]


def test_a_link_is_not_the_file_that_was_released(constant: Path) -> None:
    file = constant / "fairway.toml"
    shutil.move(file, constant.parent / "elsewhere.toml")
    file.symlink_to(constant.parent / "elsewhere.toml")
    (constant / "folder").symlink_to("/etc")

    differs = [(one.file, one.problem) for one in bundle.verify(constant)]

    assert differs == [("fairway.toml", "changed"), ("folder", "extra")]


def test_another_manifest_than_expected_is_the_first_difference(constant: Path) -> None:
    name = digest.of_file(constant / "release.json")
    (constant / "fairway.toml").write_text("format = 2")
    other = release(constant, {"fairway.toml": "format = 2"})

    assert bundle.verify(constant, other) == [
        one for one in bundle.verify(constant) if one.file == "model/constant.json"
    ]
    first = bundle.verify(constant, name)[0]
    assert (first.file, first.expected, first.found) == ("release.json", name, other)


@pytest.mark.parametrize(
    "data",
    [b"", b"[]", b'{"format": 1}', b'{"format": 1, "files": {"../x": {"digest": "sha256:0"}}}'],
)
def test_a_manifest_that_is_none_is_one_difference_and_cannot_be_read(
    constant: Path, data: bytes
) -> None:
    (constant / "release.json").write_bytes(data)

    (one,) = bundle.verify(constant)
    assert (one.file, one.problem, one.found_bytes) == ("release.json", "changed", len(data))
    with pytest.raises(IntegrityError, match=r"release\.json is no release"):
        bundle.read(constant)


def test_without_a_manifest_there_is_no_release(tmp_path: Path) -> None:
    assert bundle.verify(tmp_path) == [Difference(file="release.json", problem="missing")]
    with pytest.raises(RequestError, match=r"holds no release\.json"):
        bundle.read(tmp_path)


def test_signatures_are_checked_with_the_key_that_is_given(constant: Path) -> None:
    name = digest.of_file(constant / "release.json")
    stranger = generate_private_key(SECP256R1()).public_key()
    other = stranger.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def problems(key: bytes) -> list[tuple[str, str]]:
        return [(one.file, one.problem) for one in bundle.verify(constant, name, key)]

    file = "attestations/release.dsse.json"
    assert problems(PUBLIC) == []
    assert problems(other) == [(file, "its signature is not by this key over these bytes")]
    assert problems(b"no key") == [(file, "the public key cannot be read")]
    seal(constant, "release", digest.of_bytes(b"another"))
    assert problems(PUBLIC) == [(file, "it signs another release")]
    (constant / file).write_text("{}")
    assert problems(PUBLIC) == [(file, "it is no DSSE envelope with an in-toto Statement")]
    (constant / file).unlink()
    assert problems(PUBLIC) == [(file, "missing")]


def test_reading_gives_what_is_needed_to_predict(constant: Path) -> None:
    read = bundle.read(constant)

    assert read.digest == digest.of_file(constant / "release.json")
    assert (read.signature.to_json(), list(read.repairs)) == (SIGNATURE, REPAIRS)
    assert (read.threshold, read.predict, read.model) == (0.25, None, constant / "model")


def test_a_newer_format_asks_for_a_newer_fairway(constant: Path) -> None:
    manifest = json.loads((constant / "release.json").read_bytes())
    (constant / "release.json").write_text(json.dumps({**manifest, "format": 2}))

    with pytest.raises(RequestError, match=r"has the format 2.*Upgrade Fairway"):
        bundle.read(constant)


def test_damage_is_found_before_anything_is_believed(constant: Path) -> None:
    read = bundle.read(constant)
    (constant / "model/constant.json").write_text('{"constant": 0.26}')
    with pytest.raises(IntegrityError, match=r"model/constant\.json changed: expected sha256:"):
        bundle.predictor(read)

    (constant / "repair.json").write_text("[]")
    with pytest.raises(IntegrityError, match=r"repair\.json changed"):
        bundle.read(constant)


def test_raw_rows_go_through_the_repairs_into_the_model(constant: Path) -> None:
    predictor = bundle.predictor(bundle.read(constant))

    assert predictor.predict(pa.table({"x": [1.0, None]})).tolist() == [0.25, 0.25]
    with pytest.raises(RequestError, match="'x' is absent"):
        predictor.predict(pa.table({"y": [1.0]}))
    predictor.close()


def test_a_program_runs_in_the_released_code_and_leaves_no_trace_there(tmp_path: Path) -> None:
    folder = tmp_path / "a release"
    files = {
        "model/scale.txt": "0.5",
        "code/predict.py": PROGRAM,
        "code/weights.py": "import sys; scale = float(open(sys.argv[1] + '/scale.txt').read())",
    }
    command = "{python} predict.py {model}"
    release(folder, files, predict={"command": command, "timeout_s": 20})

    predictor = bundle.predictor(
        bundle.read(folder), environment={"PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
    )
    scores = predictor.predict(pa.table({"x": [1.0, None, 0.5]}))
    predictor.close()

    assert scores.tolist() == [0.5, 0.0, 0.25]
    assert bundle.verify(folder) == []
