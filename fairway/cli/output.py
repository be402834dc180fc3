"""Print answers: one JSON object for scripts, short text and tables for people.

Room: ``fairway.cli``. Tables are drawn by rich on a terminal and are plain text elsewhere; both fit
80 columns. It prints what it is given and looks nothing up.
"""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import PurePath
from typing import Any

from fairway.errors import FairwayError

WIDTH = 80
GAP = "  "


def emit(answer: Mapping[str, Any]) -> None:
    """Print exactly one JSON object on stdout, in one line."""
    text = json.dumps(answer, ensure_ascii=False, allow_nan=False, default=_spell)
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def say(*lines: str) -> None:
    """Print lines for people."""
    sys.stdout.write("".join(f"{line}\n" for line in lines))


def note(text: str, *, margin: str = "") -> None:
    """Print a text that may be long, in lines of at most 80 columns; words stay whole."""
    import textwrap

    lines = textwrap.wrap(
        text,
        WIDTH,
        initial_indent=margin,
        subsequent_indent=f"{margin}  ",
        break_long_words=False,
        break_on_hyphens=False,
    )
    say(*(lines or [margin]))


def fault(error: FairwayError) -> dict[str, Any]:
    """Describe an error for scripts."""
    file = getattr(error, "file", None)
    return {
        "file": None if file is None else _near(file),
        "line": getattr(error, "line", None),
        "problem": _with_notes(error),
        "hint": error.hint,
    }


def fault_line(error: FairwayError) -> str:
    """Describe an error for people: ``FILE:LINE: problem. hint`` as far as they are known."""
    told = fault(error)
    place = ":".join(str(part) for part in (told["file"], told["line"]) if part is not None)
    text = f"{told['problem']} {told['hint']}"
    return f"{place}: {text}" if place else text


def table(
    heads: Sequence[str], rows: Sequence[Sequence[Any]], *, numbers: Sequence[str] = ()
) -> None:
    """Print a table that fits 80 columns.

    Args:
        heads: Names of the columns.
        rows: Cells; None is an empty one. The widest text column is shortened where needed.
        numbers: Heads of the columns that are aligned to the right.
    """
    cells = [["" if cell is None else str(cell) for cell in row] for row in rows]
    widths = _widths(heads, cells)
    if sys.stdout.isatty():
        _rich_table(heads, cells, widths, numbers)
        return
    for row in [list(heads), *cells]:
        parts = [
            _cut(cell, width).rjust(width) if head in numbers else _cut(cell, width).ljust(width)
            for head, cell, width in zip(heads, row, widths, strict=True)
        ]
        say(GAP.join(parts).rstrip())


def number(value: Any, digits: int = 4) -> str:  # noqa: ANN401  any JSON value
    """Write a number for people, ``-`` where there is none."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.{digits}g}"
    return str(value)


def short(name: Any) -> str:  # noqa: ANN401  any JSON value
    """Shorten a digest to what people can compare by eye; other names stay."""
    text = "-" if name is None else str(name)
    return text.removeprefix("sha256:")[:12] if text.startswith("sha256:") else text


def size(n_bytes: float | None) -> str:
    """Write bytes for people, in powers of ten."""
    if n_bytes is None:
        return "-"
    amount = float(n_bytes)
    for unit in ("B", "kB", "MB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} GB"


def _widths(heads: Sequence[str], cells: Sequence[Sequence[str]]) -> list[int]:
    widths = [max(len(text) for text in column) for column in zip(heads, *cells, strict=True)]
    while sum(widths) + len(GAP) * (len(widths) - 1) > WIDTH and max(widths) > 1:
        widths[widths.index(max(widths))] -= 1
    return widths


def _cut(text: str, width: int) -> str:
    text = " ".join(text.split())
    return text if len(text) <= width else f"{text[: max(width - 1, 0)]}…"


def _rich_table(
    heads: Sequence[str],
    cells: Sequence[Sequence[str]],
    widths: Sequence[int],
    numbers: Sequence[str],
) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=None, pad_edge=False, padding=(0, len(GAP), 0, 0), header_style="bold")
    for head, width in zip(heads, widths, strict=True):
        drawn.add_column(
            Text(head), justify="right" if head in numbers else "left", width=width, no_wrap=True
        )
    for row in cells:
        drawn.add_row(*(Text(_cut(cell, w)) for cell, w in zip(row, widths, strict=True)))
    Console(width=WIDTH + len(GAP), highlight=False).print(drawn)


def _with_notes(error: FairwayError) -> str:
    return " ".join([error.problem, *getattr(error, "__notes__", ())])


def _near(file: PurePath) -> str:
    """Name a file as the reader would from where they stand."""
    try:
        relative = os.path.relpath(file)
    except ValueError:
        return str(file)
    return str(file) if relative.startswith("..") else relative


def _spell(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, PurePath):
        return str(value)
    problem = f"{type(value).__name__} has no JSON form"
    raise TypeError(problem)
