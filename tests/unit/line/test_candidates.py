import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fairway.digest import of_bytes
from fairway.errors import IntegrityError
from fairway.line import candidates
from fairway.line.candidates import Shop
from fairway.line.prepare import Prepared
from fairway.line.stages import fault
from fairway.model import runtime
from fairway.pipeline.result import Result
from fairway.project import Candidate, Project
from fairway.store.home import Home

TREE = Candidate(
    name="tree",
    run="{python} train.py {train} {valid.csv} {model} --leaves {leaves}",
    predict=None,
    search={},
    trials=1,
    timeout_s=30.0,
    retries=2,
    memory_bytes=None,
    parameters={"kind": "gbdt", "leaves": 4},
)


class Silent:
    """Listens to progress and says nothing."""

    def start(self, text: str, total: int | None = None) -> None:
        """Nothing to show."""

    def step(self, text: str) -> None:
        """Nothing to show."""


@pytest.fixture
def shop(home: Home, project: Project, tmp_path: Path) -> Shop:
    """A dataset with the files that candidates may ask for."""
    folder = tmp_path / "dataset"
    folder.mkdir()
    for name in candidates.INPUTS.values():
        (folder / name).write_text(name)
    prepared = Prepared(
        sources=of_bytes(b"sources"),
        dataset=home.blobs.put_tree(folder),
        told={},
        report={"train_mean": 0.25, "task": "binary"},
        findings=[],
        examples=[],
        warnings=[],
    )
    return Shop(home=home, project=project, prepared=prepared, run="r", report=Silent())


def measured(task: str, **metrics: float) -> dict[str, Any]:
    part = {"task": task, "metrics": {name: {"value": value} for name, value in metrics.items()}}
    return {"validation": part, "test": part}


# What a candidate is given


def test_a_candidate_gets_the_files_that_its_command_names_and_never_the_test_part(
    shop: Shop,
) -> None:
    step = candidates.train_step(shop, TREE, {}, label="tree")

    assert step.inputs == {
        "train": of_bytes(b"train.parquet"),
        "valid.csv": of_bytes(b"valid.csv"),
    }
    assert step.suffixes == {"train": "train.parquet", "valid.csv": "valid.csv"}
    assert step.output == "model"
    assert (step.timeout_s, step.retries) == (30.0, 2)


def test_a_searched_setting_takes_the_place_of_a_fixed_one(shop: Shop) -> None:
    step = candidates.train_step(shop, TREE, {"leaves": 64}, label="tree#0")

    assert step.parameters == {"kind": "gbdt", "leaves": 64}


def test_while_searching_only_the_validation_part_is_predicted(shop: Shop) -> None:
    model = of_bytes(b"model")
    one = candidates.evaluate_step(shop, TREE, model, label="value", parts=("validation",))
    all_ = candidates.evaluate_step(shop, TREE, model, label="evaluation")

    assert shop.home.blobs.read_json(one.inputs["spec"])["parts"] == ["validation"]
    assert shop.home.blobs.read_json(all_.inputs["spec"])["parts"] == ["validation", "test"]


@pytest.mark.parametrize(("timeout_s", "answer_s"), [(5.0, 5.0), (3600.0, 60.0)])
def test_a_process_has_a_minute_for_a_batch_and_never_more_than_its_timeout(
    timeout_s: float, answer_s: float
) -> None:
    assert candidates.answer_s(replace(TREE, timeout_s=timeout_s)) == answer_s


@pytest.mark.parametrize(
    ("run", "predict", "missing"),
    [
        ("{python} train.py {train} {model}", None, None),
        ("no-such-program train {model}", None, "no-such-program"),
        ("THREADS=1 LEVEL=high no-such-program {model}", None, "no-such-program"),
        ("sh train.sh {model}", "no-such-program {model}", "no-such-program"),
        ("./train {model}", None, None),
        ("/opt/none/train {model}", None, None),
        ("if true; then sh train.sh {model}; fi", None, None),
        ("(sh train.sh {model})", None, None),
    ],
)
def test_only_a_plain_program_that_is_not_there_is_missing(
    run: str, predict: str | None, missing: str | None
) -> None:
    assert candidates.missing_program(replace(TREE, run=run, predict=predict)) == missing


def test_the_baseline_always_answers_the_mean_of_the_training_part(
    shop: Shop, tmp_path: Path
) -> None:
    import pyarrow as pa

    shop.home.blobs.check_out(candidates.baseline(shop), tmp_path / "model")
    model = runtime.load(tmp_path / "model", features=["x"])

    assert model.predict(pa.table({"x": [1.0, 2.0, 3.0]})).tolist() == [0.25, 0.25, 0.25]


# What is best


def test_the_best_is_that_of_the_highest_pay_off_where_there_is_one(shop: Shop) -> None:
    document = measured("binary", payoff=-3000.0, log_loss=0.6)

    assert candidates.score(shop, document) == -3000.0


@pytest.mark.parametrize(("task", "metric"), [("binary", "log_loss"), ("regression", "rmse")])
def test_without_a_pay_off_it_is_that_of_the_least_loss(shop: Shop, task: str, metric: str) -> None:
    plain = replace(shop, project=replace(shop.project, payoff=None))
    good, bad = (candidates.score(plain, measured(task, **{metric: x})) for x in (0.4, 0.9))

    assert good > bad


def test_the_threshold_is_what_the_pay_offs_imply_else_one_half_else_none(
    project: Project,
) -> None:
    plain = replace(project, payoff=None)

    assert candidates.threshold(project, measured("binary")) == pytest.approx(0.3)
    assert candidates.threshold(plain, measured("binary")) == 0.5
    assert candidates.threshold(plain, measured("regression")) is None


# What became of it


def test_a_candidate_that_failed_is_an_outcome_that_says_why(shop: Shop) -> None:
    log = shop.home.blobs.put_bytes(b"no such column\n")
    result = Result(name="tree", state="timed_out", log=log, why="never run", problem="30 s.")

    outcome = candidates.trained(shop, TREE, result, {"leaves": 4})

    assert (outcome.state, outcome.model) == ("timed_out", None)
    assert "timed out" in outcome.why
    assert "no such column" in outcome.why
    assert outcome.parameters == {"leaves": 4}


def test_damaged_bytes_are_no_candidates_fault(shop: Shop) -> None:
    said = fault.MARK + json.dumps(
        {"kind": "IntegrityError", "problem": "A blob is damaged.", "hint": "Stop."}
    )
    log = shop.home.blobs.put_bytes(said.encode())
    result = Result(name="tree evaluation", state="failed", log=log, why="never run")

    with pytest.raises(IntegrityError, match="A blob is damaged"):
        candidates.failed(shop, "tree", result, {})


def test_a_search_asks_for_no_more_files_than_its_command_names(shop: Shop) -> None:
    run = "{python} -c 'raise SystemExit(7)' {train.csv} {model} {leaves}"
    one = replace(TREE, run=run, search={"leaves": "int 1..9"}, trials=1, retries=0)

    outcome, rows = candidates.searched(shop, one)

    assert (outcome.state, [row.state for row in rows]) == ("failed", ["failed"])
    assert "All 1 trials failed" in outcome.why
