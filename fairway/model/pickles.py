"""Find pickles, wherever in a model's folder they hide: a pickle is a program, not data.

Room: ``fairway.model``, before ``form``. It reads bytes and never loads what it finds. A pickle is
known by its suffix, by its first bytes, or because its opcodes run to the end; also inside zip and
tar archives, behind gzip, zlib, bz2 and xz, and as an object array of NumPy.

Source: Python, ``pickletools``; NumPy, NEP 1 (the npy format).
"""

import bz2
import io
import lzma
import pickletools
import re
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from fairway.errors import StepError

SUFFIXES = frozenset(
    {".pkl", ".pickle", ".p", ".pck", ".joblib", ".jbl", ".dill", ".cloudpickle", ".pt", ".pth"}
)
N_SCAN_BYTES = 8 << 20  # of a file without a pickle's first bytes: old protocols are text
N_DEEP = 3  # archives within archives
PROTOCOL = re.compile(rb"\x80[\x02-\x05]")
NPY = b"\x93NUMPY"
EXECUTES = frozenset(
    {"GLOBAL", "STACK_GLOBAL", "INST", "OBJ", "REDUCE", "NEWOBJ", "NEWOBJ_EX", "BUILD"}
    | {"EXT1", "EXT2", "EXT4", "PERSID", "BINPERSID"}
)
SQUEEZED = {b"\x1f\x8b": "gzip", b"BZh": "bz2", b"\xfd7zXZ": "xz", b"x\x01": "zlib"}
SQUEEZED |= {b"x\x5e": "zlib", b"x\x9c": "zlib", b"x\xda": "zlib"}


def refuse(folder: Path) -> None:
    """Refuse a folder that holds a pickle anywhere.

    Raises:
        StepError: Naming the first such file, or archive and member, and how it was known.
    """
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            raise StepError(
                f"The model's {name} is a symbolic link.", hint="Put the file itself there."
            )
        if path.is_file():
            found = next(_pickles(path, name), None)
            if found:
                where, why = found
                raise StepError(
                    f"The model holds a pickle: {where} ({why}). Loading it would run its code.",
                    hint="Save the model as .skops, LightGBM .txt, XGBoost .ubj or .onnx instead.",
                )


def _pickles(path: Path, name: str) -> Iterator[tuple[str, str]]:
    if path.suffix.lower() in SUFFIXES:
        yield name, f"by its suffix {path.suffix}"
    with path.open("rb") as file:
        yield from _within(file, name, N_DEEP)


def _within(file: BinaryIO, name: str, depth: int) -> Iterator[tuple[str, str]]:
    """Pickles in one open, seekable file."""
    head = file.read(4096)
    file.seek(0)
    if PROTOCOL.match(head):
        yield name, "by its first bytes"
        return
    if head.startswith(NPY):
        if b"|O" in _npy_header(head):
            yield name, "an object array, which NumPy pickles"
        return
    if depth == 0:
        return
    if zipfile.is_zipfile(file):
        yield from _in_zip(file, name, depth)
        return
    file.seek(0)
    kind = next((kind for magic, kind in SQUEEZED.items() if head.startswith(magic)), None)
    if kind:
        inside = _squeezed_start(file.read(N_SCAN_BYTES), kind)
        yield from _within(io.BytesIO(inside), f"{name} ({kind})", depth - 1)
        return
    if head[257:262] == b"ustar":
        yield from _in_tar(file, name, depth)
        return
    if _runs_to_the_end(file.read(N_SCAN_BYTES)):
        yield name, "by its opcodes"


def _npy_header(head: bytes) -> bytes:
    """The description at a NumPy file's start, without its data, which may hold any bytes.

    Source: NumPy Enhancement Proposal 1, the NPY format, versions 1.0 to 3.0.
    """
    n_length = 2 if head[6:7] == b"\x01" else 4
    start = 8 + n_length
    return head[start : start + int.from_bytes(head[8:start], "little")]


def _in_zip(file: BinaryIO, name: str, depth: int) -> Iterator[tuple[str, str]]:
    try:
        with zipfile.ZipFile(file) as archive:
            for member in archive.infolist():
                where = f"{name}/{member.filename}"
                if Path(member.filename).suffix.lower() in SUFFIXES:
                    yield where, "by its suffix"
                with archive.open(member) as inside:
                    start = inside.read(N_SCAN_BYTES)
                yield from _within(io.BytesIO(start), where, depth - 1)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, zlib.error, EOFError) as error:
        raise StepError(
            f"The model's {name} is an archive that cannot be read: {error}.",
            hint="Save the model again, without encryption.",
        ) from error


def _in_tar(file: BinaryIO, name: str, depth: int) -> Iterator[tuple[str, str]]:
    try:
        with tarfile.open(fileobj=file, mode="r:") as archive:
            for member in archive:
                where = f"{name}/{member.name}"
                inside = archive.extractfile(member) if member.isfile() else None
                if inside is None:
                    continue
                if Path(member.name).suffix.lower() in SUFFIXES:
                    yield where, "by its suffix"
                start = inside.read(N_SCAN_BYTES)
                yield from _within(io.BytesIO(start), where, depth - 1)
    except tarfile.TarError:
        return


def _squeezed_start(data: bytes, kind: str) -> bytes:
    """The first bytes behind a compression; nothing if it is none after all."""
    try:
        if kind == "bz2":
            return bz2.BZ2Decompressor().decompress(data, N_SCAN_BYTES)
        if kind == "xz":
            return lzma.LZMADecompressor().decompress(data, N_SCAN_BYTES)
        bits = zlib.MAX_WBITS | (16 if kind == "gzip" else 0)
        return zlib.decompressobj(bits).decompress(data, N_SCAN_BYTES)
    except (OSError, lzma.LZMAError, zlib.error):
        return b""


def _runs_to_the_end(data: bytes) -> bool:
    """Whether bytes are a pickle of protocol 0 or 1 that names or calls something.

    Such a pickle has no first bytes of its own. Text of other formats meets an unknown opcode, or
    takes from an empty stack, within a few bytes.
    """
    depth, executes = 0, False
    try:
        for opcode, _, _ in pickletools.genops(data):
            executes |= opcode.name in EXECUTES
            taken = [item.name for item in opcode.stack_before]
            if "mark" not in taken:
                depth -= len(taken)
            if depth < 0:
                return False
            depth += len(opcode.stack_after)
            if opcode.name == "STOP":
                return executes
    except (ValueError, UnicodeDecodeError, OverflowError):
        return False
    return False
