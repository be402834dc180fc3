"""Which files of the project a command read: how that is observed, and what it comes to.

Room: ``fairway.pipeline``, after ``file`` and before ``cache``. ``shim.c`` observes any program
that loads the C library, where it could be compiled at install; ``hook/sitecustomize.py`` observes
Python. Both append records to one file, which is read here. Where neither can see everything,
every source file of the project counts as read.

A record is a letter, a process number, a tab, an absolute path and a NUL byte. ``R`` opened for
reading, ``A`` found absent, ``W`` created or emptied for writing, ``D`` folder listed, ``P`` this
process is a Python with the hook, ``L`` a folder listed by it other than for an import, ``S`` a
program starts (told only where records stand already), ``U`` one starts that cannot be observed.
"""

import re
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from fairway.digest import Digest
from fairway.pipeline.file import Files

HOOK = Path(__file__).with_name("hook")
SHIM = Path(__file__).with_name("shim.so")

_ABOUT_FILES = frozenset("RAWDL")
_SIMPLE_PYTHON = re.compile(r"\s*\{python\}(?:\s[^;&|<>`$()\n]*)?")


@dataclass(frozen=True, kw_only=True)
class Observer:
    """How a run observes its commands.

    Attributes:
        shim: The preload library; None where it was not compiled or cannot be loaded.
        hook: The folder with Python's hook.
    """

    shim: Path | None
    hook: Path = HOOK

    def environment(self, files: Files, record: Path, python_path: str) -> dict[str, str]:
        """The variables that make a command's processes observe themselves.

        Args:
            files: The project.
            record: Where they append what they see.
            python_path: The step's own PYTHONPATH, or nothing.
        """
        variables = {
            "FAIRWAY_TRACE": str(record),
            "FAIRWAY_ROOT": files.root,
            "FAIRWAY_SKIP": ":".join(files.skips),
            "PYTHONPATH": f"{self.hook}:{python_path}" if python_path else str(self.hook),
        }
        if self.shim is not None:
            variables["FAIRWAY_SHIM"] = "1"
            variables["LD_PRELOAD"] = str(self.shim)
        return variables

    def sees(self, command: str) -> bool:
        """Whether everything that a command starts with is observed: see ``U`` for the rest."""
        return self.shim is not None or bool(_SIMPLE_PYTHON.fullmatch(command))


@dataclass(frozen=True, kw_only=True)
class Reads:
    """What a command read of the project.

    Attributes:
        files: Name -> content, or None where the command found nothing there.
        changed: A name whose content changed while the command ran, so that nobody knows which
            content it saw; the result must then not be remembered.
    """

    files: Mapping[str, Digest | None]
    changed: str | None = None


def observer() -> Observer:
    """How commands can be observed on this machine."""
    loadable = sys.platform == "linux" and SHIM.exists() and not re.search(r"[\s:]", str(SHIM))
    return Observer(shim=SHIM if loadable and _is_dynamic(Path("/bin/sh")) else None)


def reads(watch: Observer, files: Files, record: Path, command: str, *, start_ns: int) -> Reads:
    """Judge the record of a command that has just ended.

    Args:
        watch: How it was observed.
        files: The project.
        record: What its processes appended.
        command: The command as the project has it, with its placeholders.
        start_ns: The file system's clock when it started, in nanoseconds.
    """
    read, absent, is_whole = _parse(files, record, has_shim=watch.shim is not None)
    if not (is_whole and watch.sees(command)):
        read.update(name for name in files.sources() if name not in absent)
    found: dict[str, Digest | None] = {}
    for name in sorted(read | absent):
        state = files.state(name)
        is_there = state is not None
        if is_there != (name in read) or name in read & absent or files.has_changed(name, start_ns):
            return Reads(files={}, changed=name)
        found[name] = state
    return Reads(files=found)


def _parse(files: Files, record: Path, *, has_shim: bool) -> tuple[set[str], set[str], bool]:
    """Names read, names found absent, and whether every program was observed."""
    try:
        lines = record.read_bytes().decode(errors="surrogateescape").split("\0")
    except FileNotFoundError:  # without the shim: a Python that ignores its environment
        return set(), set(), has_shim
    read: set[str] = set()
    absent: set[str] = set()
    own: set[str] = set()
    listed: dict[str, set[str]] = {}
    hooked: set[str] = set()
    is_whole = True
    for line in lines:
        kind = line[:1]
        pid, _, path = line[1:].partition("\t")
        if kind == "P":
            hooked.add(pid)
            listed.pop(pid, None)
        elif kind == "S":  # the same process number, another program
            hooked.discard(pid)
            read |= listed.pop(pid, set())
        elif kind == "U":
            is_whole = False
        name = _counted(files, kind, path)
        if name is None:
            continue
        if kind in "DL":
            listed_by = pid if kind == "D" else ""
            if listed_by not in hooked:  # the hook tells which are not the import system's
                listed.setdefault(listed_by, set()).add(f"{name}/")
        elif kind == "W":
            if name not in read | absent:
                own.add(name)
        elif kind == "A" and name not in own:
            absent.add(name)
        elif kind == "R" and name not in own | absent:
            read.add(name)  # found absent before: the command made it, and its end tells
    return read.union(*listed.values()), absent, is_whole


def _counted(files: Files, kind: str, path: str) -> str | None:
    """The name that a record is about; None where it tells nothing of the project."""
    if kind not in _ABOUT_FILES:
        return None
    if kind != "R" and "/__pycache__/" in path:
        return None  # bytecode read stands for its source; absent or written it says nothing
    return files.name(path) or ("" if kind in "DL" and path == files.root else None)


def _is_dynamic(program: Path) -> bool:
    """Whether a program loads the C library when it starts, and with it the shim."""
    with suppress(OSError), program.open("rb") as file:
        return b"/ld-" in file.read(4096)
    return False
