"""The start of the command line: what ``--help`` costs beside an empty Python program."""

import statistics
import sys
import tempfile
from pathlib import Path

from bench.figure import Figure, own, peer
from bench.measure import run

FAIRWAY = str(Path(sys.executable).with_name("fairway"))
N = 15


def figures() -> list[Figure]:
    """``fairway --help`` at most 6 times ``python -c pass``, in processor time."""
    commands = {"help": [FAIRWAY, "--help"], "pass": [sys.executable, "-c", "pass"]}
    spent: dict[str, list[float]] = {name: [] for name in commands}
    with tempfile.TemporaryDirectory(prefix="fairway-bench-") as folder:
        for _ in range(N + 1):
            for name, command in commands.items():
                spent[name].append(1000 * run(command, Path(folder)).cpu_s)
    told, nothing = (statistics.median(spent[name][1:]) for name in commands)  # the first warms up
    shown = own("fairway --help, CPU", told, "ms", bar=6 * nothing, n=N)
    return [shown, peer("python -c pass", nothing, shown, n=N, remark="at most 6 times this")]
