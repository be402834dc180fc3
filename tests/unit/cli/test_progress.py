"""What progress promises: nothing for short work, plain lines or one moving line for long work."""

import io
import os
import pty
import threading
from contextlib import suppress

from fairway.cli.progress import Progress


def wait_for(progress: Progress) -> None:
    """Wait until patience is over."""
    timer = progress._timer
    assert timer is not None
    timer.join()


def read_all(terminal: int) -> str:
    """Read what a terminal was sent; the kernel hands it over piece by piece until EIO."""
    pieces = []
    with suppress(OSError):
        while piece := os.read(terminal, 65536):
            pieces.append(piece)
    os.close(terminal)
    return b"".join(pieces).decode()


def test_short_work_shows_nothing() -> None:
    stream = io.StringIO()

    with Progress(stream, patience_s=3600) as report:
        report.start("Reading", 2)
        report("one")
        report.done()

    assert stream.getvalue() == ""


def test_long_work_shows_every_line_in_order_from_the_first() -> None:
    stream = io.StringIO()

    with Progress(stream, patience_s=0.01) as report:
        report.start("Reading", 2)
        wait_for(report)
        report.step("one")
        report("two")

    assert [line.split(" s  ")[1] for line in stream.getvalue().splitlines()] == [
        "Reading",
        "one",
        "two",
    ]


def test_work_that_ends_before_patience_does_leaves_no_thread_behind() -> None:
    before = threading.active_count()
    with Progress(io.StringIO(), patience_s=3600) as report:
        timer = report._timer
        report("one")

    assert timer is not None
    timer.join(timeout=10)
    assert threading.active_count() == before


def test_many_threads_may_report_at_once() -> None:
    stream = io.StringIO()
    with Progress(stream, patience_s=0) as report:
        wait_for(report)
        threads = [threading.Thread(target=report, args=(f"step {i}",)) for i in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert sorted(line.split(" s  ")[1] for line in stream.getvalue().splitlines()) == sorted(
        f"step {i}" for i in range(20)
    )


def test_a_terminal_shows_what_is_going_on_in_one_moving_line() -> None:
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as terminal, Progress(terminal, patience_s=0) as report:
        report.start("Reading [all]", 2)
        wait_for(report)
        report.step("one [of two]")
    shown = read_all(ours)

    assert "one [of two]" in shown
