"""Read ``[source]``, ``[contract]``, ``[dataset]`` and ``[split]``: from the world to the parts.

Room: ``fairway.project``, beside ``reading``. It looks whether files are there and whether names
fit each other. It opens no data: whether a column is there is found by ``fairway check``.
"""

import ast
import importlib.util
import re
from collections.abc import Collection, Mapping
from datetime import UTC
from pathlib import Path

from fairway.data import known_at
from fairway.data.dataset import Acceptance, DatasetSpec
from fairway.data.source import Source, files
from fairway.data.split import EntitySplit, TimeSplit
from fairway.errors import ProjectError
from fairway.project.commands import check_name
from fairway.project.faults import Faults, nearest, spell
from fairway.project.lines import KeyPath
from fairway.project.shape import DatasetTable, SourceTable, SplitTable
from fairway.project.values import duration_s

DATASET = "dataset"
_VARIABLE = re.compile(r"\$\{(\w+)\}")


def read_sources(
    tables: Mapping[str, SourceTable], root: Path, environ: Mapping[str, str], faults: Faults
) -> dict[str, Source]:
    """Read the sources, each of which must have at least one readable file.

    A ``${NAME}`` in ``from`` is replaced from ``environ``; messages show it as written.
    """
    sources = {}
    for name, table in tables.items():
        path: KeyPath = ("source", name)
        check_name(path, faults)
        if name == DATASET:
            faults.add(path, "'dataset' is the table that is built.", "Choose another name.")
        try:
            source = Source(
                name=name,
                location=_VARIABLE.sub(lambda found: environ.get(found[1], found[0]), table.from_),
                shown=table.from_,
                table=table.table,
                key=columns(table.key),
                time=table.time,
                fresh_s=duration_s(table.fresh, (*path, "fresh"), faults),
                encoding=table.encoding,
            )
            files(source, root)
        except ProjectError as error:
            faults.take((*path, "from"), error)
        else:
            sources[name] = source
    return sources


def read_contracts(
    names: Mapping[str, str], sources: Collection[str], root: Path, faults: Faults
) -> dict[str, Path]:
    """Find the contract files; what stands in them is read by ``fairway.data.contract``."""
    for name, file in names.items():
        if name not in {*sources, DATASET}:
            hint = nearest(name, [*sources, DATASET])
            faults.add(("contract", name), f"{name!r} is no source.", hint)
        if not (root / file).is_file():
            order = name if name in sources else DATASET
            faults.add(
                ("contract", name),
                f"There is no file {file}.",
                f"Make it with: fairway contract suggest {order} > {file}",
            )
    return {name: root / file for name, file in names.items()}


def read_dataset(
    table: DatasetTable,
    sources: Mapping[str, Source],
    known: Collection[str],
    faults: Faults,
) -> DatasetSpec | None:
    """Read how the tables become one; ``known`` are the names of sources and steps."""
    n_before = len(faults.found)
    path: KeyPath = (DATASET,)
    only = next(iter(sources.values())) if len(known) == 1 and len(sources) == 1 else None
    if table.build is None and len(known) != 1:
        faults.add(
            path,
            f"There are {len(known)} tables, and nothing says how they become one.",
            'Add build = "module:function", or a file such as "dataset.sql".',
        )
    key = columns(table.key) or (only.key if only else ())
    if not key:
        faults.add(
            path,
            "Nothing tells the dataset's rows apart.",
            "Add key = [...] with the columns that do; number the rows if there are none.",
        )
    available = None
    if table.known_at is not None:
        try:
            available = known_at.parse(table.known_at)
        except ProjectError as error:
            faults.take((*path, "known_at"), error)
    if len(faults.found) > n_before:
        return None
    return DatasetSpec(
        build=table.build,
        key=key,
        target=table.target,
        time=table.time or (only.time if only and table.build is None else None),
        known_at=available,
        rows=table.rows,
        accept={
            column: Acceptance(by=accepted.by, reason=accepted.reason)
            for column, accepted in table.accept.items()
        },
    )


def read_split(
    table: SplitTable | None, dataset: DatasetSpec, faults: Faults
) -> TimeSplit | EntitySplit | None:
    """Read the split; without one, by time where the dataset has a time, else by its key."""
    if table is None:
        return TimeSplit() if dataset.time else EntitySplit(key=dataset.key)
    is_by_time = table.by == "time"
    foreign = ("key", "salt") if is_by_time else ("gap", "until")
    other = '"entity"' if is_by_time else '"time"'
    for name in foreign:
        if getattr(table, name):
            faults.add(
                ("split", name),
                f"split.{name} means nothing when by = {spell(table.by)}.",
                f"Remove it, or write by = {other}.",
            )
    if is_by_time and not dataset.time:
        faults.add(
            ("split", "by"), "The split is by time, but the dataset has none.", "Add dataset.time."
        )
    try:
        return _by_time(table, faults) if is_by_time else _by_entity(table, dataset, faults)
    except ProjectError as error:
        faults.take(("split",), error)
        return None


def columns(names: str | list[str]) -> tuple[str, ...]:
    """Read one column or a list of them."""
    return (names,) if isinstance(names, str) else tuple(names)


def _by_time(table: SplitTable, faults: Faults) -> TimeSplit:
    lengths: dict[str, float | None] = {}
    for name in ("test", "validation"):
        value = getattr(table, name)
        if isinstance(value, int | float):
            faults.add(
                ("split", name), f"split.{name} = {value} is no duration.", 'Write it as in "31d".'
            )
            value = None
        lengths[name] = duration_s(value, ("split", name), faults)
    until = table.until
    if until is not None:
        until = until.astimezone(UTC) if until.tzinfo else until.replace(tzinfo=UTC)
    return TimeSplit(
        test_s=lengths["test"],
        validation_s=lengths["validation"],
        gap_s=duration_s(table.gap, ("split", "gap"), faults) or 0.0,
        until=until,
    )


def _by_entity(table: SplitTable, dataset: DatasetSpec, faults: Faults) -> EntitySplit:
    shares: dict[str, float] = {}
    for name in ("test", "validation"):
        value = getattr(table, name)
        if isinstance(value, str):
            faults.add(
                ("split", name),
                f"split.{name} = {spell(value)} is no share.",
                "Write a number between 0 and 1, as in 0.2.",
            )
        elif value is not None:
            shares[name] = float(value)
    return EntitySplit(key=columns(table.key) or dataset.key, salt=table.salt or "", **shares)


def check_build(build: str, known: Collection[str], root: Path, faults: Faults) -> None:
    """See whether ``build`` is there and takes only what there is, without running it."""
    path: KeyPath = (DATASET, "build")
    if build.endswith(".sql"):
        if not (root / build).is_file():
            faults.add(path, f"There is no file {build}.", "Write it, or correct build.")
        return
    module, colon, function = build.partition(":")
    words = [*module.split("."), function]
    if not colon or not all(word.isidentifier() for word in words):
        faults.add(
            path,
            f"build = {spell(build)} is neither a .sql file nor module:function.",
            'Write it as in "shop.dataset:build" or "dataset.sql".',
        )
        return
    stem = root.joinpath(*module.split("."))
    file = next((f for f in (stem.with_suffix(".py"), stem / "__init__.py") if f.is_file()), None)
    if file is not None:
        _check_function(file, function, known, path, faults)
    elif (root / words[0]).exists() or importlib.util.find_spec(words[0]) is None:
        name = stem.with_suffix(".py").relative_to(root)
        faults.add(path, f"There is no module {module}.", f"Write {name}, or correct build.")


def _check_function(
    file: Path, function: str, known: Collection[str], path: KeyPath, faults: Faults
) -> None:
    try:
        tree = ast.parse(file.read_bytes())
    except (SyntaxError, ValueError, OSError) as error:
        line = f", line {error.lineno}" if isinstance(error, SyntaxError) and error.lineno else ""
        faults.add(path, f"{file.name}{line} cannot be read: {error}.", "Correct it.")
        return
    made = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    named = next((node for node in made if node.name == function), None)
    if named is None:
        if not any(isinstance(node, ast.ImportFrom | ast.Assign | ast.If) for node in tree.body):
            hint = nearest(function, [node.name for node in made])
            faults.add(path, f"{file.name} has no function {function}.", hint)
        return
    optional = len(named.args.defaults)
    positional = [*named.args.posonlyargs, *named.args.args]
    needed = [one.arg for one in positional[: len(positional) - optional]]
    needed += [
        one.arg
        for one, default in zip(named.args.kwonlyargs, named.args.kw_defaults, strict=True)
        if default is None
    ]
    for argument in needed:
        if argument not in known:
            faults.add(
                path,
                f"{function} takes {argument!r}, which is no source or step.",
                nearest(argument, known),
            )
