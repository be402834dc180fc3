"""From many tables to the one that a model learns from.

Room: ``fairway.data``, after ``check`` and before ``leakage`` and ``split``. It has the project's
``build`` run (``recipe``), and refuses what no model can be judged on: a key that repeats, a join
that multiplied or lost rows. Rows without a label stay. It splits, repairs and stores nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from fairway.data.name import choice
from fairway.data.source import Source, form
from fairway.errors import ContractError, ProjectError

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from fairway.data.reading.engine import Engine
    from fairway.data.recipe import Place

ROWS = ("same", "fewer", "more", "any")
N_EXAMPLES = 3
FEATURES = ("int", "uint", "float", "decimal", "boolean", "string")
N = "rows of the dataset"  # names that no key column has
N_GIVEN = "rows of the base source"
GIVEN = "the base source's "


@dataclass(frozen=True, kw_only=True)
class Acceptance:
    """Somebody answers for a column that the leakage audit found.

    Attributes:
        by: Who.
        reason: Why it is no leak.
    """

    by: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class DatasetSpec:
    """What the dataset is to be.

    Attributes:
        build: ``module:function``, a ``.sql`` file below the root, or None for the only source.
        key: Columns that name a row.
        target: The column to predict; it may be missing in a row.
        time: Column of the instant that a row is about.
        known_at: When a row must be predicted: a column and seconds to add to it.
        rows: Whether the build may lose rows of its base source ("fewer"), add rows that it does
            not have ("more"), do both ("any") or neither ("same").
        accept: Columns that named people answer for.

    Raises:
        ProjectError: If ``rows`` is none of these.
    """

    build: str | None
    key: tuple[str, ...]
    target: str
    time: str | None = None
    known_at: tuple[str, float] | None = None
    rows: str = "same"
    accept: Mapping[str, Acceptance] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.rows not in ROWS:
            raise ProjectError(f"rows = {self.rows!r} is no rule.", hint=choice(self.rows, ROWS))


def build(
    connection: "Engine",
    spec: DatasetSpec,
    tables: "Mapping[str, ir.Table]",
    files: Mapping[str, Path],
    root: Path,
    *,
    keys: Mapping[str, Sequence[str]] | None = None,
    is_counted: bool = True,
) -> "ir.Table":
    """Build the dataset: (many tables) -> (n rows, c columns), every key once.

    The base source is the one whose key is the dataset's key; its rows are those of the dataset.

    Args:
        connection: The engine that the tables live in.
        spec: What the dataset is to be.
        tables: The sources, and what they are called.
        files: Outputs of steps by name; Parquet, CSV and JSON lines become tables, others paths.
        root: The project's folder.
        keys: The sources' keys. Where they are not told, the base source is the first one that
            has all columns of the dataset's key.
        is_counted: Whether rows and keys are counted; not when the same build is only repeated.

    Returns:
        The dataset, not yet computed; its times are ``timestamp('UTC')`` or ``date``.

    Raises:
        ProjectError: If the project's code is wrong or lacks a declared column.
        ContractError: If a key is missing or repeats, or rows were multiplied, lost or added.
    """
    import duckdb
    from ibis.common.exceptions import IbisError

    from fairway.data.reading import column
    from fairway.data.source import read

    inputs: dict[str, ir.Table | Path] = dict(tables)
    for name, path in files.items():
        is_table = path.is_file() and form(path) is not None
        inputs[name] = (
            read(connection, Source(name=name, location=str(path)), root) if is_table else path
        )
    result, place = _built(connection, spec, inputs, root)
    _check_columns(result, spec, place)
    for time in dict.fromkeys([spec.time, spec.known_at[0] if spec.known_at else None]):
        result = column.utc(result, "The dataset", time)
    if not is_counted:
        return result
    try:
        _check_rows(result, spec, _source_of_rows(spec, tables, keys))
    except (duckdb.Error, IbisError) as error:
        raise ProjectError(
            f"The dataset cannot be computed: {str(error).splitlines()[0].rstrip('. ')}.",
            hint="Mend the expression that it names.",
            file=place[0] if place else None,
            line=place[1] if place else None,
        ) from error
    return result


def features(schema: Mapping[str, object], spec: DatasetSpec) -> tuple[list[str], dict[str, str]]:
    """Tell which columns a model may learn from: numbers, truth values and texts.

    Key, target and time have roles of their own and are in neither answer.

    Args:
        schema: The columns' types by name: an Ibis schema, or its types as texts.
        spec: What the dataset is to be.

    Returns:
        The features in the table's order; and the columns left out, each with the reason.
    """
    taken = {*spec.key, spec.target, spec.time}
    chosen: list[str] = []
    left_out: dict[str, str] = {}
    for name, kind in schema.items():
        if name in taken:
            continue
        text = str(kind).removeprefix("!")
        if text.startswith(FEATURES) and not text.startswith("interval"):
            chosen.append(name)
        else:
            left_out[name] = _why_not(text)
    return chosen, left_out


def _why_not(kind: str) -> str:
    """Why a column of such a type is no feature."""
    if kind.startswith(("timestamp", "date", "time")):
        return f"{kind} is an instant: derive its hour or its age instead"
    if kind.startswith(("array", "struct", "map", "json")):
        return f"{kind} is nested: take its parts as columns of their own"
    return f"{kind} is neither number, truth value nor text"


def _built(
    connection: "Engine", spec: DatasetSpec, inputs: "Mapping[str, ir.Table | Path]", root: Path
) -> "tuple[ir.Table, Place | None]":
    """Run the build, and tell where its code stands."""
    import ibis.expr.types as ir

    from fairway.data import recipe

    if spec.build is None:
        tables = [value for value in inputs.values() if isinstance(value, ir.Table)]
        if len(tables) != 1:
            raise ProjectError(
                f"Without `build` the dataset is the only source, but there are {len(tables)}.",
                hint='Write build = "module:function" in [dataset].',
            )
        return tables[0], None
    if spec.build.endswith(".sql"):
        return recipe.by_sql(connection, spec.build, inputs, root)
    module, colon, function = spec.build.partition(":")
    if not (module and colon and function.isidentifier()):
        raise ProjectError(
            f"build = {spec.build!r} is neither a function nor an SQL file.",
            hint='Write "module:function", or a file that ends in .sql.',
        )
    return recipe.by_function(spec.build, inputs, root)


def _check_columns(table: "ir.Table", spec: DatasetSpec, place: "Place | None") -> None:
    """Refuse a dataset that lacks a column which the project declares."""
    wanted = dict.fromkeys(spec.key, "key") | {spec.target: "target"}
    if spec.time:
        wanted.setdefault(spec.time, "time")
    if spec.known_at:
        wanted.setdefault(spec.known_at[0], "known_at")
    for name, role in wanted.items():
        if name not in table.columns:
            raise ProjectError(
                f"The dataset has no column {name!r}, its {role}.",
                hint=choice(name, table.columns),
                file=place[0] if place else None,
                line=place[1] if place else None,
            )


def _source_of_rows(
    spec: DatasetSpec,
    tables: "Mapping[str, ir.Table]",
    keys: Mapping[str, Sequence[str]] | None,
) -> "tuple[str, ir.Table] | None":
    """The source whose rows are those of the dataset."""
    for name, table in tables.items():
        if all(column in table.columns for column in spec.key) and (
            keys is None or set(keys.get(name, ())) == set(spec.key)
        ):
            return name, table
    return None


def _check_rows(result: "ir.Table", spec: DatasetSpec, base: "tuple[str, ir.Table] | None") -> None:
    """Count, in one query, keys that are missing, repeat, got lost or were added."""
    import ibis

    rows = _by_key(result, spec.key, N)
    name = ""
    if base is not None and spec.rows != "any":
        name, table = base
        given = _by_key(table, spec.key, N_GIVEN, GIVEN)
        pairs = [_comparable(rows[k], given[GIVEN + k]) for k in spec.key]
        rows = rows.outer_join(given, [left == right for left, right in pairs])
    else:
        rows = rows.mutate(**{N_GIVEN: ibis.literal(1, type="int64")})
    missing = rows[N].notnull() & _any_null(rows, spec.key)
    lost = rows[N].isnull()
    if name:
        lost &= ~_any_null(rows, [GIVEN + k for k in spec.key])
    tests = {
        "missing": missing,
        "repeated": (rows[N] > 1) & ~missing,
        "lost": lost,
        "added": rows[N_GIVEN].isnull() & ~missing,
    }
    counts = rows.aggregate(
        n_rows=rows[N].sum().fill_null(0),
        n_given=rows[N_GIVEN].sum().fill_null(0),
        n_given_repeated=(rows[N_GIVEN] > 1).sum().fill_null(0),
        **{test: hit.sum().fill_null(0) for test, hit in tests.items()},
    ).to_pyarrow()
    found = {test: int(counts[test][0].as_py()) for test in counts.column_names}
    allowed = {"same": (), "fewer": ("lost",), "more": ("added",), "any": ("lost", "added")}
    for test, hit in tests.items():
        if found[test] and test not in allowed[spec.rows]:
            examples = _examples(rows.filter(hit), spec.key, GIVEN if test == "lost" else "")
            raise _fault(test, found, name, spec.key, examples)


def _by_key(table: "ir.Table", key: Sequence[str], count: str, prefix: str = "") -> "ir.Table":
    """How often each key stands in a table."""
    keys = {prefix + name: table[name] for name in key}
    return table.group_by(**keys).aggregate(**{count: table.count()})


def _comparable(left: "ir.Value", right: "ir.Value") -> "tuple[ir.Value, ir.Value]":
    """Two key columns in one type: numbers as numbers, others as they are spelled."""
    one, two = left.type(), right.type()
    if one == two or (one.is_numeric() and two.is_numeric()):
        return left, right
    return left.cast("string"), right.cast("string")


def _any_null(table: "ir.Table", names: Sequence[str]) -> "ir.BooleanValue":
    """Whether a part of the key is missing."""
    import ibis

    return ibis.or_(*(table[name].isnull() for name in names))


def _examples(rows: "ir.Table", key: Sequence[str], prefix: str) -> list[str]:
    """The first keys of these, with how often each stands."""
    names = [prefix + name for name in key]
    first = rows.order_by(names).limit(N_EXAMPLES).select(*names, N).to_pyarrow().to_pylist()
    texts = []
    for row in first:
        parts = ", ".join(f"{k}={_spelled(row[n])}" for k, n in zip(key, names, strict=True))
        texts.append(f"({parts}) {row[N]} times" if (row[N] or 0) > 1 else f"({parts})")
    return texts


def _spelled(value: object) -> str:
    """A value of a key, for people to read."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return "(none)" if value is None else str(value)


def _fault(
    test: str, found: Mapping[str, int], base: str, key: Sequence[str], examples: Sequence[str]
) -> ContractError:
    """Say what is wrong with the rows, how often, and where to look."""
    n, of = f"{found[test]:,}", f"{found['n_given']:,}"
    such = f"such as {'; '.join(examples)}"
    names = ", ".join(key)
    if test == "missing":
        return ContractError(
            f"{n} keys of the dataset lack a part of {names}, {such}.",
            hint="Leave these rows out of the build, or name another key in [dataset].",
        )
    if test == "repeated":
        joined = f"A join multiplies rows: {of} rows of {base} became {found['n_rows']:,}, and "
        blame = base and not found["n_given_repeated"] and found["n_rows"] > found["n_given"]
        return ContractError(
            f"{joined if blame else ''}{n} keys ({names}) stand more than once, {such}.",
            hint="Join on the whole key of the other table, or aggregate it first; "
            "or add to `key` in [dataset] what tells these rows apart.",
        )
    if test == "lost":
        return ContractError(
            f"The build loses {n} of {of} rows of {base}, {such}.",
            hint="Use a left join and keep rows without a label, "
            'or write rows = "fewer" in [dataset].',
        )
    return ContractError(
        f"The build adds {n} rows that {base} does not have, {such}.",
        hint='Start from that table, or write rows = "more" in [dataset].',
    )
