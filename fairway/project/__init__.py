"""Read ``fairway.toml`` strictly and hand each room its own noun.

Room: after ``delivery`` and before ``line``; so high that rooms receive a split or a condition,
never the whole file. ``lines`` finds lines, ``shape`` is the file as written, ``faults`` are its
faults, ``nouns`` what it means, ``reading`` gets from one to the other. Nothing here opens data,
runs a command or imports an engine: reading a project takes milliseconds.
"""

from collections.abc import Mapping
from pathlib import Path

from fairway.errors import ProjectError
from fairway.project.nouns import (
    Candidate,
    Default,
    Evaluate,
    Input,
    Project,
    ReleaseParts,
    UserStep,
)
from fairway.project.reading import read_project
from fairway.project.shape import schema

__all__ = [
    "Candidate",
    "Default",
    "Evaluate",
    "Input",
    "Project",
    "ReleaseParts",
    "UserStep",
    "find",
    "read",
    "schema",
]

FILE_NAME = "fairway.toml"


def read(file: Path, environ: Mapping[str, str] | None = None) -> Project:
    """Read a project file; each fault has its line and says what to do.

    Args:
        file: The project file, or its folder.
        environ: Where declared variables and ``${NAME}`` in a source's ``from`` are looked up.

    Raises:
        ProjectError: The first fault by line, with the others in ``more``.
    """
    return read_project(file, environ or {})


def find(start: Path) -> Path:
    """Find the project file in ``start`` or the nearest folder above it.

    Raises:
        ProjectError: If there is none.
    """
    folder = start.absolute()
    for place in (folder, *folder.parents):
        if (place / FILE_NAME).is_file():
            return place / FILE_NAME
    raise ProjectError(
        f"There is no {FILE_NAME} in {folder} or above.",
        hint="Go to a project, name one with --project FILE, or make one with: fairway new",
    )
