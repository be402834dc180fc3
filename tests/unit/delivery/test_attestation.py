"""What attestations promise: checkable by openssl alone, and no changed byte passes."""

import base64
import copy
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairway import digest as naming
from fairway.delivery import attestation
from fairway.errors import IntegrityError, RequestError
from fairway.store.home import open_home

Check = Callable[[dict[str, Any], bytes], str]
KEY = attestation.new_key()
PUBLIC = attestation.public_key(KEY)
MANIFEST = naming.of_bytes(b"release.json")
SAID = attestation.statement(
    {"release.json": MANIFEST, "model/model.txt": naming.of_bytes(b"leaves")},
    predicate_type=attestation.RELEASE,
    predicate={"name": "late-arrivals", "version": "2026.11.1", "ü": 0.5},
)
SEALED = attestation.sign(SAID, KEY)


def changed(payload: bytes) -> dict[str, Any]:
    return {**SEALED, "payload": base64.b64encode(payload).decode()}


def test_openssl_alone_verifies_a_statement_and_refuses_a_changed_byte(openssl: Check) -> None:
    assert openssl(SEALED, PUBLIC) == "Verified OK"

    payload = bytearray(base64.b64decode(SEALED["payload"]))
    payload[-3] ^= 1
    assert openssl(changed(bytes(payload)), PUBLIC) == "Verification failure"


def test_the_key_that_signed_gets_the_statement_back() -> None:
    assert attestation.verify(SEALED, PUBLIC) == SAID


def test_a_statement_has_the_shape_of_in_toto() -> None:
    assert json.loads(base64.b64decode(SEALED["payload"])) == {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [
            {
                "name": "model/model.txt",
                "digest": {"sha256": naming.of_bytes(b"leaves").removeprefix("sha256:")},
            },
            {
                "name": "release.json",
                "digest": {"sha256": MANIFEST.removeprefix("sha256:")},
            },
        ],
        "predicateType": "urn:fairway:release:1",
        "predicate": {"name": "late-arrivals", "version": "2026.11.1", "ü": 0.5},
    }
    assert SEALED["payloadType"] == "application/vnd.in-toto+json"


@given(st.data())
def test_no_changed_byte_of_payload_or_signature_passes(data: st.DataObject) -> None:
    envelope = copy.deepcopy(SEALED)
    holder = data.draw(st.sampled_from([envelope, envelope["signatures"][0]]))
    name = "payload" if holder is envelope else "sig"
    content = bytearray(base64.b64decode(holder[name]))
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= data.draw(st.integers(1, 255))
    holder[name] = base64.b64encode(content).decode()

    with pytest.raises(IntegrityError):
        attestation.verify(envelope, PUBLIC)


def test_another_key_another_type_and_another_envelope_are_refused() -> None:
    other = attestation.public_key(attestation.new_key())
    with pytest.raises(IntegrityError, match="not by this key"):
        attestation.verify(SEALED, other)
    with pytest.raises(IntegrityError, match="not by this key"):
        attestation.verify({**SEALED, "payloadType": "text/plain"}, PUBLIC)
    with pytest.raises(IntegrityError, match="not by this key"):
        attestation.verify({**SEALED, "signatures": []}, PUBLIC)
    faulty: tuple[dict[str, Any], ...] = (
        {},
        {**SEALED, "payload": "no base64!"},
        {**SEALED, "payload": 7},
        {**SEALED, "signatures": 7},
        {**SEALED, "signatures": [{"keyid": "x"}]},
        {**SEALED, "signatures": SEALED["signatures"] * 2},
    )
    for envelope in faulty:
        with pytest.raises(IntegrityError, match="cannot be read"):
            attestation.verify(envelope, PUBLIC)


def test_what_is_signed_but_no_statement_is_refused() -> None:
    for said in ({"_type": "https://in-toto.io/Statement/v0.1"}, {}, {**SAID, "subject": []}):
        with pytest.raises(IntegrityError, match="no in-toto Statement v1"):
            attestation.verify(attestation.sign(said, KEY), PUBLIC)


def test_verifying_leaves_the_envelope_as_it_was() -> None:
    before = copy.deepcopy(SEALED)
    attestation.verify(SEALED, PUBLIC)
    assert before == SEALED


def test_keys_that_are_none_or_of_another_kind_are_refused() -> None:
    ed25519 = subprocess.run(
        ["openssl", "genpkey", "-algorithm", "ed25519"], capture_output=True, check=True
    ).stdout
    public = subprocess.run(
        ["openssl", "pkey", "-pubout"], input=ed25519, capture_output=True, check=True
    ).stdout
    for pem in (b"", b"no key", KEY):
        with pytest.raises(IntegrityError, match="public key cannot be read"):
            attestation.verify(SEALED, pem)
    with pytest.raises(IntegrityError, match="not over P-256"):
        attestation.verify(SEALED, public)
    for read in (attestation.public_key, lambda pem: attestation.sign(SAID, pem)):
        with pytest.raises(IntegrityError, match="private key cannot be read"):
            read(b"no key")


def test_a_statement_speaks_of_something_in_json() -> None:
    with pytest.raises(RequestError, match="about nothing"):
        attestation.statement({}, predicate_type="x", predicate={})
    with pytest.raises(RequestError, match="no JSON"):
        attestation.sign({**SAID, "predicate": {"auc": float("nan")}}, KEY)


def test_a_home_signs_with_one_key_for_good(tmp_path: Path) -> None:
    with open_home(tmp_path / "home") as home:
        first = attestation.signing_key(home)
    with open_home(tmp_path / "home") as home:
        assert attestation.signing_key(home) == first
    assert (tmp_path / "home/keys/signing").stat().st_mode & 0o777 == 0o600
