"""Split a snapshot into the rows that train a model, tune it and judge it.

Room: ``fairway.data``, after ``snapshot`` and before ``pipeline``. A split takes a table and
returns that table with one more column. It opens no file; only ``labelled_span`` runs a query.
Ibis is imported where it is used, so that reading a project file loads no engine. What does not fit
the rows is refused with a problem that begins ``Split:``, so that the caller can point at [split].
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from fairway.data.known_at import KnownAt, instant
from fairway.data.name import choice
from fairway.errors import ContractError, ProjectError

if TYPE_CHECKING:
    import ibis.expr.types as ir

HEX_DIGITS = 8  # 32 bits: finer than any share worth writing down
KEY_JOINT = "\x1f"  # ASCII's unit separator: no key is likely to hold it
DEFAULT_SHARE = 0.15  # of the labelled span, for test and for validation each
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MINUTE_S, HOUR_S, DAY_S = 60.0, 3600.0, 86400.0


@dataclass(frozen=True, kw_only=True)
class Window:
    """A span of time: ``start`` belongs to it, ``until`` does not.

    Attributes:
        start: First instant, aware UTC; None means everything before ``until``.
        until: First instant after it, aware UTC.
    """

    start: datetime | None
    until: datetime

    def __contains__(self, at: datetime) -> bool:
        return (self.start is None or self.start <= at) and at < self.until

    def __str__(self) -> str:
        start = "the first row" if self.start is None else _show(self.start)
        return f"{start} until {_show(self.until)}"


@dataclass(frozen=True, kw_only=True)
class Windows:
    """The three windows of a time split, in order of time and disjoint.

    Attributes:
        train: Rows to learn from.
        validation: Rows to tune by, at least ``gap_s`` after every training row.
        test: Rows that judge, at least ``gap_s`` after every validation row.
        gap_s: Seconds before validation and before test whose rows belong to no part.
    """

    train: Window
    validation: Window
    test: Window
    gap_s: float

    def part(self, at: datetime) -> str | None:
        """Name the part of a labelled row whose time is ``at``."""
        windows = (("train", self.train), ("validation", self.validation), ("test", self.test))
        return next((name for name, window in windows if at in window), None)


@dataclass(frozen=True, kw_only=True)
class TimeSplit:
    """Train on the past, tune on what followed, judge on the newest rows.

    A row's part depends on its time and the windows alone. With ``until`` given, later
    snapshots deal the same rows alike.

    Attributes:
        test_s: Length of the test window in seconds; None: 15 % of the labelled span, rounded up
            to whole days (to hours where the span is under 30 days).
        validation_s: Length of the validation window, likewise; it lies before the test window.
        gap_s: Rows within so many seconds before a window belong to no part.
        until: End of the test window, exclusive, aware; None: the start of the day (hour, where
            the span is under 30 days) after the newest labelled row.

    Raises:
        ProjectError: If a length is not above zero, the gap is negative, or ``until`` has no zone.

    Source: Bergmeir, Benitez, "On the use of cross-validation for time series predictor
    evaluation", 2012 (blocks with gaps).
    """

    test_s: float | None = None
    validation_s: float | None = None
    gap_s: float = 0.0
    until: datetime | None = None

    def __post_init__(self) -> None:
        for name, length in (("test", self.test_s), ("validation", self.validation_s)):
            if length is not None and not 0 < length < math.inf:
                raise ProjectError(f"{name} = {length} s is no window.", hint='Write as in "31d".')
        if not 0 <= self.gap_s < math.inf:
            raise ProjectError(f"gap = {self.gap_s} s is no gap.", hint='Write as in "1d", or 0s.')
        if self.until is not None and self.until.tzinfo is None:
            raise ProjectError(f"until = {self.until} has no zone.", hint="Give it in UTC.")

    def resolve(self, oldest: datetime, newest: datetime) -> Windows:
        """Fix the windows for labelled rows from ``oldest`` to ``newest`` (aware); pure.

        Laws: train, validation and test are disjoint and in this order, and between two of them
        lie ``gap_s`` seconds; ``oldest`` is in train.

        Raises:
            ProjectError: If no time is left to train on, or the test window starts after
                ``newest``.
        """
        span_s = (newest - oldest).total_seconds()
        unit_s = _unit(span_s)
        length_s = max(unit_s, math.ceil(DEFAULT_SHARE * span_s / unit_s) * unit_s)
        until = self.until
        if until is None:
            units = math.floor((newest - EPOCH).total_seconds() / unit_s)
            until = EPOCH + timedelta(seconds=(units + 1) * unit_s)
        gap = timedelta(seconds=self.gap_s)
        test = until - timedelta(seconds=self.test_s or length_s)
        validation = test - timedelta(seconds=self.validation_s or length_s)
        if validation >= test - gap:
            raise ProjectError(
                f"Split: the gap leaves nothing of the validation window from {_show(validation)} "
                f"until {_show(test)}.",
                hint="Make gap shorter or validation longer.",
            )
        if oldest >= validation - gap:
            raise ProjectError(
                f"Split: no rows are left to train on: the oldest labelled row is of "
                f"{_show(oldest)}, training would end at {_show(validation - gap)}.",
                hint="Shorten test, validation or gap, or set until later.",
            )
        if newest < test:
            raise ProjectError(
                f"Split: the test window starts at {_show(test)}, but the newest labelled row is "
                f"of {_show(newest)}.",
                hint="Set until to the day after the newest labelled row.",
            )
        return Windows(
            train=Window(start=None, until=validation - gap),
            validation=Window(start=validation, until=test - gap),
            test=Window(start=test, until=until),
            gap_s=self.gap_s,
        )

    def assign(self, table: "ir.Table", *, time: str, target: str, windows: Windows) -> "ir.Table":
        """Add the column ``part``: (n rows, c columns) -> (n rows, c + 1 columns).

        Its values are ``train``, ``validation``, ``test`` or null: a row without a label, without
        a time, in a gap, or after the test window has no part.

        Args:
            table: The dataset.
            time: Its timestamp or date column; one without a zone is read as UTC.
            target: Its label.
            windows: What ``resolve`` answered.

        Raises:
            ProjectError: If a column is absent, or ``time`` is neither timestamp nor date.
        """
        import ibis

        at = instant(table, KnownAt(time))
        label = _column(table, target)

        def within(window: Window) -> "ir.BooleanValue":
            before = at < ibis.literal(window.until, "timestamp('UTC')")
            if window.start is None:
                return before
            return before & (at >= ibis.literal(window.start, "timestamp('UTC')"))

        part = ibis.cases(
            (is_missing(label), ibis.null("string")),
            (within(windows.train), "train"),
            (within(windows.validation), "validation"),
            (within(windows.test), "test"),
        )
        return table.mutate(part=part)


@dataclass(frozen=True, kw_only=True)
class EntitySplit:
    """Hold out whole entities by hash, so that no customer is in both train and test.

    A row's part depends on its key and the salt alone. An entity therefore keeps its part in
    every later snapshot, and raising ``validation`` takes rows from train, never from test.

    Attributes:
        key: Column naming the entity, string or integer, or several of them. A row with a null
            key gets no part.
        test: Share of entities that judge the model, in [0, 1).
        validation: Share of entities that tune it, in [0, 1).
        salt: Any text; another text deals all entities anew.

    Raises:
        ProjectError: If a share is outside [0, 1), or the two leave nothing to train on.

    Source: "Repeatable Splitting", Lakshmanan et al., Machine Learning Design Patterns, 2020.
    """

    key: str | Sequence[str]
    test: float = 0.2
    validation: float = 0.2
    salt: str = ""

    def __post_init__(self) -> None:
        if not self.key:
            raise ProjectError("No column names the entity.", hint="Name one as key.")
        for name, share in (("test", self.test), ("validation", self.validation)):
            if not 0 <= share < 1:
                raise ProjectError(f"{name} = {share} is no share.", hint="A fifth is 0.2.")
        if self.test + self.validation >= 1:
            raise ProjectError("No rows are left to train on.", hint="Lower test or validation.")

    def assign(self, table: "ir.Table", *, target: str | None = None) -> "ir.Table":
        """Add the column ``part``: (n rows, c columns) -> (n rows, c + 1 columns).

        Args:
            table: The dataset.
            target: Its label, where rows without one shall get no part.

        Raises:
            ProjectError: If ``table`` lacks a column, or a key is neither string nor integer.
        """
        import ibis

        text: ir.StringValue = ibis.literal(f"{self.salt}:")
        for place, name in enumerate([self.key] if isinstance(self.key, str) else self.key):
            key = _column(table, name)
            if not (key.type().is_string() or key.type().is_integer()):
                raise ProjectError(
                    f"Split: the key {name} is {key.type()}, neither text nor a whole number.",
                    hint="Cast it to text in the build, or name another column as split.key.",
                )
            text = text + KEY_JOINT if place else text
            text += key.cast("string")
        lot = draw(text)
        label = None if target is None else _column(table, target)
        unlabelled = ibis.literal(value=False) if label is None else is_missing(label)
        part = ibis.cases(
            (unlabelled, ibis.null("string")),
            (lot < _hex(self.test), "test"),
            (lot < _hex(self.test + self.validation), "validation"),
            (lot.notnull(), "train"),
        )
        return table.mutate(part=part)


def is_missing(column: "ir.Column") -> "ir.BooleanColumn":
    """Null, or a float that is no number; never null itself."""
    import ibis

    if column.type().is_floating():
        return column.isnull() | ibis.coalesce(column.isnan(), ibis.literal(value=False))
    return column.isnull()


def draw(text: "ir.StringValue") -> "ir.StringValue":
    """Draw a lot for each text: eight hexadecimal digits, evenly spread, the same for ever.

    Hex of equal length sorts as the number that it spells. Null stays null.
    """
    import ibis

    @ibis.udf.scalar.builtin(name="md5")  # type: ignore[untyped-decorator]  # Ibis ships no types
    def md5(text: str) -> str:
        """Every engine has md5 and spells it alike; nothing here is secret."""
        raise NotImplementedError  # the engine's own function is called

    return md5(text).left(HEX_DIGITS)


def labelled_span(table: "ir.Table", *, time: str, target: str) -> tuple[datetime, datetime]:
    """Ask the engine for the time of the oldest and of the newest labelled row, aware UTC.

    Raises:
        ContractError: If no row has both a label and a time.
        ProjectError: If a column is absent, or ``time`` is neither timestamp nor date.
    """
    at = instant(table, KnownAt(time))
    rows = table.filter(~is_missing(_column(table, target)) & at.notnull())
    at = instant(rows, KnownAt(time))
    answer = rows.aggregate(oldest=at.min(), newest=at.max()).to_pyarrow().to_pylist()[0]
    oldest, newest = answer["oldest"], answer["newest"]
    if oldest is None or newest is None:
        raise ContractError(
            f"No row has both {target} and {time}, so there is nothing to split.",
            hint="Look at the sources, or choose another target.",
        )
    return oldest.astimezone(UTC), newest.astimezone(UTC)


def _hex(share: float) -> str:
    """Spell the point that lies ``share`` of the way through the hash space, in [0, 1)."""
    return f"{math.floor(share * 16**HEX_DIGITS):0{HEX_DIGITS}x}"


def _unit(span_s: float) -> float:
    """Windows of a span are whole days, of a short one hours, of a very short one minutes."""
    if span_s >= 30 * DAY_S:
        return DAY_S
    return HOUR_S if span_s >= 10 * HOUR_S else MINUTE_S


def _column(table: "ir.Table", name: str) -> "ir.Column":
    if name not in table.columns:
        raise ProjectError(
            f"Split: the dataset has no column {name!r}.", hint=choice(name, table.columns)
        )
    return table[name]


def _show(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
