"""Killed at every write, and while commands run: whole or absent, and nothing lives on."""

import os
import select
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

from fairway.pipeline.execution import run_steps
from fairway.pipeline.result import Result
from fairway.pipeline.step import Step
from fairway.store.home import Home, open_home

ENVIRON = {"PATH": os.environ["PATH"]}
STEPS = [
    Step(name="a", command="echo a >> ran.log; echo a > {out}", output_kind="file"),
    Step(
        name="b",
        command="echo b >> ran.log; cp {in.a} {out}/one; echo 2 > {out}/two; echo printed",
        after={"in.a": "a"},
    ),
    Step(
        name="c",
        command="echo c >> ran.log; cat {in.b}/one {in.b}/two > {out}",
        after={"in.b": "b"},
        output_kind="file",
    ),
]


def run(home: Home, root: Path) -> list[Result]:
    return [*run_steps(home, STEPS, root=root, project="test", run="r", environ=ENVIRON)]


def run_and_die(root: Path, crash_at: int) -> list[str] | None:
    """Run in a child that dies at its N-th write; what it told, or None when it ended by itself."""
    told = root / "told"
    told.write_text("")
    child = os.fork()
    if not child:
        code = 1
        try:
            with open_home(root / ".fairway", crash_at=crash_at) as home, told.open("a") as file:
                for result in run_steps(
                    home, STEPS, root=root, project="test", run="r", environ=ENVIRON
                ):
                    file.write(f"{result.name}\n")
                    file.flush()
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    if os.waitstatus_to_exitcode(status) == 0:
        return None
    assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL
    return told.read_text().split()


def test_killed_at_any_write_a_run_leaves_only_what_is_whole(tmp_path: Path) -> None:
    expected: list[object] = []
    for crash_at in range(1, 200):
        root = tmp_path / str(crash_at)
        root.mkdir()
        with open_home(root / ".fairway"):
            pass  # the points of a new home are the store's to test
        told = run_and_die(root, crash_at)
        if told is None:
            break
        ran_before = (root / "ran.log").read_text().split() if (root / "ran.log").exists() else []
        with open_home(root / ".fairway") as home:
            assert not [*(root / ".fairway" / "tmp").iterdir()]
            for row in home.db.read("SELECT output, log FROM step_result"):
                home.blobs.path(row["output"])
                home.blobs.path(row["log"])
            found = run(home, root)
            assert {result.state for result in found} == {"done"}
            again = {result.name for result in found if not result.cached}
            assert not again & {*told}, "a step that was told as done is not repeated"
            ran = (root / "ran.log").read_text().split()
            assert sorted(ran) == sorted([*ran_before, *again])
            assert max(ran.count(name) for name in ran) <= 2
            expected.append([result.output for result in found])
            assert {result.cached for result in run(home, root)} == {True}
    else:
        raise AssertionError("it never ended by itself")
    assert len(expected) > 10
    assert all(outputs == expected[0] for outputs in expected)


def test_steps_die_with_fairway_and_so_do_their_children(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    program = textwrap.dedent(f"""
        from pathlib import Path
        from fairway.pipeline.execution import run_steps
        from fairway.pipeline.step import Step
        from fairway.store.home import open_home

        root = Path({str(tmp_path)!r})
        command = (
            "setsid sh -c 'sleep 600 & echo $$ $! > {pipe}; wait' & "
            "nohup sleep 600 >/dev/null 2>&1 & echo $$ $! > {pipe}; exec sleep 600"
        )
        list(run_steps(open_home(root / ".fairway"), [Step(name="it", command=command)],
                       root=root, project="test", environ={ENVIRON!r}))
    """)
    runner = subprocess.Popen([sys.executable, "-c", program])
    pids: list[int] = []
    while len(pids) < 4:  # two writers, which may come together or one after the other
        pids += map(int, pipe.read_text().split())
    watches = [os.pidfd_open(pid) for pid in pids]
    runner.kill()
    runner.wait()
    for pid, watch in zip(pids, watches, strict=True):
        assert wait_for_end(watch), f"process {pid} lives on"
    with open_home(tmp_path / ".fairway") as home:
        assert not [*(tmp_path / ".fairway" / "tmp").iterdir()]
        step = Step(name="it", command="true")
        [found] = run_steps(home, [step], root=tmp_path, project="test", environ=ENVIRON)
        assert found.state == "done"


def wait_for_end(watch: int) -> bool:
    """Whether a process ends within ten seconds."""
    try:
        return bool(select.select([watch], [], [], 10)[0])
    finally:
        os.close(watch)
