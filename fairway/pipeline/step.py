"""A step: one command with everything that decides what it makes.

Room: ``fairway.pipeline``, the first file of it; ``plan`` orders steps, ``cache`` names them,
``execution`` runs them. A step is a value: this file runs nothing and reads no file.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from fairway.digest import Digest
from fairway.errors import ProjectError

Value = int | float | str
"""What a parameter may be."""

OutputKind = Literal["folder", "file"]

_PLACEHOLDER = re.compile(r"(?<!\$)\{(\{?)([A-Za-z][A-Za-z0-9_]*(?:\.[A-Za-z0-9_-]+)*)\}(\}?)")


@dataclass(frozen=True, kw_only=True)
class Step:
    """A command of the project, its inputs by content, and what it may see and use.

    Two steps that differ in nothing but their name, limits or retries make the same thing and
    share one cached result.

    Attributes:
        name: What people call it; renaming is free.
        command: For ``/bin/sh -c``, with placeholders: ``{python}``, inputs, parameters, output.
            ``{{name}}`` is a literal ``{name}``, and ``${name}`` is left to the shell.
        inputs: Placeholder (without braces, as ``in.flights`` or ``train``) -> blob or tree.
        after: Placeholder -> name of the step whose output becomes that input.
        suffixes: Placeholder -> file name that the command sees (``train.parquet``), or only its
            suffix (``.parquet``); otherwise the placeholder itself is the name.
        output: Placeholder of what the command writes.
        output_kind: ``folder`` (made empty beforehand) or ``file``.
        output_suffix: Ending of the output's name, as ``.parquet``.
        parameters: Placeholder -> value, written into the command.
        environment: Digest of the lock files that pin the command's libraries.
        variables: Environment variables that the command may see besides the usual four.
        timeout_s: Seconds that one attempt may take; None: no limit.
        retries: How many times a failed attempt is repeated.
        memory_bytes: Memory that the command and its children may hold together; None: no limit.
        internal: A step of Fairway's own: a change of Fairway or its libraries makes it anew.
    """

    name: str
    command: str
    inputs: Mapping[str, Digest] = field(default_factory=dict)
    after: Mapping[str, str] = field(default_factory=dict)
    suffixes: Mapping[str, str] = field(default_factory=dict)
    output: str = "out"
    output_kind: OutputKind = "folder"
    output_suffix: str = ""
    parameters: Mapping[str, Value] = field(default_factory=dict)
    environment: Digest | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    timeout_s: float | None = None
    retries: int = 0
    memory_bytes: int | None = None
    internal: bool = False

    def given(self, made: Mapping[str, Digest]) -> "Step":
        """The same step with the outputs of the steps it waits for filled in as inputs."""
        if not self.after:
            return self
        filled = {place: made[name] for place, name in self.after.items()}
        return replace(self, inputs={**self.inputs, **filled}, after={})


def placeholders(command: str) -> set[str]:
    """The names that a command has in braces; literal ``{{name}}`` and ``${name}`` are none."""
    return {found[2] for found in _PLACEHOLDER.finditer(command) if not (found[1] and found[3])}


def check(step: Step) -> None:
    """Refuse a step whose command names what nobody gives, or whose limits make no sense.

    Raises:
        ProjectError: Naming the step and the placeholder or limit.
    """
    known = {"python", step.output, *step.inputs, *step.after, *step.parameters}
    unknown = placeholders(step.command) - known
    if unknown:
        name = min(unknown)
        raise ProjectError(
            f"Step {step.name!r} uses {{{name}}}, which nothing gives.",
            hint=f"Use one of {', '.join(sorted(known))}, or write {{{{{name}}}}} for the text.",
        )
    for what, limit in (("timeout", step.timeout_s), ("memory", step.memory_bytes)):
        if limit is not None and limit <= 0:
            raise ProjectError(
                f"Step {step.name!r} has {what} = {limit}.", hint="Give a number above zero."
            )
    if step.retries < 0:
        raise ProjectError(
            f"Step {step.name!r} has retries = {step.retries}.", hint="Give zero or more."
        )


def expand(command: str, values: Mapping[str, Value]) -> str:
    """Write values into a command so that the shell reads each as exactly one piece of text.

    A placeholder may stand bare or within quotes; the value is escaped for where it stands, so a
    path with a space or a parameter with a semicolon stays what it is. Names that ``values`` lacks
    are left as they are.
    """
    parts: list[str] = []
    end = 0
    quote = ""
    for found in _PLACEHOLDER.finditer(command):
        literal = command[end : found.start()]
        parts.append(literal)
        quote = _quote_after(literal, quote)
        opening, name, closing = found.groups()
        if opening and closing:
            parts.append(f"{{{name}}}")
        elif name in values:
            parts.append(opening + _escape(spell(values[name]), quote) + closing)
        else:
            parts.append(found[0])
        end = found.end()
    parts.append(command[end:])
    return "".join(parts)


def spell(value: Value) -> str:
    """A parameter as text: the shortest that reads back as the same number."""
    return value if isinstance(value, str) else repr(value)


def _quote_after(text: str, quote: str) -> str:
    """Which shell quote is open after ``text``, when ``quote`` was open before it."""
    skip = False
    for letter in text:
        if skip:
            skip = False
        elif letter == "\\" and quote != "'":
            skip = True
        elif not quote and letter in "'\"":
            quote = letter
        elif letter == quote:
            quote = ""
    return quote


def _escape(text: str, quote: str) -> str:
    if quote == "'":
        return text.replace("'", "'\\''")
    if quote == '"':
        return re.sub(r'([\\"$`])', r"\\\1", text)
    if text and re.fullmatch(r"[\w@%+=:,./-]+", text, re.ASCII):
        return text
    return "'" + text.replace("'", "'\\''") + "'"
