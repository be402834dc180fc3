"""What a start may load: a verb pays only for what it needs."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ENGINES = {"ibis", "duckdb", "sklearn", "pandas", "pyarrow", "numpy", "scipy", "lightgbm", "optuna"}


def loaded(code: str) -> set[str]:
    """The top-level packages that a fresh interpreter has loaded after running ``code``."""
    tail = "\nimport sys, json; print(json.dumps(sorted({m.split('.')[0] for m in sys.modules})))"
    done = subprocess.run([sys.executable, "-c", code + tail], capture_output=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_help_loads_neither_rich_nor_ibis_nor_sqlalchemy_nor_pydantic() -> None:
    code = (
        "from fairway.cli.main import command\n"
        "try: command(['--help'])\n"
        "except SystemExit as end: assert not end.code"
    )

    assert not loaded(code) & {"rich", "ibis", "sqlalchemy", "pydantic", *ENGINES}


@pytest.mark.parametrize(
    "module", ["fairway.project", "fairway.line.run", "fairway.line.look", "fairway.line.deploy"]
)
def test_reading_a_project_and_running_it_again_load_no_engine(module: str) -> None:
    assert not loaded(f"import {module}") & (ENGINES | {"pydantic"})


def test_what_applies_a_model_loads_no_engine_of_rows() -> None:
    code = "import fairway.model.repair, fairway.model.signature, fairway.model.bundle"

    assert not loaded(code) & {"ibis", "duckdb", "sklearn", "pandas", "sqlalchemy"}
