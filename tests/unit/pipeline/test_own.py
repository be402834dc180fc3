"""What Fairway's own results depend on: its code and its libraries, nothing else."""

import shutil
import subprocess
import sys
from pathlib import Path

import fairway

PACKAGE = Path(fairway.__file__).parent


def maker(folder: Path) -> str:
    """The name that a copy of Fairway in ``folder`` has for itself."""
    code = "from fairway.pipeline import own; print(own.maker())"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, check=True, text=True
    )
    return done.stdout.strip()


def test_a_changed_line_of_fairway_makes_another_maker_and_a_copy_does_not(tmp_path: Path) -> None:
    for name in ("one", "two", "changed"):
        shutil.copytree(
            PACKAGE, tmp_path / name / "fairway", ignore=shutil.ignore_patterns("*.pyc")
        )
    changed = tmp_path / "changed/fairway/data/split.py"
    changed.write_text(changed.read_text() + "\n# another line\n")

    names = {name: maker(tmp_path / name) for name in ("one", "two", "changed")}

    assert names["one"] == names["two"] != names["changed"]
