"""What reading a project file promises: strict, with every fault on its line."""

import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import pytest

from fairway.errors import ProjectError
from fairway.project import Project, find, read, schema

Reading = Callable[..., Project]
Refusal = Callable[..., list[ProjectError]]

LEAST = """\
format = 1
[project]
name = "shop"
[source]
orders = { from = "data/weather.csv", key = "id" }
[dataset]
target = "returned"
"""


def test_a_whole_file_becomes_the_nouns_of_the_rooms(reading: Reading, folder: Path) -> None:
    project = reading()

    assert (project.name, project.owner) == ("late-arrivals", "risk@example.org")
    assert project.env == (folder / "requirements.lock",)
    assert project.sources["weather"].fresh_s == 7200
    assert project.sources["flights"].key == ("hour", "flight")
    assert project.contracts == {"flights": folder / "contracts/flights.odcs.yaml"}
    assert project.dataset.known_at == ("scheduled_at", -10800.0)
    assert project.dataset.accept["dep_delay"].by == "ann@example.org"
    assert project.split.test_s == 31 * 86400  # type: ignore[union-attr]
    assert project.split.until == datetime(2013, 8, 31, tzinfo=UTC)  # type: ignore[union-attr]
    assert project.repairs["speed"].mad_k == 8
    assert project.candidates["logistic"].timeout_s == 600
    assert project.candidates["lightgbm"].search == {"leaves": "int 8..256 log"}
    assert project.candidates["lightgbm"].parameters == {"seed": 7}
    assert project.candidates["lightgbm"].memory_bytes == 2_000_000_000
    assert project.candidates["glm"].predict == "Rscript r/predict.R glm.rds"
    assert project.payoff is not None
    assert project.payoff.implied_threshold == pytest.approx(0.25)
    assert [one.text for one in project.gate["staging"]] == [
        "auc >= 0.65",
        "worst(carrier).auc >= 0.55",
    ]
    assert list(project.gate) == ["staging", "production"]
    assert project.release.app == folder / "app"


def test_steps_come_in_an_order_in_which_they_can_run(reading: Reading, folder: Path) -> None:
    steps = reading().steps

    assert list(steps) == ["holidays", "early"]
    assert steps["early"].inputs["flights"].kind == "source"
    assert steps["early"].inputs["holidays"].kind == "step"
    assert steps["holidays"].inputs["calendar"].path == folder / "raw/calendar.txt"
    assert steps["holidays"].output == "holidays.parquet"


FAULTS = [
    # what is changed, into what, on which line, problem, hint
    ("format = 1", "format = 2", "format = 2", "newer than this Fairway", "Install a newer"),
    ("format = 1", "format = true", "format = true", "format = true is none", "Write format = 1"),
    ('name    = "late-arrivals"', "name = 3", "name = 3", "is a whole number", "Write text."),
    ('"late-arrivals"', '"Late Arrivals"', "Late Arrivals", "is no name", "Lower-case"),
    ("purpose =", "purpos =", "purpos =", "project.purpos is unknown", "Write purpose."),
    ("requirements.lock", "pins.lock", "pins.lock", "no file pins.lock", "Make it"),
    ('time = "hour"', 'tme = "hour"', "tme =", "source.flights.tme is unknown", "Write time."),
    ('key = "hour"', "key = [1]", "key = [1]", "source.weather.key[0] = 1", "Write text."),
    ("*.parquet", "*.parqet", "*.parqet", "there is no file at", "Name a file"),
    ("weather.csv", "wether.csv", "wether.csv", "there is no file at", "data/weather.csv"),
    ("weather = {", "dataset = {", "dataset = {", "is the table that is built", "another name"),
    ("weather = {", '"w w" = {', '"w w"', "'w w' is no name", "Begin with a letter"),
    ('"2h"', '"2 hours"', "2 hours", "is no duration", "as in 31d"),
    ('flights = "con', 'flihgts = "con', "flihgts", "'flihgts' is no source", "Write flights."),
    ("flights.odcs", "f.odcs", "f.odcs", "no file contracts/f.odcs.yaml", "contract suggest"),
    ('target = "late"\n', "", "[dataset]", "[dataset] has no target", "Add a line target"),
    ('key = ["hour", "flight"]\nt', "t", "[dataset]", "tells the dataset's rows apart", "Add key"),
    ("late.dataset:build", "late.datset:build", "late.datset", "no module late.datset", "Write"),
    ("late.dataset:build", "late.dataset:buld", "buld", "no function buld", "Write build."),
    ("late.dataset:build", "late.dataset", "late.dataset", "neither a .sql file", "Write it as"),
    ("late.dataset:build", "late.sql", "late.sql", "no file late.sql", "Write it"),
    ("weather =", "wether =", "build =", "build takes 'weather'", "Write wether."),
    ("scheduled_at - 3h", "+", "known_at", "does not say when a value is known", "Write a column"),
    ("target =", 'rows = "sme"\ntarget =', "sme", 'dataset.rows = "sme" is unknown', "same"),
    (', reason = "known at booking"', "", "accept", "has no reason", "Add a line reason"),
    ('by = "time"', 'by = "tme"', "tme", 'split.by = "tme" is unknown', "Write time."),
    ('test = "31d"', "test = 0.2", "test = 0.2", "is no duration", "31d"),
    ('gap = "1d"', 'key = "x"', 'key = "x"', "split.key means nothing", 'by = "entity"'),
    ('gap = "1d"', 'update = "1d"', "update", "split.update is unknown", "a later one will"),
    ('time = "scheduled_at"\n', "", 'by = "time"', "the dataset has none", "Add dataset.time"),
    ('"mad > 8"', '"mad < 8"', "mad < 8", "mad < 8", "mad > 8"),
    ('in = ["raw/', 'in = ["rw/', "rw/", "no source, step or file", "Write one of"),
    ("{in.calendar}", "{in.calender}", "calender", "{in.calender} has no value", "{in.calendar}"),
    ("{in.holidays} {out}", "{in.holidays}", "late.early", "writes nothing", "Put {out}"),
    ('"raw/calendar.txt"]', '"raw/calendar.txt", "early"]', '"early"]', "circle", "Take one"),
    ("[step.early]", "[step.weather]", "[step.weather]", "is called 'weather' too", "of its own"),
    ("[candidate.glm]", "[candidate.baseline]", "[candidate.baseline]", "always there", "another"),
    ("{valid} {model}", "{valid}", "run =", "leaves no model", "add predict"),
    ("{valid}", "{vlid}", "{vlid}", "{vlid} has no value", "Write {valid}."),
    ("predict.R glm", "x.R {next}", "predict =", "{next} has no value", "write {{next}}."),
    ("--leaves {leaves}", "", "search", "search.leaves is not used", "Put {leaves}"),
    ('{ leaves = "int 8..256 log" }', "{ leaves = [] }", "leaves = []", "no values", "a range"),
    ('{ leaves = "int 8..256 log" }', "{ leaves = 3 }", "leaves = 3", "whole number", "a list"),
    ('{ leaves = "int 8..256 log" }', "{}", "search = {}", "no setting to search", "or remove"),
    ('"int 8..256 log"', '"int 256..8"', "256..8", "256..8", ""),
    ('search = { leaves = "int 8..256 log" }\n', "", "{leaves}", "{leaves} has no value", "by"),
    ('timeout = "10m"', "trials = 3", "trials = 3", "trials, but no search", "Add search"),
    ('memory = "2GB"', 'memory = "2"', 'memory = "2"', "no amount of memory", "512MB"),
    ('memory = "2GB"', "retries = -1", "retries = -1", "out of range", "at least 0"),
    ('"log_loss"', '"logloss"', "logloss", "no metric 'logloss'", "'log_loss'"),
    ("tp = -30", 'tp = "x"', 'tp = "x"', 'payoff.tp = "x" is text', "Write a number."),
    ("tp = -30", "tp = -300", "[payoff]", "one would never act", "Make tp larger"),
    ("auc >= 0.65", "auc >> 0.65", "auc >> 0.65", "on its right side", "Write a number"),
    ("auc >= 0.65", "brier <= 0.2", "brier", "does not measure", "Name one of"),
    ("worst(carrier)", "worst(origin)", "worst(origin)", "does not slice by", "carrier"),
    ("worst(carrier)", "worst(carier)", "worst(carier)", "does not slice by", "Write 'carrier'."),
    ('slices = ["carrier"]', "", "worst", "slice by", 'slices = ["carrier"] in [evaluate].'),
    ("auc >= 0.65", "auc >= 0.65 over 7d", "over 7d", "names a period", "Drop"),
    ('test = "pytest app/tests"', "", "tests == passed", "can never hold", "Add test"),
    ('app = "app/"', 'app = "ap/"', 'app = "ap/"', "no folder ap/", "Make it"),
    ("[release]", "[serve]\n[release]", "[serve]", "serve is unknown", "a later one will"),
    ("[release]", "[monitr]\n[release]", "[monitr]", "monitr is unknown", "Write one of"),
    ("[evaluate]", "[evalate]", "[evalate]", "evalate is unknown", "Write evaluate."),
]


@pytest.mark.parametrize(("old", "new", "needle", "problem", "hint"), FAULTS)
def test_a_fault_has_its_line_what_is_so_and_what_to_do(
    refusal: Refusal, folder: Path, old: str, new: str, needle: str, problem: str, hint: str
) -> None:
    found = refusal(old, new)

    text = (folder / "fairway.toml").read_text().splitlines()
    fitting = [one for one in found if problem in one.problem]
    assert fitting, [str(one) for one in found]
    assert fitting[0].file == folder / "fairway.toml"
    assert fitting[0].line is not None
    assert needle in text[fitting[0].line - 1]
    assert hint in fitting[0].hint


def test_faults_in_several_tables_are_all_found_in_the_order_of_their_lines(
    refusal: Refusal,
) -> None:
    text = LEAST.replace("name", "nme").replace("from", "form").replace("target", "taget")

    found = refusal(text=text + "[evaluate]\nmetrics = 3\n[gate]\nlive = ['auc']\n")

    lines = [one.line for one in found]
    assert lines == sorted(lines)  # type: ignore[type-var]
    assert {3, 5, 7, 9, 11} <= set(lines)


def test_a_file_without_its_format_is_refused(refusal: Refusal) -> None:
    assert "does not say its format" in refusal("format = 1\n", "")[0].problem


def test_a_table_that_is_not_there_is_asked_for_with_all_that_it_needs(refusal: Refusal) -> None:
    found = refusal('[project]\nname = "shop"\n', "", LEAST)

    assert [one.problem for one in found] == ["There is no [project]."]
    assert found[0].hint == "Add a table [project] with a line name = ..."


def test_a_candidate_without_search_is_tried_once(reading: Reading) -> None:
    assert reading().candidates["logistic"].trials == 1
    assert reading().candidates["logistic"].search == {}


def test_of_a_newer_file_nothing_else_is_said(refusal: Refusal) -> None:
    assert len(refusal(text="format = 9\nnew = 1\n")) == 1


@pytest.mark.parametrize(
    ("text", "line"), [("format = 1\n[project\n", 2), ("a = 1\na = 2\n", 2), ("format = [1,", 1)]
)
def test_what_is_no_toml_has_the_line_where_it_stops(
    refusal: Refusal, text: str, line: int
) -> None:
    fault = refusal(text=text)[0]

    assert fault.line == line
    assert fault.problem.startswith("The file is not TOML")


def test_a_file_in_latin_1_has_the_line_of_the_first_wrong_byte(folder: Path) -> None:
    (folder / "fairway.toml").write_bytes(b"format = 1\n# caf\xe9\n")

    with pytest.raises(ProjectError, match="not UTF-8") as caught:
        read(folder / "fairway.toml")
    assert caught.value.line == 2


def test_the_least_project_reads_and_says_what_was_taken(reading: Reading) -> None:
    project = reading(text=LEAST)

    taken = {default.key: default.value for default in project.defaults}
    assert project.dataset.key == ("id",)
    assert project.split.key == ("id",)  # type: ignore[union-attr]
    assert project.candidates == {}
    assert project.payoff is None
    assert [one.text for one in project.gate["production"]] == ["leakage == none"]
    assert taken["split.by"] == "entity"
    assert taken["project.env"] == "requirements.lock"
    assert taken["gate.production"] == "leakage == none"
    assert taken["contract.orders"] == "none"
    assert taken["evaluate.metrics"] == "all that fit the target"


def test_a_dataset_with_a_time_is_split_by_it(reading: Reading) -> None:
    project = reading("target =", 'time = "at"\ntarget =', LEAST)

    assert {d.key: d.value for d in project.defaults}["split.by"] == "time"
    assert project.split.test_s is None  # type: ignore[union-attr]


def test_what_is_said_is_no_default(reading: Reading) -> None:
    assert {default.key for default in reading().defaults} == {
        "contract.weather",
        "contract.dataset",
        "timeout",
        "memory",
        "trials",
    }


def test_a_variable_in_a_location_is_filled_in_and_never_shown(folder: Path) -> None:
    file = folder / "fairway.toml"
    file.write_text(LEAST.replace("data/weather.csv", "${PLACE}/weather.csv"))

    source = read(file, {"PLACE": "data"}).sources["orders"]
    assert (source.location, source.shown) == ("data/weather.csv", "${PLACE}/weather.csv")
    with pytest.raises(ProjectError, match="PLACE is not set"):
        read(file)


def test_a_project_holds_the_declared_variables_alone_and_never_shows_them(folder: Path) -> None:
    file = folder / "fairway.toml"
    file.write_text(LEAST.replace("[source]", 'variables = ["TOKEN", "UNSET"]\n[source]'))

    project = read(file, {"TOKEN": "s3cret", "OTHER": "x"})
    assert project.environ == {"TOKEN": "s3cret"}
    assert "s3cret" not in repr(project)


def test_a_later_fault_can_name_its_line(reading: Reading) -> None:
    project = reading()

    error = project.fault("candidate.glm.predict", "It died.", hint="Mend it.")
    assert error.line == project.line("candidate.glm.predict")
    assert "predict =" in project.file.read_text().splitlines()[(error.line or 0) - 1]
    assert project.line("candidate.glm.timeout") == project.line("candidate.glm")


def test_a_project_is_found_from_below(folder: Path) -> None:
    (folder / "fairway.toml").write_text("")

    assert find(folder / "data/flights") == folder / "fairway.toml"


def test_no_project_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match=r"no fairway\.toml") as caught:
        find(tmp_path)
    assert "fairway new" in caught.value.hint


def test_the_json_schema_accepts_the_file_and_refuses_an_unknown_key() -> None:
    import tomllib

    document = tomllib.loads(LEAST)
    validator = jsonschema.Draft202012Validator(schema())

    validator.check_schema(schema())
    assert not list(validator.iter_errors(document))
    assert list(validator.iter_errors({**document, "serve": {}}))
    assert list(validator.iter_errors({**document, "format": 2}))


def test_reading_a_project_loads_no_engine(reading: Reading, folder: Path) -> None:
    reading()
    heavy = "ibis duckdb pandas sklearn numpy pyarrow pydantic sqlalchemy optuna yaml rich"
    code = (
        "import sys; from pathlib import Path; from fairway.project import read\n"
        f"read(Path('fairway.toml'))\nprint([m for m in {heavy.split()} if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True
    )

    assert done.stdout == "[]\n"
