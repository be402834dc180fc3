"""Check a signature over a release with the public key alone.

Room: ``fairway.model``, before ``bundle``. ``delivery.attestation`` signs; whoever loads a release
checks here, with nothing but the file and a key. It signs nothing and trusts no key by itself.

Source: DSSE v1.0.2 (secure-systems-lab); in-toto Statement v1; ECDSA with SHA-256, FIPS 186-5.
"""

import base64
import binascii
import json
from typing import Any

from fairway.digest import PREFIX, Digest

Subjects = dict[str, Digest]


def pae(payload_type: str, payload: bytes) -> bytes:
    """DSSE's pre-authentication encoding: the bytes that are signed."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def check(envelope: bytes, public_pem: bytes) -> tuple[Subjects, str]:
    """Check an envelope and say what its statement is about.

    Returns:
        The subjects by name, and an empty text; or no subjects and what is wrong.
    """
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(public_pem)
    except (ValueError, UnsupportedAlgorithm):
        return {}, "the public key cannot be read"
    if not isinstance(key, EllipticCurvePublicKey):
        return {}, "the public key is of another kind than ECDSA"
    try:
        read: dict[str, Any] = json.loads(envelope)
        payload = base64.b64decode(read["payload"], validate=True)
        signatures = [base64.b64decode(one["sig"]) for one in read["signatures"]]
        signed = pae(read["payloadType"], payload)
        subjects = {
            one["name"]: Digest(PREFIX + one["digest"]["sha256"])
            for one in json.loads(payload)["subject"]
        }
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error):
        return {}, "it is no DSSE envelope with an in-toto Statement"
    for signature in signatures:
        try:
            key.verify(signature, signed, ECDSA(SHA256()))
        except InvalidSignature:
            continue
        return subjects, ""
    return {}, "its signature is not by this key over these bytes"
