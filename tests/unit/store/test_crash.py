"""What a crash point promises: nothing, or a death at exactly the chosen write."""

import signal
import subprocess
import sys

import pytest

from fairway.store.crash import CrashPoints

COUNT = """
import sys
from fairway.store.crash import CrashPoints
crash = CrashPoints(int(sys.argv[1]))
for n in range(1, 4):
    crash.point()
    print(n, flush=True)
"""


@pytest.mark.parametrize(("at", "passed"), [(1, ""), (3, "1\n2\n"), (4, "1\n2\n3\n")])
def test_a_process_dies_at_the_chosen_point_and_only_there(at: int, passed: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", COUNT, str(at)], capture_output=True, text=True, check=False
    )

    assert ran.stdout == passed
    assert ran.returncode == (0 if at == 4 else -signal.SIGKILL)


def test_without_a_chosen_point_everything_lives() -> None:
    crash = CrashPoints()
    for _ in range(1000):
        crash.point()
    assert crash.at is None
