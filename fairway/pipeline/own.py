"""What Fairway's own steps are made by: its code and the libraries that do their work.

Room: ``fairway.pipeline``, for ``cache``. A result of an internal step counts only as long as
nothing of this changes; a command of the project is not touched by it.
"""

import functools
from importlib import metadata
from pathlib import Path

import fairway
from fairway.digest import Digest, of_bytes, of_json

LIBRARIES = (
    "duckdb",
    "ibis-framework",
    "lightgbm",
    "numpy",
    "onnxruntime",
    "pandas",
    "pyarrow",
    "scikit-learn",
    "scipy",
    "skops",
    "xgboost-cpu",
)


@functools.cache  # one process runs one Fairway
def maker() -> Digest:
    """One name for Fairway's code, by content, and the libraries' versions."""
    folder = Path(fairway.__file__).parent
    code = {
        str(path.relative_to(folder)): of_bytes(path.read_bytes())
        for path in sorted(folder.rglob("*.py"))
    }
    return of_json({"code": code, "libraries": {name: _version(name) for name in LIBRARIES}})


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
