"""What can go wrong, split by who must act.

Room: the first; it imports nothing of Fairway. It does not print, log or choose an exit code:
that is done at the edge (``cli/main.py``).
"""

from collections.abc import Sequence
from pathlib import Path


class FairwayError(Exception):
    """Anything that Fairway refuses to do, with what is so and what to do about it.

    Attributes:
        problem: The fact and the value, as one sentence.
        hint: An order that works if followed.
    """

    def __init__(self, problem: str, *, hint: str) -> None:
        super().__init__(f"{problem} {hint}")
        self.problem = problem
        self.hint = hint


class ProjectError(FairwayError):
    """The project file, or how Fairway was called, asks for what cannot be; its author must edit.

    Attributes:
        file: The file to edit, where one is known.
        line: Its line, counted from 1.
        more: Further errors found in the same reading.
    """

    def __init__(
        self,
        problem: str,
        *,
        hint: str,
        file: Path | None = None,
        line: int | None = None,
        more: Sequence["ProjectError"] = (),
    ) -> None:
        super().__init__(problem, hint=hint)
        self.file = file
        self.line = line
        self.more = tuple(more)


class ContractError(FairwayError):
    """The data breaks its contract, or a check refuses it; the data's owner must act."""


class StepError(FairwayError):
    """A command of the project failed; its author must act."""


class GateError(FairwayError):
    """A gate refused, or was asked for what only a verdict allows."""


class IntegrityError(FairwayError):
    """Bytes are not those that their name promises. Never retry."""


class RequestError(FairwayError):
    """The caller asked for something that makes no sense here."""


class NotFoundError(RequestError):
    """The caller named something that is not there."""


class ConflictError(FairwayError):
    """Somebody else moved first; look again and decide anew."""


class StoreError(FairwayError):
    """The home cannot be read or written: a disk, a permission, a database."""
