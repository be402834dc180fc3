"""The cost of 100 steps that do nothing, beside make, a plain loop, and Luigi and DVC if installed.

Ten chains of ten shell steps, two at once. Every tool runs in its own process; what is counted is
the processor time of that process and of all that it started, the shells included. The figures
compare within one run only.
"""

import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from bench.figure import Figure, own, peer
from bench.measure import run

N_CHAINS = N_LINKS = 10
N_STEPS = N_CHAINS * N_LINKS

FAIRWAY = """
import sys
from pathlib import Path
from fairway.pipeline.execution import run_steps
from fairway.pipeline.step import Step
from fairway.store.home import open_home

root = Path(sys.argv[1])
steps = [
    Step(
        name=f"s{chain}-{link}",
        command=(": < {in.before} > {out}" if link else ": > {out}") + f" # {chain} {link}",
        output_kind="file",
        after={"in.before": f"s{chain}-{link - 1}"} if link else {},
    )
    for chain in range(10) for link in range(10)
]
with open_home(root / ".fairway") as home:
    if len(sys.argv) == 2:
        found = list(run_steps(home, steps, root=root, project="bench", jobs=2))
        assert [result.state for result in found] == ["done"] * 100
"""

LOOP = """
import subprocess
for chain in range(10):
    for link in range(10):
        before = f"< o{chain}-{link - 1} " if link else ""
        subprocess.run(["sh", "-c", f": {before}> o{chain}-{link}"], check=True)
"""

LUIGI = """
import subprocess
import luigi

class Link(luigi.Task):
    chain = luigi.IntParameter()
    link = luigi.IntParameter()
    def requires(self):
        return [Link(chain=self.chain, link=self.link - 1)] if self.link else []
    def output(self):
        return luigi.LocalTarget(f"o{self.chain}-{self.link}")
    def run(self):
        before = f"< o{self.chain}-{self.link - 1} " if self.link else ""
        subprocess.run(["sh", "-c", f": {before}> {self.output().path}"], check=True)

luigi.build([Link(chain=c, link=9) for c in range(10)], local_scheduler=True, log_level="ERROR")
"""


def fairway(folder: Path) -> list[list[str]]:
    """First a home without steps, then cold, then nothing changed."""
    program = folder / "program.py"
    program.write_text(FAIRWAY)
    command = [sys.executable, str(program), str(folder)]
    return [[*command, "open"], command, command]


def make(folder: Path) -> list[list[str]]:
    rules = [f"all: {' '.join(f'o{c}-9' for c in range(N_CHAINS))}\n"]
    for chain in range(N_CHAINS):
        for link in range(N_LINKS):
            before = f"o{chain}-{link - 1}" if link else ""
            read = f"< {before} " if link else ""
            rules.append(f"o{chain}-{link}: {before}\n\t@: {read}> $@\n")
    (folder / "Makefile").write_text("".join(rules))
    command = ["make", "-s", "-j2"]
    return [["true"], command, command]


def loop(folder: Path) -> list[list[str]]:
    (folder / "loop.py").write_text(LOOP)
    command = [sys.executable, "loop.py"]
    return [["true"], command, command]


def luigi(folder: Path) -> list[list[str]]:
    (folder / "program.py").write_text(LUIGI)
    command = [sys.executable, "program.py"]
    return [["true"], command, command]


def dvc(folder: Path) -> list[list[str]]:
    stages = ["stages:\n"]
    for chain in range(N_CHAINS):
        for link in range(N_LINKS):
            before = f"o{chain}-{link - 1}" if link else ""
            read = f"< {before} " if link else ""
            needs = f"    deps: [{before}]\n" if link else ""
            stages.append(
                f"  s{chain}-{link}:\n    cmd: ': {read}> o{chain}-{link}'\n{needs}"
                f"    outs: [o{chain}-{link}]\n"
            )
    (folder / "dvc.yaml").write_text("".join(stages))
    command = ["dvc", "repro", "-q"]
    return [["dvc", "init", "--no-scm", "-q"], command, command]


def measure(tool: Callable[[Path], list[list[str]]]) -> tuple[float, float]:
    """Processor seconds of a tool's first run, and of one in which nothing changed."""
    with tempfile.TemporaryDirectory(prefix="fairway-bench-") as folder:
        commands = tool(Path(folder))
        _, cold, again = (run(command, Path(folder)).cpu_s for command in commands)
        return cold, again


def there() -> dict[str, Callable[[Path], list[list[str]]] | None]:
    """The tools to compare, Fairway first; None for one that is not installed."""
    ask = [sys.executable, "-c", "import luigi"]
    has_luigi = not subprocess.run(ask, check=False, capture_output=True).returncode
    return {
        "fairway": fairway,
        "make -j2": make if shutil.which("make") else None,
        "sh -c in a loop": loop,
        "Luigi": luigi if has_luigi else None,
        "DVC": dvc if shutil.which("dvc") else None,
    }


def figures(rounds: int = 5) -> list[Figure]:
    """Cold at most 4 ms CPU a step; nothing changed at most 0.1 s CPU above what it imports."""
    with tempfile.TemporaryDirectory() as nowhere:
        imports = [sys.executable, "-c", "import click, sqlalchemy"]
        floor = statistics.median(run(imports, Path(nowhere)).cpu_s for _ in range(rounds + 2))
    cold: dict[str, float | None] = {}
    again: dict[str, float | None] = {}
    for name, tool in there().items():
        cold[name] = again[name] = None
        if tool is not None:
            found = [measure(tool) for _ in range(rounds)]
            cold[name] = 1000 / N_STEPS * statistics.median(first for first, _ in found)
            again[name] = statistics.median(second for _, second in found)
    first, second = cold.pop("fairway"), again.pop("fairway")
    assert first is not None
    assert second is not None
    above = first - 1000 * floor / N_STEPS
    own_cold = own(
        "100 shell steps, cold, CPU a step", first, "ms", bar=4, n=rounds,
        remark=f"{above:.2f} ms above the imports",
    )  # fmt: skip
    own_again = own(
        "100 shell steps, nothing changed, CPU", second, "s", bar=0.1 + floor, n=rounds,
        remark="the bar: 0.1 s above the imports",
    )  # fmt: skip
    del again["sh -c in a loop"]  # it knows nothing of what changed
    return [
        own_cold,
        *(peer(name, each, own_cold, n=rounds) for name, each in cold.items()),
        own_again,
        peer("python -c 'import click, sqlalchemy'", floor, own_again, n=rounds + 2),
        *(peer(name, each, own_again, n=rounds) for name, each in again.items()),
    ]
