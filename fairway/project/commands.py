"""Read ``[step.*]`` and ``[candidate.*]``: the commands of a project and what they may name.

Room: ``fairway.project``, beside ``reading``. It runs nothing and expands nothing; it finds what
could not work before anything is run.
"""

import re
from collections.abc import Collection, Mapping
from pathlib import Path

from fairway.errors import ProjectError
from fairway.pipeline import space
from fairway.pipeline.plan import order_names
from fairway.pipeline.step import placeholders
from fairway.project.faults import Faults, dotted, nearest, spell
from fairway.project.lines import KeyPath
from fairway.project.nouns import Candidate, Input, UserStep
from fairway.project.shape import CandidateTable, StepTable
from fairway.project.values import duration_s, memory_bytes

TIMEOUT_S = 3600.0
TRIALS = 20
BASELINE = "baseline"
GIVEN = ("train", "valid", "train.csv", "valid.csv")
"""What a candidate may read; never the test part."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")


def read_steps(
    tables: Mapping[str, StepTable], sources: Collection[str], root: Path, faults: Faults
) -> dict[str, UserStep]:
    """Read the steps of one's own, in an order in which they can run."""
    steps: dict[str, UserStep] = {}
    for name, table in tables.items():
        path: KeyPath = ("step", name)
        check_name(path, faults)
        if name in sources:
            faults.add(
                path, f"A source is called {name!r} too.", "Give the step a name of its own."
            )
        inputs = _inputs(path, table.in_, sources, tables, root=root, faults=faults)
        known = {"python", "out", *(f"in.{given}" for given in inputs)}
        _check_command((*path, "run"), table.run, known, faults)
        if "out" not in placeholders(table.run):
            faults.add((*path, "run"), f"step.{name} writes nothing.", "Put {out} into run.")
        if Path(table.out).name != table.out:
            faults.add(
                (*path, "out"),
                f"step.{name}.out = {spell(table.out)} is no file name.",
                "Write a name such as out.parquet, or out for a folder.",
            )
        steps[name] = UserStep(
            name=name,
            run=table.run,
            inputs=inputs,
            output=table.out,
            timeout_s=duration_s(table.timeout, (*path, "timeout"), faults) or TIMEOUT_S,
            retries=table.retries,
            memory_bytes=memory_bytes(table.memory, (*path, "memory"), faults),
            env=existing_files(table.env, (*path, "env"), root, faults),
        )
    waits = {
        name: [one.name for one in step.inputs.values() if one.kind == "step"]
        for name, step in steps.items()
    }
    try:
        return {name: steps[name] for name in order_names(waits)}
    except ProjectError as error:
        first = re.search(r"step '([^']+)'", error.hint)
        at: KeyPath = ("step", first[1], "in") if first else ("step",)
        faults.add(at, error.problem, error.hint)
        return steps


def read_candidates(tables: Mapping[str, CandidateTable], faults: Faults) -> dict[str, Candidate]:
    """Read the candidates, in the order of the file."""
    candidates = {}
    for name, table in tables.items():
        path: KeyPath = ("candidate", name)
        check_name(path, faults)
        if name == BASELINE:
            faults.add(
                path, f"{name!r} is always there and made by Fairway.", "Choose another name."
            )
        search = table.search or {}
        settings = {*search, *table.parameters}
        for twice in sorted({*search} & {*table.parameters}):
            faults.add(
                (*path, "parameters", twice),
                f"{twice} is both searched and fixed.",
                "Keep it in search or in parameters.",
            )
        known = {"python", "model", *GIVEN, *settings}
        used = placeholders(table.run)
        _check_command((*path, "run"), table.run, known, faults)
        if table.predict is not None:
            _check_command((*path, "predict"), table.predict, {"python", "model"}, faults)
        elif "model" not in used:
            faults.add(
                (*path, "run"),
                f"candidate.{name} leaves no model: there is no {{model}} in run, and no predict.",
                "Put {model} into run, or add predict = ... for a process that answers scores.",
            )
        _check_search(path, table, used, faults)
        candidates[name] = Candidate(
            name=name,
            run=table.run,
            predict=table.predict,
            search=search,
            trials=(table.trials or TRIALS) if search else 1,
            timeout_s=duration_s(table.timeout, (*path, "timeout"), faults) or TIMEOUT_S,
            retries=table.retries,
            memory_bytes=memory_bytes(table.memory, (*path, "memory"), faults),
            parameters=table.parameters,
        )
    return candidates


def check_name(path: KeyPath, faults: Faults) -> None:
    """Refuse a name that could not stand in a command or be typed as one word."""
    name = str(path[-1])
    if not _NAME.fullmatch(name):
        faults.add(
            path,
            f"{name!r} is no name.",
            "Begin with a letter and use letters, digits, '_' and '-'.",
        )


def existing_files(
    names: Collection[str], path: KeyPath, root: Path, faults: Faults
) -> tuple[Path, ...]:
    """Find files named in a list, each relative to the project's folder."""
    for position, name in enumerate(names):
        if not (root / name).is_file():
            faults.add((*path, position), f"There is no file {name}.", "Make it, or remove it.")
    return tuple(root / name for name in names)


def _inputs(
    path: KeyPath,
    names: Collection[str],
    sources: Collection[str],
    steps: Collection[str],
    *,
    root: Path,
    faults: Faults,
) -> dict[str, Input]:
    inputs: dict[str, Input] = {}
    for position, name in enumerate(names):
        at: KeyPath = (*path, "in", position)
        if name in sources:
            found = Input(name=name, kind="source")
        elif name in steps:
            found = Input(name=name, kind="step")
        elif (root / name).exists():
            word = re.sub(r"[^A-Za-z0-9_-]", "_", Path(name).stem)
            found = Input(name=word, kind="file", path=root / name)
        else:
            hint = nearest(name, [*sources, *steps])
            faults.add(at, f"{name!r} is no source, step or file.", hint)
            continue
        if found.name in inputs:
            faults.add(at, f"{{in.{found.name}}} would be two inputs.", "Rename one of the files.")
        inputs[found.name] = found
    return inputs


def _check_command(path: KeyPath, command: str, known: Collection[str], faults: Faults) -> None:
    for name in sorted(placeholders(command) - set(known)):
        hint = nearest(name, sorted(known))
        if hint.startswith("Write one of"):
            hint = "Write one of: " + ", ".join(f"{{{one}}}" for one in sorted(known)) + "."
        else:
            hint = f"Write {{{hint.removeprefix('Write ').removesuffix('.')}}}."
        if path[0] == "candidate" and "." not in name and path[-1] == "run":
            hint += f" A setting gets values by parameters.{name} or search.{name}."
        hint += f" For literal braces write {{{{{name}}}}}."
        faults.add(path, f"{{{name}}} has no value.", hint)


def _check_search(path: KeyPath, table: CandidateTable, used: set[str], faults: Faults) -> None:
    at: KeyPath = (*path, "search")
    if table.search == {}:
        faults.add(
            at,
            f"{dotted(at)} has no setting to search.",
            'Name one, as in search = { leaves = "int 8..256 log" }, or remove search.',
        )
    for setting, values in (table.search or {}).items():
        at = (*path, "search", setting)
        if not values:
            faults.add(
                at,
                f"search.{setting} has no values.",
                'Write a range, "int 8..256 log" or "0.01..0.3", or a list of choices.',
            )
            continue
        try:
            space.parse({setting: values}, candidate=str(path[-1]))
        except ProjectError as error:
            faults.add(at, error.problem, error.hint)
        if setting not in used:
            faults.add(
                at, f"search.{setting} is not used.", f"Put {{{setting}}} into run, or remove it."
            )
    if table.trials is not None and table.search is None:
        faults.add(
            (*path, "trials"), "There are trials, but no search.", "Add search, or remove trials."
        )
