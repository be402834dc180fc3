"""The order of steps: each after those whose output it takes.

Room: ``fairway.pipeline``, after ``step`` and before ``execution``. It looks at names alone; it
runs nothing.
"""

from collections.abc import Mapping, Sequence

from fairway.errors import ProjectError
from fairway.pipeline.step import Step


def order(steps: Sequence[Step]) -> list[Step]:
    """Sort steps so that each stands after all that it waits for; otherwise as they were given.

    Raises:
        ProjectError: If a name is used twice, a step waits for one that is not there, or steps
            wait for each other in a circle, which is named.
    """
    named: dict[str, Step] = {}
    for step in steps:
        if step.name in named:
            raise ProjectError(
                f"Two steps are called {step.name!r}.", hint="Give each step its own name."
            )
        named[step.name] = step
    ordered = order_names({step.name: sorted(set(step.after.values())) for step in steps})
    return [named[name] for name in ordered]


def order_names(waits: Mapping[str, Sequence[str]]) -> list[str]:
    """Sort names so that each stands after those it waits for; otherwise in the order given.

    Raises:
        ProjectError: If a name waits for one that is not there, or names wait in a circle.
    """
    done: dict[str, None] = {}
    for start in waits:
        path: dict[str, None] = {}
        stack = [(start, iter(waits[start]))]
        path[start] = None
        while stack:
            name, rest = stack[-1]
            before = next((other for other in rest if other not in done), None)
            if before is None:
                stack.pop()
                path.pop(name, None)
                done[name] = None
            elif before in path:
                raise _circle([*path], before)
            elif before not in waits:
                raise _absent(name, before, waits)
            else:
                path[before] = None
                stack.append((before, iter(waits[before])))
    return [*done]


def _circle(path: Sequence[str], closing: str) -> ProjectError:
    circle = [*path[path.index(closing) :], closing]
    return ProjectError(
        f"Steps wait for each other in a circle: {' -> '.join(circle)}.",
        hint=f"Take one of them out of the `in` of step {circle[0]!r}.",
    )


def _absent(name: str, before: str, waits: Mapping[str, Sequence[str]]) -> ProjectError:
    import difflib

    near = difflib.get_close_matches(before, waits, n=1)
    hint = f"Did you mean {near[0]!r}?" if near else f"Name one of {', '.join(sorted(waits))}."
    return ProjectError(f"Step {name!r} waits for {before!r}, which is no step.", hint=hint)
