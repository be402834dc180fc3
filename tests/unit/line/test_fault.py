"""A refusal survives the way out of a stage's process, and is told to people as a sentence."""

import io
from pathlib import Path

import pytest

from fairway import errors
from fairway.errors import ContractError, FairwayError, ProjectError, StepError
from fairway.line.stages import fault


@pytest.mark.parametrize("kind", [ContractError, StepError, errors.IntegrityError])
def test_kind_problem_and_hint_survive(kind: type[FairwayError]) -> None:
    log = io.StringIO()
    fault.tell(kind("The key é repeats.", hint="Aggregate it."), log)

    heard = fault.hear("printed before\n" + log.getvalue())

    assert type(heard) is kind
    assert (heard.problem, heard.hint) == ("The key é repeats.", "Aggregate it.")


def test_an_error_of_the_project_keeps_its_file_and_line() -> None:
    log = io.StringIO()
    fault.tell(ProjectError("No x.", hint="Write x.", file=Path("late.py"), line=7), log)

    heard = fault.hear(log.getvalue())

    assert isinstance(heard, ProjectError)
    assert (heard.file, heard.line) == (Path("late.py"), 7)


def test_a_log_without_a_refusal_is_a_crash_and_no_refusal() -> None:
    assert fault.hear("Traceback (most recent call last):\nKeyError: 'x'\n") is None


def test_people_read_the_sentence_and_not_the_mark() -> None:
    log = io.StringIO("printed before\n")
    log.seek(0, io.SEEK_END)
    fault.tell(StepError("It holds a pickle.", hint="Save it otherwise."), log)

    assert fault.plain(log.getvalue()).splitlines() == [
        "printed before",
        "",
        "It holds a pickle. Save it otherwise.",
    ]
