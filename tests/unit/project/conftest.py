"""A whole project on disk, and a way to read a changed copy of its file."""

from collections.abc import Callable
from pathlib import Path

import pytest

from fairway.errors import ProjectError
from fairway.project import Project, read

WHOLE = """\
# A comment, so that line 1 is no key.
format = 1

[project]
name    = "late-arrivals"
purpose = "Tell who will be late"
owner   = "risk@example.org"
variables = ["TOKEN"]
env     = ["requirements.lock"]

[source]
flights = { from = "data/flights/*.parquet", key = ["hour", "flight"], time = "hour" }
weather = { from = "data/weather.csv", key = "hour", fresh = "2h" }

[contract]
flights = "contracts/flights.odcs.yaml"

[dataset]
build = "late.dataset:build"
key = ["hour", "flight"]
target = "late"
time = "scheduled_at"
known_at = "scheduled_at - 3h"
accept.dep_delay = { by = "ann@example.org", reason = "known at booking" }

[split]
by = "time"
test = "31d"
validation = "2w"
gap = "1d"
until = 2013-08-31

[repair]
speed = { outlier = "mad > 8" }
"*" = { missing = "median", flag = true }

[step.holidays]
run = "{python} -m late.holidays {in.calendar} {out}"
in = ["raw/calendar.txt"]
out = "holidays.parquet"

[step.early]
run = "{python} -m late.early {in.flights} {in.holidays} {out}"
in = ["flights", "holidays"]

[candidate.logistic]
run = "{python} -m late.train {train} {valid} {model}"
timeout = "10m"

[candidate.lightgbm]
run = "{python} -m late.train {train} {model} --leaves {leaves} --seed {seed}"
search = { leaves = "int 8..256 log" }
parameters = { seed = 7 }
memory = "2GB"

[candidate.glm]
run = "Rscript r/train.R {train.csv} glm.rds"
predict = "Rscript r/predict.R glm.rds"

[evaluate]
metrics = ["auc", "log_loss", "late.score:points"]
slices = ["carrier"]

[payoff]
unit = "USD"
tp = -30
fp = -30
fn = -120

[gate]
staging = [
  "auc >= 0.65",
  "worst(carrier).auc >= 0.55",
]
production = ["payoff >= champion - 100", "tests == passed", "approvals(owner) >= 1"]

[release]
app = "app/"
test = "pytest app/tests"
"""

FILES = (
    "requirements.lock",
    "data/flights/2013-01.parquet",
    "data/weather.csv",
    "contracts/flights.odcs.yaml",
    "raw/calendar.txt",
    "app/main.py",
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of a whole project, without its project file."""
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    module = tmp_path / "late/dataset.py"
    module.parent.mkdir()
    module.write_text("def build(flights, weather, holidays=None):\n    return flights\n")
    return tmp_path


@pytest.fixture
def reading(folder: Path) -> Callable[..., Project]:
    """Read the whole project's file, or another text, after replacing one text by another."""

    def read_changed(old: str = "", new: str = "", text: str = WHOLE) -> Project:
        assert old in text
        (folder / "fairway.toml").write_text(text.replace(old, new, 1) if old else text)
        return read(folder / "fairway.toml")

    return read_changed


@pytest.fixture
def refusal(reading: Callable[..., Project]) -> Callable[..., list[ProjectError]]:
    """Read likewise, and give back the faults."""

    def faults(old: str = "", new: str = "", text: str = WHOLE) -> list[ProjectError]:
        with pytest.raises(ProjectError) as caught:
            reading(old, new, text)
        return [caught.value, *caught.value.more]

    return faults
