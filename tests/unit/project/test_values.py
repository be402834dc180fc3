"""What the small languages promise."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairway.data.known_at import duration
from fairway.project.faults import Faults
from fairway.project.lines import Lines
from fairway.project.values import duration_s, memory_bytes


def no_faults() -> Faults:
    return Faults(Path("fairway.toml"), Lines())


@given(st.integers(min_value=0, max_value=10**9))
def test_a_duration_reads_back_as_it_is_spelled(seconds: int) -> None:
    assert duration_s(duration(seconds), ("gap",), no_faults()) == seconds


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("31d", 2678400), ("3h", 10800), ("10m", 600), ("30s", 30), ("2w", 1209600)],
)
def test_each_unit_of_a_duration_is_known(text: str, seconds: float) -> None:
    assert duration_s(text, ("gap",), no_faults()) == seconds


@pytest.mark.parametrize("text", ["", "3", "h", "3 hours", "-1d", "1d2h", "1y"])
def test_what_is_no_duration_is_a_fault(text: str) -> None:
    faults = no_faults()

    assert duration_s(text, ("split", "gap"), faults) is None
    assert len(faults.found) == 1


@pytest.mark.parametrize(
    ("text", "n_bytes"), [("512MB", 512_000_000), ("1.5GiB", 1_610_612_736), ("2 kB", 2000)]
)
def test_memory_is_read_in_powers_of_ten_and_of_two(text: str, n_bytes: int) -> None:
    assert memory_bytes(text, ("memory",), no_faults()) == n_bytes


@pytest.mark.parametrize("text", ["0MB", "2", "GB", "2gb", "-1GB"])
def test_what_is_no_amount_of_memory_is_a_fault(text: str) -> None:
    faults = no_faults()

    assert memory_bytes(text, ("memory",), faults) is None
    assert len(faults.found) == 1
