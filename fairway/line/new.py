"""``fairway new``: a first project from a table, one that runs as it stands.

Room: ``fairway.line``, before ``check`` and ``run``, which then work on what is written here. How
things are found out about the table stands in ``first/``. It opens no home, runs no command and
trains nothing.
"""

import importlib.metadata
import json
import re
import shutil
from dataclasses import replace
from importlib import resources
from pathlib import Path
from string import Template
from typing import Any

from fairway.errors import RequestError, StoreError
from fairway.line.first import build, found, page, view
from fairway.line.first.found import Found

LIBRARIES = ("lightgbm", "numpy", "pandas", "pyarrow", "scikit-learn", "skops")
"""What ``train.py`` stands on; their versions go into ``requirements.txt``."""

MODELS = {
    "binary": {
        "linear": "LogisticRegression",
        "estimator": "LogisticRegression(max_iter=1000)",
        "objective": "binary",
    },
    "regression": {"linear": "Ridge", "estimator": "Ridge()", "objective": "regression"},
}
IGNORED = ".fairway/\n__pycache__/\n"


def new(directory: Path, table: Path, target: str, name: str | None) -> dict[str, Any]:
    """Write a project into a new folder: data, contract, project file, training program.

    Nothing is asked that the table tells: its key and its time, how its dates and its yes and no
    are spelled, how it can be split. Law: ``fairway check`` and ``run`` take the folder as it is
    written. Nothing is written where anything is refused.

    Args:
        directory: The project's folder; new or empty.
        table: A CSV, Parquet or JSON lines file, which is copied into it.
        target: The column to predict.
        name: The project's name; None takes that of the folder.

    Returns:
        ``{"directory", "files", "notes"}``: what was written, and what the user should know.

    Raises:
        RequestError: If the folder is not empty, the name is none, the table is none, or its target
            cannot be predicted (``NotFoundError`` if there is no such file or column).
        ProjectError: If the table cannot be read.
        StoreError: If the folder cannot be written, or the table is too large to be looked at.
    """
    title = _title(directory, name)
    _check_free(directory)
    with view.bounded():
        return _write(directory, table, title, found.find(view.look(table), target))


def _write(directory: Path, table: Path, title: str, known: Found) -> dict[str, Any]:
    """Write the files; the project file last, so that a folder with one is whole."""
    from fairway.data import contract
    from fairway.data.promise.draft import suggest_contract
    from fairway.data.suggest import suggest_repairs
    from fairway.store.home import write_file

    source, when = known.view.source, known.moment
    data = f"data/{table.name}"
    promised = f"contracts/{source.name}.odcs.yaml"
    own_key = known.key.columns if known.key.is_own else ()
    own_time = when.column if when and when.expression is None else None
    drafted = suggest_contract(known.view.table, source.name, key=own_key, time=own_time)
    if not own_key:  # what happens to be unique today is no promise
        bare = {name: replace(r, primary_key=None) for name, r in drafted.columns.items()}
        drafted = replace(drafted, columns=bare)
    repairs = suggest_repairs(known.rows, skip=sorted(known.roles))
    no_features = [*dict.fromkeys([*known.key.columns, *known.key.ids, known.target.name])]
    texts = {
        promised: contract.dump(drafted),
        "train.py": _template("train.py.txt").substitute(
            MODELS[known.target.task],
            target=_python(known.target.name),
            no_features=_python(no_features),
        ),
        "requirements.txt": _pins(),
        ".gitignore": IGNORED,
    }
    if known.build.sql is not None:
        texts[build.NAME] = known.build.sql
    texts["fairway.toml"] = page.project_file(
        known, repairs, name=title, file=data, contract=promised
    )
    try:
        (directory / "data").mkdir(parents=True, exist_ok=True)
        (directory / "contracts").mkdir(exist_ok=True)
        shutil.copyfile(table, directory / data)
    except OSError as error:
        raise StoreError(
            f"{directory} cannot be written: {error.strerror}.", hint="Name another folder."
        ) from error
    for file, text in texts.items():
        write_file(directory / file, text.encode())
    return {
        "directory": str(directory),
        "files": sorted([data, *texts]),
        "notes": _notes(known),
    }


def _notes(known: Found) -> list[str]:
    """What the user should know before anything is run."""
    n_rows, n_columns = known.view.n_rows, len(known.view.columns)
    notes = [f"{n_rows:,} rows, {n_columns} columns."]
    if known.view.source.encoding:
        notes.append(f"The file is not UTF-8; it is read as {known.view.source.encoding}.")
    notes += known.target.notes
    notes += known.moment.notes if known.moment else ()
    if known.moment and known.moment.n_missing:
        notes.append(f"{known.moment.n_missing:,} rows have no time: they are in no part.")
    notes += known.key.notes
    if known.key.ids:
        notes.append(f"{view.spelled(known.key.ids)}: train.py learns nothing from ids.")
    notes += known.build.notes
    notes += known.deal.notes
    parts = ", ".join(f"{part} {n:,}" for part, n in known.deal.counts.items())
    by = known.deal.keys["by"]
    what = known.moment.column if by == "time" and known.moment else None
    entity = known.deal.keys.get("key", known.key.columns[0])
    shown = what or (entity if isinstance(entity, str) else view.spelled(entity))
    notes.append(f"Split by {by} ({shown}): {parts}.")
    return notes


def _title(directory: Path, name: str | None) -> str:
    """The project's name: lower-case letters, digits, ``-``, ``_`` and ``.``.

    Raises:
        RequestError: If a name was given that is none, or the folder's name has no letter.
    """
    given = name or directory.absolute().name
    plain = re.sub(r"[^a-z0-9._-]+", "-", given.lower()).strip("-._")
    if name is not None and name != plain:
        hint = f"Write {plain}." if plain else "Write one such as shop."
        raise RequestError(
            f"The name {name!r} is not of lower-case letters, digits, '-', '_' and '.'.", hint=hint
        )
    if not plain:
        raise RequestError(f"{given!r} gives no name.", hint="Give one with --name.")
    return plain


def _check_free(directory: Path) -> None:
    """Make sure that nothing is overwritten.

    Raises:
        RequestError: If there is a file, or a folder that is not empty.
    """
    if directory.is_dir() and {path.name for path in directory.iterdir()} - {".git"}:
        has = "a project" if (directory / "fairway.toml").exists() else "files"
        raise RequestError(
            f"The folder {directory} has {has} in it already.",
            hint="Name a folder that is new or empty.",
        )
    if directory.exists() and not directory.is_dir():
        raise RequestError(f"{directory} is a file.", hint="Name a folder that is new or empty.")


def _pins() -> str:
    """The versions at hand of the libraries that ``train.py`` uses."""
    return "".join(f"{name}=={importlib.metadata.version(name)}\n" for name in LIBRARIES)


def _template(name: str) -> Template:
    text = resources.files("fairway.line.first").joinpath(name).read_text(encoding="utf-8")
    return Template(text)


def _python(value: object) -> str:
    """Spell a text or a list of texts as Python does, in double quotes."""
    return json.dumps(value, ensure_ascii=False)
