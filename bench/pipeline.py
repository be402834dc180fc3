"""The cost of 100 steps that do nothing, beside make, a plain loop, and Luigi and DVC if installed.

Ten chains of ten shell steps, two at once. Every tool runs in its own process; what is counted is
the processor time of that process and of all that it started, the shells included. The figures
compare within one run only.

    python bench/pipeline.py [--rounds 3] [--json]
"""

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Sequence
from pathlib import Path

N_CHAINS = N_LINKS = 10
N_STEPS = N_CHAINS * N_LINKS
REPOSITORY = Path(__file__).parent.parent

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


def cpu_s(command: Sequence[str], folder: Path) -> tuple[float, float]:
    """Processor and wall seconds of a command and of everything that it started."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPATH"] = str(REPOSITORY)
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return used, time.perf_counter() - start


def fairway(folder: Path) -> list[list[str]]:
    """First a home without steps, then cold, then nothing changed."""
    program = folder / "program.py"
    program.write_text(FAIRWAY)
    run = [sys.executable, str(program), str(folder)]
    return [[*run, "open"], run, run]


def make(folder: Path) -> list[list[str]]:
    rules = [f"all: {' '.join(f'o{c}-9' for c in range(N_CHAINS))}\n"]
    for chain in range(N_CHAINS):
        for link in range(N_LINKS):
            before = f"o{chain}-{link - 1}" if link else ""
            read = f"< {before} " if link else ""
            rules.append(f"o{chain}-{link}: {before}\n\t@: {read}> $@\n")
    (folder / "Makefile").write_text("".join(rules))
    run = ["make", "-s", "-j2"]
    return [["true"], run, run]


def loop(folder: Path) -> list[list[str]]:
    (folder / "loop.py").write_text(LOOP)
    run = [sys.executable, "loop.py"]
    return [["true"], run, run]


def luigi(folder: Path) -> list[list[str]]:
    (folder / "program.py").write_text(LUIGI)
    run = [sys.executable, "program.py"]
    return [["true"], run, run]


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
    run = ["dvc", "repro", "-q"]
    return [["dvc", "init", "--no-scm", "-q"], run, run]


def measure(tool: Callable[[Path], list[list[str]]]) -> list[tuple[float, float]]:
    with tempfile.TemporaryDirectory(prefix="fairway-bench-") as folder:
        commands = tool(Path(folder))
        return [cpu_s(command, Path(folder)) for command in commands][1:]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    tools = {"fairway": fairway, "sh loop": loop}
    if shutil.which("make"):
        tools["make -j2"] = make
    if not subprocess.run(
        [sys.executable, "-c", "import luigi"], check=False, capture_output=True
    ).returncode:
        tools["luigi"] = luigi
    if shutil.which("dvc"):
        tools["dvc"] = dvc
    with tempfile.TemporaryDirectory() as nowhere:
        imports = [sys.executable, "-c", "import click, sqlalchemy"]
        cpu_s(imports, Path(nowhere))
        floor = min(cpu_s(imports, Path(nowhere))[0] for _ in range(given.rounds))
    found = {}
    for name, tool in tools.items():
        rounds = [measure(tool) for _ in range(given.rounds)]
        cold, again = (
            {
                "cpu_s": statistics.median(each[k][0] for each in rounds),
                "wall_s": statistics.median(each[k][1] for each in rounds),
            }
            for k in (0, 1)
        )
        found[name] = {"cold": cold, "again": again}
    own = found["fairway"]
    summary = {
        "tools": found,
        "imports_cpu_s": floor,
        "cold_ms_a_step": 1000 * own["cold"]["cpu_s"] / N_STEPS,
        "cold_above_imports_ms_a_step": 1000 * (own["cold"]["cpu_s"] - floor) / N_STEPS,
        "again_above_imports_s": own["again"]["cpu_s"] - floor,
    }
    if given.json:
        print(json.dumps(summary, indent=2))
        return
    print(f"{N_STEPS} steps: CPU s (ms a step) and wall s, first run and nothing changed")
    for name, each in found.items():
        cold, again = each["cold"], each["again"]
        ratio = own["cold"]["cpu_s"] / cold["cpu_s"]
        print(
            f"  {name:10} cold {cold['cpu_s']:6.3f} ({1000 * cold['cpu_s'] / N_STEPS:5.2f}) "
            f"{cold['wall_s']:6.2f}   again {again['cpu_s']:6.3f} {again['wall_s']:6.2f}   "
            f"fairway costs {ratio:4.1f} times as much cold"
        )
    print(
        textwrap.dedent(f"""\
        import click, sqlalchemy: {floor:.3f} s CPU. Fairway above it:
          cold {summary["cold_above_imports_ms_a_step"]:.2f} ms a step (whole process \
{summary["cold_ms_a_step"]:.2f}; limit 4)
          nothing changed {summary["again_above_imports_s"]:.3f} s (limit 0.1)""")
    )


if __name__ == "__main__":
    main()
