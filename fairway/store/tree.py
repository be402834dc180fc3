"""A folder written down as one JSON blob: names, digests, sizes, and who may be executed.

Room: ``fairway.store``, beside ``blobs``, which keeps the bytes. It stores nothing itself.
"""

import json
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from fairway import digest as naming
from fairway.digest import Digest
from fairway.errors import IntegrityError, RequestError

START = b'{"tree":{'  # by which most files are told from trees without reading them


@dataclass(frozen=True, kw_only=True)
class TreeEntry:
    """One file of a tree.

    Attributes:
        digest: Its content.
        n_bytes: Its size, in bytes.
        executable: Whether its owner may execute it.
    """

    digest: Digest
    n_bytes: int
    executable: bool = False


def write_tree(entries: Mapping[str, TreeEntry]) -> bytes:
    """Spell a tree in exactly one way; ``read_tree`` takes it back.

    Raises:
        RequestError: If a name would lie outside the tree, or be both a file and a folder.
    """
    if fault := _fault(entries):
        raise RequestError(f"This is no tree: {fault}.", hint="Give names relative to the folder.")
    return _spell(entries)


def read_tree(digest: Digest, data: bytes) -> dict[str, TreeEntry]:
    """Read a tree, sorted by name; nothing in it can lead outside a folder.

    Args:
        digest: What to call the tree in an error.
        data: The blob's bytes.

    Raises:
        IntegrityError: If the bytes are no tree, or a name would lie outside of it.
    """
    entries = _entries(data)
    if entries is None:
        raise _no_tree(digest, "it does not have a tree's shape")
    if fault := _fault(entries):
        raise _no_tree(digest, fault)
    return entries


def is_tree(data: bytes) -> bool:
    """Whether a blob's bytes have a tree's shape, be its names good or bad; else it is a file."""
    return data.startswith(START) and _entries(data) is not None


def scan_folder(folder: Path) -> dict[str, tuple[Path, int, bool]]:
    """The regular files under a folder by name: path, size in bytes, executable; sorted.

    Raises:
        OSError: If the folder cannot be read.
        RequestError: If it is no folder, or holds anything but regular files and folders.
    """
    if folder.is_symlink() or not folder.is_dir():
        raise RequestError(f"{folder} is no folder.", hint="Name a folder of regular files.")
    found: dict[str, tuple[Path, int, bool]] = {}
    waiting = [("", str(folder))]
    while waiting:
        prefix, place = waiting.pop()
        with os.scandir(place) as listing:
            for item in listing:
                name = prefix + item.name
                status = item.stat(follow_symlinks=False)
                if stat.S_ISDIR(status.st_mode):
                    waiting.append((f"{name}/", item.path))
                elif stat.S_ISREG(status.st_mode):
                    executable = bool(status.st_mode & stat.S_IXUSR)
                    found[name] = (Path(item.path), status.st_size, executable)
                else:
                    raise RequestError(
                        f"{item.path} is a link or a device, not a regular file.",
                        hint="Put the file itself there.",
                    )
    return dict(sorted(found.items()))


def _entries(data: bytes) -> dict[str, TreeEntry] | None:
    """What canonical bytes of a tree's shape list, sorted by name; None for all other bytes."""
    try:
        value = json.loads(data)
        entries = {
            name: TreeEntry(
                digest=naming.parse(entry["digest"]),
                n_bytes=int(entry["bytes"]),
                executable=bool(entry["executable"]),
            )
            for name, entry in sorted(value["tree"].items())
        }
        return entries if _spell(entries) == data else None
    except (ValueError, TypeError, KeyError, AttributeError, RequestError):
        return None


def _spell(entries: Mapping[str, TreeEntry]) -> bytes:
    listed = {
        name: {"digest": entry.digest, "bytes": entry.n_bytes, "executable": entry.executable}
        for name, entry in entries.items()
    }
    return naming.canonical({"tree": listed})


def _fault(entries: Mapping[str, TreeEntry]) -> str:
    """What is wrong with the names, or nothing."""
    folders: set[str] = set()
    for name in entries:
        pure = PurePosixPath(name)
        if (
            name != str(pure)
            or pure.is_absolute()
            or {"", ".", ".."} & set(name.split("/"))
            or "\0" in name
        ):
            return f"{name!r} leads outside or is not in its shortest form"
        try:
            name.encode()
        except UnicodeEncodeError:
            return f"{name!r} is not spelled in UTF-8"
        folders.update(str(parent) for parent in pure.parents if parent.name)
    if both := sorted(folders & set(entries)):
        return f"{both[0]!r} is both a file and a folder"
    return ""


def _no_tree(digest: Digest, fault: str) -> IntegrityError:
    return IntegrityError(
        f"Blob {digest} is no tree: {fault}.",
        hint="Name a tree; do not trust who wrote this.",
    )
