"""What the command line promises: exit codes, one line an error, and a quick start."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest

from fairway import errors
from fairway.cli import main

ENVIRONMENT = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
COMMAND = [sys.executable, "-c", "from fairway.cli.main import start; start()"]

Raising = Callable[[BaseException], None]


def fairway(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        env=ENVIRONMENT | {"PYTHONPATH": str(Path(main.__file__).parents[2])},
    )


@pytest.fixture
def raising() -> Iterator[Raising]:
    """Add a verb ``fail`` that raises what it is given."""

    def add(error: BaseException) -> None:
        def fail() -> None:
            raise error

        options: list[click.Parameter] = [
            click.Option(["--json"], is_flag=True, expose_value=False),
            click.Option(["--debug"], is_flag=True, expose_value=False),
        ]
        main.command.add_command(click.Command("fail", callback=fail, params=options))

    yield add
    main.command.commands.pop("fail", None)


def test_help_lists_every_verb_in_its_group() -> None:
    text = fairway("--help").stdout

    for name, verb in main.VERBS.items():
        assert f"  {name} " in text
        assert text.index(f"{verb.group}:") < text.index(f"  {name} ")
    assert max(len(line) for line in text.splitlines()) <= 80


def test_help_loads_no_verb_and_nothing_heavy() -> None:
    code = (
        "import sys; from fairway.cli.main import run; run(['--help'])\n"
        "print(*(m for m in sys.modules if m.split('.')[0] in"
        " {'rich', 'ibis', 'sqlalchemy', 'pydantic', 'numpy', 'msgspec', 'fairway'}),"
        " file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stderr.split() == ["fairway", "fairway.cli", "fairway.cli.main"]


@pytest.mark.parametrize("name", main.VERBS)
def test_every_verb_has_help_and_the_common_options(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.run([*name.split(), "--help"]) == 0

    text = capsys.readouterr().out
    for option in ("--project FILE", "--home HOME", "--json", "--as NAME", "--at TIME"):
        assert option in text
    assert "--crash-at" not in text
    assert "--debug" not in text
    assert max(len(line) for line in text.splitlines()) <= 80


def kinds(of: type[errors.FairwayError]) -> list[type[errors.FairwayError]]:
    return [kind for child in of.__subclasses__() for kind in (child, *kinds(child))]


def test_every_kind_of_error_has_an_exit_code_of_its_own_and_no_other_has() -> None:
    named = {
        kind.__name__ for kind in kinds(errors.FairwayError) if kind.__module__ == "fairway.errors"
    }

    assert set(main.EXIT_CODES) == named


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.GateError("It fails.", hint="Mend it."), 1),
        (errors.ContractError("It breaks.", hint="Mend it."), 1),
        (errors.ProjectError("It is wrong.", hint="Mend it."), 2),
        (errors.NotFoundError("It is not there.", hint="Look."), 2),
        (errors.StepError("It died.", hint="Mend it."), 3),
        (errors.StoreError("The disk is full.", hint="Free some."), 4),
        (errors.ConflictError("Too late.", hint="Look again."), 4),
        (errors.IntegrityError("It differs.", hint="Pull it."), 5),
    ],
)
def test_an_error_ends_as_one_line_and_its_exit_code(
    raising: Raising, capsys: pytest.CaptureFixture[str], error: errors.FairwayError, code: int
) -> None:
    raising(error)

    assert main.run(["fail"]) == code
    told = capsys.readouterr()
    assert told.err == f"{error.problem} {error.hint}\n"
    assert told.out == ""


def test_several_errors_are_several_lines_with_file_and_line(
    raising: Raising, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "fairway.toml"
    more = errors.ProjectError("Two.", hint="B.", file=file, line=9)
    raising(errors.ProjectError("One.", hint="A.", file=file, line=4, more=[more]))

    assert main.run(["fail"]) == 2
    assert capsys.readouterr().err == f"{file}:4: One. A.\n{file}:9: Two. B.\n"


def test_with_json_errors_are_one_object(
    raising: Raising, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    more = errors.ProjectError("Two.", hint="B.")
    error = errors.ProjectError("One.", hint="A.", file=tmp_path / "x", line=4, more=[more])
    error.add_note("While reading.")
    raising(error)

    assert main.run(["fail", "--json"]) == 2
    assert json.loads(capsys.readouterr().out) == {
        "errors": [
            {
                "file": str(tmp_path / "x"),
                "line": 4,
                "problem": "One. While reading.",
                "hint": "A.",
            },
            {"file": None, "line": None, "problem": "Two.", "hint": "B."},
        ]
    }


def test_the_unexpected_is_one_line_that_says_where_the_details_are(
    raising: Raising, capsys: pytest.CaptureFixture[str]
) -> None:
    raising(ZeroDivisionError("a\nb"))

    assert main.run(["fail"]) == 4
    line = capsys.readouterr().err
    assert line.count("\n") == 1
    assert "ZeroDivisionError: a b" in line
    details = Path(line.split()[-1].removesuffix("."))
    assert "Traceback" in details.read_text()
    details.unlink()


def test_a_traceback_is_shown_when_asked_for(
    raising: Raising, capsys: pytest.CaptureFixture[str]
) -> None:
    raising(errors.StepError("It died.", hint="Mend it."))

    assert main.run(["fail", "--debug"]) == 3
    assert "Traceback" in capsys.readouterr().err


def test_an_interruption_ends_with_130(
    raising: Raising, capsys: pytest.CaptureFixture[str]
) -> None:
    raising(KeyboardInterrupt())

    assert main.run(["fail"]) == 130
    assert "Traceback" not in capsys.readouterr().err


def test_a_reader_that_has_gone_is_no_error_to_speak_of() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [*COMMAND, "--help"], stdout=writer, stderr=subprocess.PIPE, check=False, env=ENVIRONMENT
    )
    os.close(writer)

    assert done.stderr == b""
    assert done.returncode == main.BROKEN_PIPE


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["chekc"], "Write fairway check."),
        (["deploy", "abc"], "--env"),
        (["run", "--at", "yesterday"], "Write it as 2026-01-31"),
        (["run", "--nonsense"], "--nonsense"),
        (["data", "dif"], "dif"),
        (["candidates", "--limit", "0"], "0"),
    ],
)
def test_a_wrong_call_is_told_in_one_line_with_exit_code_2(
    capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    assert main.run(arguments) == 2
    line = capsys.readouterr().err
    assert told in line
    assert line.count("\n") == 1

    assert main.run([*arguments, "--json"]) == 2
    assert told in json.dumps(json.loads(capsys.readouterr().out)["errors"])


def test_no_project_is_exit_code_2_and_says_how_to_get_one(tmp_path: Path) -> None:
    done = fairway("check", "--json", cwd=tmp_path)

    assert done.returncode == 2
    assert "fairway new" in json.loads(done.stdout)["errors"][0]["hint"]


def test_a_fault_of_the_project_is_told_from_where_one_stands(tmp_path: Path) -> None:
    (tmp_path / "fairway.toml").write_text("format = 1\n[projct]\n")

    done = fairway("check", cwd=tmp_path)

    assert done.returncode == 2
    assert "fairway.toml:2: projct is unknown. Write project.\n" in done.stderr
    assert not (tmp_path / ".fairway").exists()
