"""Read every source at the project's clock, check its contract, and keep it as a snapshot.

Room: ``fairway.line``; before ``dataset``. Input: the sources of the project. Output folder:
``NAME.parquet`` for each source, ``NAME.aside.parquet`` with rows that broke the contract, and
``report.json``. It builds nothing and judges no freshness: that is a matter of the caller's clock.
"""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from fairway.data import check, contract, snapshot, source
from fairway.line.stages import spec, tell
from fairway.line.stages.spec import SourcesSpec


def take(spec_file: Path, out: Path) -> None:
    """Write the snapshots and what was found on the way.

    Raises:
        ProjectError: If a source cannot be read.
        ContractError: If a table as a whole breaks its contract.
    """
    asked = spec.read(spec_file.read_bytes(), SourcesSpec)
    root = Path.cwd()
    at = datetime.fromisoformat(asked.at)
    connection = source.connect()
    whole = {name: source.read(connection, item, root) for name, item in asked.sources.items()}
    seen = {name: source.hide(table, asked.sources[name], at) for name, table in whole.items()}
    report: dict[str, Any] = {"sources": {}}
    spans = {n: source.visible_window(whole[n], item, at) for n, item in asked.sources.items()}
    report["after"] = _spell(max((s[0] for s in spans.values() if s[0]), default=None))
    report["until"] = _spell(min((s[1] for s in spans.values() if s[1]), default=None))
    for name, table in seen.items():
        item = asked.sources[name]
        told: dict[str, Any] = {"rules": [], "n_aside": 0}
        rows = table
        if name in asked.contracts:
            rules = contract.load(root / asked.contracts[name])
            found = check.check(connection, table, rules, references=seen)
            rows = found.passing
            told["rules"] = tell.rules(found.rules)
            told["unchecked"] = list(rules.unchecked)
            if found.n_aside:
                aside = snapshot.write(found.aside, out / f"{name}.aside.parquet", key=item.key)
                told["n_aside"] = aside.n_rows
        kept = snapshot.write(rows, out / f"{name}.parquet", key=item.key)
        told |= {"n_rows": kept.n_rows, "columns": dict(kept.columns)}
        told["newest_at"] = _spell(spans[name][0])
        report["sources"][name] = told
    (out / "report.json").write_text(json.dumps(report, sort_keys=True, indent=1))


def _spell(at: datetime | None) -> str | None:
    return at.isoformat().replace("+00:00", "Z") if at else None
