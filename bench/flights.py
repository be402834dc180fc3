"""The flights project: its first run in an empty home, and one in which nothing changed."""

import json
import os
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

from bench.figure import Figure, own, peer
from bench.measure import run
from bench.start import FAIRWAY

PROJECT = Path(__file__).parents[1] / "examples/flights"
RUN = [FAIRWAY, "run", "--at", "2013-09-01T00:00Z", "--json"]
N_AGAIN = 5
GB = 1e9


def figures() -> list[Figure]:
    """At most 3 minutes and 2 GB at first, under 3 s again."""
    with tempfile.TemporaryDirectory(prefix="fairway-bench-") as folder:
        root = Path(folder) / "flights"
        shutil.copytree(PROJECT, root, ignore=shutil.ignore_patterns(".fairway", "__pycache__"))
        first = run(RUN, root, with_tree=True)
        again = [run(RUN, root) for _ in range(N_AGAIN)]
        imports = [
            run([sys.executable, "-c", "import click, sqlalchemy"], root).wall_s
            for _ in range(N_AGAIN)
        ]
    told, repeated = json.loads(first.output), json.loads(again[-1].output)
    assert told["snapshot"] == repeated["snapshot"]
    assert all(one["cached"] for one in repeated["candidates"] if one["state"] == "done"), repeated
    skipped = [one["name"] for one in told.get("skipped", ())]
    remark = f"{first.cpu_s:.0f} s CPU on {len(os.sched_getaffinity(0))} cores"
    if skipped:
        remark += f"; without {', '.join(skipped)}"
    rows = [
        own("flights, first run, wall", first.wall_s, "s", bar=180, n=1, remark=remark),
        own("  its largest process, resident", first.largest_bytes / GB, "GB", bar=2, n=1),
    ]
    if first.tree_bytes is not None:
        remark = "shared pages counted in each process"
        tree_gb = first.tree_bytes / GB
        rows.append(own("  all its processes at once", tree_gb, "GB", bar=2, n=1, remark=remark))
    wall_s = statistics.median(one.wall_s for one in again)
    rows.append(own("flights, nothing changed, wall", wall_s, "s", bar=3, n=N_AGAIN))
    limit = statistics.median(imports)
    rows.append(peer("python -c 'import click, sqlalchemy'", limit, rows[-1], n=N_AGAIN))
    return rows
