"""What is shown: one row of the table, with its bar or beside Fairway's own figure."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One row.

    Attributes:
        name: What was measured; of a peer, who.
        value: The median; None where the peer is not there.
        unit: In what.
        n: Of how many runs.
        bar: At most so much; None for a peer.
        ratio: Fairway's figure over the peer's, or over the bar.
        remark: Whatever a reader must know, as why there is no value.
    """

    name: str
    value: float | None
    unit: str
    n: int = 1
    bar: float | None = None
    ratio: float | None = None
    remark: str = ""

    @property
    def is_met(self) -> bool | None:
        """Whether the bar holds; None where there is none."""
        return None if self.bar is None or self.value is None else self.value <= self.bar


def own(name: str, value: float, unit: str, *, bar: float, n: int, remark: str = "") -> Figure:
    """A figure of Fairway's, which has to meet a bar."""
    return Figure(name=name, value=value, unit=unit, bar=bar, n=n, ratio=value / bar, remark=remark)


def peer(name: str, value: float | None, beside: Figure, *, n: int, remark: str = "") -> Figure:
    """What another program needs for the same; None where it is not there."""
    assert beside.value is not None
    if value is None:
        return Figure(name=f"  {name}", value=None, unit=beside.unit, remark="not installed")
    ratio = beside.value / value
    return Figure(name=f"  {name}", value=value, unit=beside.unit, n=n, ratio=ratio, remark=remark)


HEADINGS = ("figure", "measured", "bar", "ratio", "n", "ok", "")


def rows(figures: Sequence[Figure]) -> list[tuple[str, ...]]:
    """The table's cells as text, headings first."""
    answer = {True: "yes", False: "NO", None: ""}
    return [
        HEADINGS,
        *(
            (
                one.name,
                "-" if one.value is None else f"{one.value:,.3g} {one.unit}",
                "" if one.bar is None else f"<= {one.bar:g}",
                "" if one.ratio is None else f"{one.ratio:.2f}",
                "" if one.value is None else str(one.n),
                answer[one.is_met],
                one.remark,
            )
            for one in figures
        ),
    ]


def table(figures: Sequence[Figure]) -> str:
    """The table as text.

    ``ratio`` is Fairway over the peer in a peer's row, and over the bar in a row with a bar.
    """
    cells = rows(figures)
    widths = [max(len(row[column]) for row in cells) for column in range(len(HEADINGS))]
    lines = []
    for row in cells:
        name, *middle, remark = (cell.ljust(w) for cell, w in zip(row, widths, strict=True))
        right = [cell.strip().rjust(w) for cell, w in zip(middle, widths[1:-1], strict=True)]
        lines.append("  ".join([name, *right, remark]).rstrip())
    return "\n".join(lines)
