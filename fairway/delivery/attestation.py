"""Statements about bytes that leave the house: signed, and checkable without Fairway.

Room: ``fairway.delivery``, after ``store``, which keeps the key; ``release`` puts what is signed
here into its folder. It owns securesystemslib and cryptography. It trusts no key by itself: who
verifies says which key counts.

Source: in-toto Statement v1 (in-toto Attestation Framework), DSSE v1.0.2 (secure-systems-lab),
ECDSA over P-256 with SHA-256 (FIPS 186-5).
"""

import base64
import binascii
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fairway import digest as naming
from fairway.digest import Digest
from fairway.errors import IntegrityError, RequestError
from fairway.store.home import Home

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

STATEMENT = "https://in-toto.io/Statement/v1"
PAYLOAD = "application/vnd.in-toto+json"
RELEASE = "urn:fairway:release:1"
"""Predicate of a release: its name and version; the subjects are all of its files."""
VERDICT = "urn:fairway:verdict:1"
"""Predicate of a gate's verdict on a release."""


def signing_key(home: Home) -> bytes:
    """The home's private key as PKCS #8 PEM, made at first use; it never leaves the home.

    Raises:
        StoreError: If it is to be made and the home cannot be written.
    """
    return home.secret("signing", new_key)


def new_key() -> bytes:
    """A new private key over P-256, as PKCS #8 PEM without a pass phrase."""
    from securesystemslib.signer import CryptoSigner  # type: ignore[attr-defined]  # public by its docs

    pem: bytes = CryptoSigner.generate_ecdsa().private_bytes
    return pem


def public_key(private_pem: bytes) -> bytes:
    """The public half of a key, as PEM (SubjectPublicKeyInfo), as ``openssl`` reads it.

    Raises:
        IntegrityError: If the private key cannot be read.
    """
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        PublicFormat,
        load_pem_private_key,
    )

    try:
        key = load_pem_private_key(private_pem, None)
    except (ValueError, TypeError) as error:
        raise _no_key("private", error) from error
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def statement(
    subjects: Mapping[str, Digest], *, predicate_type: str, predicate: Mapping[str, Any]
) -> dict[str, Any]:
    """An in-toto Statement v1 about named bytes.

    Args:
        subjects: What it speaks of, by file name.
        predicate_type: What kind of statement it is, as a URI.
        predicate: What it says, as JSON.

    Raises:
        RequestError: If it speaks of nothing; the standard asks for a subject.
    """
    if not subjects:
        raise RequestError("A statement about nothing cannot be signed.", hint="Name a subject.")
    return {
        "_type": STATEMENT,
        "subject": [
            {"name": name, "digest": {"sha256": digest.removeprefix(naming.PREFIX)}}
            for name, digest in sorted(subjects.items())
        ],
        "predicateType": predicate_type,
        "predicate": dict(predicate),
    }


def sign(statement: Mapping[str, Any], private_pem: bytes) -> dict[str, Any]:
    """Seal a statement: a DSSE envelope over its canonical JSON.

    Raises:
        IntegrityError: If the private key cannot be read.
        RequestError: If the statement is no JSON.
    """
    from cryptography.hazmat.primitives.serialization import load_pem_private_key
    from securesystemslib.dsse import Envelope
    from securesystemslib.signer import CryptoSigner  # type: ignore[attr-defined]  # public by its docs

    try:
        payload = naming.canonical(dict(statement))
    except (TypeError, ValueError) as error:
        raise RequestError(
            f"The statement is no JSON: {error}.", hint="Give JSON values."
        ) from error
    try:
        signer = CryptoSigner(load_pem_private_key(private_pem, None))
    except (ValueError, TypeError) as error:
        raise _no_key("private", error) from error
    envelope = Envelope(payload, PAYLOAD, {})
    envelope.sign(signer)
    sealed: dict[str, Any] = envelope.to_dict()
    return sealed


def verify(envelope: Mapping[str, Any], public_pem: bytes) -> dict[str, Any]:
    """The statement in an envelope, after its signature was checked with a key one trusts.

    Args:
        envelope: A DSSE envelope as JSON.
        public_pem: The key that must have signed it, over P-256, as PEM.

    Raises:
        IntegrityError: If that key did not sign these bytes, or they are no in-toto Statement v1.
    """
    from securesystemslib.dsse import Envelope
    from securesystemslib.exceptions import Error
    from securesystemslib.signer import SSlibKey  # type: ignore[attr-defined]  # public by its docs

    key = _public(public_pem)
    try:
        plain = json.loads(naming.canonical(dict(envelope)))  # a copy: the library changes it
        base64.b64decode(plain["payload"], validate=True)
        parsed = Envelope.from_dict(plain)
        parsed.verify([SSlibKey.from_crypto(key)], 1)
    except Error as error:
        raise IntegrityError(
            "The signature is not by this key, or not over these bytes.",
            hint="Do not use it; fetch it anew from where it was made, and compare the keys.",
        ) from error
    except (KeyError, TypeError, ValueError, AttributeError, binascii.Error) as error:
        raise _no_statement(f"the envelope cannot be read ({type(error).__name__})") from error
    if parsed.payload_type != PAYLOAD:
        raise _no_statement(f"its payload is {parsed.payload_type!r}")
    try:
        said = json.loads(parsed.payload)
    except ValueError as error:
        raise _no_statement("its payload is no JSON") from error
    if not isinstance(said, dict) or said.get("_type") != STATEMENT or not said.get("subject"):
        raise _no_statement("its payload is no in-toto Statement v1")
    return said


def _public(pem: bytes) -> "EllipticCurvePublicKey":
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(pem)
    except (ValueError, TypeError) as error:
        raise _no_key("public", error) from error
    if not isinstance(key, EllipticCurvePublicKey) or not isinstance(key.curve, SECP256R1):
        raise _no_key("public", ValueError("it is not over P-256"))
    return key


def _no_key(which: str, error: Exception) -> IntegrityError:
    return IntegrityError(
        f"The {which} key cannot be read: {error}.", hint="Restore the key's PEM file."
    )


def _no_statement(fault: str) -> IntegrityError:
    return IntegrityError(
        f"This is no signed statement: {fault}.", hint="Give a DSSE envelope that Fairway wrote."
    )
