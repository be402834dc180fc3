"""Rows of a shop that takes orders, as tables, as what is found out about them, as projects."""

import csv
import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fairway.data import check, contract, dataset, source
from fairway.data.split import EntitySplit, labelled_span
from fairway.line.first.found import Found
from fairway.line.new import new
from fairway.project import Project, read

Rows = list[dict[str, Any]]

START = dt.datetime(2024, 1, 3, tzinfo=dt.UTC)


def orders(n: int = 200, **columns: Callable[[int], Any]) -> Rows:
    """Rows of orders; a further column is a function of the row's number."""
    usual: dict[str, Callable[[int], Any]] = {
        "order_id": lambda i: 5000 + 3 * i,
        "ordered_at": lambda i: f"{START + dt.timedelta(hours=7 * i):%Y-%m-%dT%H:%M:%SZ}",
        "price": lambda i: round(20 + (i * 37 % 100) / 3, 2),
        "shop": lambda i: ["Bonn", "Köln", "Trier"][i * 7 % 3],
        "returned": lambda i: "yes" if i * 37 % 100 > 70 else "no",
    }
    chosen = {name: make for name, make in {**usual, **columns}.items() if make is not None}
    return [{name: make(i) for name, make in chosen.items()} for i in range(n)]


def without(rows: Rows, *names: str) -> Rows:
    return [{name: v for name, v in row.items() if name not in names} for row in rows]


def as_csv(
    folder: Path, rows: Rows, name: str = "orders.csv", *, encoding: str = "utf-8", **form: Any
) -> Path:
    """Write rows as CSV."""
    path = folder / name
    with path.open("w", encoding=encoding, newline="") as file:
        out = csv.DictWriter(file, list(rows[0]), **form)
        out.writeheader()
        out.writerows(rows)
    return path


def make(folder: Path, rows: Rows, target: str = "returned", **form: Any) -> Project:
    """Make a project of rows and read it."""
    new(folder / "shop", as_csv(folder, rows, **form), target, None)
    return read(folder / "shop")


def built(project: Project) -> Rows:
    """The rows of a project's dataset with their part, built as the line builds them."""
    engine = source.connect()
    tables = {name: source.read(engine, one, project.root) for name, one in project.sources.items()}
    for name, path in project.contracts.items():
        assert not check.check(engine, tables[name], contract.load(path)).n_aside
    keys = {name: one.key for name, one in project.sources.items()}
    rows = dataset.build(engine, project.dataset, tables, {}, project.root, keys=keys)
    target, time = project.dataset.target, project.dataset.time
    if isinstance(project.split, EntitySplit):
        parts = project.split.assign(rows, target=target)
    else:
        windows = project.split.resolve(*labelled_span(rows, time=str(time), target=target))
        parts = project.split.assign(rows, time=str(time), target=target, windows=windows)
    told: Rows = parts.order_by(list(project.dataset.key)).to_pyarrow().to_pylist()
    assert {row["part"] for row in told if row[target] is not None} >= {
        "train",
        "validation",
        "test",
    }
    return told


def rows_of(known: Found) -> Rows:
    """The rows of the dataset that the build makes, with times in UTC as the line takes them."""
    rows = known.rows.order_by(list(known.key.columns)).to_pyarrow().to_pylist()
    return [{name: _aware(value) for name, value in row.items()} for row in rows]


def _aware(value: Any) -> Any:
    return value.replace(tzinfo=dt.UTC) if isinstance(value, dt.datetime) else value
