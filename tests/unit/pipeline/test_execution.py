"""What becomes of steps."""

import os
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

from fairway.digest import Digest, of_bytes
from fairway.errors import IntegrityError, NotFoundError, ProjectError, StoreError
from fairway.pipeline import result as results
from fairway.pipeline.execution import run_step, run_steps
from fairway.pipeline.step import Step
from fairway.store.home import open_home

from .conftest import ENVIRON, Project, is_alive


def test_inputs_have_the_names_asked_for_and_outputs_may_be_folders(project: Project) -> None:
    one = project.home.blobs.put_bytes(b"1")
    tree = project.run(
        Step(name="tree", command="mkdir {out}/d; echo x > {out}/d/x"),
    )["tree"].output
    assert tree is not None
    step = Step(
        name="it",
        command="echo {train} {in.tree}/d/x {plain} > {model}/names; cat {in.tree}/d/x > {model}/x",
        inputs={"train": one, "in.tree": tree, "plain": one},
        suffixes={"train": "train.parquet", "plain": ".csv"},
        output="model",
    )
    found = project.run(step)["it"]
    assert found.output is not None
    entries = project.home.blobs.entries(found.output)
    told = project.home.blobs.read(entries["names"].digest).decode()
    assert "-train.parquet " in told
    assert told.endswith("-plain.csv\n")
    assert project.home.blobs.read(entries["x"].digest) == b"x\n"


def test_a_command_runs_in_the_project_and_sees_only_what_is_declared(project: Project) -> None:
    project.environ = {**ENVIRON, "LANG": "C.UTF-8", "TMPDIR": "/tmp", "AWS_SECRET": "x"}
    found = project.one("{ pwd; env; } > {out}", variables={"LEVEL": "3"})
    folder, *lines = project.text(found.output).splitlines()
    seen = dict(line.split("=", 1) for line in lines if not line.startswith("_="))
    assert folder == str(project.root)
    own = {name for name in seen if name.startswith("FAIRWAY_")} | {"LD_PRELOAD", "PYTHONPATH"}
    assert set(seen) - own == {
        "PATH", "HOME", "LANG", "TMPDIR", "LEVEL", "PWD", "PYTHONHASHSEED", "SOURCE_DATE_EPOCH",
        "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS",
    }  # fmt: skip
    assert seen["PYTHONHASHSEED"] == "0"


def test_both_streams_are_kept_as_they_came(project: Project) -> None:
    found = project.one("echo one; echo two >&2; echo three; : > {out}")
    assert project.text(found.log) == "one\ntwo\nthree\n"


def test_a_step_that_crashes_is_a_result_with_its_log(project: Project) -> None:
    found = project.one("echo before; exit 3")
    assert (found.state, found.exit_code, found.output) == ("failed", 3, None)
    assert found.problem == "It ended with exit code 3."
    assert project.text(found.log) == "before\n"
    assert not project.home.db.read("SELECT 1 FROM step_result")
    found = project.one("kill -SEGV $$")
    assert (found.state, found.exit_code) == ("failed", -11)
    assert found.problem == "It was ended by signal 11."


def test_steps_that_wait_for_a_failed_one_are_skipped_and_the_others_run(project: Project) -> None:
    found = project.run(
        Step(name="bad", command="false"),
        Step(name="next", command="true", after={"in.bad": "bad"}),
        Step(name="last", command="true", after={"in.next": "next"}),
        Step(name="other", command="true"),
    )
    assert {name: each.state for name, each in found.items()} == {
        "bad": "failed", "next": "skipped", "last": "skipped", "other": "done",
    }  # fmt: skip
    assert found["last"].problem == "Step 'next', which it waits for, did not end well."


@pytest.mark.parametrize(
    ("command", "kind", "problem"),
    [
        ("true {out}", "file", "It ended well but wrote no {out}."),
        ("true {out}", "folder", "It ended well but left {out} empty."),
        ("rmdir {out}; echo > {out}", "folder", "something else in the place of the folder"),
        ("ln -s /etc/passwd {out}/x", "folder", "is a link or a device"),
        ("mkfifo {out}/x", "folder", "is a link or a device"),
        ("mkdir {out}", "file", "It ended well but wrote no {out}."),
    ],
)
def test_a_step_without_a_proper_output_fails(
    project: Project, command: str, kind: str, problem: str
) -> None:
    found = project.one(command, output_kind=kind)
    assert (found.state, found.exit_code) == ("failed", 0)
    assert problem in found.problem
    assert not project.home.db.read("SELECT 1 FROM step_result")


def test_a_step_that_names_no_output_need_not_write_one(project: Project) -> None:
    found = project.one("true", output_kind="folder")
    assert found.output is not None
    assert project.home.blobs.entries(found.output) == {}
    assert project.one("true", output_kind="folder").cached


def test_a_failed_step_is_tried_again_as_often_as_asked(project: Project, tmp_path: Path) -> None:
    tries = tmp_path / "tries"
    command = f"echo x >> {tries}; wc -l < {tries}; [ $(wc -l < {tries}) = 3 ] && : > {{out}}"
    found = project.one(command, retries=2)
    assert (found.state, found.n_attempts) == ("done", 3)
    log = project.text(found.log)
    assert "[attempt 1: exit code 1]\n1\n" in log
    assert "[attempt 3: exit code 0]\n3\n" in log
    tries.unlink()
    found = project.one(command + " # once", retries=1)
    assert (found.state, found.n_attempts) == ("failed", 2)


def test_an_attempt_finds_nothing_of_the_one_before(project: Project, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    command = f"ls {{out}}; [ -e {mark} ] || {{ echo half > {{out}}/half; echo > {mark}; exit 1; }}"
    found = project.one(command + "; echo > {out}/whole", retries=1, output_kind="folder")
    assert found.output is not None
    assert [*project.home.blobs.entries(found.output)] == ["whole"]


def test_an_input_cannot_be_changed_for_the_others(project: Project) -> None:
    given = {"in.x": project.home.blobs.put_bytes(b"right")}
    found = project.run(
        Step(name="bad", command="chmod +w {in.x}; echo wrong > {in.x}; : > {out}", inputs=given,
             output_kind="file"),
        jobs=1,
    )  # fmt: skip
    assert found["bad"].state == "failed"
    assert found["bad"].problem == "An input was written to while it ran."
    assert project.home.blobs.read(given["in.x"]) == b"right"
    steps = [
        Step(name="bad", command="chmod +w {in.x}; echo w > {in.x}; : > {out} # 2", inputs=given,
             output_kind="file"),
        Step(name="good", command="cat {in.x} > {out}", inputs=given, output_kind="file"),
    ]  # fmt: skip
    found = project.run(*steps, jobs=1)
    assert project.text(found["good"].output) == "right"


def test_a_damaged_or_absent_input_is_an_error(project: Project) -> None:
    absent = of_bytes(b"absent")
    with pytest.raises(NotFoundError, match=absent):
        project.one("cat {in.x} > {out}", inputs={"in.x": absent})
    digest = project.home.blobs.put_bytes(b"right")
    blob = project.home.blobs.path(digest)
    blob.chmod(0o644)
    blob.write_bytes(b"wrong")
    with pytest.raises(IntegrityError, match=digest):
        project.one("cat {in.x} > {out}", inputs={"in.x": digest})


def test_an_output_that_is_not_accepted_is_not_remembered(project: Project) -> None:
    step = Step(name="it", command="echo 1 > {out}", output_kind="file")
    given = {"root": project.root, "project": "test", "environ": ENVIRON}
    refused = run_step(project.home, step, accept=lambda _: False, **given)
    assert (refused.state, refused.output) == ("failed", None)
    assert "was not accepted" in refused.problem
    assert run_step(project.home, step, accept=lambda _: True, **given).state == "done"
    again = run_step(project.home, step, accept=lambda _: False, **given)
    assert (again.state, again.why) == ("failed", "its earlier output is not accepted")


def test_the_record_of_a_run_tells_of_each_step(project: Project) -> None:
    steps = [Step(name="good", command="echo 1"), Step(name="bad", command="false")]
    project.run(*steps, run="r1")
    project.run(*steps, run="r2")
    first = {each.name: each for each in results.of_run(project.home.db, "r1")}
    assert (first["good"].state, first["good"].cached) == ("done", False)
    assert project.text(first["good"].log) == "1\n"
    assert first["bad"].why == "never run. It ended with exit code 1."
    [second] = results.of_run(project.home.db, "r2", name="good")
    assert (second.cached, second.why, second.log) == (True, "cached", first["good"].log)


def test_a_wrong_step_is_refused_before_anything_runs(project: Project) -> None:
    with pytest.raises(ProjectError, match="circle"):
        project.run(
            Step(name="a", command="true", after={"x": "b"}),
            Step(name="b", command="true", after={"x": "a"}),
        )
    with pytest.raises(ProjectError, match="nothing gives"):
        project.run(Step(name="a", command="touch ran"), Step(name="b", command="{nothing}"))
    assert not (project.root / "ran").exists()


def test_as_many_run_at_once_as_asked(project: Project, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    steps = [
        Step(name="in", command=f"echo x > {pipe}"),  # each waits for the other
        Step(name="out", command=f"read x < {pipe}"),
    ]
    assert {each.state for each in project.run(*steps, jobs=2).values()} == {"done"}


def test_the_same_step_in_two_threads_runs_once(project: Project, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    step = Step(name="it", command=f"echo x >> {ran}; echo 1 > {{out}}",
                output_kind="file")  # fmt: skip
    found = []

    def run() -> None:
        found.append(project.run(step)["it"])

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(each.cached for each in found) == [False, True, True]
    assert ran.read_text() == "x\n"


def test_the_same_step_twice_in_one_run_runs_once(project: Project) -> None:
    command = "echo 1 > {out}"
    found = project.run(*[Step(name=n, command=command, output_kind="file") for n in "abc"])
    assert sorted(each.cached for each in found.values()) == [False, True, True]


def test_two_processes_run_the_same_step_once(project: Project, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    program = textwrap.dedent(f"""
        from pathlib import Path
        from fairway.pipeline.execution import run_steps
        from fairway.pipeline.step import Step
        from fairway.store.home import open_home

        root = Path({str(project.root)!r})
        names = "abcd"
        steps = [
            Step(name=n, command=f"echo {{n}} >> {ran}; echo {{n}} > {{{{out}}}}".replace(
                "{{{{out}}}}", "{{out}}"), output_kind="file")
            for n in names
        ]
        home = open_home(root / ".fairway")
        found = [*run_steps(home, steps, root=root, project="test", jobs=2, environ={ENVIRON!r})]
        print(sum(each.cached for each in found), {{each.state for each in found}} == {{"done"}})
    """)
    both = [
        subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    told = [each.communicate()[0].split() for each in both]
    assert [good for _, good in told] == ["True", "True"]
    assert sum(int(n) for n, _ in told) == 4
    assert sorted(ran.read_text().split()) == ["a", "b", "c", "d"]


def test_giving_up_in_the_middle_ends_what_runs(project: Project, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    steps = [
        Step(name="quick", command="true"),
        Step(name="slow", command=f"echo $$ > {pids}; exec sleep 60"),
    ]
    found = run_steps(
        project.home, steps, root=project.root, project="test", jobs=2, environ=ENVIRON
    )
    assert next(found).name == "quick"
    found.close()
    assert not is_alive(int(pids.read_text()))
    assert not [*project.home.root.glob("tmp/*/steps-*")]


def test_a_read_only_home_gives_what_it_has_and_refuses_to_run(project: Project) -> None:
    step = Step(name="it", command="echo 1 > {out}", output_kind="file")
    project.ran(step)
    (project.home.root / "locks").rename(project.home.root / "moved")
    (project.home.root / "locks").write_text("in the place of a folder")
    assert project.ran(step) == []
    with pytest.raises(StoreError, match="locks cannot be written"):
        project.one("echo 2 > {out}")


def test_a_run_of_nothing_loads_no_engine_and_no_optuna(project: Project) -> None:
    project.ran(Step(name="it", command="echo 1 > {out}", output_kind="file"))
    program = textwrap.dedent(f"""
        import sys
        from pathlib import Path
        from fairway.pipeline import search
        from fairway.pipeline.execution import run_steps
        from fairway.pipeline.step import Step
        from fairway.store.home import open_home

        root = Path({str(project.root)!r})
        steps = [Step(name="it", command="echo 1 > {{out}}", output_kind="file")]
        with open_home(root / ".fairway") as home:
            [found] = run_steps(home, steps, root=root, project="test", environ={ENVIRON!r})
        assert found.cached
        heavy = {{"ibis", "duckdb", "sklearn", "pandas", "numpy", "pyarrow", "optuna", "pydantic",
                 "alembic", "ctypes"}}
        print(sorted(heavy & {{*sys.modules}}))
    """)
    told = subprocess.run(
        [sys.executable, "-c", program], check=False, capture_output=True, text=True
    )
    assert (told.stdout, told.stderr) == ("[]\n", "")


def test_results_of_another_home_are_not_needed(tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    for n in range(2):
        with open_home(tmp_path / f"home{n}") as home:
            step = Step(name="it", command="echo 1 > {out}", output_kind="file")
            found = run_step(home, step, root=tmp_path / "p", project="test", environ=ENVIRON)
            assert not found.cached
            assert home.blobs.read(found.output or Digest("")) == b"1\n"
