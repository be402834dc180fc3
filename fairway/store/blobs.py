"""Bytes by content: each blob is a file named by its digest, and each read proves it.

Room: ``fairway.store``, after ``disk``; ``tree`` says how a folder is written down as one blob.
It knows nothing of the database, and never decides what may be removed.
"""

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from fairway import digest as naming
from fairway.digest import Digest
from fairway.errors import IntegrityError, NotFoundError, RequestError
from fairway.store.crash import CrashPoints
from fairway.store.disk import BLOCK_BYTES, refusals, sync_folder, whole_or_gone, write_new
from fairway.store.tree import START, TreeEntry, is_tree, read_tree, scan_folder, write_tree


class Blobs:
    """Files under ``sha256/ab/<rest>``, each written once and verified whenever it is read.

    A write goes to a temporary file, is synced, and takes its name by one rename: a reader in any
    process sees the blob whole or not at all. Writers of equal content may race. Writing content
    whose stored file was damaged replaces the damaged file.

    Attributes:
        folder: Where the blobs lie.
    """

    def __init__(self, folder: Path, *, scratch: Callable[[], Path], crash: CrashPoints) -> None:
        self.folder = folder
        self._scratch = scratch
        self._crash = crash

    def put_bytes(self, data: bytes) -> Digest:
        """Keep bytes and name them.

        Raises:
            StoreError: If the disk refuses.
        """
        digest = naming.of_bytes(data)
        place = self._place(digest)
        with refusals(place):
            if self._is_whole(place, digest):
                sync_folder(place.parent)
                return digest
        with refusals(self.folder):
            temporary = self._temporary()
            write_new(temporary, data, mode=0o444)
        self._name(temporary, place)
        return digest

    def put_json(self, value: Any) -> Digest:  # noqa: ANN401  any JSON value
        """Keep a JSON value as its canonical bytes.

        Raises:
            RequestError: If the value is no JSON, or holds NaN or infinity.
        """
        try:
            data = naming.canonical(value)
        except (TypeError, ValueError) as error:
            raise RequestError(
                f"This is no JSON value: {error}.", hint="Give numbers, text, lists and mappings."
            ) from error
        return self.put_bytes(data)

    def put_file(self, path: Path, *, move: bool = False) -> Digest:
        """Keep a file's content and name it.

        Args:
            path: A regular file, or a symbolic link to one.
            move: Whether the file itself may become the blob; it is gone afterwards.

        Raises:
            NotFoundError: If there is no such file.
            RequestError: If it is no regular file.
            StoreError: If the disk refuses.
        """
        with refusals(path):
            if not path.exists():
                raise NotFoundError(f"There is no file {path}.", hint="Check the path.")
            if not path.is_file():
                raise RequestError(f"{path} is no regular file.", hint="Store regular files only.")
            digest = naming.of_file(path)
        place = self._place(digest)
        with refusals(place):
            if self._is_whole(place, digest):
                sync_folder(place.parent)
                if move:
                    path.unlink()
                return digest
        with refusals(self.folder):
            temporary, digest = self._take(path, digest, move=move)
        self._name(temporary, self._place(digest))
        return digest

    def put_tree(self, folder: Path, *, move: bool = False) -> Digest:
        """Keep a folder: its files as blobs, and one more that lists them and names the tree.

        Only files count: names, content and whether the owner may execute them. Empty folders
        inside are dropped; an empty folder is a tree without entries.

        Raises:
            RequestError: If it is no folder, or holds a link, a socket or a device.
            StoreError: If the disk refuses.
        """
        with refusals(folder):
            found = scan_folder(folder)
        entries = {}
        for name, (path, n_bytes, executable) in found.items():
            digest = self.put_file(path, move=move)
            entries[name] = TreeEntry(digest=digest, n_bytes=n_bytes, executable=executable)
        return self.put_bytes(write_tree(entries))

    def entries(self, tree: Digest) -> dict[str, TreeEntry]:
        """The files of a tree, by their names in it, sorted.

        Raises:
            IntegrityError: If the blob is damaged, is no tree, or names a path outside the tree.
            NotFoundError: If there is no such blob.
        """
        return read_tree(tree, self.read(tree))

    def read(self, digest: Digest) -> bytes:
        """A blob's bytes.

        Raises:
            IntegrityError: If the bytes are not those that the name promises.
            NotFoundError: If there is no such blob.
        """
        place = self._found(digest)
        with refusals(place):
            data = place.read_bytes()
        self._compare(digest, naming.of_bytes(data), len(data))
        return data

    def read_json(self, digest: Digest) -> Any:  # noqa: ANN401  any JSON value
        """A blob's JSON value.

        Raises:
            IntegrityError: If the bytes are not those that the name promises, or no JSON.
            NotFoundError: If there is no such blob.
        """
        try:
            return json.loads(self.read(digest))
        except ValueError as error:
            raise IntegrityError(
                f"Blob {digest} is no JSON: {error}.", hint="Name a blob that holds JSON."
            ) from error

    def path(self, digest: Digest) -> Path:
        """The file that holds a blob, just verified; read it, never write to it.

        Raises:
            IntegrityError: If the bytes are not those that the name promises.
            NotFoundError: If there is no such blob.
        """
        place = self._found(digest)
        with refusals(place):
            self._compare(digest, naming.of_file(place), place.stat().st_size)
        return place

    def check_out(self, digest: Digest, target: Path, *, link: bool = False) -> None:
        """Lay a blob out as the file ``target``, or a tree as the folder ``target``.

        Bytes are verified while they are copied. On an error nothing of a file is left.

        Args:
            digest: A blob, or a tree.
            target: A path that does not exist yet; its parent folders are made.
            link: Whether files may share the blob's own disk space, read-only. Only for readers
                that are trusted not to write through it.

        Raises:
            IntegrityError: If the bytes are not those that the name promises.
            NotFoundError: If there is no such blob.
            RequestError: If ``target`` is there already.
            StoreError: If the disk refuses.
        """
        place = self._found(digest)
        with refusals(target):
            if os.path.lexists(target):
                raise RequestError(f"{target} is there already.", hint="Name a path not yet taken.")
            target.parent.mkdir(parents=True, exist_ok=True)
        with refusals(place), place.open("rb") as file:
            start = file.read(len(START))
        data = self.read(digest) if start == START else b""
        if not is_tree(data):
            self._lay_out(digest, target, executable=False, link=link)
            return
        entries = read_tree(digest, data)
        with refusals(target):
            target.mkdir()
            for folder in sorted({(target / name).parent for name in entries}):
                folder.mkdir(parents=True, exist_ok=True)
        for name, entry in entries.items():
            self._lay_out(entry.digest, target / name, executable=entry.executable, link=link)

    def has(self, digest: Digest) -> bool:
        """Whether a blob of that name is there; its bytes are not read."""
        return self._place(digest).is_file()

    def n_bytes(self, digest: Digest) -> int:
        """A blob's size, in bytes.

        Raises:
            NotFoundError: If there is no such blob.
        """
        place = self._found(digest)
        with refusals(place):
            return place.stat().st_size

    def digests(self) -> Iterator[Digest]:
        """The names of all blobs, sorted."""
        for shelf in sorted(self.folder.glob("sha256/[0-9a-f][0-9a-f]")):
            for place in sorted(shelf.iterdir()):
                with suppress(RequestError):
                    yield naming.parse(f"{naming.PREFIX}{shelf.name}{place.name}")

    def remove(self, digest: Digest) -> int:
        """Remove a blob and tell how many bytes that freed; the caller knows that none needs it.

        Raises:
            NotFoundError: If there is no such blob.
            StoreError: If the disk refuses.
        """
        place = self._found(digest)
        with refusals(place):
            n_bytes = place.stat().st_size
            self._crash.point()
            place.unlink()
            self._crash.point()
        return n_bytes

    def _place(self, digest: Digest) -> Path:
        """Where a blob of that name lies; ``parse`` keeps every path inside the folder."""
        digits = naming.parse(digest).removeprefix(naming.PREFIX)
        return self.folder / "sha256" / digits[:2] / digits[2:]

    def _found(self, digest: Digest) -> Path:
        place = self._place(digest)
        if not place.is_file():
            raise NotFoundError(
                f"There is no blob {digest} in this home.",
                hint="Check the digest, or pull what it belongs to from the home that has it.",
            )
        return place

    def _is_whole(self, place: Path, digest: Digest) -> bool:
        return place.is_file() and naming.of_file(place) == digest

    def _temporary(self) -> Path:
        return Path(tempfile.mktemp(prefix="blob-", dir=self._scratch()))  # noqa: S306  the folder is ours alone, and the file is opened with O_EXCL

    def _take(self, path: Path, digest: Digest, *, move: bool) -> tuple[Path, Digest]:
        """Bring a file into the scratch folder; what is named is what lies there afterwards."""
        temporary = self._temporary()
        if move and not path.is_symlink() and path.stat().st_nlink == 1:
            with suppress(OSError):  # another file system: copied below
                path.rename(temporary)
                temporary.chmod(0o444)
                with temporary.open("rb") as file:
                    os.fsync(file.fileno())
                return temporary, digest
        with (
            path.open("rb") as source,
            temporary.open("xb") as sink,
            whole_or_gone(temporary),
        ):
            digest = _copy(source.fileno(), sink.fileno())
            os.fsync(sink.fileno())
        temporary.chmod(0o444)
        if move:
            path.unlink()
        return temporary, digest

    def _name(self, temporary: Path, place: Path) -> None:
        """Give a synced temporary file its name, for good."""
        with refusals(place):
            if not place.parent.is_dir():
                place.parent.mkdir(parents=True, exist_ok=True)
                for folder in (place.parent.parent, self.folder, self.folder.parent):
                    sync_folder(folder)
            self._crash.point()
            temporary.rename(place)
            sync_folder(place.parent)
            self._crash.point()

    def _lay_out(self, digest: Digest, target: Path, *, executable: bool, link: bool) -> None:
        if link and not executable:
            place = self.path(digest)
            with suppress(OSError):  # another file system, or too many links: copied below
                target.hardlink_to(place)
                return
        place = self._found(digest)
        with refusals(target), place.open("rb") as source, target.open("xb") as sink:
            with whole_or_gone(target):
                found = _copy(source.fileno(), sink.fileno())
                self._compare(digest, found, sink.seek(0, os.SEEK_END))
            if executable:
                target.chmod(0o755)

    def _compare(self, digest: Digest, found: Digest, n_bytes: int) -> None:
        if found != digest:
            raise IntegrityError(
                f"Blob {digest} is damaged: its {n_bytes} bytes are {found}.",
                hint="Delete the file and make it anew by `fairway run`, or pull it from a home "
                "that has it whole.",
            )


def _copy(source: int, sink: int) -> Digest:
    """Copy bytes between two open files and name what was copied."""
    seen = hashlib.sha256()
    while block := os.read(source, BLOCK_BYTES):
        seen.update(block)
        view = memoryview(block)
        while view:
            view = view[os.write(sink, view) :]
    return Digest(naming.PREFIX + seen.hexdigest())
