"""Commands that hang, fork, print without end or eat memory."""

import os
import resource
import time
from pathlib import Path

from fairway.pipeline.stray import TOKEN

from .conftest import Project, is_alive


def test_a_step_that_hangs_is_killed_with_all_that_it_started(project: Project) -> None:
    start = time.monotonic()
    found = project.one(
        "sleep 60 & echo $!; setsid sleep 60 & echo $!; "
        "setsid sh -c 'echo $$; sleep 60 & echo $!; exec sleep 60' & wait; : > {out}",
        timeout_s=0.3,
    )
    assert found.state == "timed_out"
    assert found.problem == "It took longer than 0.3 s and was killed."
    assert 0.3 <= found.seconds <= time.monotonic() - start < 10
    pids = [int(line) for line in project.text(found.log).split()]
    assert len(pids) == 4
    assert not [pid for pid in pids if is_alive(pid)]


def test_what_a_step_leaves_behind_is_killed_when_it_ends(project: Project) -> None:
    found = project.one(
        "sleep 60 & echo $!; setsid sleep 60 >/dev/null 2>&1 < /dev/null & "
        "setsid sh -c 'sleep 60 & echo $!; exec sleep 60' & read pid < /dev/null; : > {out}; "
        "grep -al $FAIRWAY_STEP /proc/[0-9]*/environ 2>/dev/null | wc -l >&2"
    )
    assert found.state == "done"
    assert found.seconds < 10
    token = os.fsencode(f"{TOKEN}={os.getpid()}-")
    left = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            if token in (place / "environ").read_bytes():
                left.append(place)
        except (FileNotFoundError, PermissionError, ProcessLookupError):
            continue
    assert left == []


def test_a_gigabyte_of_output_is_read_and_little_is_kept(project: Project) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = project.one("echo first; head -c 1000000000 /dev/zero; echo last; : > {out}")
    grown_bytes = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    text = project.text(found.log)
    assert found.state == "done"
    assert text.startswith("first\n\0\0")
    assert text.endswith("\0\0last\n")
    assert "bytes left out ...]" in text
    assert len(text) < 1 << 20
    assert grown_bytes < 32 << 20


EATS = "{python} -c 'x = bytearray(400 << 20)\nimport time; time.sleep(60)'; : > {out}"


def test_a_step_that_holds_too_much_memory_is_ended(project: Project) -> None:
    found = project.one(EATS, memory_bytes=150 << 20)
    assert found.state == "out_of_memory"
    assert found.problem == f"It held more than {150 << 20} bytes of memory."
    assert found.seconds < 30


def test_memory_of_children_counts_and_shared_pages_count_once(project: Project) -> None:
    one = "{python} -c 'x = bytearray(70 << 20)\nimport time; time.sleep(60)'"
    many = f"for i in 1 2 3; do {one} & done; wait; : > {{out}}"
    found = project.one(many, memory_bytes=150 << 20)
    assert found.state == "out_of_memory"
    forks = (
        "{python} -W ignore -c 'import os, time\nx = bytearray(60 << 20)\n"
        "pids = [os.fork() for _ in range(2)]\ntime.sleep(0.3)'; : > {out}"
    )
    assert project.one(forks, memory_bytes=150 << 20).state == "done"


def test_a_step_within_its_limits_ends_well(project: Project) -> None:
    found = project.one(": > {out}", memory_bytes=150 << 20, timeout_s=60)
    assert found.state == "done"
