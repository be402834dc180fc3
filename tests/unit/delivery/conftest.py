"""What the tests of delivery share: a stranger who checks a signature with ``openssl`` alone."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fairway import digest as naming

BY_HAND = r"""
set -eu
field() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p" release.dsse.json; }
field payload | openssl base64 -d -A > payload
field sig | openssl base64 -d -A > signature
type=$(field payloadType)
{ printf 'DSSEv1 %d %s %d ' ${#type} "$type" "$(wc -c < payload)"; cat payload; } > signed
openssl dgst -sha256 -verify public.pem -signature signature signed
"""


@pytest.fixture
def openssl(tmp_path: Path) -> Callable[[dict[str, Any], bytes], str]:
    """Write an envelope and a key to files, and tell what ``openssl`` says of them."""

    def check(envelope: dict[str, Any], public_pem: bytes) -> str:
        folder = tmp_path / "stranger"
        folder.mkdir(exist_ok=True)
        (folder / "public.pem").write_bytes(public_pem)
        (folder / "release.dsse.json").write_bytes(naming.canonical(envelope))
        said = subprocess.run(
            ["sh", "-c", BY_HAND], cwd=folder, capture_output=True, text=True, check=False
        )
        assert said.stdout, said.stderr
        return said.stdout.strip()

    return check
