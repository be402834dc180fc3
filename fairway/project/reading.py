"""Read ``fairway.toml`` strictly, and find as many faults as there are in one reading.

Room: ``fairway.project``, the last step of it. Each table is read on its own, so that a fault in
one hides none in another. Values that other rooms understand are handed to them. No data is
opened and no command is run.
"""

import re
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_args, get_origin

import msgspec

from fairway.data import repair
from fairway.delivery import condition
from fairway.errors import ProjectError
from fairway.evaluation import vocabulary
from fairway.evaluation.payoff import Payoff
from fairway.project import silent
from fairway.project.commands import check_name, existing_files, read_candidates, read_steps
from fairway.project.dataset import (
    check_build,
    read_contracts,
    read_dataset,
    read_sources,
    read_split,
)
from fairway.project.faults import Faults, spell
from fairway.project.lines import KeyPath, locate
from fairway.project.nouns import Evaluate, Project, ReleaseParts
from fairway.project.shape import FORMAT, EvaluateTable, File, ReleaseTable

_PLACE = re.compile(r"(.*?)\s*\(at (?:line (\d+), column \d+|end of document)\)", re.DOTALL)


def read_project(path: Path, environ: Mapping[str, str]) -> Project:
    """Read a project file; ``environ`` fills ``${NAME}`` where a source says it.

    Raises:
        ProjectError: The first fault by line, with the others in ``more``.
    """
    path = path.absolute()
    if path.is_dir():
        path /= "fairway.toml"
    text = _text(path)
    data = _parse(text, path)
    faults = Faults(path, locate(text))
    _check_format(data, faults)
    return _Reading(path, data, faults).project(environ)


class _Reading:
    """One reading of one file: its tables first, then their meaning."""

    def __init__(self, path: Path, data: Mapping[str, Any], faults: Faults) -> None:
        self.path = path
        self.root = path.parent
        self.data = data
        self.faults = faults

    def project(self, environ: Mapping[str, str]) -> Project:
        faults, root = self.faults, self.root
        file = self._file()
        n_sources = len(self._names("source"))
        if not n_sources:
            faults.add(
                ("source",), "There is no source.", 'Add [source] with rows = { from = "" }.'
            )
        known = [*self._names("source"), *self._names("step")]
        sources = read_sources(file.source, root, environ, faults)
        contracts = read_contracts(file.contract, self._names("source"), root, faults)
        dataset = split = None
        build = self._names("dataset") and self.data["dataset"].get("build")
        if isinstance(build, str) and build:
            check_build(build, known, root, faults)
        if isinstance(file.dataset, msgspec.Struct):
            dataset = read_dataset(file.dataset, sources, known, faults)
        if dataset is not None and ("split" not in self.data or file.split is not None):
            split = read_split(file.split, dataset, faults)
        rules = self._repairs()
        steps = read_steps(file.step, self._names("source"), root, faults)
        candidates = read_candidates(file.candidate, faults)
        evaluate = self._evaluate(file.evaluate)
        payoff = self._payoff(file)
        written = file.gate or silent.gate(file.release, has_payoff=payoff is not None)
        conditions = self._gate(written, evaluate)
        self._check_needs(conditions)
        release = self._release(file.release)
        env = file.project.env if isinstance(file.project, msgspec.Struct) else []
        locks = existing_files(env, ("project", "env"), root, faults)
        faults.stop()
        assert dataset is not None
        assert split is not None
        return Project(
            file=self.path,
            root=root,
            name=file.project.name,
            purpose=file.project.purpose,
            owner=file.project.owner,
            variables=tuple(file.project.variables),
            env=locks or tuple(root / name for name in silent.lock_files(root)),
            sources=sources,
            contracts=contracts,
            dataset=dataset,
            split=split,
            repairs=rules,
            steps=steps,
            candidates=candidates,
            evaluate=evaluate,
            payoff=payoff,
            gate=conditions,
            release=release,
            environ={name: environ[name] for name in file.project.variables if name in environ},
            defaults=silent.defaults(file, root, dataset, split, written),
            lines=faults.lines,
        )

    def _file(self) -> File:
        """Read every table; what has a fault is absent from the result or its default."""
        known = {field.encode_name: field for field in msgspec.structs.fields(File)}
        values: dict[str, Any] = {}
        for name in self.data:
            if name not in known:
                self.faults.unknown((), name, known)
        for name, field in known.items():
            if name not in self.data:
                if field.required and name not in {"format", "source"}:
                    self._absent(name, _struct(field.type))
                continue
            value = self._table(name, field.type)
            if value is not None:
                values[name] = value
        # A required table with a fault stays None: nobody sees it, as `stop` raises before.
        return File(**{"format": FORMAT, "project": None, "source": {}, "dataset": None, **values})

    def _absent(self, name: str, shape: type[msgspec.Struct]) -> None:
        """Note that a table is not there, with all that it needs, so that it is added once."""
        needed = [one.encode_name for one in msgspec.structs.fields(shape) if one.required]
        lines = " and ".join(f"a line {key} = ..." for key in needed)
        self.faults.add((name,), f"There is no [{name}].", f"Add a table [{name}] with {lines}")

    def _table(self, name: str, shape: Any) -> Any:  # noqa: ANN401  types and values of any table
        value = self.data[name]
        if name == "format":
            return value
        inner = _entry(shape)
        if inner is None:
            return self.faults.convert(value, _struct(shape), (name,))
        if not isinstance(value, Mapping):
            self.faults.wrong_kind((name,), value, "object")
            return None
        entries = {}
        for key, entry in value.items():
            read: Any
            if isinstance(inner, type) and issubclass(inner, msgspec.Struct):
                read = self.faults.convert(entry, inner, (name, key))
            else:
                read = entry if self.faults.fits(entry, inner, (name, key)) else None
            if read is not None:
                entries[key] = read
        return entries

    def _names(self, table: str) -> list[str]:
        """The names in a table of tables, those with faults too."""
        found = self.data.get(table)
        return list(found) if isinstance(found, Mapping) else []

    def _repairs(self) -> dict[str, repair.RepairRule]:
        rules = {}
        for name in self._names("repair"):
            try:
                rules[name] = repair.from_table(name, self.data["repair"][name])
            except ProjectError as error:
                self.faults.add(("repair", name), error.problem, error.hint)
        return rules

    def _evaluate(self, table: EvaluateTable) -> Evaluate:
        for position, name in enumerate(table.metrics):
            try:
                vocabulary.check_name(name)
            except ProjectError as error:
                self.faults.add(("evaluate", "metrics", position), error.problem, error.hint)
        return Evaluate(metrics=tuple(table.metrics), slices=tuple(table.slices))

    def _payoff(self, file: File) -> Payoff | None:
        table = file.payoff
        if table is None:
            return None
        try:
            return Payoff(unit=table.unit, tp=table.tp, fp=table.fp, fn=table.fn, tn=table.tn)
        except ProjectError as error:
            self.faults.add(("payoff",), error.problem, error.hint)
            return None

    def _gate(
        self, table: Mapping[str, list[str]], evaluate: Evaluate
    ) -> dict[str, tuple[condition.Condition, ...]]:
        names = evaluate.metrics or vocabulary.NAMES
        gate = {}
        for environment, texts in table.items():
            check_name(("gate", environment), self.faults)
            conditions = []
            for position, text in enumerate(texts):
                at: KeyPath = ("gate", environment, position)
                try:
                    one = condition.parse(text, names=names, windows=False)
                except ProjectError as error:
                    self.faults.add(at, error.problem, error.hint)
                    continue
                self._check_slice(one, evaluate.slices, at)
                conditions.append(one)
            gate[environment] = tuple(conditions)
        return gate

    def _check_slice(
        self, one: condition.Condition, slices: tuple[str, ...], path: KeyPath
    ) -> None:
        """Refuse ``worst(COLUMN)`` where nothing is measured by that column."""
        column = one.worst_column
        if column is None or column in slices:
            return
        near = get_close_matches(column, slices, n=1)
        self.faults.add(
            path,
            f"Condition {one.text!r} names {column!r}, which the project does not slice by.",
            f"Write {near[0]!r}."
            if near
            else f"Write slices = {spell([*slices, column])} in [evaluate].",
        )

    def _check_needs(self, gate: Mapping[str, tuple[condition.Condition, ...]]) -> None:
        """Refuse a condition that can never hold because its other half is not declared."""
        owner = "approvals", "project", "owner", 'Add owner = "NAME" to [project].'
        money = "payoff", "payoff", "unit", "Add a table [payoff], or drop the condition."
        tests = "tests", "release", "test", "Add test = to [release], or drop the condition."
        for environment, conditions in gate.items():
            for position, one in enumerate(conditions):
                for name, table, key, hint in (owner, money, tests):
                    is_role = name != "approvals" or str(one.argument).startswith("owner")
                    if one.name == name and is_role and key not in self._names(table):
                        path: KeyPath = ("gate", environment, position)
                        problem = f"{one.text!r} can never hold: there is no {table}.{key}."
                        self.faults.add(path, problem, hint)

    def _release(self, table: ReleaseTable) -> ReleaseParts:
        app = None if table.app is None else self.root / table.app
        if app is not None and not app.is_dir():
            self.faults.add(
                ("release", "app"), f"There is no folder {table.app}.", "Make it, or remove app."
            )
        return ReleaseParts(app=app, test=table.test)


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ProjectError(
            "The file is not UTF-8.", hint="Save it as UTF-8.", file=path, line=line
        ) from error
    except OSError as error:
        raise ProjectError(
            f"{path} cannot be read: {error.strerror}.",
            hint="Name a project file with --project, or make one with: fairway new",
        ) from error


def _parse(text: str, path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = _PLACE.fullmatch(str(error))
        problem = found[1] if found else str(error)
        line = int(found[2]) if found and found[2] else text.count("\n") + 1
        raise ProjectError(
            f"The file is not TOML: {problem}.",
            hint="Correct this line.",
            file=path,
            line=line,
        ) from error


def _check_format(data: Mapping[str, Any], faults: Faults) -> None:
    """Judge ``format`` first: of a newer file nothing else can be said."""
    given = data.get("format")
    if "format" not in data:
        faults.add(
            ("format",), "The file does not say its format.", f"Add a first line: format = {FORMAT}"
        )
    elif isinstance(given, bool) or not isinstance(given, int) or given < 1:
        faults.add(("format",), f"format = {spell(given)} is none.", f"Write format = {FORMAT}.")
    elif given > FORMAT:
        faults.add(
            ("format",),
            f"format = {given} is newer than this Fairway, which reads up to {FORMAT}.",
            "Install a newer Fairway.",
        )
        faults.stop()


def _entry(shape: Any) -> Any:  # noqa: ANN401  a type
    """The type of the entries of a table of tables; None for another type."""
    return get_args(shape)[1] if get_origin(shape) is dict else None


def _struct(shape: Any) -> Any:  # noqa: ANN401  a type
    """The struct itself where a table may be absent (``Struct | None``)."""
    return next((one for one in get_args(shape) if one is not type(None)), shape)
