"""A small project on disk, and a home beside it, for the tests of the pipeline."""

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from fairway.digest import Digest
from fairway.pipeline.execution import run_steps
from fairway.pipeline.result import Result
from fairway.pipeline.step import Step
from fairway.store.home import Home, open_home

ENVIRON = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}


@dataclass
class Project:
    """A folder with commands, and what running its steps gave."""

    root: Path
    home: Home
    environ: Mapping[str, str] = field(default_factory=lambda: dict(ENVIRON))

    def write(self, **files: str) -> None:
        """Write files; ``__`` in a name is a folder, ``_`` before the ending a dot."""
        for name, text in files.items():
            folder, _, file = name.rpartition("__")
            stem, _, ending = file.rpartition("_")
            path = self.root / folder.replace("__", "/") / f"{stem}.{ending}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def run(self, *steps: Step, **given: Any) -> dict[str, Result]:
        """Results by name."""
        found: Sequence[Result] = [
            *run_steps(
                self.home,
                steps,
                root=self.root,
                project="test",
                **{"environ": self.environ, "jobs": 2, **given},
            )
        ]
        assert len(found) == len(steps)
        return {result.name: result for result in found}

    def ran(self, *steps: Step, **given: Any) -> list[str]:
        """Names of the steps that were run, sorted; each must end well."""
        found = self.run(*steps, **given)
        assert {result.state for result in found.values()} == {"done"}, found
        return sorted(name for name, result in found.items() if not result.cached)

    def one(self, command: str, **given: Any) -> Result:
        """What becomes of one command, called ``it``."""
        limits = {name: given.pop(name) for name in [*given] if name in Step.__dataclass_fields__}
        step = Step(name="it", command=command, **{"output_kind": "file", **limits})
        return self.run(step, **given)["it"]

    def text(self, digest: Digest | None) -> str:
        """A blob as text."""
        assert digest is not None
        return self.home.blobs.read(digest).decode()


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that only waits to be counted by its parent does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


@pytest.fixture(scope="session")
def new_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home as it is first made; copying it is faster than making another."""
    root = tmp_path_factory.mktemp("new") / ".fairway"
    open_home(root).close()
    return root


@pytest.fixture
def project(tmp_path: Path, new_home: Path) -> Iterator[Project]:
    root = tmp_path / "a project"
    shutil.copytree(new_home, root / ".fairway")
    with open_home(root / ".fairway") as home:
        yield Project(root=root, home=home)
