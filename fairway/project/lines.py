"""Find the line on which a key of a TOML file stands.

Room: ``fairway.project``, before ``reading``. The standard reader of TOML says nothing about lines,
so the text is walked once more. It judges nothing: whether the text is TOML at all has been
decided by ``tomllib`` before, and values are skipped, not read.
"""

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field

KeyPath = tuple[str | int, ...]
"""Keys from the top of the file down, with the position of an item in a list as a number."""

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)+")
_SPACE = re.compile(r"[ \t]+")
_SCALAR = re.compile(r"[^,\]}#\r\n]+")
_STRINGS = (
    re.compile(r'"""(?:\\.|[^\\])*?"{3,5}(?!")', re.DOTALL),
    re.compile(r"'''.*?'{3,5}(?!')", re.DOTALL),
    re.compile(r'"(?:\\.|[^"\\\n])*"'),
    re.compile(r"'[^'\n]*'"),
)


@dataclass(frozen=True, kw_only=True)
class Lines:
    """Lines of a TOML file, counted from 1, by the path of the key that stands there."""

    known: Mapping[KeyPath, int] = field(default_factory=dict)

    def of(self, path: KeyPath) -> int | None:
        """The line of ``path``, else of its nearest parent that has one, else None."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.known:
                return self.known[path[:length]]
        return None

    def of_text(self, dotted: str) -> int | None:
        """The same for a path as people write it: ``candidate.glm.run``.

        A part that has a dot itself is matched as a whole, so ``contract.a.b`` finds ``"a.b"``.
        """
        return self.of(self._fit((), dotted.split(".")))

    def _fit(self, path: KeyPath, parts: list[str]) -> KeyPath:
        for length in range(1, len(parts) + 1):
            word = ".".join(parts[:length])
            for key in (word, int(word)) if word.isdecimal() else (word,):
                if (*path, key) in self.known:
                    return self._fit((*path, key), parts[length:])
        return path


def locate(text: str) -> Lines:
    """Note the line of each table, key and item of a list in ``text``, which ``tomllib`` accepts.

    Lines serve only to point at a fault, so on a spelling that this walk does not know (a later
    TOML) it keeps what it has noted so far.

    Source: TOML 1.0.0, https://toml.io/en/v1.0.0
    """
    walk = _Walk(text)
    with suppress(IndexError, ValueError):
        walk.file()
    return Lines(known=walk.known)


class _Walk:
    """One pass over the text; ``at`` is the next character to look at."""

    def __init__(self, text: str) -> None:
        self.text = text.replace("\r\n", "\n")
        self.at = 0
        self.line = 1
        self.known: dict[KeyPath, int] = {}
        self.counts: dict[KeyPath, int] = {}

    def file(self) -> None:
        table: KeyPath = ()
        self.skip(_BLANK)
        while self.at < len(self.text):
            if self.text[self.at] == "[":
                table = self.header()
            else:
                self.pair(table)
            self.skip(_BLANK)

    def header(self) -> KeyPath:
        opening = "[[" if self.text.startswith("[[", self.at) else "["
        self.at += len(opening)
        line = self.line
        path: KeyPath = ()
        names = self.keys()
        for i, name in enumerate(names):
            path = (*path, name)
            self.known.setdefault(path, line)
            if i == len(names) - 1 and opening == "[[":
                self.counts[path] = self.counts.get(path, -1) + 1
            if path in self.counts:
                path = (*path, self.counts[path])
                self.known.setdefault(path, line)
        self.at += len(opening)
        return path

    def pair(self, table: KeyPath) -> None:
        line = self.line
        path = table
        for name in self.keys():
            path = (*path, name)
            self.known.setdefault(path, line)
        self.at += 1  # the sign of equality
        self.skip(_SPACE)
        self.value(path)

    def keys(self) -> list[str]:
        names = []
        while True:
            self.skip(_SPACE)
            quote = self.text[self.at]
            if quote == '"':
                names.append(_unquoted(self.take(_STRINGS[2])))
            elif quote == "'":
                names.append(self.take(_STRINGS[3])[1:-1])
            else:
                names.append(self.take(_BARE))
            self.skip(_SPACE)
            if not self.text.startswith(".", self.at):
                return names
            self.at += 1

    def value(self, path: KeyPath) -> None:
        self.known.setdefault(path, self.line)
        first = self.text[self.at]
        if first == "[":
            self.items(path)
        elif first == "{":
            self.inline(path)
        elif first in "\"'":
            for pattern in _STRINGS:
                if self.skip(pattern):
                    return
        else:
            self.skip(_SCALAR)

    def items(self, path: KeyPath) -> None:
        self.at += 1
        n_items = 0
        self.skip(_BLANK)
        while self.text[self.at] != "]":
            self.value((*path, n_items))
            n_items += 1
            self.comma()
        self.at += 1

    def inline(self, path: KeyPath) -> None:
        self.at += 1
        self.skip(_BLANK)
        while self.text[self.at] != "}":
            self.pair(path)
            self.comma()
        self.at += 1

    def comma(self) -> None:
        self.skip(_BLANK)
        if self.text[self.at] == ",":
            self.at += 1
            self.skip(_BLANK)

    def skip(self, pattern: re.Pattern[str]) -> bool:
        return bool(self.take(pattern))

    def take(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self.text, self.at)
        if found is None:
            return ""
        self.at = found.end()
        self.line += found[0].count("\n")
        return found[0]


def _unquoted(text: str) -> str:
    r"""Read a basic string; ``\UXXXXXXXX`` is the one escape that JSON does not have."""
    plain = re.sub(r"\\U([0-9A-Fa-f]{8})", lambda found: chr(int(found[1], 16)), text)
    return str(json.loads(plain, strict=False))
