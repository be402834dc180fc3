"""The cache tells the truth: ten cases, each with real commands in three languages."""

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from fairway.digest import Digest, of_bytes
from fairway.pipeline.execution import run_steps
from fairway.pipeline.step import Step
from fairway.store.home import open_home

from .conftest import ENVIRON, Project

R = "Rscript --vanilla"
COMMANDS = {
    "sh": ("sh code/a.sh {in.data} {out}", "sh code/b.sh {in.a} {out}"),
    "python": ("{python} -m code_.a {in.data} {out}", "{python} -m code_.b {in.a} {out}"),
    "R": (f"{R} code/a.R {{in.data}} {{out}}", f"{R} code/b.R {{in.a}} {{out}}"),
}
PYTHON_A = """import sys
from code_ import helper
open(sys.argv[2], 'w').write(helper.told + open(sys.argv[1]).read())
"""
PYTHON_B = """import sys
open(sys.argv[2], 'w').write('b' + open(sys.argv[1]).read())
"""
R_A = """source("code/helper.R"); given <- commandArgs(TRUE)
writeLines(c(told, readLines(given[1])), given[2])
"""
R_B = """given <- commandArgs(TRUE)
writeLines(c("b", readLines(given[1])), given[2])
"""


def lay_out(project: Project, language: str) -> None:
    if language == "sh":
        project.write(
            code__helper_sh="told=one\n",
            code__a_sh='. code/helper.sh\n{ echo "$told"; cat "$1"; } > "$2"\n',
            code__b_sh='{ echo b; cat "$1"; } > "$2"\n',
        )
    elif language == "python":
        project.write(
            code_______init___py="",
            code___helper_py="told = 'one'\n",
            code___a_py=PYTHON_A,
            code___b_py=PYTHON_B,
        )
    else:
        project.write(code__helper_R='told <- "one"\n', code__a_R=R_A, code__b_R=R_B)


class Line:
    """Two steps, ``a`` before ``b``, over one input."""

    def __init__(self, project: Project, language: str) -> None:
        self.project = project
        self.language = language
        self.variables: dict[str, str] = {}
        self.data = project.root / "data.txt"
        self.data.write_text("rows\n")
        lay_out(project, language)

    def steps(self) -> list[Step]:
        first, second = COMMANDS[self.language]
        given = self.project.home.blobs.put_file(self.data)
        return [
            Step(
                name="a",
                command=first,
                inputs={"in.data": given},
                output_kind="file",
                variables=self.variables,
            ),
            Step(name="b", command=second, after={"in.a": "a"}, output_kind="file"),
        ]

    def ran(self) -> list[str]:
        return self.project.ran(*self.steps())

    def made(self) -> str:
        return self.project.text(self.project.run(*self.steps())["b"].output)

    def output(self, name: str) -> Digest:
        found = self.project.run(*self.steps())[name].output
        assert found is not None
        return found

    def edit(self, stem: str, before: str, after: str) -> None:
        folder = "code_" if self.language == "python" else "code"
        ending = {"sh": "sh", "python": "py", "R": "R"}[self.language]
        path = self.project.root / folder / f"{stem}.{ending}"
        text = path.read_text()
        assert before in text
        path.write_text(text.replace(before, after))


@pytest.fixture(params=["sh", "python"])
def line(project: Project, request: pytest.FixtureRequest) -> Line:
    made = Line(project, request.param)
    assert made.ran() == ["a", "b"]
    return made


def test_1_unchanged_runs_nothing(line: Line) -> None:
    assert line.ran() == []


def test_2_an_input_touched_runs_nothing(line: Line) -> None:
    os.utime(line.data, (1, 1))
    for path in line.project.root.glob("code*/*"):
        os.utime(path, (1, 1))

    assert line.ran() == []


def test_3_an_input_changed_runs_both(line: Line) -> None:
    line.data.write_text("Rows\n")

    assert line.ran() == ["a", "b"]
    assert "Rows" in line.made()


def test_4_a_helper_changed_that_nobody_declared_runs_both(line: Line) -> None:
    line.edit("helper", "one", "two")  # same size, same second: bytecode would look fresh

    assert line.ran() == ["a", "b"]
    assert "two" in line.made()


def test_5_an_undeclared_variable_is_not_visible(line: Line) -> None:
    line.project.environ = {**ENVIRON, "SECRET": "x"}

    assert line.ran() == []
    assert "SECRET" not in line.project.text(line.project.one("env > {out}").output)


def test_5_a_declared_variable_changed_runs_what_declares_it(line: Line) -> None:
    line.variables = {"LEVEL": "1"}
    assert line.ran() == ["a"]
    assert line.ran() == []

    line.variables = {"LEVEL": "2"}
    assert line.ran() == ["a"]


def test_6_a_comment_changed_runs_only_the_step_that_has_it(line: Line) -> None:
    folder = "code_" if line.language == "python" else "code"
    path = next(line.project.root.glob(f"{folder}/a.*"))
    path.write_text("# a comment\n" + path.read_text())

    assert line.ran() == ["a"]


def test_7_an_output_tampered_with_is_made_again(line: Line) -> None:
    right = line.made()
    blob = line.project.home.blobs.path(line.output("a"))
    blob.chmod(0o644)
    blob.write_text("wrong\n")

    found = line.project.run(*line.steps())
    assert [found[name].cached for name in "ab"] == [False, True]
    assert found["a"].why == "its stored output was damaged"
    assert line.project.text(found["b"].output) == right
    assert line.ran() == []


def test_8_an_output_deleted_is_made_again(line: Line) -> None:
    line.project.home.blobs.remove(line.output("b"))

    found = line.project.run(*line.steps())
    assert [found[name].cached for name in "ab"] == [True, False]
    assert found["b"].why == "its stored output was deleted"
    assert line.ran() == []


def test_9_an_input_reverted_runs_nothing(line: Line) -> None:
    before = line.made()
    line.data.write_text("other\n")
    line.edit("helper", "one", "two")
    assert line.ran() == ["a", "b"]

    line.data.write_text("rows\n")
    line.edit("helper", "two", "one")
    assert line.ran() == []
    assert line.made() == before


B = (
    "cat {in.a} > {out}; "
    '[ ! -p "$PIPE" ] || { echo up > "$PIPE"; read x < "$PIPE"; }; echo b >> {out}'
)


def two_steps(pipe: Path) -> list[Step]:
    return [
        Step(name="a", command="echo a > {out}", output_kind="file"),
        Step(
            name="b",
            command=B,
            after={"in.a": "a"},
            output_kind="file",
            variables={"PIPE": str(pipe)},
        ),
    ]


def test_10_killed_in_the_middle_leaves_nothing_half(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    program = f"""
        from pathlib import Path
        from fairway.pipeline.execution import run_steps
        from fairway.pipeline.step import Step
        from fairway.store.home import open_home

        root = Path({str(tmp_path)!r})
        steps = {two_steps(pipe)!r}
        home = open_home(root / ".fairway")
        for each in run_steps(home, steps, root=root, project="test", environ={ENVIRON!r}):
            print(each.name, flush=True)
    """
    runner = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)], stdout=subprocess.PIPE, text=True
    )
    assert runner.stdout is not None
    with runner, pipe.open() as told:
        assert runner.stdout.readline() == "a\n"  # told: its record is committed
        assert told.readline() == "up\n"  # b has written half of its output
        runner.send_signal(signal.SIGKILL)
    pipe.unlink()
    with open_home(tmp_path / ".fairway") as home:
        assert not [*(tmp_path / ".fairway" / "tmp").iterdir()]
        steps = two_steps(pipe)
        found = [*run_steps(home, steps, root=tmp_path, project="test", environ=ENVIRON)]
        assert [(each.name, each.cached) for each in found] == [("a", True), ("b", False)]
        assert home.blobs.read(found[1].output or Digest("")) == b"a\nb\n"


def test_r_is_observed_like_the_others(project: Project) -> None:
    line = Line(project, "R")
    assert line.ran() == ["a", "b"]
    assert line.ran() == []

    line.edit("helper", "one", "two")
    assert line.ran() == ["a", "b"]


def test_why_a_step_runs_is_told(line: Line) -> None:
    def why() -> str:
        return line.project.run(*line.steps())["a"].why

    assert why() == "cached"
    line.edit("helper", "one", "two")
    folder = "code_" if line.language == "python" else "code"
    ending = "py" if line.language == "python" else "sh"
    assert why() == f"{folder}/helper.{ending} changed"
    line.data.write_text("more\n")
    assert why() == "input changed: in.data"
    line.variables = {"LEVEL": "1"}
    assert why() == "variable changed: LEVEL"
    assert line.project.one("echo > {out}").why == "never run"
    assert line.project.one("echo 1 > {out}").why == "command changed"
    one = line.project.one
    assert one("echo {n} > {out}", parameters={"n": 3}).why == "command changed"
    assert one("echo {n} > {out}", parameters={"n": 2}).why == "parameter changed: n"
    assert one("echo {n} > {out}", parameters={"n": 1}).why == "cached"  # `echo 1`, as above


def test_a_step_under_another_name_is_the_same_step(project: Project) -> None:
    first = Step(name="first", command="echo 1 > {out}", output_kind="file")
    assert project.ran(first) == ["first"]
    assert project.ran(Step(name="second", command=first.command, output_kind="file")) == []


def test_another_interpreter_is_another_step(project: Project) -> None:
    folder = project.root.parent / "bin"
    folder.mkdir()
    tool = folder / "tool"
    project.environ = {**ENVIRON, "PATH": f"{folder}:{ENVIRON['PATH']}"}
    for text in ("one", "two"):
        tool.write_text(f"#!/bin/sh\necho {text}\n")
        tool.chmod(0o755)
        found = project.one("tool > {out}")
        assert not found.cached
        assert project.text(found.output) == f"{text}\n"
    assert project.one("tool > {out}").cached


def test_an_internal_step_is_made_anew_by_another_fairway(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not project.one("echo > {out}", internal=True).cached
    assert project.one("echo > {out}", internal=True).cached
    monkeypatch.setattr("fairway.pipeline.own.maker", lambda: of_bytes(b"another Fairway"))
    assert project.one("echo > {out}", internal=True).why == "Fairway changed"


def test_a_locked_environment_that_changes_makes_a_new_step(project: Project) -> None:
    locks = [project.home.blobs.put_bytes(text) for text in (b"pandas 1", b"pandas 2")]
    assert not project.one("echo > {out}", environment=locks[0]).cached
    assert project.one("echo > {out}", environment=locks[1]).why == "locked environment changed"


def test_a_folder_is_verified_down_to_its_files(project: Project) -> None:
    first = project.one("echo 1 > {out}/one; echo 2 > {out}/two", output_kind="folder")
    assert first.output is not None
    entries = project.home.blobs.entries(first.output)
    assert sorted(entries) == ["one", "two"]
    blob = project.home.blobs.path(entries["two"].digest)
    blob.chmod(0o644)
    blob.write_text("3\n")

    again = project.one("echo 1 > {out}/one; echo 2 > {out}/two", output_kind="folder")
    assert (again.cached, again.output) == (False, first.output)
    project.home.blobs.path(entries["two"].digest)


def test_a_value_of_a_variable_is_not_stored(project: Project) -> None:
    project.one("echo > {out}", variables={"TOKEN": "hunter2-long-secret"})
    assert b"hunter2" not in (project.home.root / "fairway.db").read_bytes()
    assert not project.home.db.read("SELECT 1 FROM step_result WHERE reads LIKE '%hunter2%'")


def test_one_query_looks_up_all_steps_that_are_ready(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = [Step(name=str(n), command=f"echo {n} > {{out}}", output_kind="file") for n in range(9)]
    project.ran(*steps)
    asked = []
    read = type(project.home.db).read
    monkeypatch.setattr(
        type(project.home.db), "read", lambda db, *given: asked.append(given) or read(db, *given)
    )
    assert project.ran(*steps) == []
    assert len(asked) == 1
