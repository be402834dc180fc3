"""Run the project's own way of building its dataset: a Python function or an SQL file.

Room: ``fairway.data``, under ``dataset.build``, which judges the result. It hands tables over by
name and says in which line of the project's code something went wrong. It checks no row.
"""

import importlib
import inspect
import re
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from fairway.data.name import choice
from fairway.errors import FairwayError, ProjectError

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from fairway.data.reading.engine import Engine

Place = tuple[Path, int | None]
"""A file of the project and a line in it."""


def by_function(
    build: str, inputs: "Mapping[str, ir.Table | Path]", root: Path
) -> "tuple[ir.Table, Place]":
    """Call ``module:function`` with the inputs that its arguments name.

    The root comes first on ``sys.path`` while the function runs. The project's modules are
    forgotten afterwards, so that an edited one is read anew, and no bytecode is left beside them.

    Returns:
        The table and where the function stands.

    Raises:
        ProjectError: If there is no such function, it asks for what is not there, it fails, or it
            returns no Ibis table; with the file and the line.
    """
    import ibis.expr.types as ir

    root = root.absolute()  # as the traceback spells it
    module, _, name = build.partition(":")
    with _importable(root), _UserCode(build, root) as code:
        function, place = _function(module, name, root)
        arguments = _arguments(function, build, inputs, place)
        code.place = place
        result = function(*arguments.args, **arguments.kwargs)
    if not isinstance(result, ir.Table):
        kind = type(result)
        raise ProjectError(
            f"{build} returned {kind.__module__}.{kind.__qualname__}, no Ibis table."
            if result is not None
            else f"{build} returned nothing.",
            hint="Return an expression over the Ibis tables that it is given.",
            file=place[0],
            line=place[1],
        )
    return result, place


def by_sql(
    connection: "Engine", build: str, inputs: "Mapping[str, ir.Table | Path]", root: Path
) -> "tuple[ir.Table, Place]":
    """Run one SELECT from a file, over tables by their names.

    Raises:
        ProjectError: If the file is not there, or DuckDB refuses it; with the line.
    """
    import duckdb
    import ibis.expr.types as ir

    from fairway.data.reading.engine import fresh, identifier

    path = root.absolute() / build
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        there = [p.relative_to(root).as_posix() for p in root.rglob("*.sql")]
        raise ProjectError(
            f"There is no file {build} to build from.", hint=choice(build, there)
        ) from error
    tables = {name: value for name, value in inputs.items() if isinstance(value, ir.Table)}
    parts = [f"{identifier(name)} AS ({connection.compile(t)})" for name, t in tables.items()]
    start = f"WITH {', '.join(parts)} SELECT" if parts else "SELECT"
    view = fresh()
    n_before = 0
    try:
        statements = connection.con.extract_statements(text)
        if [statement.type for statement in statements] != [duckdb.StatementType.SELECT]:
            raise ProjectError(
                f"{build} is not one SELECT.", hint="Leave one SELECT in it.", file=path, line=1
            )
        opening = f"CREATE VIEW {view} AS {start} * FROM (\n"
        n_before = opening.count("\n")
        connection.con.execute(f"{opening}{_without_end(text)}\n)").fetchall()
    except duckdb.Error as error:
        raise _sql_fault(error, build, path, tables, n_before) from error
    return connection.table(view), (path, None)


def _without_end(text: str) -> str:
    """A statement without the semicolon that ends it and the comments behind that."""
    import duckdb

    data = text.encode()
    cut = len(data)
    for start, kind in reversed(duckdb.tokenize(text)):
        if kind == duckdb.token_type.comment:
            continue
        if data[start : start + 1] != b";":
            break
        cut = start
    return data[:cut].decode()


@contextmanager
def _importable(root: Path) -> Iterator[None]:
    """Let the project's modules be imported for as long as this lasts."""
    before = set(sys.modules)
    written = sys.dont_write_bytecode
    sys.path.insert(0, str(root))
    sys.dont_write_bytecode = True
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.dont_write_bytecode = written
        sys.path.remove(str(root))
        for name in set(sys.modules) - before:
            file = getattr(sys.modules[name], "__file__", None)
            if file is None or _is_own(Path(file), root):
                del sys.modules[name]


def _is_own(file: Path, root: Path) -> bool:
    """Whether a file is the project's, not one of an environment that lies in its folder."""
    if not file.is_relative_to(root):
        return False
    parts = file.relative_to(root).parts
    return "site-packages" not in parts and not any(part.startswith(".") for part in parts)


def _function(module: str, name: str, root: Path) -> "tuple[Callable[..., object], Place]":
    """Import a function and tell where it stands."""
    try:
        loaded = importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or not (module == error.name or module.startswith(error.name + ".")):
            raise  # a module that theirs imports
        there = {
            ".".join(p.relative_to(root).with_suffix("").parts)
            for p in root.rglob("*.py")
            if _is_own(p, root)
        }
        near = get_close_matches(module, sorted(there), n=1)
        raise ProjectError(
            f"There is no module {module} to build from.",
            hint=f"Write {near[0]}:{name}." if near else f"Add {module.replace('.', '/')}.py.",
        ) from error
    function = getattr(loaded, name, None)
    file = Path(getattr(loaded, "__file__", None) or root)
    if not callable(function):
        known = [n for n, v in vars(loaded).items() if inspect.isfunction(v) and n[0] != "_"]
        raise ProjectError(
            f"{module} has no function {name!r}.", hint=choice(name, known), file=file, line=1
        )
    code = getattr(inspect.unwrap(function), "__code__", None)
    place = (Path(code.co_filename), code.co_firstlineno) if code else (file, None)
    return function, place


def _arguments(
    function: "Callable[..., object]",
    build: str,
    inputs: "Mapping[str, ir.Table | Path]",
    place: Place,
) -> inspect.BoundArguments:
    """Match a function's arguments with the inputs, by name."""
    signature = inspect.signature(function)
    wanted: dict[str, object] = {}
    open_ = False
    for name, parameter in signature.parameters.items():
        if parameter.kind is parameter.VAR_KEYWORD:
            open_ = True
        elif parameter.kind is parameter.VAR_POSITIONAL:
            continue
        elif name in inputs:
            wanted[name] = inputs[name]
        elif parameter.default is parameter.empty:
            raise ProjectError(
                f"{build} asks for {name!r}, but the sources are {', '.join(sorted(inputs))}.",
                hint=choice(name, sorted(inputs)),
                file=place[0],
                line=place[1],
            )
    bound = signature.bind_partial()
    bound.arguments.update(wanted)
    if open_:
        extra = next(p.name for p in signature.parameters.values() if p.kind is p.VAR_KEYWORD)
        bound.arguments[extra] = {n: v for n, v in inputs.items() if n not in wanted}
    return bound


class _UserCode:
    """Whatever the project's code raises becomes an error that names its file and line.

    Attributes:
        place: Where to point when no line of the project is in the traceback.
    """

    def __init__(self, build: str, root: Path) -> None:
        self.build = build
        self.root = root
        self.place: Place | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None or isinstance(error, FairwayError):
            return
        if not isinstance(error, Exception | SystemExit):
            return  # an interrupt is not the project's fault
        own = [
            frame
            for frame in traceback.extract_tb(trace)
            if _is_own(Path(frame.filename), self.root)
        ]
        place = (Path(own[-1].filename), own[-1].lineno) if own else self.place
        if isinstance(error, SyntaxError) and error.filename:
            place = (Path(error.filename), error.lineno)
        text = " ".join(str(error).split())
        raise ProjectError(
            f"{self.build} raised {type(error).__name__}: {text[:400].rstrip('. ')}.",
            hint="Mend that line and run again.",
            file=place[0] if place else None,
            line=place[1] if place else None,
        ) from error


def _sql_fault(
    error: Exception, build: str, path: Path, tables: Mapping[str, object], n_before: int
) -> ProjectError:
    """Say what DuckDB found wrong with the project's SQL, and in which of its lines."""
    text = str(error)
    line = re.search(r"^LINE (\d+):", text, re.MULTILINE)
    reason = " ".join(text.split("\n\n", maxsplit=1)[0].split())
    table = re.search(r"Table with name (\S+) does not exist", text)
    return ProjectError(
        f"{build} asks for the table {table[1]!r}, but the sources are {', '.join(sorted(tables))}."
        if table
        else f"{build} is refused: {reason.rstrip('. !')}.",
        hint=choice(table[1], sorted(tables)) if table else "Mend the query and run again.",
        file=path,
        line=max(1, int(line[1]) - n_before) if line else None,
    )
