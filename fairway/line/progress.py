"""How the line says what it is doing, without knowing who listens.

Room: ``fairway.line``, which must not import the command line or a page; both listen.
"""

from typing import Protocol


class Report(Protocol):
    """A sink for progress; see ``fairway.cli.progress``."""

    def start(self, text: str, total: int | None = None) -> None:
        """Open a stage of ``total`` steps."""

    def step(self, text: str) -> None:
        """Say that one step of the stage is done."""
