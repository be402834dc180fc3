"""Tell in which of the allowed forms a model was left in its folder.

Room: ``fairway.model``, before ``runtime``, which loads what is found here. A form is told by the
file's suffix and its first bytes; no framework is imported, nothing is loaded, and a folder with
a pickle anywhere in it is refused.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fairway.errors import StepError
from fairway.model import pickles

ORDER = (
    "Leave an MLmodel folder or exactly one file: .skops, LightGBM .txt, XGBoost .ubj or .json, "
    ".onnx; or give the candidate predict."
)
FLAVORS = {
    "lightgbm": ("lightgbm", ("data",)),
    "xgboost": ("xgboost", ("data",)),
    "onnx": ("onnx", ("data",)),
    "sklearn": ("skops", ("pickled_model", "data", "model")),
}
"""MLmodel flavor -> the form of its file, and the keys that may name it."""

N_HEAD_BYTES = 65_536


@dataclass(frozen=True, kw_only=True)
class Form:
    """How a model is stored.

    Attributes:
        kind: ``skops``, ``lightgbm``, ``xgboost``, ``onnx`` or ``constant``.
        file: The one file to load.
        is_mlmodel: Whether it stands in an MLmodel folder.
    """

    kind: str
    file: Path
    is_mlmodel: bool = False


def classify(folder: Path) -> Form:
    """Find the one model in a folder.

    Other files may lie beside it, as long as no second one could be the model.

    Raises:
        StepError: If there is a pickle (it is named), nothing loadable, or more than one model.
    """
    pickles.refuse(folder)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    descriptions = [path for path in files if path.name == "MLmodel"]
    if len(descriptions) > 1:
        raise _several(folder, descriptions)
    if descriptions:
        return _mlmodel(descriptions[0])
    found = [Form(kind=kind, file=path) for path in files if (kind := _kind(path))]
    if len(found) > 1:
        raise _several(folder, [form.file for form in found])
    if not found:
        there = ", ".join(path.relative_to(folder).as_posix() for path in files[:8])
        raise StepError(
            f"The model folder holds nothing loadable, only {there}."
            if there
            else "The model folder is empty.",
            hint=ORDER,
        )
    return found[0]


def _kind(path: Path) -> str | None:
    """The form of one file by its suffix and first bytes, or None for any other file."""
    suffix = path.suffix.lower()
    if suffix in {".skops", ".onnx", ".ubj"}:
        return {".skops": "skops", ".onnx": "onnx", ".ubj": "xgboost"}[suffix]
    if suffix not in {".txt", ".json"}:
        return None
    with path.open("rb") as file:
        head = file.read(N_HEAD_BYTES)
    if suffix == ".txt":
        is_model = head.split(b"\n", 1)[0].strip() == b"tree" and b"num_class=" in head
        return "lightgbm" if is_model else None
    if path.name == "constant.json":
        return "constant"
    return "xgboost" if b'"learner"' in head or b'"learner_model_param"' in head else None


def _mlmodel(description: Path) -> Form:
    """Read an MLmodel folder: MLflow's description of a model and where its file is."""
    import yaml

    try:
        said = yaml.safe_load(description.read_text("utf-8"))
        flavors: Mapping[str, Any] = said["flavors"]
        names = list(flavors)
    except (yaml.YAMLError, UnicodeDecodeError, KeyError, TypeError) as error:
        raise StepError(
            f"The model's MLmodel is not MLflow's description of a model: {error}.",
            hint="Save the model with mlflow, or leave one model file alone.",
        ) from error
    for name, (kind, keys) in FLAVORS.items():
        flavor = flavors.get(name)
        if not isinstance(flavor, Mapping):
            continue
        written = next((str(flavor[key]) for key in keys if key in flavor), "")
        return Form(kind=kind, file=_named(description.parent, written, kind), is_mlmodel=True)
    raise StepError(
        f"The model's MLmodel has the flavors {', '.join(names)}, none of which can be loaded.",
        hint=f"Save it with one of {', '.join(FLAVORS)} (sklearn: serialization_format='skops').",
    )


def _named(root: Path, written: str, kind: str) -> Path:
    """The file that a flavor names, which must lie within the folder and be of its form."""
    path = root / written
    if not written or not path.resolve().is_relative_to(root.resolve()):
        raise StepError(
            f"The model's MLmodel names the file {written!r}, which is not in its folder.",
            hint="Save the model again.",
        )
    if path.is_dir():
        inside = [file for file in sorted(path.iterdir()) if file.is_file()]
        path = inside[0] if len(inside) == 1 else path
    if not path.is_file():
        raise StepError(
            f"The model's MLmodel names {written!r}, which is not there.",
            hint="Save the model again.",
        )
    if kind == "skops" and path.suffix.lower() != ".skops":
        raise StepError(
            f"The model's scikit-learn file {written!r} is no .skops file.",
            hint="Save it with serialization_format='skops'.",
        )
    return path


def _several(folder: Path, files: list[Path]) -> StepError:
    names = ", ".join(path.relative_to(folder).as_posix() for path in files)
    return StepError(
        f"The model folder holds {len(files)} models: {names}.", hint="Leave exactly one of them."
    )


def read_constant(file: Path) -> float:
    """The score of a model that always says the same (``{"constant": 0.25}``).

    Raises:
        StepError: If the file says no such thing.
    """
    try:
        return float(json.loads(file.read_text("utf-8"))["constant"])
    except (ValueError, KeyError, TypeError) as error:
        raise StepError(
            f"{file.name} holds no constant score: {error}.", hint='Write {"constant": 0.25}.'
        ) from error
