"""``python -m bench [NAME...]``: measure, print one table, and end with 1 if a bar is missed."""

import argparse
import dataclasses
import json
import os
import platform
import sys
from collections.abc import Callable, Mapping, Sequence

from bench import candidates, flights, pipeline, start
from bench.figure import Figure, table

SUITES: Mapping[str, Callable[[], Sequence[Figure]]] = {
    "start": start.figures,
    "steps": pipeline.figures,
    "candidates": candidates.figures,
    "flights": flights.figures,
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("name", nargs="*", help=f"which of {', '.join(SUITES)}; all by default")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    given = parser.parse_args()
    if unknown := sorted({*given.name} - {*SUITES}):
        parser.error(f"there is no {unknown[0]!r}; there are {', '.join(SUITES)}")
    load = os.getloadavg()[0]
    print(
        f"Python {platform.python_version()}, {os.cpu_count()} cores, load {load:.1f} at the start"
        + ("; the machine is busy, so walls are too long" if load > 0.5 else ""),
        file=sys.stderr,
    )
    found: list[Figure] = []
    for name in given.name or SUITES:
        print(f"measuring {name}", file=sys.stderr)
        found += SUITES[name]()
    if given.json:
        shown = [{**dataclasses.asdict(one), "is_met": one.is_met} for one in found]
        print(json.dumps({"figures": shown}, indent=2))
    else:
        print(table(found))
        print("\nratio: Fairway over the peer, or over the bar. Medians of n runs.")
    return int(any(one.is_met is False for one in found))


sys.exit(main())
