"""Choose how a first project's rows are dealt: by time where there is one, else by entity.

Room: ``fairway.line``, for ``new``. The dataset is there as a table; each way to split it is tried
with ``fairway.data.split`` itself, and taken only if every part can do its work.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING, Any

from fairway.data.known_at import duration
from fairway.data.split import EntitySplit, TimeSplit, Windows
from fairway.errors import ProjectError, RequestError
from fairway.line.first.view import View, quote

if TYPE_CHECKING:
    import ibis.expr.types as ir

FEWEST_ROWS = 20  # in a part
FEWEST_OF_ONE = 2  # of each value of a yes-or-no target, in a part
LEAST_SHARE = 0.05  # of the rows in a part, below which windows by time are chosen by rows
SHARE = 0.15
SALTS = ("", *"abcdefghijklmnopqrstuvwxyz")
PARTS = ("train", "validation", "test")
DAY_S, HOUR_S, MINUTE_S = 86_400.0, 3_600.0, 60.0


@dataclass(frozen=True, kw_only=True)
class Deal:
    """A split, as it would stand in the project file.

    Attributes:
        keys: What ``[split]`` says, each value as TOML would have it.
        counts: Labelled rows by part.
        windows: When each part is, if by time.
        notes: What the user should know, as sentences.
    """

    keys: Mapping[str, Any]
    counts: Mapping[str, int]
    windows: Windows | None = None
    notes: tuple[str, ...] = ()


def choose(
    view: View,
    dataset: "ir.Table",
    *,
    target: str,
    binary: bool,
    time: str | None,
    entity: Sequence[str],
    key: Sequence[str],
) -> Deal:
    """Choose a split whose every part can do its work.

    Raises:
        RequestError: If there is none: too few rows, or too few of the rarer value.
    """
    if time is not None:
        found = _by_time(view, dataset, target=target, binary=binary, time=time)
        if found is not None:
            return found
    keys: dict[str, Any] = {"by": "entity"}
    if tuple(entity) != tuple(key):
        keys["key"] = entity[0] if len(entity) == 1 else list(entity)
    for salt in SALTS:
        split = EntitySplit(key=tuple(entity), salt=salt)
        counts = _counts(view, split.assign(dataset, target=target), target)
        if _is_enough(counts, binary=binary):
            keys |= {"salt": salt} if salt else {}
            notes = () if time is None else (f"{time} has too few times to split by.",)
            return Deal(keys=keys, counts=_sizes(counts), notes=notes)
    raise RequestError(
        "The rows are too few to train, tune and judge a model: no split leaves "
        f"{FEWEST_ROWS} in each part{', some of them 0 and some 1' if binary else ''}.",
        hint="Add rows to the table.",
    )


def _by_time(
    view: View, dataset: "ir.Table", *, target: str, binary: bool, time: str
) -> Deal | None:
    """Windows of the usual length, else of as many rows; None if neither will do."""
    at = f"CAST({quote(time)} AS TIMESTAMP)"
    rows = f"{quote(dataset.get_name())} WHERE {quote(target)} IS NOT NULL"
    ((oldest, newest),) = view.ask(f"SELECT min({at}), max({at}) FROM {rows}")  # noqa: S608  quoted
    if oldest is None:
        return None
    oldest, newest = oldest.replace(tzinfo=UTC), newest.replace(tzinfo=UTC)
    span_s = (newest - oldest).total_seconds()
    unit_s = DAY_S if span_s >= 30 * DAY_S else HOUR_S if span_s >= 10 * HOUR_S else MINUTE_S
    counted = view.ask(
        f"SELECT epoch({at}) // {unit_s} AS unit, count(*) FROM {rows} AND {at} IS NOT NULL "  # noqa: S608  quoted
        "GROUP BY 1 ORDER BY 1 DESC"
    )
    n_labelled = sum(n for _, n in counted)
    for split in (TimeSplit(), _by_rows(counted, n_labelled, unit_s)):
        if split is None:
            continue
        try:
            windows = split.resolve(oldest, newest)
        except ProjectError:
            continue
        parts = split.assign(dataset, time=time, target=target, windows=windows)
        counts = _counts(view, parts, target)
        is_fair = min(_sizes(counts).values()) >= LEAST_SHARE * n_labelled
        if _is_enough(counts, binary=binary) and (is_fair or split.test_s):
            lengths = {"test": split.test_s, "validation": split.validation_s}
            keys = {name: duration(length) for name, length in lengths.items() if length}
            return Deal(keys={"by": "time", **keys}, counts=_sizes(counts), windows=windows)
    return None


def _by_rows(
    counted: Sequence[tuple[float, int]], n_labelled: int, unit_s: float
) -> TimeSplit | None:
    """Windows that hold about 15 % of the rows each.

    Args:
        counted: Units of time that have rows, newest first, each with how many.
        n_labelled: All of these rows.
        unit_s: Seconds of a unit.
    """
    wanted = SHARE * n_labelled
    until = counted[0][0] + 1
    cuts: list[float] = []
    left = list(counted)
    for _ in range(2):
        total, best = 0, 0
        sums = []
        for _, n in left:
            total += n
            sums.append(total)
        best = min(range(len(sums)), key=lambda i: abs(sums[i] - wanted), default=-1)
        if best < 0:
            return None
        cuts.append(left[best][0])
        left = left[best + 1 :]
    if not left:
        return None
    return TimeSplit(test_s=(until - cuts[0]) * unit_s, validation_s=(cuts[0] - cuts[1]) * unit_s)


def _counts(view: View, parts: "ir.Table", target: str) -> dict[str, tuple[int, int, int]]:
    """By part: labelled rows, those whose target is 0, those whose target is 1."""
    y = quote(target)
    sql = view.engine.compile(parts.select(target, "part"))
    rows = view.ask(
        f"SELECT part, count(*), count_if({y} = 0), count_if({y} = 1) FROM ({sql}) "  # noqa: S608  quoted
        "WHERE part IS NOT NULL GROUP BY 1"
    )
    return {part: (n, n_0, n_1) for part, n, n_0, n_1 in rows}


def _sizes(counts: Mapping[str, tuple[int, int, int]]) -> dict[str, int]:
    return {part: counts.get(part, (0, 0, 0))[0] for part in PARTS}


def _is_enough(counts: Mapping[str, tuple[int, int, int]], *, binary: bool) -> bool:
    for part in PARTS:
        n, n_0, n_1 = counts.get(part, (0, 0, 0))
        if n < FEWEST_ROWS or (binary and min(n_0, n_1) < FEWEST_OF_ONE):
            return False
    return True
