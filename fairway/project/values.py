"""Read the small languages of values: durations and amounts of memory.

Room: ``fairway.project``, before ``reading``. Conditions, search ranges and ``COLUMN - DURATION``
are read by the rooms that use them.
"""

import re

from fairway.data.known_at import SECONDS
from fairway.project.faults import Faults, spell
from fairway.project.lines import KeyPath

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*([smhdw])")
_MEMORY = re.compile(r"(\d+(?:\.\d+)?)\s*(kB|MB|GB|TB|KiB|MiB|GiB|TiB)")
_BYTES = {
    **{unit: 1000**power for power, unit in enumerate(("kB", "MB", "GB", "TB"), 1)},
    **{unit: 1024**power for power, unit in enumerate(("KiB", "MiB", "GiB", "TiB"), 1)},
}


def duration_s(text: str | None, path: KeyPath, faults: Faults) -> float | None:
    """Read ``30s``, ``10m``, ``3h``, ``31d`` (of 24 hours) or ``2w`` as seconds."""
    if text is None:
        return None
    found = _DURATION.fullmatch(text.strip())
    if found is None:
        faults.add(
            path,
            f"{path[-1]} = {spell(text)} is no duration.",
            "Write a number and one of s, m, h, d, w, as in 31d.",
        )
        return None
    return float(found[1]) * SECONDS[found[2]]


def memory_bytes(text: str | None, path: KeyPath, faults: Faults) -> int | None:
    """Read ``512MB``, ``2GB`` or ``1.5GiB`` as bytes."""
    if text is None:
        return None
    found = _MEMORY.fullmatch(text.strip())
    n_bytes = round(float(found[1]) * _BYTES[found[2]]) if found else 0
    if not n_bytes:
        faults.add(
            path,
            f"{path[-1]} = {spell(text)} is no amount of memory.",
            "Write a number and a unit, as in 512MB or 2GiB.",
        )
        return None
    return n_bytes
