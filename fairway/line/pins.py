"""Which packages are installed beside Fairway: the environment that a release was made in.

Room: ``fairway.line``.
"""

import platform
from importlib import metadata


def installed() -> bytes:
    """One ``name==version`` a line, sorted, after the interpreter and the machine."""
    found = {one.metadata["Name"]: one.version for one in metadata.distributions()}
    lines = [f"{name}=={version}" for name, version in sorted(found.items(), key=_fold) if name]
    first = f"# Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    return "\n".join([first, *lines, ""]).encode()


def _fold(pair: tuple[str, str]) -> str:
    return str(pair[0]).lower()
