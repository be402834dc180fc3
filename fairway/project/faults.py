"""Collect what is wrong with a project file, each fault with its line and what to do.

Room: ``fairway.project``, before ``reading``. It turns the messages of the structuring library
into Fairway's own and knows the shape of no table in particular.
"""

import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin

import msgspec

from fairway.errors import FairwayError, ProjectError
from fairway.project.lines import KeyPath, Lines
from fairway.project.shape import LATER

T = TypeVar("T", bound=msgspec.Struct)

LATER_HINT = "Remove it: this Fairway does not read it yet, a later one will."

_KINDS = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "a table",
    "date": "a date",
    "datetime": "a date with a time",
}
_EXPECTED = re.compile(r"Expected `([^`]+)`(?:, got `([^`]+)`)?(.*)", re.DOTALL)
_PLACE = re.compile(r"(.*) - at `\$((?:\.[^.\[`]+|\[[^\]]*\])*)`", re.DOTALL)


class Faults:
    """The faults of one file, as found; ``stop`` raises them in the order of their lines."""

    def __init__(self, file: Path, lines: Lines) -> None:
        self.file = file
        self.lines = lines
        self.found: list[ProjectError] = []

    def add(self, path: KeyPath, problem: str, hint: str) -> None:
        """Note one fault at the line of ``path``, or of its nearest parent."""
        line = self.lines.of(path) or 1
        self.found.append(ProjectError(problem, hint=hint, file=self.file, line=line))

    def take(self, path: KeyPath, error: FairwayError) -> None:
        """Note what another room found wrong with the value at ``path``."""
        self.add(path, f"{dotted(path)}: {error.problem}", error.hint)

    def stop(self) -> None:
        """End the reading if anything was found.

        Raises:
            ProjectError: The first fault, with the others in ``more``.
        """
        seen = {(fault.line, fault.problem): fault for fault in self.found}
        if seen:
            first, *rest = sorted(seen.values(), key=lambda fault: fault.line or 0)
            raise ProjectError(
                first.problem, hint=first.hint, file=first.file, line=first.line, more=rest
            )

    def convert(self, value: object, shape: type[T], path: KeyPath) -> T | None:
        """Read one table strictly; each key that does not fit is a fault of its own.

        Returns:
            The table as ``shape``, or None when a key that it needs is absent or wrong. Optional
            keys that were wrong are left out, so that the reading goes on.
        """
        if not isinstance(value, Mapping):
            self.wrong_kind(path, value, "object")
            return None
        rest = {key: _instant(item) for key, item in value.items()}
        fields = {field.encode_name: field for field in msgspec.structs.fields(shape)}
        for key in [key for key in rest if key not in fields]:
            del rest[key]
            self.unknown(path, key, fields)
        complete = True
        for name, field in fields.items():
            if field.required and name not in rest:
                complete = False
                where = f"[{dotted(path)}] has" if path else "The file has"
                self.add(path, f"{where} no {name}.", f"Add a line {name} = ...")
        for key in list(rest):
            if not self.fits(rest[key], fields[key].type, (*path, key)):
                complete = complete and not fields[key].required
                del rest[key]
        return msgspec.convert(rest, shape) if complete else None

    def unknown(self, path: KeyPath, key: str, known: Iterable[str]) -> None:
        """Note a key that the table at ``path`` does not have."""
        later = key in LATER.get(dotted(path), ())
        hint = LATER_HINT if later else nearest(key, known)
        self.add((*path, key), f"{dotted((*path, key))} is unknown.", hint)

    def fits(self, value: Any, shape: Any, path: KeyPath) -> bool:  # noqa: ANN401  any TOML value
        """Tell whether a value is of a type; if not, say so once for each part that is not."""
        if isinstance(shape, type) and issubclass(shape, msgspec.Struct):
            n_before = len(self.found)
            self.convert(value, shape, path)
            return len(self.found) == n_before
        try:
            msgspec.convert(value, shape)
        except msgspec.ValidationError as error:
            self._explain(str(error), value, shape, path)
            return False
        return True

    def _explain(self, message: str, value: Any, shape: Any, path: KeyPath) -> None:  # noqa: ANN401  any TOML value
        place = _PLACE.fullmatch(message)
        inside = place[2] if place else ""
        if inside.startswith("[...]"):  # some key of a table: which one is found by trying each
            tables = (one for one in (shape, *get_args(shape)) if get_origin(one) is dict)
            _, inner = get_args(next(tables))
            for name, item in value.items():
                self.fits(item, inner, (*path, name))
            return
        while inside and not isinstance(value, str):
            step = re.match(r"\[(\d+)\]|\.([^.\[]+)", inside)
            if step is None:
                break
            key: int | str = int(step[1]) if step[1] else step[2]
            value, path, inside = value[key], (*path, key), inside[step.end() :]
        self._one(place[1] if place else message, value, shape, path)

    def _one(self, message: str, value: object, shape: object, path: KeyPath) -> None:
        name = dotted(path)
        if message.startswith("Invalid enum value"):
            known = [str(choice) for choice in get_args(shape)]
            self.add(path, f"{name} = {spell(value)} is unknown.", nearest(str(value), known))
        elif "of length" in message:
            self.add(path, f"{name} is empty.", "Write a value, or remove the key.")
        elif "matching regex" in message:
            rule = next((m.description for m in get_args(shape) if hasattr(m, "description")), "")
            self.add(path, f"{name} = {spell(value)} is no name.", f"Use: {rule}")
        else:
            expected = _EXPECTED.match(message)
            if expected is None:
                self.add(path, f"{name} = {spell(value)}: {message}.", "Write another value.")
            elif expected[2] is None:
                limit = expected[3].strip().replace(">=", "of at least").replace("<=", "of at most")
                kind = _KINDS.get(expected[1], expected[1])
                self.add(
                    path, f"{name} = {spell(value)} is out of range.", f"Write {kind} {limit}."
                )
            else:
                self.wrong_kind(path, value, expected[1])

    def wrong_kind(self, path: KeyPath, value: object, expected: str) -> None:
        """Note a value of another type than the one that msgspec names ``expected``."""
        wanted = [
            _KINDS.get(kind, kind) for kind in expected.split(" | ") if kind not in {"null", "None"}
        ]
        self.add(
            path,
            f"{dotted(path)} = {spell(value)} is {_kind(value)}.",
            f"Write {' or '.join(wanted)}.",
        )


def dotted(path: KeyPath) -> str:
    """Write a path as people do: ``gate.staging[2]``."""
    text = ""
    for key in path:
        text += f"[{key}]" if isinstance(key, int) else f".{key}"
    return text.removeprefix(".")


def spell(value: object) -> str:
    """Write a TOML value for a message, at most 60 characters of it."""
    if isinstance(value, bool | int | float | str | list | dict):
        text = json.dumps(value, ensure_ascii=False, default=str)
    else:
        text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def nearest(word: str, known: Iterable[str]) -> str:
    """Say what to write instead of ``word``: the nearest known one, else all of them."""
    import difflib

    names = list(known)
    close = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    if close:
        return f"Write {close[0]}."
    if not names:
        return "Remove it."
    return f"Write one of: {', '.join(names[:12])}{', ...' if len(names) > 12 else ''}."


def _instant(value: object) -> object:
    """A date alone is the midnight that begins it, in UTC."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    return value


def _kind(value: object) -> str:
    for kind, name in (
        (bool, "true or false"),
        (int, "a whole number"),
        (float, "a number"),
        (str, "text"),
        (list, "a list"),
        (dict, "a table"),
    ):
        if isinstance(value, kind):
            return name
    return "a date or time"
