"""The flights of New York as a stranger gets them: the demo, and what a right result looks like.

Both run in one copy of the example, in one home, once for all workers. Where a number differs from
the table of nycflights13's months the test says why.
"""

import json
import resource
import shutil
import subprocess
import sys
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from fairway.data import contract
from fairway.model import bundle, repair
from tests.conformance.flights import (
    CLONE,
    DEMO_AT,
    EXAMPLE,
    WHOLE_YEAR,
    YEAR,
    ask,
    copy_example,
    measured,
    part_of,
    record,
    values,
)
from tests.line.place import Place, by_name, environ

TRAINED = ("logistic", "lightgbm", "glm")
ENGINES = {"ibis", "duckdb", "sklearn", "pandas", "pyarrow", "numpy", "scipy", "lightgbm", "optuna"}

WIRE = {
    "run": {"snapshot", "split", "refused", "candidates", "best", "seconds"},
    "release": {"release", "path", "verdict"},
    "deploy": {"environment", "release", "verdict"},
    "verify": {"release", "ok", "differs"},
    "at": {"at", "environments"},
}

R_SCORES = """
commandArgs <- function(...) c("{train}", "{folder}")
source("r/train.R")
writeLines(sprintf("%.17g", predict(fit, rows[seq({first}, by = {step}, length.out = {n}), ],
                                    type = "response")))
"""


# The demo


def test_the_demo_answers_with_the_keys_of_the_wire(first: dict[str, Any]) -> None:
    assert set(first) == {*WIRE, "skipped", "seconds"}
    for verb, keys in WIRE.items():
        assert keys <= set(first[verb]), verb
    assert set(first["run"]["split"]) == {"train", "validation", "test"}
    for one in first["run"]["refused"]:
        assert {"column", "test", "evidence"} <= set(one)
    for one in first["run"]["candidates"]:
        assert {"name", "model", "state", "cached", "metrics", "threshold"} <= set(one)
        assert {"value", "low", "high"} <= set(one["metrics"]["auc"])
    for rule in first["release"]["verdict"]["rules"]:
        assert {"rule", "pass", "value", "why"} <= set(rule)


def test_the_demo_trains_three_candidates_in_two_languages(first: dict[str, Any]) -> None:
    found = by_name(first["run"])

    assert {name: one["state"] for name, one in found.items()} == dict.fromkeys(
        [*TRAINED, "baseline"], "done"
    )
    assert first["skipped"] == []
    assert first["run"]["best"] in TRAINED
    assert all(found[name]["threshold"] == 0.25 for name in TRAINED)
    for name in TRAINED:
        auc = found[name]["metrics"]["auc"]
        assert 0.67 < auc["low"] < auc["value"] < auc["high"] < 0.75, (name, auc)


def test_the_demo_refuses_both_leaks_by_name_with_their_evidence(first: dict[str, Any]) -> None:
    refused = {one["column"]: one for one in first["run"]["refused"]}

    assert set(refused) == {"dep_delay", "air_time"}
    assert refused["dep_delay"]["test"] == "predicts_too_well"
    assert "AUC 0.90" in refused["dep_delay"]["evidence"]
    assert refused["air_time"]["test"] == "null_with_label"
    assert "exactly the 7,183 of 224,863 rows" in refused["air_time"]["evidence"]


def test_the_demo_releases_the_best_and_deploys_it_everywhere(
    first: dict[str, Any], flights: Place
) -> None:
    release = first["release"]["release"]

    assert first["release"]["verdict"]["pass"] is True
    assert (first["deploy"]["environment"], first["deploy"]["release"]) == ("production", release)
    assert first["deploy"]["verdict"]["pass"] is True
    assert first["at"]["environments"] == {"staging": release, "production": release}
    assert (first["verify"]["release"], first["verify"]["ok"]) == (release, True)
    assert first["verify"]["differs"] == []
    manifest = json.loads((Path(first["release"]["path"]) / "release.json").read_bytes())
    assert manifest["candidate"] == first["run"]["best"]
    assert ask(flights.root, "verify", release, *DEMO_AT)["ok"] is True
    assert ask(flights.root, "audit", "verify")["ok"] is True


def test_the_demo_leaves_a_page_for_people(first: dict[str, Any], demo: Place) -> None:
    page = (demo.root / "demo-results/page.txt").read_text()

    for told in ("dep_delay", "air_time", *TRAINED, "production"):
        assert told in page


def test_a_release_has_the_application_and_none_of_its_leftovers(first: dict[str, Any]) -> None:
    app = Path(first["release"]["path"]) / "app"

    found = {file.relative_to(app).as_posix() for file in app.rglob("*") if file.is_file()}
    assert found == {"advice.py", "tests/test_advice.py"}


def test_a_second_run_takes_no_step_and_loads_no_engine(
    first: dict[str, Any], flights: Place
) -> None:
    code = (
        "import sys\n"
        "from fairway.cli.main import command\n"
        "try: command(sys.argv[1:])\n"
        "except SystemExit as end: assert not end.code, end.code\n"
        "print(*sorted({name.split('.')[0] for name in sys.modules}), file=sys.stderr)"
    )
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-c", code, "run", *DEMO_AT, "--json"],
        cwd=flights.root,
        env=environ(),
        capture_output=True,
        text=True,
        check=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    answer = json.loads(done.stdout)

    steps = flights.rows(f"SELECT name, why FROM step_run WHERE run_id = '{answer['run']}'")
    assert [(name, why) for name, why in steps if why != "cached"] == []
    assert "dataset" in dict(steps)
    assert all(one["cached"] for one in answer["candidates"])
    assert not set(done.stderr.splitlines()[-1].split()) & {*ENGINES, "pydantic"}
    again, before_it = by_name(answer), by_name(first["run"])
    assert {n: c["model"] for n, c in again.items()} == {
        n: c["model"] for n, c in before_it.items()
    }
    assert answer["snapshot"] == first["run"]["snapshot"]
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    assert cpu_s < 3.0


def test_without_r_its_candidate_is_skipped_and_said(demo: Place, tmp_path: Path) -> None:
    for program in ("sh", "git"):
        (tmp_path / program).symlink_to(shutil.which(program) or program)

    answer = ask(demo.root, "demo", PATH=str(tmp_path))

    found = by_name(answer["run"])
    assert [one["name"] for one in answer["skipped"]] == ["glm"]
    assert "Rscript" in answer["skipped"][0]["why"]
    assert (found["glm"]["state"], found["glm"]["model"]) == ("skipped", None)
    assert found["logistic"]["state"] == found["lightgbm"]["state"] == "done"
    assert answer["verify"]["ok"] is True
    kept = json.loads((demo.root / "demo-results/result.json").read_text())
    assert kept["skipped"] == answer["skipped"]


def test_weather_of_the_hour_itself_is_refused_as_a_look_ahead(tmp_path: Path) -> None:
    place = Place(copy_example(tmp_path / "flights"))
    place.swap("late/dataset.py", "weather.time_hour + ibis.interval(hours=3)", "weather.time_hour")

    refused = ask(place.root, "check", *DEMO_AT)["refused"]

    probed = {one["column"] for one in refused if one["test"] == "probe"}
    weather = {"temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure"}
    assert probed == weather


# The whole year


def test_the_dataset_keeps_every_flight_once(year: dict[str, Any], flights: Place) -> None:
    rows = pq.read_table(part_of(flights, record(flights, WHOLE_YEAR)["dataset"], "rows.parquet"))

    assert rows.num_rows == 336_776
    assert (
        rows.select(["time_hour", "carrier", "flight"])
        .group_by(["time_hour", "carrier", "flight"])
        .aggregate([])
        .num_rows
        == rows.num_rows
    )
    assert rows["late"].null_count == 9_430
    assert pc.is_null(rows["air_time"]).equals(pc.is_null(rows["late"]))


def test_the_parts_are_the_months_in_utc(year: dict[str, Any], flights: Place) -> None:
    """Months of New York give 217,727, 55,628 and 53,991 rows; an evening is a day later in UTC."""
    table = pa.concat_tables(
        pq.read_table(file) for file in sorted((flights.root / "data/flights").glob("*.parquet"))
    )
    table = table.filter(pc.is_valid(table["arr_delay"]))
    month = table["month"]

    def count(low: int, high: int) -> int:
        return int(
            pc.sum(pc.and_(pc.greater_equal(month, low), pc.less_equal(month, high))).as_py()
        )

    assert [count(1, 8), count(9, 10), count(11, 12)] == [217_727, 55_628, 53_991]

    minutes = pc.multiply(table["minute"].cast("int64"), 60_000_000).cast("duration[us]")
    at = pc.add(table["time_hour"].cast(pa.timestamp("us", "UTC")), minutes)

    def between(*months: int) -> int:
        low, high = (datetime(2013 + m // 13, (m - 1) % 12 + 1, 1, tzinfo=UTC) for m in months)
        inside = pc.and_(pc.greater_equal(at, pa.scalar(low)), pc.less(at, pa.scalar(high)))
        return int(pc.sum(inside).as_py())

    assert year["split"] == {
        "train": between(1, 9),
        "validation": between(9, 11),
        "test": between(11, 13),
    }


def test_the_whole_year_refuses_both_leaks(year: dict[str, Any]) -> None:
    refused = {one["column"]: one for one in year["refused"]}

    assert set(refused) == {"dep_delay", "air_time"}
    assert "AUC 0.90" in refused["dep_delay"]["evidence"]
    assert "exactly the 9,430 of 336,776 rows" in refused["air_time"]["evidence"]


@pytest.mark.parametrize("name", TRAINED)
def test_a_right_result_lies_in_the_known_range(year: dict[str, Any], name: str) -> None:
    found = values(year, name)

    assert 0.67 <= found["auc"] <= 0.72
    assert 0.505 <= found["log_loss"] <= 0.53
    assert 0.05 <= found["information_gain"] <= 0.09
    assert found["payoff"] == pytest.approx(-23_900, abs=400)


def test_logistic_regression_is_as_good_as_is_known(year: dict[str, Any]) -> None:
    assert values(year, "logistic")["auc"] == pytest.approx(0.685, abs=0.01)


def test_doing_nothing_and_perfect_information_cost_what_is_known(
    year: dict[str, Any], flights: Place
) -> None:
    told = measured(flights, "logistic")

    assert told["fixed"]["never"]["value"] == pytest.approx(-29_990, abs=15)
    assert told["fixed"]["always"]["value"] == pytest.approx(-30_000)
    assert told["payoff"]["perfect"]["value"] == pytest.approx(-7_500, abs=5)
    assert told["payoff"]["threshold"] == 0.25


# Both paths of a row


def own_scores(place: Place, name: str, model: Path, trained: pa.Table, rows: slice) -> Any:
    """Score rows of the training file in the candidate's own way, without Fairway."""
    if name == "logistic":
        import skops.io

        frame = trained.to_pandas().drop(columns=["time_hour", "carrier", "flight", "late"])
        return skops.io.load(model / "model.skops").predict_proba(frame)[:, 1]
    if name == "lightgbm":
        import lightgbm

        frame = trained.to_pandas().drop(columns=["time_hour", "carrier", "flight", "late"])
        text = frame.select_dtypes(exclude="number").columns
        frame = frame.astype(dict.fromkeys(text, "category"))
        return lightgbm.Booster(model_file=model / "model.txt").predict(frame)
    dataset = record(place, WHOLE_YEAR)["dataset"]
    code = R_SCORES.format(
        train=part_of(place, dataset, "train.csv"),
        folder=model,
        first=rows.start + 1,
        step=rows.step,
        n=trained.num_rows,
    )
    done = subprocess.run(
        ["Rscript", "-e", code], cwd=place.root, capture_output=True, text=True, check=True
    )
    return np.array([float(line) for line in done.stdout.split()])


@pytest.mark.parametrize("name", TRAINED)
def test_a_release_repairs_and_scores_as_training_did(
    year: dict[str, Any], flights: Place, tmp_path: Path, name: str
) -> None:
    rows = slice(0, 210_000, 21)
    released = ask(flights.root, "release", name, *YEAR)
    assert released["verdict"]["pass"] is True
    served = bundle.read(Path(released["path"]))
    dataset = record(flights, WHOLE_YEAR)["dataset"]
    whole = pq.read_table(part_of(flights, dataset, "rows.parquet"))
    is_train = pc.equal(pq.read_table(part_of(flights, dataset, "part.parquet"))["part"], "train")
    pick = pa.array(range(rows.start, rows.stop, rows.step))
    raw = whole.filter(is_train).take(pick).select(served.signature.input_names).combine_chunks()
    trained = pq.read_table(part_of(flights, dataset, "train.parquet")).take(pick)
    assert raw.num_rows == 10_000

    repaired = repair.apply(served.repairs, raw)

    for column in (*served.signature.key, *served.signature.features):
        assert repaired[column].combine_chunks().equals(trained[column].combine_chunks()), column
    assert served.signature.check_rows(raw) == []

    model = Path(shutil.copytree(served.model, tmp_path / "model"))
    expected = own_scores(flights, name, model, trained, rows)
    predictor = bundle.predictor(served)
    try:
        for size, n in ((10_000, 10_000), (7, 2_100), (1, 300)):
            found = np.concatenate(
                [predictor.predict(raw.slice(start, size)) for start in range(0, n, size)]
            )
            assert np.abs(found - expected[:n]).max() <= 1e-12, size
    finally:
        predictor.close()


# The files


def test_the_whole_year_is_the_same_project() -> None:
    demo, year = (
        tomllib.loads((CLONE / EXAMPLE / name).read_text())
        for name in ("fairway.toml", "right.toml")
    )
    for one in (demo, year):
        del (
            one["project"]["name"],
            one["split"],
            one["gate"],
            one["candidate"]["lightgbm"]["trials"],
        )

    assert year == demo


def test_all_that_the_contracts_promise_is_checked() -> None:
    contracts = sorted((CLONE / EXAMPLE / "contracts").glob("*.yaml"))

    assert [file.name.split(".")[0] for file in contracts] == ["dataset", "flights", "weather"]
    for file in contracts:
        assert contract.load(file).unchecked == ()


def test_the_examples_pins_are_those_of_fairway() -> None:
    pins = (CLONE / "requirements/dev.lock").read_text().splitlines()

    for line in (CLONE / EXAMPLE / "requirements.lock").read_text().splitlines():
        assert line in pins
