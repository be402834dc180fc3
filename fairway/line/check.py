"""``fairway check``: what the file leaves open, what the data breaks, and what leaks.

Nothing is trained.

Room: ``fairway.line``; it is the first half of ``run``, so a run after it finds the work done.
"""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from fairway.line.prepare import Prepared, prepare
from fairway.line.progress import Report
from fairway.project import Project
from fairway.store.home import Home


def check(
    home: Home,
    project: Project,
    at: datetime,
    actor: str,
    *,
    suggest_repairs: bool,
    report: Report,
) -> dict[str, Any]:
    """Say what Fairway takes where the file is silent, and what reading and building found.

    Raises:
        ContractError: If the data as a whole breaks its contract.
        ProjectError: If the project's file or code cannot be used.
    """
    prepared = prepare(home, project, at, actor, run=None, report=report)
    told = {**prepared.told["sources"], "dataset": prepared.report}
    return {
        "project": project.name,
        "defaults": [asdict(one) for one in project.defaults],
        "snapshot": prepared.file(home, "rows.parquet"),
        "task": prepared.report["task"],
        "contracts": {
            name: {"rules": one["rules"], "n_rows": one["n_rows"], "n_aside": one["n_aside"]}
            for name, one in told.items()
            if name in project.contracts
        },
        "split": prepared.split,
        "windows": prepared.report["windows"],
        "features": prepared.report["features"],
        "left_out": prepared.report["left_out"],
        "refused": prepared.shown("withheld"),
        "accepted": prepared.shown("accepted"),
        "warnings": prepared.warnings,
        "repairs": _suggested(home, project, prepared) if suggest_repairs else [],
    }


def _suggested(home: Home, project: Project, prepared: Prepared) -> list[dict[str, Any]]:
    """Repairs that the training rows ask for, each with its reason."""
    from fairway.data import source, suggest

    engine = source.connect()
    with home.scratch("suggest") as folder:
        for name in ("rows.parquet", "part.parquet"):
            home.blobs.check_out(prepared.file(home, name), folder / name)
        rows = engine.read_parquet(folder / "rows.parquet")
        part = engine.read_parquet(folder / "part.parquet")
        spec = project.dataset
        train = rows.semi_join(part.filter(part.part == "train"), list(spec.key))
        withheld = {one["column"] for one in prepared.findings if one["state"] == "withheld"}
        skip = [*spec.key, spec.target, *withheld, *([spec.time] if spec.time else [])]
        found = suggest.suggest_repairs(train, skip=skip)
    return [
        {
            "column": one.column,
            "rule": one.rule,
            "reason": one.reason,
            "is_question": one.is_question,
            "line": one.toml(),
        }
        for one in found
    ]
