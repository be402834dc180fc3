"""A metric of the project's own: ``module:function``, given (y, score), returns a number.

Room: ``fairway.evaluation``, used by ``measure`` and ``comparison``. It loads the function from the
project's folder and puts a bootstrap interval around what it returns; what it means is not known.
"""

import importlib
import math
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fairway.errors import ProjectError, StepError
from fairway.evaluation.estimate import UNKNOWN, Estimate, bootstrap, vectors
from fairway.evaluation.vocabulary import is_custom

Vector = NDArray[np.float64]
Function = Callable[[Vector, Vector], float]
"""(outcomes (n,), scores (n,)) -> number."""

_FAULTS = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, RuntimeError)


def load(name: str, root: Path) -> Function:
    """Find ``module:function``, looking in the project's folder first.

    Args:
        name: As written in ``[evaluate] metrics``.
        root: The project's folder.

    Raises:
        ProjectError: If the name has another form, the module cannot be imported, or it has no
            such function.
    """
    if not is_custom(name):
        raise ProjectError(f"{name!r} names no function.", hint="Write module:function.")
    module_name, _, function_name = name.partition(":")
    _forget_other_projects(module_name, root)
    sys.path.insert(0, str(root))
    importlib.invalidate_caches()
    try:
        module = importlib.import_module(module_name)
    except (ImportError, SyntaxError, *_FAULTS) as error:
        raise ProjectError(
            f"Metric {name}: module {module_name} cannot be imported ({error}).",
            hint=f"Make `python -c 'import {module_name}'` work in {root}.",
        ) from error
    finally:
        sys.path.remove(str(root))
    function = getattr(module, function_name, None)
    if not callable(function):
        raise ProjectError(
            f"Metric {name}: {module_name} has no function {function_name}.",
            hint=f"Define {function_name}(y, score) there, or correct the name.",
        )
    found: Function = function
    return found


def _forget_other_projects(module_name: str, root: Path) -> None:
    """Drop a module of the same name that another project's folder gave to this process."""
    top = module_name.partition(".")[0]
    loaded = sys.modules.get(top)
    here = root.resolve()
    if loaded is None or not ((here / top).is_dir() or (here / f"{top}.py").is_file()):
        return
    places = [getattr(loaded, "__file__", None) or "", *getattr(loaded, "__path__", ())]
    if any(place and Path(place).resolve().is_relative_to(here) for place in places):
        return
    for name in [name for name in sys.modules if name == top or name.startswith(f"{top}.")]:
        del sys.modules[name]


def call(function: Function, y: Vector, score: Vector) -> float:
    """Ask the project's function once.

    Raises:
        StepError: If it fails or returns no number.
    """
    try:
        value = float(function(y, score))
    except _FAULTS as error:
        name = getattr(function, "__name__", "metric")
        raise StepError(
            f"Metric {name} failed on {len(y)} rows: {type(error).__name__}: {error}.",
            hint="It gets two float64 arrays (y, score) and must return one number.",
        ) from error
    return value


def _attempt(function: Function, y: Vector, score: Vector) -> float | None:
    """Ask on rows where failing is no fault: a resample or a slice may lack a class."""
    try:
        return float(function(y, score))
    except _FAULTS:
        return None


def estimate(
    function: Function, y: ArrayLike, score: ArrayLike, *, is_slice: bool = False
) -> Estimate:
    """Measure with the project's function; interval by a seeded bootstrap over rows.

    Args:
        function: (y, score) -> number.
        y: (n,) outcomes.
        score: (n,) scores.
        is_slice: Then a failure or NaN makes the value unknown and nothing is raised.

    Raises:
        StepError: If it fails on all the rows.
    """
    outcome, scores = vectors(y, score)
    if len(outcome) == 0:
        return UNKNOWN
    ask = _attempt if is_slice else call
    value = ask(function, outcome, scores)
    if value is None or not math.isfinite(value):
        return UNKNOWN
    return bootstrap(
        value, len(outcome), lambda rows: _attempt(function, outcome[rows], scores[rows])
    )


def difference(function: Function, y: Vector, score: Vector, other: Vector) -> Estimate:
    """Measure ``score`` less ``other``; the bootstrap draws the same rows for both.

    Raises:
        StepError: If the function fails on all the rows.
    """
    if len(y) == 0:
        return UNKNOWN
    value = call(function, y, score) - call(function, y, other)
    if not math.isfinite(value):
        return UNKNOWN

    def again(rows: NDArray[np.intp]) -> float | None:
        first = _attempt(function, y[rows], score[rows])
        second = _attempt(function, y[rows], other[rows])
        return None if first is None or second is None else first - second

    return bootstrap(value, len(y), again)
