"""Spell the query that makes the dataset of the table, where the table cannot be it as it is.

Room: ``fairway.line``, for ``new``. It says what must change, and writes SQL that people can read;
the engine runs it, here as later in the project.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fairway.line.first.key import Key
from fairway.line.first.moment import Moment
from fairway.line.first.target import PART, Target
from fairway.line.first.view import View, free, quote

if TYPE_CHECKING:
    import ibis.expr.types as ir

AWKWARD = re.compile(r'[\[\]{}:,"]')  # in a feature's name LightGBM's file cannot hold it
NAME = "dataset.sql"


@dataclass(frozen=True, kw_only=True)
class Build:
    """The query, and what it is told to be.

    Attributes:
        sql: The query; None where the table is the dataset as it is.
        does: What it does, in a few words each.
        notes: What the user should know, as sentences.
    """

    sql: str | None
    does: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def plan(
    view: View, target: Target, moment: Moment | None, key: Key, commas: Mapping[str, str]
) -> Build:
    """Say what the build must change, and spell it."""
    replaced: dict[str, tuple[str, str]] = {}
    added: list[tuple[str, str, str]] = []
    left_out: list[str] = []
    does: list[str] = []
    if target.expression is not None:
        replaced[target.name] = (target.expression, target.notes[0].split(";")[0].rstrip("."))
        does.append(f"makes {target.name} {'0 and 1' if target.task == 'binary' else 'a number'}")
    for name, expression in commas.items():
        if name not in {target.name, *key.columns, *key.ids}:
            replaced[name] = (expression, "a number that is written with a comma")
            does.append(f"reads the commas of {name}")
    if moment is not None and moment.expression is not None:
        does.append(f"makes {moment.column} a time")
        if moment.column in view.columns:
            replaced[moment.column] = (moment.expression, "the time of the row")
        else:
            added.append((moment.column, moment.expression, "the time of the row"))
            left_out = [n for n in moment.made_of if view.columns[n].kind == "text"]
    for name, expression, why in key.made:
        added.append((name, expression, why))
        does.append(why.partition(":")[0] if name in key.columns else f"adds {name}")
    renamed = _renamed(view, {target.name, *key.columns})
    notes = [f"{old} is called {new} in the dataset." for old, new in renamed.items()]
    does += [f"renames {old}" for old in renamed]
    if not (replaced or added or left_out or renamed):
        return Build(sql=None)
    sql = _spell(view, replaced, added, left_out, renamed)
    return Build(sql=sql, does=tuple(does), notes=tuple(notes))


def run(view: View, build: Build) -> "ir.Table":
    """Make the dataset in the engine, as the project will."""
    if build.sql is None:
        return view.table
    view.engine.con.execute(f"CREATE TEMP TABLE dataset AS {build.sql}").fetchall()
    return view.engine.table("dataset")


def _renamed(view: View, kept: set[str]) -> dict[str, str]:
    """Names that cannot stay: Fairway's own, and those that a model's file cannot hold."""
    taken = list(view.columns)
    renamed = {}
    for name in view.columns:
        if name in kept or not (name == PART or AWKWARD.search(name)):
            continue
        plain = re.sub(r"\W+", "_", name).strip("_") or "column"
        renamed[name] = free(plain, taken)
        taken.append(renamed[name])
    return renamed


def _spell(
    view: View,
    replaced: Mapping[str, tuple[str, str]],
    added: Sequence[tuple[str, str, str]],
    left_out: Sequence[str],
    renamed: Mapping[str, str],
) -> str:
    """Write the query, one change a line, each with its reason."""
    star = "  *"
    if left_out:
        star += f" EXCLUDE ({', '.join(quote(name) for name in left_out)})"
    if replaced:
        star += " REPLACE (\n"
        star += _listed([(expression, name, why) for name, (expression, why) in replaced.items()])
        star += "\n  )"
    if renamed:
        pairs = ", ".join(f"{quote(old)} AS {quote(new)}" for old, new in renamed.items())
        star += f" RENAME ({pairs})"
    lines = [
        "-- The dataset: one row for each prediction, in DuckDB's SQL. Its tables are the sources",
        "-- in fairway.toml; * EXCLUDE (a, b) leaves columns out.",
        "SELECT",
        star + ("," if added else ""),
    ]
    if added:
        lines.append(_listed([(expression, name, why) for name, expression, why in added], 2))
    table = view.sql_name if view.sql_name == view.row else f"{view.sql_name} AS {view.row}"
    return "\n".join([*lines, f"FROM {table}", ""])


def _listed(items: Sequence[tuple[str, str, str]], indent: int = 4) -> str:
    """Expressions with their names, each below a comment that says why."""
    space = " " * indent
    texts = []
    for i, (expression, name, why) in enumerate(items):
        comma = "," if i + 1 < len(items) else ""
        texts.append(f"{space}-- {why}\n{space}{expression} AS {quote(name)}{comma}")
    return "\n".join(texts)
