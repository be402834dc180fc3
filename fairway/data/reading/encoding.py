"""How the letters of a text file are spelled: UTF-8, or said otherwise.

Room: ``fairway.data``, under ``file``. Python decodes in blocks, so that a file of any size needs
the memory of one block. It parses nothing and loads no engine.
"""

import codecs
import gzip
import io
import zlib
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import IO, cast

from fairway.errors import ProjectError

BLOCK_BYTES = 1 << 20
COMMON = ("utf-8", "latin-1", "cp1252", "cp1250", "cp1251", "iso-8859-15", "utf-16", "mac-roman")


def is_utf8(encoding: str | None) -> bool:
    """Whether a file so declared can be read as it is."""
    return encoding is None or _codec(encoding).name in {"utf-8", "utf-8-sig", "ascii"}


def check_utf8(path: Path, shown: str) -> None:
    """Make sure that a text file is UTF-8; reads it once.

    Raises:
        ProjectError: If it is not, with the encoding to write; or a ``.gz`` is half written.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    n_lines = 0
    for block in _blocks(path, shown):
        if block.isascii() and not decoder.getstate()[0]:
            n_lines += block.count(b"\n")
            continue
        pending = decoder.getstate()[0]
        try:
            decoder.decode(block)
        except UnicodeDecodeError as error:
            raise _not_utf8(shown, pending + block, error.start, n_lines) from error
        n_lines += block.count(b"\n")
    if pending := decoder.getstate()[0]:
        raise _not_utf8(shown, pending, 0, n_lines)


def decode(path: Path, shown: str, encoding: str, target: Path) -> None:
    """Write a text file anew as UTF-8, uncompressed, block by block.

    Raises:
        ProjectError: If its bytes are not of that encoding.
    """
    decoder = codecs.getincrementaldecoder(_codec(encoding).name)()
    with target.open("w", encoding="utf-8", newline="") as file:
        try:
            for block in _blocks(path, shown):
                file.write(decoder.decode(block))
            file.write(decoder.decode(b"", final=True))
        except UnicodeDecodeError as error:
            byte = error.object[error.start]
            raise ProjectError(
                f"{shown} is not {encoding}: byte 0x{byte:02X} means nothing there.",
                hint='Write its encoding in the source, such as encoding = "latin-1".',
            ) from error


def lines(path: Path) -> Iterator[str]:
    """The lines of a UTF-8 text, one by one, without a byte order mark."""
    with _opened(path) as file, io.TextIOWrapper(file, "utf-8-sig", newline="") as text:
        yield from text


def _blocks(path: Path, shown: str) -> Iterator[bytes]:
    """The bytes of a file, of what is packed in it where it is a ``.gz``."""
    try:
        with _opened(path) as file:
            while block := file.read(BLOCK_BYTES):
                yield block
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ProjectError(
            f"{shown} is half written or no gzip file: {error}.",
            hint="Copy the file again, or remove it.",
        ) from error
    except OSError as error:
        raise ProjectError(
            f"{shown} cannot be read: {error.strerror}.",
            hint="Let the file be read, then run again.",
        ) from error


def _opened(path: Path) -> IO[bytes]:
    """Open a file for its bytes."""
    if path.name.lower().endswith(".gz"):
        return cast("IO[bytes]", gzip.open(path, "rb"))
    return path.open("rb")


def _codec(encoding: str) -> codecs.CodecInfo:
    """Find an encoding by its name."""
    try:
        return codecs.lookup(encoding)
    except LookupError as error:
        near = get_close_matches(encoding.lower(), COMMON, n=1)
        raise ProjectError(
            f"{encoding!r} is no encoding.",
            hint=f"Write {near[0]!r}." if near else f"Write one of {', '.join(COMMON)}.",
        ) from error


def _not_utf8(shown: str, data: bytes, start: int, n_lines: int) -> ProjectError:
    """Say where a file stops being UTF-8 and what it most likely is."""
    line = n_lines + data[:start].count(b"\n") + 1
    if data[:2] in {codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE}:
        name = "utf-16"
    else:  # 0x80 to 0x9F are letters and quotes in Windows' spelling, controls in Latin-1
        name = "cp1252" if any(0x80 <= byte <= 0x9F for byte in data) else "latin-1"
    return ProjectError(
        f"{shown} is not UTF-8: line {line} has the byte 0x{data[start]:02X}.",
        hint=f'Write encoding = "{name}" in its source.',
    )
