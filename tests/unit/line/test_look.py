from datetime import UTC, datetime, timedelta, timezone

import pytest

from fairway.digest import Digest, of_bytes
from fairway.errors import NotFoundError
from fairway.line import look, record
from fairway.pipeline import result as results
from fairway.pipeline.result import Result
from fairway.project import Project
from fairway.store import journal, pointer
from fairway.store.home import Home
from fairway.tracking import run as runs
from tests.unit.line.scribe import AT, Scribe

COMMIT = "c0ffee" + "0" * 34
MODEL, SNAPSHOT = of_bytes(b"model"), of_bytes(b"snapshot")
HOUR = timedelta(hours=1)


@pytest.fixture
def history(home: Home, project: Project, scribe: Scribe) -> dict[str, str]:
    """Two runs; the first was released and deployed; names of what there is."""
    said = {}
    for run, model, commit in (("run-one", MODEL, COMMIT), ("run-two", of_bytes(b"two"), None)):
        scribe.say("snapshot_taken", SNAPSHOT, body={"run": run, "snapshot": SNAPSHOT, "n_rows": 5})
        body = {"run": run, "snapshot": SNAPSHOT, "commit": commit, "is_clean": True, "best": "a"}
        scribe.say(record.FINISHED, SNAPSHOT, model, body=body)
    release = scribe.release(
        {"model": MODEL}, version="2024.8.1", run="run-one", model=MODEL, commit=COMMIT, head=""
    )
    with home.db.transaction() as tx:
        entry = journal.append(
            tx,
            project=project.name,
            actor="ann",
            effective_at=AT,
            kind="deployed",
            subjects=[release],
            body={"release": release, "environment": "staging"},
        )
        pointer.move(
            tx,
            project=project.name,
            name="staging",
            target=release,
            actor="ann",
            effective_at=AT,
            entry=entry,
        )
    said["release"] = release
    return said


@pytest.mark.parametrize(
    ("at", "spelt"),
    [
        (datetime(2024, 8, 1, tzinfo=UTC), "2024-08-01T00:00:00Z"),
        (datetime(2024, 8, 1, 2, 30, tzinfo=timezone(2 * HOUR)), "2024-08-01T00:30:00Z"),
    ],
)
def test_an_instant_is_spelt_in_utc(at: datetime, spelt: str) -> None:
    assert look.spell(at) == spelt


def test_an_environment_points_nowhere_before_the_deployment_and_there_from_then_on(
    home: Home, project: Project, history: dict[str, str]
) -> None:
    before, then = (look.at(home, project, time) for time in (AT - HOUR, AT))

    assert before == {"at": "2024-07-31T23:00:00Z", "environments": {}}
    assert then["environments"] == {"staging": history["release"]}


@pytest.mark.parametrize("name", ["release", MODEL, MODEL[:15], COMMIT, COMMIT[:6], "run-one"])
def test_each_name_of_a_thing_leads_to_its_run_its_release_and_where_it_stands(
    home: Home, project: Project, history: dict[str, str], name: str
) -> None:
    found = look.trace(home, project, history.get(name, name))

    assert [one["run"] for one in found["runs"]] == ["run-one"]
    assert [one["release"] for one in found["releases"]] == [history["release"]]
    assert found["releases"][0]["model"] == MODEL
    assert found["environments"] == {"staging": history["release"]}
    assert "deployed" in [one["kind"] for one in found["entries"]]


def test_a_snapshot_leads_to_every_run_on_it(
    home: Home, project: Project, history: dict[str, str]
) -> None:
    found = look.trace(home, project, SNAPSHOT)

    assert [one["run"] for one in found["runs"]] == ["run-one", "run-two"]


def test_what_was_never_released_leads_to_no_release(
    home: Home, project: Project, history: dict[str, str]
) -> None:
    found = look.trace(home, project, of_bytes(b"two"))

    assert [one["run"] for one in found["runs"]] == ["run-two"]
    assert (found["releases"], found["environments"]) == ([], {})


@pytest.mark.parametrize("name", ["sha256:", "c0ffe", of_bytes(b"unheard of"), "run-three"])
def test_a_name_that_the_journal_never_speaks_of_is_not_found(
    home: Home, project: Project, history: dict[str, str], name: str
) -> None:
    with pytest.raises(NotFoundError, match="never speaks of"):
        look.trace(home, project, name)


def test_digits_that_begin_several_digests_are_not_guessed(
    home: Home, project: Project, scribe: Scribe
) -> None:
    for digit in "01":
        scribe.say("noted", Digest("sha256:abcdef" + digit * 58), body={})

    with pytest.raises(NotFoundError, match="begins 2 digests"):
        look.trace(home, project, "abcdef")


def test_the_log_of_data_lists_each_snapshot_once_with_its_newest_run(
    home: Home, project: Project, scribe: Scribe, history: dict[str, str]
) -> None:
    other = of_bytes(b"another snapshot")
    body = {"run": "run-three", "snapshot": other, "n_rows": 6}
    scribe.say("snapshot_taken", other, body=body)

    listed = look.data_log(home, project)["snapshots"]

    assert [(one["snapshot"], one["run"], one["n_rows"]) for one in listed] == [
        (other, "run-three", 6),
        (SNAPSHOT, "run-two", 5),
    ]


def test_logs_tell_of_each_step_and_show_what_one_printed(home: Home, project: Project) -> None:
    log = home.blobs.put_bytes("42 Zeilen, ärgerlich\n".encode())
    with home.db.transaction() as tx:
        run = runs.start(tx, project=project.name, actor="ann", effective_at=AT, body={})
        results.write(
            tx,
            run,
            [
                Result(name="tree#0", state="done", log=log, why="never run"),
                Result(name="tree#0 value", state="skipped", why="never run"),
                Result(name="trees", state="failed", log=log, why="never run", exit_code=1),
            ],
        )

    whole = look.logs(home, project, step=None, run=None)
    one = look.logs(home, project, step="tree", run=run)

    assert whole["run"] == one["run"] == run
    assert [step["name"] for step in whole["steps"]] == ["tree#0", "tree#0 value", "trees"]
    assert [step["name"] for step in one["steps"]] == ["tree#0"]
    assert one["steps"][0]["text"].rstrip() == "42 Zeilen, ärgerlich"
    with pytest.raises(NotFoundError, match="no step 'forest'") as refused:
        look.logs(home, project, step="forest", run=None)
    assert "tree#0" in refused.value.hint


def test_logs_of_a_project_without_a_run_say_how_to_make_one(home: Home, project: Project) -> None:
    with pytest.raises(NotFoundError, match="no run yet") as refused:
        look.logs(home, project, step=None, run=None)

    assert refused.value.hint == "Run: fairway run"


def test_the_audit_is_well_where_nothing_was_edited(
    home: Home, project: Project, scribe: Scribe
) -> None:
    for number in range(3):
        scribe.say("noted", body={"number": number})

    found = look.audit(home)

    assert (found["ok"], found["n_entries"], found["breaks"]) == (True, 3, [])
