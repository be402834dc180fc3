"""Find out all that a project file says about a table.

Room: ``fairway.line``, for ``new``; it asks each module of this folder in turn, and ``page`` spells
what is found. It writes no file.
"""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fairway.line.first import build, comma, deal, key, moment
from fairway.line.first import target as targets
from fairway.line.first.build import Build
from fairway.line.first.deal import Deal
from fairway.line.first.key import Key
from fairway.line.first.moment import Moment
from fairway.line.first.target import Target
from fairway.line.first.view import View

if TYPE_CHECKING:
    import ibis.expr.types as ir

MOST_SLICES = 12
FEWEST_SLICED = 1000  # rows of a table, below which slices of it are too small to be judged


@dataclass(frozen=True, kw_only=True)
class Found:
    """All that was found out about a table.

    Attributes:
        view: The table.
        rows: The dataset that the build makes of it.
        roles: Columns that are no features: key, ids, time, target.
        slice_by: A column by whose values one may want to measure apart, for an example.
    """

    view: View
    target: Target
    moment: Moment | None
    key: Key
    build: Build
    rows: "ir.Table"
    deal: Deal
    roles: frozenset[str]
    slice_by: str | None


def find(view: View, target: str) -> Found:
    """Find the task, the time, the key, the build and the split of a table.

    Raises:
        RequestError: If the target cannot be predicted, or the rows are too few.
    """
    commas = comma.find(view)
    wanted = targets.judge(view, target, commas=commas)
    when = moment.find(view, target=target)
    keyed = key.find(view, target=target, moment=when)
    built = build.plan(view, wanted, when, keyed, commas)
    rows = build.run(view, built)
    roles = frozenset({target, *keyed.columns, *keyed.ids, *([when.column] if when else [])})
    return Found(
        view=view,
        target=wanted,
        moment=when,
        key=keyed,
        build=built,
        rows=rows,
        deal=deal.choose(
            view,
            rows,
            target=target,
            binary=wanted.task == "binary",
            time=when.column if when else None,
            entity=keyed.entity,
            key=keyed.columns,
        ),
        roles=roles,
        slice_by=_slice(view, roles),
    )


def _slice(view: View, roles: frozenset[str]) -> str | None:
    """A column of a few texts, each of them often enough to be measured apart."""
    for column in view.columns.values():
        if column.kind == "text" and column.name not in roles:
            few = 2 <= column.n_distinct <= MOST_SLICES
            if few and view.n_rows >= FEWEST_SLICED and re.fullmatch(r"\w+", column.name):
                return column.name
    return None
