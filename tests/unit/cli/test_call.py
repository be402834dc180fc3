"""What the common options promise: times in UTC, and a name for who acts."""

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import click
import pytest

from fairway.cli.call import Call, Instant


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-01-31", datetime(2026, 1, 31, tzinfo=UTC)),
        ("2026-01-31T08:30", datetime(2026, 1, 31, 8, 30, tzinfo=UTC)),
        ("2026-01-31 08:30:15", datetime(2026, 1, 31, 8, 30, 15, tzinfo=UTC)),
        ("2026-01-31T08:30Z", datetime(2026, 1, 31, 8, 30, tzinfo=UTC)),
        ("2026-01-31T08:30+02:00", datetime(2026, 1, 31, 6, 30, tzinfo=UTC)),
    ],
)
def test_a_time_without_a_zone_is_utc_and_a_date_is_its_midnight(text: str, time: datetime) -> None:
    found = Instant().convert(text, None, None)

    assert found == time
    assert found.tzinfo is UTC


@pytest.mark.parametrize("text", ["", "yesterday", "31.01.2026", "2026-13-01", "0001-01-01T00+14"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(click.UsageError, match="is no time"):
        Instant().convert(text, None, None)


def test_the_clock_is_the_machines_unless_a_time_is_given() -> None:
    before = datetime.now(UTC)

    assert before <= Call().at <= datetime.now(UTC)
    assert Call(time=before).at == before


def test_the_clock_of_a_call_does_not_move() -> None:
    call = Call()

    assert call.at is call.at


def test_who_acts_is_gits_user_unless_a_name_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    subprocess.run(["git", "init", "-q"], check=True)
    subprocess.run(["git", "config", "user.email", "ann@example.org"], check=True)

    assert Call().actor == "ann@example.org"
    assert Call(name="bob").actor == "bob"


def test_who_acts_without_git_is_the_login(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("LOGNAME", "carla")

    assert Call().actor == "carla"
