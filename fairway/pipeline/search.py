"""Looks for a candidate's best parameters: each trial is one cached step.

Room: ``fairway.pipeline``, after ``execution`` and ``space``. Optuna proposes, in memory; the
record of a search lies in the store, so that a search that is repeated asks nobody. What a trial
is worth is the caller's to say.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fairway.digest import Digest, of_json
from fairway.errors import StepError
from fairway.pipeline import cache, space
from fairway.pipeline.execution import run_steps
from fairway.pipeline.result import Result
from fairway.pipeline.space import Choice, Range, Space
from fairway.pipeline.step import Step, Value
from fairway.pipeline.workplace import Accept, n_cores
from fairway.store.home import Home

if TYPE_CHECKING:
    import optuna


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One set of parameters, tried.

    Attributes:
        number: Its place in the search, from 0.
        parameters: What was proposed.
        result: What became of the step.
        value: What it is worth, the less the better; None where it failed.
        problem: Why it failed; otherwise nothing.
    """

    number: int
    parameters: Mapping[str, Value]
    result: Result
    value: float | None
    problem: str = ""


@dataclass(frozen=True, kw_only=True)
class _Search:
    """What stays the same during one search."""

    home: Home
    step: Step
    space: Space
    root: Path
    project: str
    jobs: int
    run: str | None
    accept: Accept | None
    environ: Mapping[str, str] | None
    evaluate: Callable[[Result], float]
    then: Callable[[Step], Step] | None

    def try_out(
        self, start: int, proposed: Sequence[Mapping[str, Value]], past: Sequence[Mapping[str, Any]]
    ) -> list[Trial]:
        """Run some trials at once and value each; a value of the record is not computed again."""
        steps = [
            replace(
                self.step,
                name=f"{self.step.name}#{number}",
                parameters={**self.step.parameters, **parameters},
            )
            for number, parameters in enumerate(proposed, start)
        ]
        judges = [self.then(step) for step in steps] if self.then is not None else []
        found = run_steps(
            self.home,
            [*steps, *judges],
            root=self.root,
            project=self.project,
            jobs=self.jobs,
            run=self.run,
            accept=self.accept,
            environ=self.environ,
        )
        results = {result.name: result for result in found}
        return [
            self._value(number, parameters, results[step.name], results[judge.name], past)
            for (number, parameters), step, judge in zip(
                enumerate(proposed, start), steps, judges or steps, strict=True
            )
        ]

    def _value(
        self,
        number: int,
        parameters: Mapping[str, Value],
        result: Result,
        judged: Result,
        past: Sequence[Mapping[str, Any]],
    ) -> Trial:
        value, problem = None, result.problem or judged.problem
        if result.output is not None and judged.output is not None:
            known = {each["output"]: each["value"] for each in past if each["value"] is not None}
            try:
                value = known.get(result.output)
                value = float(self.evaluate(judged)) if value is None else value
                problem = ""
            except StepError as error:
                problem = error.problem
            if value is not None and not math.isfinite(value):
                value, problem = None, f"Its value is {value}."
        return Trial(
            number=number, parameters=parameters, result=result, value=value, problem=problem
        )


def search(
    home: Home,
    step: Step,
    over: Space,
    *,
    n_trials: int,
    evaluate: Callable[[Result], float],
    evaluation: Digest,
    root: Path,
    project: str,
    then: Callable[[Step], Step] | None = None,
    jobs: int | None = None,
    run: str | None = None,
    accept: Accept | None = None,
    environ: Mapping[str, str] | None = None,
) -> list[Trial]:
    """Try parameters, each round learning from all rounds before.

    The law: what a trial tries depends on the project's and the step's name, the space, the number
    of trials at once, and the values of the rounds before, and on nothing else. A search that is
    repeated where nothing changed runs nothing, evaluates nothing, and does not import Optuna. A
    trial that fails is told to the sampler as failed and stops nothing.

    Args:
        home: Where results are kept.
        step: The candidate; the trial's parameters are added to its own.
        over: What may be tried.
        n_trials: How many trials.
        evaluate: Says what a result is worth, the less the better. A StepError that it raises, or
            a value that is not finite, makes the trial fail.
        evaluation: Names everything that a value depends on besides the output: rows, metric.
        root: The project's folder.
        project: The project's name.
        then: Makes the step that judges a trial's step, for which it waits (``after``); it runs
            beside the other trials, and ``evaluate`` gets its result instead of the trial's.
        jobs: How many run at once; as many as there are cores where not said. The record of a
            search goes on in rounds of the size that it began with.
        run: See ``run_steps``.
        accept: See ``run_steps``.
        environ: See ``run_steps``.

    Returns:
        All trials, by number.
    """
    n_at_once = max(1, jobs or n_cores())
    work = _Search(
        home=home,
        step=step,
        space=over,
        root=root,
        project=project,
        jobs=n_at_once,
        run=run,
        accept=accept,
        environ=environ,
        evaluate=evaluate,
        then=then,
    )
    seed = seed_of(project, step.name)
    about = {
        "search": 1,
        "command": step.command,
        "space": space.spell(over),
        "evaluation": evaluation,
        "seed": seed,
    }
    record = cache.recall(home, about) or {"width": n_at_once, "trials": []}
    past, width = record["trials"][:n_trials], record["width"]
    trials = _repeat(work, past, n_trials, width)
    sampler: _Sampler | None = None
    while len(trials) < n_trials:
        sampler = sampler or _Sampler(over, seed=seed, trials=trials)
        start, n = len(trials), min(width - len(trials) % width, n_trials - len(trials))
        tried = work.try_out(start, sampler.propose(start, n), record["trials"])
        sampler.learn(tried)
        trials += tried
    told = [
        {"parameters": dict(t.parameters), "value": t.value, "output": t.result.output}
        for t in trials
    ]
    if told != past:
        cache.remember(
            home, about, {"width": width, "trials": told}, project=project, name=step.name
        )
    return trials


def best(trials: Sequence[Trial]) -> Trial:
    """The trial with the least value; of equal ones the first.

    Raises:
        StepError: If every trial failed.
    """
    good = [(trial.value, trial.number, trial) for trial in trials if trial.value is not None]
    if not good:
        told = trials[0].problem if trials else "There was none."
        raise StepError(
            f"All {len(trials)} trials failed. The first: {told}",
            hint="Read its output with `fairway logs`, and mend the command.",
        )
    return min(good, key=lambda each: each[:2])[2]


def seed_of(project: str, candidate: str) -> int:
    """The seed of a candidate's search, below 2**31."""
    return int(of_json([project, candidate])[7:15], 16) >> 1


def _repeat(
    work: _Search, past: Sequence[Mapping[str, Any]], n_trials: int, width: int
) -> list[Trial]:
    """The trials of the record that a search from scratch would propose again.

    All are asked for at once, because most often all are known. From the first round on whose
    values have changed, later rounds would have been others, and are left to the sampler.
    """
    if len(past) < n_trials and len(past) % width:
        past = past[: len(past) - len(past) % width]  # its last round was cut short by n_trials
    if not past:
        return []
    proposed = [{name: each["parameters"][name] for name in work.space} for each in past]
    trials = work.try_out(0, proposed, past)
    same = [t.value == each["value"] for t, each in zip(trials, past, strict=True)]
    n_same = sum(1 for _ in takewhile(bool, same))
    return trials if n_same == len(trials) else trials[: (n_same // width + 1) * width]


class _Sampler:
    """Optuna's tree-structured Parzen estimator, in memory, seeded anew for each trial."""

    def __init__(self, over: Space, *, seed: int, trials: Sequence[Trial]) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._seed = seed
        self._spaces = {name: _distribution(part) for name, part in over.items()}
        self._study = optuna.create_study(direction="minimize")
        for trial in trials:
            state = optuna.trial.TrialState
            self._study.add_trial(
                optuna.trial.create_trial(
                    params=dict(trial.parameters),
                    distributions=self._spaces,
                    value=trial.value,
                    state=state.FAIL if trial.value is None else state.COMPLETE,
                )
            )

    def propose(self, start: int, n: int) -> list[dict[str, Value]]:
        """Parameters of the next round."""
        import optuna

        proposed = []
        for number in range(start, start + n):
            self._study.sampler = optuna.samplers.TPESampler(
                seed=self._seed + number, multivariate=True, constant_liar=True
            )
            asked = self._study.ask(self._spaces).params
            proposed.append({name: asked[name] for name in self._spaces})
        return proposed

    def learn(self, trials: Sequence[Trial]) -> None:
        """Take in the values of a round."""
        import optuna

        for trial in trials:
            if trial.value is None:
                self._study.tell(trial.number, state=optuna.trial.TrialState.FAIL)
            else:
                self._study.tell(trial.number, trial.value)


def _distribution(part: Range | Choice) -> "optuna.distributions.BaseDistribution":
    from optuna.distributions import (
        CategoricalDistribution,
        FloatDistribution,
        IntDistribution,
    )

    if isinstance(part, Choice):
        return CategoricalDistribution(part.values)
    if part.is_whole:
        return IntDistribution(int(part.low), int(part.high), log=part.is_log)
    return FloatDistribution(part.low, part.high, log=part.is_log)
