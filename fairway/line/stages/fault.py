"""Carry a refusal from a stage's process to the caller, as one line of its log.

Room: ``fairway.line``. The kind, the problem and the hint survive; the traceback does not.
"""

import json
from pathlib import Path
from typing import TextIO

from fairway import errors
from fairway.errors import FairwayError, ProjectError

MARK = "fairway-fault: "


def tell(error: FairwayError, log: TextIO) -> None:
    """Write the refusal as the last line of ``log``."""
    said: dict[str, str | int | None] = {
        "kind": type(error).__name__,
        "problem": error.problem,
        "hint": error.hint,
    }
    if isinstance(error, ProjectError) and error.file:
        said |= {"file": str(error.file), "line": error.line}
    log.write(f"\n{MARK}{json.dumps(said)}\n")
    log.flush()


def hear(log: str) -> FairwayError | None:
    """The refusal that a stage's log ends with; None if it died in another way."""
    marked = [line for line in log.splitlines() if line.startswith(MARK)]
    if not marked:
        return None
    said = json.loads(marked[-1].removeprefix(MARK))
    if said["kind"] == ProjectError.__name__:
        file = Path(said["file"]) if said.get("file") else None
        return ProjectError(said["problem"], hint=said["hint"], file=file, line=said.get("line"))
    kind: type[FairwayError] = getattr(errors, said["kind"])
    return kind(said["problem"], hint=said["hint"])


def plain(log: str) -> str:
    """The log for people: a refusal in it as its problem and hint."""
    lines = []
    for line in log.splitlines(keepends=True):
        refusal = hear(line)
        lines.append(f"{refusal.problem} {refusal.hint}\n" if refusal else line)
    return "".join(lines)
