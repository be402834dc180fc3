from dataclasses import replace

import pytest

from fairway.digest import of_bytes
from fairway.errors import IntegrityError, NotFoundError
from fairway.line import record
from fairway.line.record import Outcome, Record
from fairway.project import Project
from fairway.store.home import Home
from tests.unit.line.scribe import Scribe

MADE = Record(
    run="20240801T000000-1a2b",
    at="2024-08-01T00:00:00Z",
    actor="ann",
    commit=None,
    is_clean=False,
    project_file=of_bytes(b"file"),
    sources=of_bytes(b"sources"),
    dataset=of_bytes(b"dataset"),
    snapshot=of_bytes(b"snapshot"),
    criteria={"staging": ("auc >= 0.6", "leakage == none")},
    environment={"requirements.lock": of_bytes(b"lock")},
    contracts={"flights": of_bytes(b"contract")},
    outcomes=(
        Outcome(
            name="tree",
            state="done",
            model=of_bytes(b"model"),
            evaluation=of_bytes(b"evaluation"),
            parameters={"leaves": 8, "rate": 0.1, "kind": "gbdt"},
            code={"predict.R": of_bytes(b"code")},
            validation=-12.5,
            threshold=0.3,
        ),
        Outcome(name="glm", state="skipped", why="There is no program Rscript here."),
    ),
    best="tree",
)


def test_a_record_is_read_back_as_it_was_kept(home: Home) -> None:
    kept = record.keep(home, MADE)

    assert record.keep(home, record.load(home, kept)) == kept
    assert replace(record.load(home, kept), outcomes=MADE.outcomes) == MADE
    assert tuple(record.load(home, kept).outcomes) == MADE.outcomes


def test_a_record_that_was_changed_is_not_read(home: Home) -> None:
    kept = record.keep(home, MADE)
    path = home.blobs.path(kept)
    path.chmod(0o644)
    path.write_bytes(path.read_bytes().replace(b"tree", b"free"))

    with pytest.raises(IntegrityError):
        record.load(home, kept)


def test_the_latest_record_is_that_of_the_newest_finished_run(
    home: Home, project: Project, scribe: Scribe
) -> None:
    for run in ("first", "second"):
        kept = record.keep(home, replace(MADE, run=run))
        scribe.say(record.FINISHED, kept, body={"record": kept})
    scribe.say("run_started", body={"run": "third"})

    assert record.latest(home, project.name).run == "second"
    with pytest.raises(NotFoundError, match="no finished run") as refused:
        record.latest(home, "another")
    assert "fairway run" in refused.value.hint


def test_an_outcome_is_found_by_name_and_its_absence_names_the_others() -> None:
    assert MADE.outcome("glm").state == "skipped"
    with pytest.raises(NotFoundError, match="no candidate 'forest'") as refused:
        MADE.outcome("forest")
    assert "tree, glm" in refused.value.hint
