"""The page for one's own data, followed word by word: every command of it is run, in its order."""

import csv
import datetime as dt
import json
import os
import random
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[2] / "docs/how-to/own-data.md"
FAIRWAY = [sys.executable, "-c", "from fairway.cli.main import start; start()"]
START = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)


def fairway(words: list[str], folder: Path) -> dict[str, Any]:
    done = subprocess.run(
        [*FAIRWAY, *words, "--json"],
        cwd=folder,
        capture_output=True,
        text=True,
        env=dict(os.environ),
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def write_orders(path: Path) -> None:
    """Orders of a shop: the larger the size, the more come back; a refund is known afterwards."""
    drawn = random.Random(7)
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(["order_id", "ordered_at", "size", "price", "town", "refund", "returned"])
        for i in range(1500):
            at = (START + dt.timedelta(hours=6 * i)).strftime("%Y-%m-%dT%H:%M:%SZ")
            size, price = drawn.randint(30, 50), round(drawn.uniform(20, 90), 2)
            is_back = drawn.random() < (size - 28) / 40
            refund = round(price * drawn.random() * (0.6 if is_back else 0.5), 2)
            town = drawn.choice(["Bonn", "Köln", "Trier"])
            out.writerow([i, at, size, price, town, refund, "yes" if is_back else "no"])


def test_every_command_of_the_page_works_in_its_order(tmp_path: Path) -> None:
    write_orders(tmp_path / "orders.csv")
    lines = re.findall(r"^    ((?:fairway|cd) .*)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    folder, release = tmp_path, ""
    answers: dict[str, dict[str, Any]] = {}
    for line in lines:
        words = shlex.split(line.replace("RELEASE", release))
        if words[0] == "cd":
            folder /= words[1]
            continue
        answers[words[1]] = fairway(words[1:], folder)
        release = answers[words[1]].get("release") or release

    assert list(answers) == ["new", "check", "run", "candidates", "release", "deploy", "at"]
    assert {one["state"] for one in answers["run"]["candidates"]} == {"done"}
    assert answers["release"]["verdict"]["pass"]
    assert answers["at"]["environments"] == {"production": release}

    again = fairway(["run"], folder)
    assert all(one["cached"] for one in again["candidates"])


def test_what_is_known_only_with_the_outcome_is_withheld_as_the_page_says(tmp_path: Path) -> None:
    write_orders(tmp_path / "orders.csv")
    fairway(["new", "shop", "--from", "orders.csv", "--target", "returned"], tmp_path)
    assert fairway(["check"], tmp_path / "shop")["refused"] == []
    entry = re.search(r"    - name: refund\n(      .*\n)+", PAGE.read_text(encoding="utf-8"))
    assert entry is not None
    promised = tmp_path / "shop/contracts/orders.odcs.yaml"
    drafted = promised.read_text(encoding="utf-8")
    place = re.search(r"  - name: refund\n(    .*\n)+", drafted)
    assert place is not None

    written = entry[0].replace("\n    ", "\n  ").removeprefix("  ")
    promised.write_text(drafted.replace(place[0], written), encoding="utf-8")

    refused = fairway(["check"], tmp_path / "shop")["refused"]
    assert {one["column"] for one in refused} == {"refund"}
