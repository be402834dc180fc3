"""What counts as read: in Python, in other programs, and where nothing can be observed."""

import contextlib
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from fairway.pipeline import trace
from fairway.pipeline.file import Files
from fairway.pipeline.step import Step
from fairway.pipeline.trace import HOOK, SHIM, Observer

from .conftest import Project

needs_shim = pytest.mark.skipif(
    sys.platform != "linux" or not SHIM.exists(), reason="no compiler was at hand at install"
)
HOW = {
    "shim": pytest.param(lambda: Observer(shim=SHIM), id="shim", marks=needs_shim),
    "hook": pytest.param(lambda: Observer(shim=None), id="hook alone"),
}


@pytest.fixture(params=HOW.values())
def watched(project: Project, request: pytest.FixtureRequest, monkeypatch: object) -> Project:
    """The project, observed with the shim or with Python's hook alone."""
    assert isinstance(monkeypatch, pytest.MonkeyPatch)
    monkeypatch.setattr(trace, "observer", request.param)
    return project


@pytest.fixture
def without_shim(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setattr(trace, "observer", lambda: Observer(shim=None))
    return project


def names(project: Project, command: str, **given: object) -> tuple[set[str], set[str]]:
    """What a command read, and what it found absent; without where Python looks for modules."""
    found = project.one(command, **given)
    assert (found.state, found.problem) == ("done", ""), project.text(found.log)
    read = {name for name, state in found.reads.items() if state is not None}
    return read, {*found.reads} - read


def test_a_python_module_and_all_that_it_opens_is_read(watched: Project) -> None:
    watched.write(
        late__a_py=(
            "import late.b, json, sys\nfrom pathlib import Path\n"
            "Path(sys.argv[1]).write_text(Path('c.txt').read_text())\n"
        ),
        late__b_py="import os\nos.close(os.open('late/d.txt', os.O_RDONLY))\n",
        late__d_txt="",
        c_txt="",
        other_txt="",
    )
    read, absent = names(watched, "{python} -m late.a {out}")
    assert read >= {"late/a.py", "late/b.py", "c.txt", "late/d.txt"}
    assert "other.txt" not in read
    assert absent >= {"json.py", "json", "late/__init__.py", "late/b"}


def test_a_new_file_that_would_hide_a_module_is_seen(watched: Project) -> None:
    watched.write(a_py="import json\nopen(__import__('sys').argv[1], 'w').write(json.__file__)\n")
    command = "{python} a.py {out}"
    assert not watched.one(command).cached
    assert watched.one(command).cached
    watched.write(json_py="")
    found = watched.one(command)
    assert found.why == "json.py is new"
    assert watched.text(found.output).endswith("a project/json.py")


def test_what_was_absent_and_appears_makes_the_step_run(watched: Project) -> None:
    watched.write(
        a_py=(
            "import sys, pathlib\n"
            "try: text = open('config.txt').read()\n"
            "except OSError: text = 'none'\n"
            "open(sys.argv[1], 'w').write(text)\n"
        )
    )
    command = "{python} a.py {out}"
    assert watched.text(watched.one(command).output) == "none"
    assert watched.one(command).cached
    watched.write(config_txt="some")
    assert watched.text(watched.one(command).output) == "some"


def test_a_folder_listed_by_python_is_read_and_imports_are_no_listing(watched: Project) -> None:
    watched.write(
        a_py="import os, sys, json\nopen(sys.argv[1], 'w').write(str(sorted(os.listdir('sql'))))\n",
        sql__one_sql="",
    )
    command = "{python} a.py {out}"
    read, _ = names(watched, command)
    assert read == {"a.py", "sql/"}
    watched.write(README_md="new, beside a.py")
    watched.write(sql__two_sql="")
    assert watched.one(command).why == "the names in sql/ changed"


def test_what_a_step_writes_and_reads_back_is_no_read(watched: Project) -> None:
    watched.write(
        a_py=(
            "import sys\n"
            "open('log.txt', 'w').write('x')\n"
            "text = open('log.txt').read()\n"
            "open('more.txt', 'a').write('x')\n"
            "open(sys.argv[1], 'w').write(text)\n"
        )
    )
    command = "{python} a.py {out}"
    read, _ = names(watched, command)
    assert read == {"a.py"}
    assert watched.one(command).cached


def test_home_history_environments_and_caches_do_not_count(watched: Project) -> None:
    places = [".git", ".venv", "__pycache__", ".fairway", "deep/.git"]
    for place in places:
        (watched.root / place).mkdir(parents=True, exist_ok=True)
        (watched.root / place / "x").write_text("")
    opens = "; ".join(f"open('{place}/x')" for place in places)
    watched.write(a_py=f"{opens}; open('{watched.root.parent}/outside.txt', 'w'); open('a.py')")
    read, _ = names(watched, "{python} -W ignore a.py; : > {out}")
    if trace.observer().shim is not None:
        assert read == {"a.py"}
    else:  # the second command is not Python: all sources count, and these are none
        assert read == {"a.py"}


def test_bytecode_stands_for_its_source(project: Project) -> None:
    files = Files(project.root, home=project.home.root)
    root = files.root
    assert files.name(f"{root}/late/__pycache__/x.cpython-311.pyc") == "late/x.py"
    assert files.name(f"{root}/__pycache__/x.cpython-311.opt-1.pyc") == "x.py"
    assert files.name(f"{root}/late/__pycache__/x.txt") is None
    assert files.name(f"{root}/.fairway/tmp/x") is None
    assert files.name(f"{root}-other/x") is None
    assert files.name(root) == ""


def test_a_step_neither_reads_nor_writes_bytecode_of_the_project(watched: Project) -> None:
    watched.write(a_py="import b", b_py="")
    names(watched, "{python} a.py; : > {out}")
    assert not (watched.root / "__pycache__").exists()


@needs_shim
def test_shell_commands_are_observed(project: Project) -> None:
    project.write(one_txt="1", two_txt="2", three_txt="3", dir__four_txt="")
    assert names(project, "cat one.txt > {out}") == ({"one.txt"}, set())
    assert names(project, "cat absent.txt > {out} || true") == (set(), {"absent.txt"})
    assert names(project, "[ -f absent.txt ] || echo > {out}") == (set(), {"absent.txt"})
    assert names(project, "cat dir/*.txt > {out}") == ({"dir/", "dir/four.txt"}, set())
    assert names(project, "cd dir; cat ../two.txt > {out}") == ({"two.txt"}, set())
    assert names(project, "echo > log.txt; cat log.txt > {out}") == (set(), set())
    assert names(project, "cat < one.txt | sort > {out}")[0] == {"one.txt"}
    assert names(project, "echo > {out}") == (set(), set())


@needs_shim
def test_a_file_reached_through_a_link_is_observed_and_so_is_the_link(project: Project) -> None:
    project.write(one_txt="1", two_txt="2")
    outside = project.root.parent / "alias"
    outside.symlink_to(project.root)
    assert names(project, f"cat {outside}/one.txt > {{out}}") == ({"one.txt"}, set())
    link = project.root / "current"
    link.symlink_to("one.txt")
    assert project.text(project.one("cat current > {out}").output) == "1"
    link.unlink()
    link.symlink_to("two.txt")
    found = project.one("cat current > {out}")
    assert (project.text(found.output), found.why) == ("2", "current changed")


@needs_shim
def test_a_program_of_the_project_is_read_when_it_runs(project: Project) -> None:
    project.write(tool_c='#include <stdio.h>\nint main(void) { puts("one"); return 0; }')
    build = ["cc", "-o", "tool", "tool.c"]
    subprocess.run(build, cwd=project.root, check=True)
    assert project.text(project.one("./tool > {out}").output) == "one\n"
    assert project.one("./tool > {out}").cached
    project.write(tool_c='#include <stdio.h>\nint main(void) { puts("two"); return 0; }')
    subprocess.run(build, cwd=project.root, check=True)
    assert project.text(project.one("./tool > {out}").output) == "two\n"


@needs_shim
@pytest.mark.parametrize("how", ["static", "scrubbed"])
def test_where_a_program_cannot_be_observed_every_source_counts(project: Project, how: str) -> None:
    project.write(
        tool_c='#include <fcntl.h>\nint main(void) { return open("x.txt", O_RDONLY) < 0; }',
        x_txt="x",
        unrelated_txt="",
    )
    flags = ["-static"] if how == "static" else []
    tool = project.root.parent / "tool"
    subprocess.run(["cc", *flags, "-o", tool, project.root / "tool.c"], check=True)
    start = f"{tool}" if how == "static" else f"env -i {tool}"
    read, _ = names(project, f"{start} && echo > {{out}}")
    assert read >= {"x.txt", "tool.c", "unrelated.txt"}


def test_without_the_shim_every_source_counts_for_other_programs(without_shim: Project) -> None:
    without_shim.write(a_sh="cat b.txt > $1", b_txt="", unrelated_txt="", d__e_txt="")
    read, _ = names(without_shim, "sh a.sh {out}")
    assert read == {"a.sh", "b.txt", "unrelated.txt", "d/e.txt"}
    without_shim.write(d__e_txt="changed")
    assert without_shim.one("sh a.sh {out}").why == "d/e.txt changed"


@pytest.mark.parametrize("command", ["{python} -I a.py {out}", "{python} a.py {out}"])
def test_without_the_shim_a_python_that_cannot_be_observed_has_read_every_source(
    without_shim: Project, command: str
) -> None:
    without_shim.write(
        a_py=(
            "import subprocess, sys\n"
            "subprocess.run(['sh', '-c', 'cat b.txt > \"$1\"', 'sh', sys.argv[1]])\n"
        ),
        b_txt="1",
        unrelated_txt="",
    )
    read, _ = names(without_shim, command)
    assert read == {"a.py", "b.txt", "unrelated.txt"}


def test_a_large_file_is_data_and_no_source(without_shim: Project) -> None:
    without_shim.write(small_txt="x", large_txt="x" * (1 << 20) + "x")
    assert names(without_shim, "echo > {out}")[0] == {"small.txt"}


def test_a_fork_of_python_is_observed_too(watched: Project) -> None:
    watched.write(
        a_py=(
            "import os, sys\n"
            "if not os.fork():\n"
            "    open('child.txt').read(); os.listdir('.'); os._exit(0)\n"
            "os.wait(); open(sys.argv[1], 'w')\n"
        ),
        child_txt="",
    )
    read, _ = names(watched, "{python} -W ignore a.py {out}")
    assert read == {"a.py", "child.txt", "/"}


def test_another_sitecustomize_runs_as_well(watched: Project) -> None:
    folder = watched.root.parent / "own"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text("import builtins\nbuiltins.mark = 'seen'\n")
    watched.write(a_py="import sys\nopen(sys.argv[1], 'w').write(mark + str(sys.path))\n")
    found = watched.one("{python} a.py {out}", variables={"PYTHONPATH": str(folder)})
    text = watched.text(found.output)
    assert text.startswith("seen")
    assert str(HOOK) not in text


@pytest.mark.parametrize("touch", ["echo 2 > x.txt", "rm x.txt", "cp x.txt y; mv y x.txt"])
def test_a_reader_that_changes_what_it_read_is_not_remembered(project: Project, touch: str) -> None:
    project.write(x_txt="1")
    found = project.one(f"cat x.txt > {{out}}; {touch}")
    assert found.state == "done"
    assert found.problem == "x.txt changed while it ran: not remembered."
    assert project.text(found.output) == "1"
    project.write(x_txt="1")
    assert not project.one(f"cat x.txt > {{out}}; {touch}").cached


def test_a_file_made_after_it_was_found_absent_is_not_remembered(project: Project) -> None:
    command = "cat x.txt > {out} || { echo made > x.txt; echo none > {out}; }"
    assert project.text(project.one(command).output) == "none\n"
    assert project.text(project.one(command).output) == "made\n"
    assert project.one(command).cached


@needs_shim
def test_a_database_that_keeps_a_log_beside_it_is_read_and_no_more(project: Project) -> None:
    with contextlib.closing(sqlite3.connect(project.root / "w.db")) as made:
        made.execute("PRAGMA journal_mode=WAL")
        made.execute("CREATE TABLE t (x)")
        made.commit()
    project.write(
        a_py=(
            "import sqlite3, sys\n"
            "made = sqlite3.connect('w.db')\n"
            "print(*made.execute('SELECT * FROM t')); made.close()\n"
            "open(sys.argv[1], 'w')\n"
        )
    )
    project.one("{python} a.py {out}")
    found = project.one("{python} a.py {out}")
    assert found.cached
    assert found.reads["w.db"] is not None


def test_a_step_that_changes_a_file_that_another_reads_does_not_poison_it(
    project: Project, tmp_path: Path
) -> None:
    ready, go = tmp_path / "ready", tmp_path / "go"
    os.mkfifo(ready)
    os.mkfifo(go)
    project.write(x_txt="old")
    reads = f"cat x.txt > {{out}}; echo > {ready}; read line < {go}; true"
    writes = f"read line < {ready}; echo new > x.txt; echo > {go}; echo > {{out}}"
    found = project.run(
        Step(name="reads", command=reads, output_kind="file"),
        Step(name="writes", command=writes, output_kind="file"),
    )
    assert found["reads"].problem == "x.txt changed while it ran: not remembered."
    assert project.text(found["reads"].output) == "old"
