"""What every verb is told: which project, which home, who acts, and at what time.

Room: ``fairway.cli``. The clock and the environment are read here and nowhere below. A verb is
loaded without its engines: it asks for the project first, so that a fault there costs none.
"""

import functools
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fairway.cli import output
from fairway.cli.progress import Progress
from fairway.errors import RequestError

if TYPE_CHECKING:
    from fairway.project import Project
    from fairway.store.home import Home

HOME_NAME = ".fairway"
HOME_FILES = ("home.json", "fairway.db")  # a folder with one of them is, or was, a home


class Instant(click.ParamType[datetime]):
    """A time as ISO 8601: UTC where it names no zone, midnight where it names no hour."""

    name = "time"

    def convert(
        self, value: str | datetime, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """Read an instant, aware and in UTC."""
        if isinstance(value, datetime):
            return value
        try:
            time = datetime.fromisoformat(value.strip())
            return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, OverflowError):
            self.fail(
                f"{value!r} is no time. Write it as 2026-01-31 or 2026-01-31T08:00Z", param, ctx
            )


@dataclass(frozen=True, kw_only=True)
class Call:
    """The common options of one call.

    Attributes:
        project_file: What ``--project`` named; None looks in the folder and above.
        home_path: What ``--home`` named; None is ``.fairway`` beside the project file.
        as_json: Whether the answer is one JSON object.
        name: What ``--as`` named.
        time: What ``--at`` named; None is now.
        crash_at: Which durable write kills this process, for the crash tests.
    """

    project_file: Path | None = None
    home_path: Path | None = None
    as_json: bool = False
    name: str | None = None
    time: datetime | None = None
    crash_at: int | None = None

    @functools.cached_property
    def at(self) -> datetime:
        """The instant that this call is about."""
        return self.time or datetime.now(UTC)

    @functools.cached_property
    def actor(self) -> str:
        """Who acts: ``--as``, else git's ``user.email``, else the login."""
        return self.name or _git_email() or _login()

    @functools.cached_property
    def project(self) -> "Project":
        """The project, read once.

        Raises:
            ProjectError: If there is no project file, or it has faults.
        """
        from fairway.project import find, read

        return read(self.project_file or find(Path.cwd()), os.environ)

    @contextmanager
    def home(self, *, is_made: bool = True) -> "Iterator[Home]":
        """Open the home for the length of the call.

        Args:
            is_made: Whether it is made where there is none; who only looks makes nothing.

        Raises:
            RequestError: If there is none to look into.
        """
        from fairway.store.home import open_home

        if self.home_path is not None and re.match(r"\w+:/", str(self.home_path)):
            raise RequestError(
                f"The home {self.home_path} is not a folder.",
                hint="Name a folder: this Fairway keeps no home elsewhere yet.",
            )
        place = self.home_path or self.project.root / HOME_NAME
        if (
            not is_made
            and not (place / "home.json").exists()
            and not (place / "fairway.db").exists()
        ):
            raise RequestError(
                f"There is no home at {place}.", hint="Run: fairway run; or name one with --home."
            )
        with open_home(place, crash_at=self.crash_at) as home:
            yield home

    @contextmanager
    def report(self) -> Iterator[Progress]:
        """Show progress on stderr, where all that the project's own code prints goes too."""
        with Progress() as progress, redirect_stdout(sys.stderr):
            yield progress

    def answer(self, answer: dict[str, Any], show: Callable[[dict[str, Any]], None]) -> None:
        """Print an answer: as one object for scripts, else as ``show`` tells it to people."""
        if self.as_json:
            output.emit(answer)
        else:
            show(answer)


def verb(function: Callable[..., int]) -> click.Command:
    """Make a command of ``function``, with the common options gathered into its first argument.

    The function's name is the verb's, its return value the exit code.
    """

    @functools.wraps(function)
    def command(**given: Any) -> int:  # noqa: ANN401  click passes what the options say
        given.pop("debug")
        call = Call(
            project_file=given.pop("project"),
            home_path=given.pop("home"),
            as_json=given.pop("json"),
            name=given.pop("as"),
            time=given.pop("at"),
            crash_at=given.pop("crash_at"),
        )
        return function(call, **given)

    folder = click.Path(path_type=Path)
    options = [
        click.option("--project", type=folder, metavar="FILE", help="The project file."),
        click.option("--home", type=folder, metavar="HOME", help="Where Fairway keeps all."),
        click.option("--json", is_flag=True, help="Answer with one JSON object."),
        click.option("--as", "as", metavar="NAME", help="Who acts; else git's user.email."),
        click.option("--at", type=Instant(), metavar="TIME", help="Act as at this time (UTC)."),
        click.option("--crash-at", type=click.IntRange(min=1), hidden=True),
        click.option("--debug", is_flag=True, hidden=True),
    ]
    wrapped: Callable[..., Any] = command
    for option in reversed(options):
        wrapped = option(wrapped)
    return click.command(function.__name__.rstrip("_").replace("_", "-"))(wrapped)


def _git_email() -> str:
    try:
        found = subprocess.run(
            ["git", "config", "user.email"], capture_output=True, text=True, check=False, timeout=10
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return found.stdout.strip()


def _login() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid-{os.getuid()}"
