"""Which programs a command starts, named by their content.

Room: ``fairway.pipeline``, below ``cache``. Another R or another shell may make another result, so
what they are is part of a step's name. It reads program files and runs none.
"""

import os
import re
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from fairway.digest import of_file

_STARTS = re.compile(r"(?:^|[;&|(\n])\s*(?:\w+=\S*\s+)*([^\s;&|()<>{}'\"$`]+)")


class Interpreters:
    """The programs that commands name first, each looked at once in a run.

    Attributes:
        root: The project's folder: programs inside it are files that a step reads, not these.
        path: Where programs are looked for, as in ``PATH``.
    """

    def __init__(self, root: Path, path: str) -> None:
        self.root = os.path.realpath(root)
        self.path = path
        self._known: dict[str, str] = {}

    def of(self, command: str) -> Mapping[str, str]:
        """Each program that stands at a command's start, or after ``;``, ``&`` or ``|``.

        Args:
            command: As the project has it, with its placeholders.

        Returns:
            Word of the command -> what it is. Python is named by its version and platform, others
            by their content; words that are no program, as those of the shell itself, are left out.
        """
        found = {word: self._identity(word) for word in _STARTS.findall(command)}
        if "{python}" in command:
            found["python"] = f"{sys.implementation.cache_tag} {sys.version} {os.uname().machine}"
        return {word: what for word, what in sorted(found.items()) if what}

    def _identity(self, word: str) -> str:
        known = self._known.get(word)
        if known is None:
            known = self._known[word] = self._look(word)
        return known

    def _look(self, word: str) -> str:
        place = shutil.which(word, path=self.path) if "/" not in word else word
        if place is None:
            return ""
        real = os.path.realpath(Path(self.root, place))
        if real.startswith(self.root + "/"):
            return ""
        try:
            return of_file(Path(real))
        except OSError:
            return ""
