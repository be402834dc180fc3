"""A tiny project on disk and the real command, for the tests of the whole line.

The tests see Fairway as its users do: files, the command ``fairway``, what it prints and its exit
code. Only ``rows`` looks into a home's database, at what no verb shows.
"""

import fcntl
import json
import math
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

FAIRWAY = Path(sys.executable).with_name("fairway")
PATIENCE_S = 120.0
CLOCK = "2024-08-01T00:00Z"  # after every row below
OWNER = "owner@example.org"

PROJECT = """\
format = 1

[project]
name  = "shop"
owner = "owner@example.org"

[source]
orders = { from = "orders.csv", key = "order_id", time = "ordered_at" }

[dataset]
target = "returned"

[split]
by         = "time"
test       = "60d"
validation = "40d"

[candidate.plain]
run     = "{python} train.py {train.csv} {model}"
predict = "{python} predict.py {model}"

[evaluate]
metrics = ["auc", "log_loss", "brier", "information_gain"]

[payoff]
unit = "EUR"
tp   = -3
fp   = -3
fn   = -10

[gate]
staging    = ["auc >= 0.55", "leakage == none"]
production = ["payoff >= champion - 2000", "approvals(owner) >= 1"]
"""

TRAIN = '''\
"""A straight line through one column, by least squares."""

import csv
import json
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    rows = list(csv.DictReader(file))
x = [float(row["amount"]) for row in rows]
y = [float(row["returned"]) for row in rows]
middle, base = sum(x) / len(x), sum(y) / len(y)
steep = sum((a - middle) * (b - base) for a, b in zip(x, y)) / sum((a - middle) ** 2 for a in x)
print("steepness", steep)
with open(sys.argv[2] + "/line", "w") as file:
    json.dump({"middle": middle, "base": base, "steep": steep}, file)
'''

PREDICT = '''\
"""Read a header, then batches of rows that end with an empty line; answer one score a row."""

import csv
import json
import sys

with open(sys.argv[1] + "/line") as file:
    line = json.load(file)
header = next(csv.reader([sys.stdin.readline()]))
place = header.index("amount")
for text in sys.stdin:
    cells = next(csv.reader([text]), None)
    if not cells:
        sys.stdout.flush()
        continue
    score = line["base"] + line["steep"] * (float(cells[place]) - line["middle"])
    print(min(max(score, 0.0), 1.0))
'''


def orders(n: int = 800, *, seed: int = 1) -> list[dict[str, Any]]:
    """Orders, six hours apart from 2024-01-01 on; the dearer ones come back more often."""
    draw = random.Random(seed)
    made = []
    for number in range(n):
        amount, weight = draw.gauss(50, 15), draw.gauss(2, 0.5)
        channel = draw.choice(["web", "shop", "phone"])
        odds = 0.06 * (amount - 50) + (0.5 if channel == "web" else -0.4)
        made.append(
            {
                "order_id": number,
                "ordered_at": spell(datetime(2024, 1, 1, tzinfo=UTC) + timedelta(hours=6 * number)),
                "amount": round(amount, 2),
                "weight": "" if draw.random() < 0.05 else round(weight, 2),
                "channel": channel,
                "returned": int(draw.random() < 1 / (1 + math.exp(-odds))),
            }
        )
    return made


def spell(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def csv_text(rows: Sequence[Mapping[str, Any]]) -> str:
    lines = [",".join(rows[0]), *(",".join(str(cell) for cell in row.values()) for row in rows)]
    return "\n".join(lines) + "\n"


@dataclass(frozen=True)
class Said:
    """What one call of the command came to."""

    words: tuple[str, ...]
    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The one object that stdout holds, and nothing else."""
        assert self.out.endswith("\n"), self
        assert self.out.count("\n") == 1, self
        answer = json.loads(self.out)
        assert isinstance(answer, dict), self
        return answer

    @property
    def problems(self) -> str:
        """The problems that an answer with ``errors`` tells, in one text."""
        told = self.json
        assert list(told) == ["errors"], told
        for error in told["errors"]:
            assert list(error) == ["file", "line", "problem", "hint"], error
        return " ".join(f"{error['problem']} {error['hint']}" for error in told["errors"])


@dataclass(frozen=True)
class Place:
    """A project's folder."""

    root: Path

    @property
    def home(self) -> Path:
        return self.root / ".fairway"

    def write(self, name: str, text: str | bytes) -> Path:
        """Write a file of the project."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def swap(self, name: str, old: str, new: str) -> None:
        """Put ``new`` in the place of ``old``, which the file must have once."""
        text = (self.root / name).read_text()
        assert text.count(old) == 1, (name, old)
        self.write(name, text.replace(old, new))

    def drop(self, *tables: str) -> None:
        """Remove tables from the project file."""
        parts = (self.root / "fairway.toml").read_text().split("\n[")
        kept = [part for part in parts if part.split("]")[0] not in tables]
        assert len(kept) == len(parts) - len(tables)
        self.write("fairway.toml", "\n[".join(kept))

    def add(self, text: str) -> None:
        """Append to the project file."""
        with (self.root / "fairway.toml").open("a") as file:
            file.write(f"\n{text}\n")

    def copy(self, target: Path) -> "Place":
        shutil.copytree(self.root, target, symlinks=True)
        return Place(target)

    def command(self, *words: str) -> list[str]:
        at = [] if "--at" in words else ["--at", CLOCK]
        return [str(FAIRWAY), *words, *at]

    def call(self, *words: str, **variables: str) -> Said:
        """Call the command in the project's folder; ``--at`` is the clock where it is not said."""
        return self.plain(*self.command(*words)[1:], **variables)

    def plain(self, *words: str, **variables: str) -> Said:
        """Call the command with these words alone."""
        done = subprocess.run(
            [str(FAIRWAY), *words],
            cwd=self.root,
            env=environ(**variables),
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_S,
        )
        return Said(words=words, code=done.returncode, out=done.stdout, err=done.stderr)

    def ask(self, *words: str, code: int = 0, **variables: str) -> dict[str, Any]:
        """The JSON answer of a verb that must end with ``code``."""
        said = self.call(*words, "--json", **variables)
        assert said.code == code, said
        return said.json

    def refused(self, *words: str, code: int, **variables: str) -> str:
        """What a verb says that must end with ``code`` and tell errors."""
        said = self.call(*words, "--json", **variables)
        assert said.code == code, said
        return said.problems

    def start(self, *words: str) -> "subprocess.Popen[str]":
        """Start the command and do not wait."""
        return subprocess.Popen(
            self.command(*words),
            cwd=self.root,
            env=environ(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def killed(self, *words: str, at: int) -> bool:
        """Call a verb that kills itself at its ``at``-th durable write; false if it ended well."""
        said = self.call(*words, "--crash-at", str(at))
        assert said.code in {0, -signal.SIGKILL}, said
        return said.code != 0

    def ran(self, **given: Any) -> dict[str, dict[str, Any]]:
        """Run, and give the candidates by name."""
        return by_name(self.ask("run", **given))

    def steps(self) -> dict[str, dict[str, Any]]:
        """What became of each step of the latest run, by name."""
        return {step["name"]: step for step in self.ask("logs")["steps"]}

    def worked(self) -> list[str]:
        """Names of the latest run's steps that were not cached, sorted."""
        return sorted(name for name, step in self.steps().items() if not step["cached"])

    def log(self, name: str) -> str:
        """What a candidate's or a step's own command printed in the latest run."""
        (step,) = (one for one in self.ask("logs", name)["steps"] if one["name"] == name)
        text: str = step["text"]
        return text.rstrip("\n")

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Ask the home's database, reading only."""
        base = sqlite3.connect(f"{(self.home / 'fairway.db').as_uri()}?mode=ro", uri=True)
        try:
            return base.execute(sql).fetchall()
        finally:
            base.close()

    def blob(self, digest: str) -> Path:
        """Where the bytes of a digest lie."""
        digits = digest.removeprefix("sha256:")
        return self.home / "blobs/sha256" / digits[:2] / digits[2:]

    def dataset(self, name: str) -> Path:
        """A file of the latest run's dataset, such as ``report.json``."""
        (record,) = self.rows(
            "SELECT json_extract(body, '$.record') FROM journal WHERE kind = 'run_finished'"
            " ORDER BY seq DESC LIMIT 1"
        )[0]
        tree = json.loads(self.blob(record).read_bytes())["dataset"]
        entry = json.loads(self.blob(tree).read_bytes())["tree"][name]
        return self.blob(entry["digest"])


def by_name(answer: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The candidates of an answer by name."""
    return {one["name"]: one for one in answer["candidates"]}


def environ(**variables: str) -> dict[str, str]:
    """This process's variables without those of test runners, and with ``variables``."""
    hidden = ("PYTHONDONTWRITEBYTECODE", "PYTHONWARNINGS", "COLUMNS", "PYTEST_CURRENT_TEST")
    return {k: v for k, v in os.environ.items() if k not in hidden} | variables


def write_project(root: Path, *, project: str = PROJECT, n: int = 800) -> Place:
    """A project that runs as it stands: orders, and a straight line in plain Python."""
    place = Place(root)
    place.write("fairway.toml", project)
    place.write("orders.csv", csv_text(orders(n)))
    place.write("train.py", TRAIN)
    place.write("predict.py", PREDICT)
    return place


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Keep the other workers out."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Place:
    """A project that the first worker that needs it makes, for all of them."""
    shared = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    root, whole = shared / name, shared / f"{name}.whole"
    with alone(shared / f"{name}.lock"):
        if not whole.exists():
            make(root)
            whole.touch()
    return Place(root)


def keep_run(factory: pytest.TempPathFactory) -> Place:
    """The tiny project after its first run."""

    def make(root: Path) -> None:
        write_project(root).ask("run", "--as", "ann")

    return once(factory, "kept-run", make)


def keep_release(factory: pytest.TempPathFactory) -> Place:
    """The tiny project after its first release."""
    start = keep_run(factory)

    def make(root: Path) -> None:
        start.copy(root).ask("release", "--as", "ann")

    return once(factory, "kept-release", make)
