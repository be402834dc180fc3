"""Searching a candidate's parameters."""

import subprocess
import sys
import textwrap
from collections.abc import Iterator
from typing import Any

import pytest

from fairway.digest import of_bytes
from fairway.errors import StepError
from fairway.pipeline.result import Result
from fairway.pipeline.search import Trial, best, search, seed_of
from fairway.pipeline.space import parse
from fairway.pipeline.step import Step

from .conftest import ENVIRON, Project

SPACE = parse({"x": "-1..1", "n": "int 1..64 log", "kind": ["a", "b"]}, candidate="c")
COMMAND = "echo {x} {n} {kind} > {out}"


class Search:
    """A search over a parabola, which counts how often a value is asked for."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.n_valued = 0

    def value(self, result: Result) -> float:
        self.n_valued += 1
        x, n, kind = self.project.text(result.output).split()
        return (float(x) - 0.3) ** 2 + 0.001 * int(n) + (kind == "b")

    def run(self, n_trials: int = 6, command: str = COMMAND, **given: Any) -> list[Trial]:
        self.n_valued = 0
        step = Step(name="c", command=command, output_kind="file")
        return search(
            self.project.home,
            step,
            SPACE,
            **{
                "n_trials": n_trials,
                "evaluate": self.value,
                "evaluation": of_bytes(b"rows"),
                "root": self.project.root,
                "project": "test",
                "jobs": 2,
                "environ": ENVIRON,
                **given,
            },
        )


@pytest.fixture
def parabola(project: Project) -> Iterator[Search]:
    return Search(project)


def tried(trials: list[Trial]) -> list[tuple[object, ...]]:
    return [(*trial.parameters.values(), trial.value) for trial in trials]


def test_trials_lie_in_the_space_and_the_best_has_the_least_value(parabola: Search) -> None:
    trials = parabola.run(14)
    assert [trial.number for trial in trials] == [*range(14)]
    for trial in trials:
        x, n, kind = (trial.parameters[name] for name in ("x", "n", "kind"))
        assert -1 <= x <= 1
        assert 1 <= n <= 64
        assert isinstance(n, int)
        assert kind in {"a", "b"}
    assert best(trials).value == min(trial.value for trial in trials if trial.value is not None)
    assert len({*tried(trials)}) == 14


def test_a_search_repeated_runs_nothing_and_values_nothing(parabola: Search) -> None:
    first = parabola.run()
    assert parabola.n_valued == 6
    again = parabola.run()
    assert tried(again) == tried(first)
    assert all(trial.result.cached for trial in again)
    assert parabola.n_valued == 0


def test_a_search_repeated_does_not_import_optuna(parabola: Search) -> None:
    parabola.run(4)
    program = textwrap.dedent(f"""
        import sys
        from pathlib import Path
        from fairway.digest import of_bytes
        from fairway.pipeline.search import search
        from fairway.pipeline.space import parse
        from fairway.pipeline.step import Step
        from fairway.store.home import open_home

        root = Path({str(parabola.project.root)!r})
        space = parse({{"x": "-1..1", "n": "int 1..64 log", "kind": ["a", "b"]}}, candidate="c")
        with open_home(root / ".fairway") as home:
            trials = search(
                home, Step(name="c", command={COMMAND!r}, output_kind="file"), space, n_trials=4,
                evaluate=None, evaluation=of_bytes(b"rows"), root=root, project="test", jobs=2,
                environ={ENVIRON!r},
            )
        print(all(t.result.cached for t in trials), "optuna" in sys.modules)
    """)
    told = subprocess.run(
        [sys.executable, "-c", program], check=False, capture_output=True, text=True
    )
    assert (told.stdout, told.stderr) == ("True False\n", "")


def test_a_search_that_is_made_longer_goes_on_as_if_it_had_been_long(
    parabola: Search, project: Project
) -> None:
    for n_trials in (11, 13, 15, 17):  # each cuts a round of two short
        longer = parabola.run(n_trials)
    assert parabola.n_valued <= 3
    assert tried(parabola.run(15)) == tried(longer)[:15]
    assert parabola.n_valued == 0

    with project.home.db.transaction() as tx:
        tx.execute("DELETE FROM step_result")
    assert tried(parabola.run(17)) == tried(longer)


def test_other_code_makes_another_search_from_the_round_that_it_changes(
    parabola: Search, project: Project
) -> None:
    project.write(mode_txt="0")
    command = (
        "read m < mode.txt; [ $m = 0 ] && echo {x} {n} {kind} > {out} || echo 1 1 {kind} > {out}"
    )
    first = parabola.run(14, command)
    project.write(mode_txt="1")
    second = parabola.run(14, command)
    assert [t.parameters for t in second[:2]] == [t.parameters for t in first[:2]]
    assert [t.parameters for t in second] != [t.parameters for t in first]
    with project.home.db.transaction() as tx:
        tx.execute("DELETE FROM step_result")
    assert tried(parabola.run(14, command)) == tried(second)


def test_another_evaluation_values_anew(parabola: Search) -> None:
    parabola.run()
    trials = parabola.run(evaluation=of_bytes(b"other rows"))
    assert parabola.n_valued == 6
    assert all(trial.result.cached for trial in trials)


def test_failed_trials_stop_nothing_and_count_as_failed(parabola: Search) -> None:
    command = "[ {kind} = a ] && " + COMMAND
    trials = parabola.run(8, command)
    failed = [trial for trial in trials if trial.value is None]
    assert {trial.parameters["kind"] for trial in failed} == {"b"}
    assert failed[0].problem == "It ended with exit code 1."
    assert best(trials).parameters["kind"] == "a"
    assert tried(parabola.run(8, command)) == tried(trials)


def test_a_value_that_cannot_be_had_makes_a_trial_fail(parabola: Search) -> None:
    def value(result: Result) -> float:
        if "a\n" in parabola.project.text(result.output):
            raise StepError("It holds no model.", hint="Write one.")
        return float("nan")

    trials = parabola.run(6, evaluate=value)
    assert {t.problem for t in trials} == {"It holds no model.", "Its value is nan."}
    with pytest.raises(StepError, match=r"All 6 trials failed\. The first: It"):
        best(trials)


def test_a_trial_may_be_judged_by_a_step_of_its_own(parabola: Search) -> None:
    def judge(step: Step) -> Step:
        return Step(
            name=f"{step.name} value",
            command="read x n kind < {in.it}; [ $kind = a ] && cp {in.it} {out}",
            after={"in.it": step.name},
            output_kind="file",
        )

    trials = parabola.run(6, then=judge)
    plain = parabola.run(6, evaluation=of_bytes(b"plain"))
    assert [t.parameters for t in trials] == [t.parameters for t in plain]
    for trial, other in zip(trials, plain, strict=True):
        assert trial.result.name == f"c#{trial.number}"
        is_good = trial.parameters["kind"] == "a"
        assert trial.value == (other.value if is_good else None)
        assert is_good or trial.problem == "It ended with exit code 1."


def test_the_seed_is_of_the_project_and_the_candidate(parabola: Search) -> None:
    seeds = {seed_of(p, c) for p in ("p", "q") for c in ("c", "d")}
    assert len(seeds) == 4
    assert all(0 <= seed < 2**31 for seed in seeds)
    assert seed_of("p", "c") == seed_of("p", "c")
    assert tried(parabola.run(2)) != tried(parabola.run(2, project="other"))
