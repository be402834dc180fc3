"""The words for what is measured, known without loading any arithmetic.

Room: ``fairway.evaluation``. ``project`` checks the names in ``[evaluate]`` and ``[gate]`` against
this page, ``metric`` computes what stands here. It computes nothing itself, so that reading a
project file loads no numpy.
"""

import difflib
import re
from typing import Literal

from fairway.errors import ProjectError

Task = Literal["binary", "regression"]
"""What is predicted: yes or no (a score is a probability), or a number."""

BINARY = (
    "auc",
    "log_loss",
    "brier",
    "calibration_error",
    "information_gain",
    "relative_information_gain",
)
"""Metrics of a yes-or-no target, in the order in which they are shown."""

REGRESSION = ("mae", "rmse", "bias", "bits", "r2")
"""Metrics of a number, in the order in which they are shown."""

ALWAYS = ("payoff", "p99_ms", "size_bytes")
"""What is measured without being asked for: ``payoff`` where one is declared."""

NAMES = BINARY + REGRESSION
"""All metrics that ``[evaluate] metrics`` may name besides ``module:function``."""

_CUSTOM = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")


def names_of(task: Task) -> tuple[str, ...]:
    """List the metrics of a task: what is measured where the project file is silent."""
    return BINARY if task == "binary" else REGRESSION


def is_custom(name: str) -> bool:
    """Tell whether a name is a function of the project's own, ``module:function``."""
    return _CUSTOM.fullmatch(name) is not None


def check_name(name: str, task: Task | None = None) -> None:
    """Refuse a metric that nobody can compute.

    Args:
        name: As written in ``[evaluate] metrics``.
        task: Where known, the metric must also fit it.

    Raises:
        ProjectError: If the name is unknown (the nearest one is named) or of the other task.
    """
    if is_custom(name):
        return
    fitting = NAMES if task is None else names_of(task)
    if name in fitting:
        return
    if name in NAMES:
        kind = "a yes-or-no target" if task == "regression" else "a number as target"
        problem = f"{name} is for {kind}, but this task is {task}."
        raise ProjectError(problem, hint=f"Name one of {', '.join(fitting)}.")
    near = difflib.get_close_matches(name, fitting, n=1)
    hint = (
        f"Write {near[0]!r}." if near else f"Name one of {', '.join(fitting)}, or module:function."
    )
    raise ProjectError(f"There is no metric {name!r}.", hint=hint)
