import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fairway.digest import Digest, of_bytes, of_file
from fairway.errors import ContractError, ProjectError, StepError
from fairway.line import prepare
from fairway.line.stages import fault
from fairway.pipeline.result import Result
from fairway.project import Project
from fairway.store.home import Home
from tests.unit.line.scribe import AT, Scribe


def ended(home: Home, log: str, *, name: str = "dataset", problem: str = "") -> Result:
    """A step that failed and printed this."""
    kept = home.blobs.put_bytes(log.encode())
    return Result(name=name, state="failed", log=kept, why="never run", problem=problem)


def refusal(kind: str, problem: str, hint: str = "Mend it.") -> str:
    said = {"kind": kind, "problem": problem, "hint": hint}
    return f"Traceback ...\n\n{fault.MARK}{json.dumps(said)}\n"


# Lock files


def test_lock_files_are_named_from_the_project_and_outside_it_by_name(project: Project) -> None:
    inside, outside = project.root / "pins/r.lock", project.root.parent / "shared.lock"
    inside.parent.mkdir()
    for file in (inside, outside):
        file.write_text(file.name)
    locked = replace(project, env=(inside, outside))

    assert prepare.environment(locked) == {
        "pins/r.lock": of_file(inside),
        "shared.lock": of_file(outside),
    }


def test_the_environment_has_another_name_when_a_lock_file_changes(project: Project) -> None:
    lock = project.root / "requirements.lock"
    lock.write_text("numpy==1\n")
    locked = replace(project, env=(lock,))
    before = prepare.environment_digest(locked)
    lock.write_text("numpy==2\n")

    assert before != prepare.environment_digest(locked)
    assert prepare.environment_digest(replace(project, env=())) is None


# Steps that did not end well


def test_the_output_of_a_step_that_ended_well_is_given_back(home: Home, project: Project) -> None:
    made = of_bytes(b"made")

    assert (
        prepare.require(home, project, Result(name="a", state="done", output=made, why="")) == made
    )


def test_a_stages_refusal_keeps_its_kind_problem_and_hint(home: Home, project: Project) -> None:
    result = ended(home, refusal("ContractError", "3 rows are lost.", "Join to the left."))

    with pytest.raises(ContractError) as refused:
        prepare.require(home, project, result)
    assert (refused.value.problem, refused.value.hint) == ("3 rows are lost.", "Join to the left.")


@pytest.mark.parametrize(
    ("problem", "line"),
    [("Source orders has no row.", "orders ="), ("The build failed.", "[dataset]")],
)
def test_a_refusal_of_the_project_points_at_its_line(
    home: Home, project: Project, problem: str, line: str
) -> None:
    with pytest.raises(ProjectError) as refused:
        prepare.require(home, project, ended(home, refusal("ProjectError", problem)))

    lines = project.file.read_text().splitlines()
    assert refused.value.file == project.file
    assert lines[(refused.value.line or 0) - 1].startswith(line)


def test_another_failure_shows_the_end_of_what_was_printed(home: Home, project: Project) -> None:
    log = "\n".join(f"line {number}" for number in range(9))

    with pytest.raises(StepError) as refused:
        prepare.require(home, project, ended(home, log, name="tree#3", problem="Exit code 1."))
    assert "Step tree#3 failed: Exit code 1." in refused.value.problem
    assert "line 3" not in refused.value.problem
    assert refused.value.problem.index("line 4") < refused.value.problem.index("line 8")
    assert "fairway logs" in refused.value.hint


# Stages


def test_a_stage_is_keyed_by_what_it_is_told_and_by_its_inputs(
    home: Home, project: Project
) -> None:
    tree = of_bytes(b"tree")
    one = prepare.stage(home, project, "dataset", {"csv": True}, {"in.sources": tree})
    same = prepare.stage(home, project, "dataset", {"csv": True}, {"in.sources": tree}, label="b")
    other = prepare.stage(home, project, "dataset", {"csv": False}, {"in.sources": tree})

    assert one.command == "{python} -m fairway.line.stages dataset {spec} {out} {in.sources}"
    assert (one.inputs, one.command) == (same.inputs, same.command)
    assert (one.name, same.name) == ("dataset", "b")
    assert one.inputs["spec"] != other.inputs["spec"]
    assert one.internal


# The clock


BASE = of_bytes(b"the same files and rules")
HOUR = timedelta(hours=1)


def read_at(scribe: Scribe, at: datetime, after: datetime | None, until: datetime | None) -> None:
    spelt = {
        name: None if time is None else time.isoformat()
        for name, time in (("at", at), ("after", after), ("until", until))
    }
    scribe.say(prepare.SOURCES_READ, of_bytes(b"sources"), body={"base": BASE} | spelt)


@pytest.mark.parametrize(
    ("hours", "is_known"),
    [(-3, False), (-2, False), (-1, True), (0, True), (1, True), (2, False)],
)
def test_a_clock_that_shows_the_same_rows_is_the_one_that_was_read_at(
    home: Home, project: Project, scribe: Scribe, hours: int, is_known: bool
) -> None:
    read_at(scribe, AT, AT - 2 * HOUR, AT + HOUR)  # the newest row seen, the oldest one hidden

    asked = (AT + hours * HOUR).isoformat()
    found = prepare._known_clock(home, project, BASE, asked)

    assert found == (AT.isoformat() if is_known else None)


def test_without_times_every_clock_shows_the_same_rows(
    home: Home, project: Project, scribe: Scribe
) -> None:
    read_at(scribe, AT, None, None)

    far = datetime(1999, 1, 1, tzinfo=UTC).isoformat()
    assert prepare._known_clock(home, project, BASE, far) == AT.isoformat()
    assert prepare._known_clock(home, project, of_bytes(b"other files"), far) is None


@pytest.mark.parametrize(("age", "n_warnings"), [(48, 0), (49, 1)])
def test_a_source_is_stale_once_its_newest_row_is_older_than_it_promises(
    project: Project, age: int, n_warnings: int
) -> None:
    orders = replace(project.sources["orders"], fresh_s=48 * 3600.0)
    fresh = replace(project, sources={"orders": orders})
    told = {"sources": {"orders": {"newest_at": (AT - age * HOUR).isoformat()}}}

    warnings = prepare._stale(fresh, told, AT)

    assert len(warnings) == n_warnings
    assert all("orders is stale" in one and "48.0 h are allowed" in one for one in warnings)


def test_a_file_of_the_dataset_is_found_by_name(home: Home, tmp_path: Path) -> None:
    (tmp_path / "made").mkdir()
    (tmp_path / "made/report.json").write_text("{}")
    tree = home.blobs.put_tree(tmp_path / "made")
    nothing = Digest(of_bytes(b""))
    made = prepare.Prepared(
        sources=nothing, dataset=tree, told={}, report={}, findings=[], examples=[], warnings=[]
    )

    assert made.file(home, "report.json") == of_bytes(b"{}")
