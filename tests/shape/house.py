"""The rules of the house that no linter knows, each a function of one module's name and source.

A rule gives back its findings as sentences, none where the module keeps it. ``test_house`` asks
every module, and shows of each rule that it can fail.
"""

import ast
import io
import re
import tokenize
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
REFUSED = frozenset(
    {"manager", "helper", "helpers", "util", "utils", "common", "misc", "base", "impl"}
    | {"factory", "service", "processor", "handler", "info"}
)
CLOCKS = frozenset(
    {"datetime.now", "datetime.today", "datetime.utcnow", "date.today", "ibis.now", "ibis.today"}
    | {"time.time", "time.time_ns", "time.gmtime", "time.localtime"}
)
RENAMES = frozenset({"os.rename", "os.renames", "os.replace", "shutil.move", "os.link"})
CLI_MAY = ("fairway.line", "fairway.project", "fairway.errors", "fairway.cli", "fairway.store")
BROAD = frozenset({"Exception", "BaseException"})
EDGES = frozenset({"fairway/cli/main.py", "fairway/pipeline/execution.py"})
SILENCED = r"# (?:noqa: (?:[A-Z]+[0-9]+(?:, )?)+|type: ignore\[[a-z,-]+\])"
GROUND = frozenset({"errors", "digest", "store"})

OWNERS = {
    "sqlalchemy": {"store"},
    "alembic": {"store"},
    "ibis": {"data", "line"},
    "duckdb": {"data", "line"},
    "adbc_driver_sqlite": {"data"},
    "adbc_driver_manager": {"data"},
    "open_data_contract_standard": {"data"},
    "jsonschema": {"data"},
    "lightgbm": {"model"},
    "xgboost": {"model"},
    "onnxruntime": {"model"},
    "skops": {"model"},
    "optuna": {"pipeline"},
    "securesystemslib": {"delivery"},
    "cryptography": {"delivery", "model"},
    "click": {"cli"},
    "rich": {"cli"},
}

Rule = Callable[[str, ast.Module, str], Sequence[str]]


def room_of(name: str) -> str:
    """``store`` of ``fairway/store/home.py``, ``digest`` of ``fairway/digest.py``."""
    return Path(name).parts[1].removesuffix(".py")


def calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    """Every call by the last two words of what is called: ``datetime.now``, ``path.rename``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = node.func.value
            last = getattr(owner, "attr", getattr(owner, "id", ""))
            yield f"{last}.{node.func.attr}", node


def imported(tree: ast.AST) -> Iterator[str]:
    """Every module and name that is imported, wherever it stands, types alone left out."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def without_types(tree: ast.Module) -> ast.Module:
    """The module as it runs, without what stands under ``if TYPE_CHECKING``."""
    kept = [
        node
        for node in tree.body
        if not (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test))
    ]
    return ast.Module(body=kept, type_ignores=[])


def says_its_room_in_at_most_400_lines(name: str, tree: ast.Module, source: str) -> list[str]:
    told = ast.get_docstring(tree) or ""
    is_door = Path(name).name == "__init__.py" and not any(
        isinstance(node, ast.FunctionDef | ast.ClassDef) for node in tree.body
    )
    fit = re.search(r"\S" if is_door else r"^Room: ", told, re.MULTILINE)
    found = [] if fit else ["its docstring does not say `Room:`"]
    n_lines = len(source.splitlines())
    return found + ([f"it has {n_lines} lines"] if n_lines > 400 else [])


def has_names_that_say_something(name: str, tree: ast.Module, source: str) -> list[str]:
    kinds = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    named = [node.name for node in ast.walk(tree) if isinstance(node, kinds)]
    return [
        f"{each} says nothing"
        for each in [*named, Path(name).stem]
        if REFUSED & {word.lower() for word in re.findall(r"[A-Z]?[a-z]+", each)}
    ]


def leaves_the_date_to_cli_and_store(name: str, tree: ast.Module, source: str) -> list[str]:
    if room_of(name) in {"cli", "store"}:
        return []
    asked = {call for call, _ in calls(tree)} | set(imported(tree))
    sql = re.findall(r"CURRENT_TIMESTAMP|CURRENT_DATE|\bnow\(\)|\bNOW\(\)", _texts(tree))
    return [f"it asks the system for the date: {each}" for each in [*sorted(asked & CLOCKS), *sql]]


def leaves_renaming_to_the_store(name: str, tree: ast.Module, source: str) -> list[str]:
    if room_of(name) == "store":
        return []
    return [
        f"it renames: {ast.unparse(node)}"
        for call, node in calls(tree)
        if call in RENAMES or (_is_of_a_path(node) and not node.keywords)
    ]


def _is_of_a_path(node: ast.Call) -> bool:
    """Whether it is ``Path.rename`` or ``Path.replace``: text is replaced by two arguments."""
    assert isinstance(node.func, ast.Attribute)
    return node.func.attr in {"rename", "replace", "hardlink_to"} and len(node.args) == 1


def adds_nothing_to_the_line(name: str, tree: ast.Module, source: str) -> list[str]:
    if room_of(name) != "cli":
        return []
    rooms = [each for each in imported(tree) if each.startswith("fairway.")]
    return [f"it imports {each}" for each in rooms if not each.startswith(CLI_MAY)]


def keeps_a_library_in_its_room(name: str, tree: ast.Module, source: str) -> list[str]:
    """The room that owns a library wraps its errors; no other has them to wrap."""
    libraries = sorted({each.split(".")[0] for each in imported(tree)} & OWNERS.keys())
    return [f"it imports {each}" for each in libraries if room_of(name) not in OWNERS[each]]


def knows_at_most_one_other_room(name: str, tree: ast.Module, source: str) -> list[str]:
    """Only the line calls several rooms in a row; what all stand on does not count."""
    own = room_of(name)
    if own in {"line", "project", "cli"}:
        return []
    rooms = {
        each.split(".")[1] for each in imported(without_types(tree)) if each.startswith("fairway.")
    }
    others = sorted(rooms - GROUND - {own, "__version__"})
    return [f"it imports {' and '.join(others)}"] if len(others) > 1 else []


def catches_what_it_can_name(name: str, tree: ast.Module, source: str) -> list[str]:
    """``except Exception`` stands at the edges; to clean up and raise again is free."""
    return [
        f"it catches everything in line {node.lineno}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or BROAD & set(re.findall(r"\w+", ast.unparse(node.type))))
        and name not in EDGES
        and not (isinstance(node.body[-1], ast.Raise) and node.body[-1].exc is None)
    ]


def is_given_the_environment(name: str, tree: ast.Module, source: str) -> list[str]:
    """``cli`` reads it and hands it on; ``pipeline`` makes that of a step."""
    if room_of(name) in {"cli", "pipeline"}:
        return []
    return ["it reads the environment"] if re.search(r"\bos\.(environ|getenv)\b", source) else []


def gives_a_reason_for_each_exception(name: str, tree: ast.Module, source: str) -> list[str]:
    """A silenced linter names its rule, and the first of its kind in a file the reason."""
    given: set[str] = set()
    found = []
    if "# noqa" not in source and "# type: ignore" not in source:
        return []
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type != tokenize.COMMENT or not re.match(r"# (noqa|type: ignore)", token.string):
            continue
        codes = {each for some in re.findall(SILENCED, token.string) for each in _codes(some)}
        reason = re.sub(SILENCED, "", token.string)
        if not codes or not (re.search(r"\w{2}", reason) or codes <= given):
            found.append(f"line {token.start[0]} silences a rule without a reason")
        given |= codes
    return found


def _codes(silenced: str) -> list[str]:
    return re.findall(r"[A-Z]+[0-9]+|(?<=[\[,])[a-z-]+", silenced)


def _texts(tree: ast.AST) -> str:
    """All text in a module but its docstrings."""
    told = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    return "\n".join(
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in told
    )


RULES: Sequence[Rule] = (
    says_its_room_in_at_most_400_lines,
    has_names_that_say_something,
    leaves_the_date_to_cli_and_store,
    leaves_renaming_to_the_store,
    adds_nothing_to_the_line,
    keeps_a_library_in_its_room,
    knows_at_most_one_other_room,
    catches_what_it_can_name,
    is_given_the_environment,
    gives_a_reason_for_each_exception,
)
