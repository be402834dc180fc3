"""Tell somebody who wrote a wrong name which one was meant.

Room: ``fairway.data``, used by ``source``, ``sqlite`` and ``dataset``. It loads nothing.
"""

from collections.abc import Iterable
from difflib import get_close_matches


def choice(name: str, names: Iterable[str]) -> str:
    """A hint: the nearest of the names, all of them where none is near."""
    known = list(names)
    near = get_close_matches(name, known, n=1)
    if near:
        return f"Write {near[0]!r}."
    return f"Name one of {', '.join(known)}." if known else "There is none to name."
