"""What a predictor in any language may do, and what it may not."""

import os
import select
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from fairway.errors import StepError
from fairway.model.process import Process, start

ENVIRONMENT = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "HOME": "/"}
ROWS = pa.table({"x": [0.1, 0.2, 0.3], "s": ["a", "b,c", "d"]})

Start = Callable[..., Process]


@pytest.fixture
def python(tmp_path: Path) -> Iterator[Start]:
    """Start a predictor whose Python source is given."""
    started = []

    def run(source: str, *, timeout_s: float = 20.0, task: str = "binary") -> Process:
        (tmp_path / "predict.py").write_text(source)
        process = start(
            [sys.executable, "-S", "predict.py"],
            columns=["x", "s"],
            cwd=tmp_path,
            environment=ENVIRONMENT,
            timeout_s=timeout_s,
            task=task,
        )
        started.append(process)
        return process

    yield run
    for process in started:
        process.close()


def is_ready(descriptor: int) -> bool:
    """Wait until there is something to read, or the process of a descriptor has ended."""
    return bool(select.select([descriptor], [], [], 300)[0])


EACH = """
import sys
header = sys.stdin.readline()
rows = []
for line in sys.stdin:
    if line == "\\n":
        %s
        sys.stdout.flush()
        rows = []
    else:
        rows.append(line)
"""


def test_a_program_reads_one_header_then_batches_each_ended_by_an_empty_line(
    python: Start, tmp_path: Path
) -> None:
    log = "open('log', 'a').write(repr((header, rows))); print('0.5\\n' * len(rows), end='')"
    process = python(EACH % log)

    assert process.predict(ROWS).tolist() == [0.5, 0.5, 0.5]
    assert process.predict(ROWS.slice(0, 1)).tolist() == [0.5]
    assert process.predict(ROWS.slice(0, 0)).tolist() == []
    header = "'x,s\\n'"
    first = f"({header}, ['0.1,a\\n', '0.2,\"b,c\"\\n', '0.3,d\\n'])"
    assert (tmp_path / "log").read_text() == first + f"({header}, ['0.1,a\\n'])"


def test_r_predicts_with_its_own_csv_reader(tmp_path: Path) -> None:
    (tmp_path / "predict.R").write_text(
        """
input <- file("stdin", "r")
header <- readLines(input, n = 1)
lines <- character()
while (length(line <- readLines(input, n = 1)) > 0) {
  if (line != "") { lines <- c(lines, line); next }
  rows <- read.csv(text = c(header, lines))
  cat(format(plogis(rows$x + nchar(rows$s)), digits = 17), sep = "\\n")
  cat("\\n")
  flush(stdout())
  lines <- character()
}
"""
    )
    process = start(
        "Rscript predict.R",
        columns=["x", "s"],
        cwd=tmp_path,
        environment=ENVIRONMENT,
        timeout_s=60,
    )
    once = process.predict(ROWS)
    again = process.predict(ROWS.slice(1, 1))
    process.close()

    assert once.tolist() == pytest.approx([0.7502601, 0.9608343, 0.7858350], abs=1e-6)
    assert again.tolist() == once.tolist()[1:2]


def test_a_shell_script_may_answer_row_by_row(tmp_path: Path) -> None:
    command = 'read -r header; while read -r x; do [ -z "$x" ] || echo "$x"; done'
    process = start(command, columns=["x"], cwd=tmp_path, environment=ENVIRONMENT, timeout_s=20)
    big = pa.table({"x": [i / 12_000 for i in range(12_000)]})

    assert process.predict(big).tolist() == big["x"].to_pylist()
    process.close()


@pytest.mark.parametrize(
    ("does", "problem"),
    [
        ("print('0.5')", r"answered [01] of 3 rows within 1 s and was ended"),
        ("print('0.5\\n' * 4, end='')", "answered 4 scores for 3 rows"),
        ("print('0.5\\nabout half\\n0.5')", "answered 'about half' for row 1, which is no number"),
        ("print('NA\\n' * 3)", "answered 'NA' for row 0"),
        ("print('nan\\n' * 3, end='')", "scored row 0 as nan, which is not finite|a probability"),
        ("print('0.5\\n1.5\\n0.5')", "scored row 1 as 1.5, which is not a probability"),
        ("print('x' * 100_000_000)", "answered 'x+'... for row 0, not a number"),
        ("print('0.5'); sys.exit(3)", r"died after 1 of 3 rows \(exit code 3\)"),
        ("import os; os.kill(os.getpid(), 9)", r"died after 0 of 3 rows \(signal SIGKILL\)"),
        ("raise RuntimeError('no plane')", "Its last words: .*RuntimeError: no plane"),
    ],
)
def test_a_program_that_breaks_its_promise_is_ended_and_named(
    python: Start, does: str, problem: str
) -> None:
    is_slow = "within 1 s" in problem
    process = python(EACH % does, timeout_s=1.0 if is_slow else 20.0)

    with pytest.raises(StepError, match=problem):
        process.predict(ROWS)
    with pytest.raises(StepError, match="has ended"):
        process.predict(ROWS)


def test_a_program_that_hangs_is_killed_with_all_that_it_started(
    python: Start, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "child")
    pipe = os.open(tmp_path / "child", os.O_RDWR)
    process = python(
        "import subprocess, time\n"
        "child = subprocess.Popen(['sleep', '1000'])\n"
        "open('child', 'w').write(str(child.pid))\n"
        "time.sleep(1000)\n",
        timeout_s=0.5,
    )
    assert is_ready(pipe)  # the program has started its child
    child = os.pidfd_open(int(os.read(pipe, 20)))

    with pytest.raises(StepError, match=r"answered 0 of 3 rows within 0\.5 s"):
        process.predict(ROWS)

    assert is_ready(child)  # it has ended
    os.close(pipe)
    os.close(child)


def test_a_program_that_buffers_is_told_how_not_to(tmp_path: Path) -> None:
    command = "cat > all"  # answers only once its input ends
    process = start(command, columns=["x"], cwd=tmp_path, environment=ENVIRONMENT, timeout_s=0.2)

    with pytest.raises(StepError, match="answered 0 of 3 rows within") as caught:
        process.predict(ROWS)
    assert "-W interactive" in caught.value.hint
    assert "Python: -u" in caught.value.hint


def test_a_death_is_seen_though_a_child_keeps_the_output_open(python: Start) -> None:
    process = python("import subprocess, sys; subprocess.Popen(['sleep', '1000']); sys.exit(3)")
    before = time.monotonic()

    with pytest.raises(StepError, match=r"died after 0 of 3 rows \(exit code 3\)"):
        process.predict(ROWS)
    assert time.monotonic() - before < 500


def test_a_command_line_names_the_model_and_uses_one_thread(tmp_path: Path) -> None:
    folder = tmp_path / "a model"
    folder.mkdir()
    (folder / "score").write_text("0.25")
    command = 'read -r h; while read -r x; do [ -z "$x" ] || [ $OMP_NUM_THREADS != 1 ] || cat {model}/score; echo; done'  # noqa: E501
    process = start(command, columns=["x"], cwd=tmp_path, model=folder, timeout_s=20)

    assert process.predict(ROWS).tolist() == [0.25] * 3
    process.close()


def test_doubled_braces_and_those_of_the_shell_are_no_places(tmp_path: Path) -> None:
    command = (
        "A=5; echo '{{model}}' ${A} {{A}} {A} > said; read -r h; "
        'while read -r x; do [ -z "$x" ] || echo "0.${A}"; done'
    )
    process = start(command, columns=["x"], cwd=tmp_path, model=tmp_path, timeout_s=20)

    assert process.predict(ROWS).tolist() == [0.5] * 3
    assert (tmp_path / "said").read_text() == "{model} 5 {A} {A}\n"
    process.close()


def test_a_program_may_write_a_gigabyte_to_stderr(python: Start) -> None:
    noise = "import os; [os.write(2, b'x' * 1_000_000) for _ in range(1000)]; print('0.5\\n' * 3, end='')"  # noqa: E501
    process = python(EACH % noise, timeout_s=60)

    assert process.predict(ROWS).tolist() == [0.5] * 3


def test_scores_left_over_at_the_end_are_told(python: Start) -> None:
    process = python(EACH % "print('0.5\\n' * 3, end='')" + "\nprint('0.7')\n")
    process.predict(ROWS)

    with pytest.raises(StepError, match=r"more than one score per row: '0.7' is left"):
        process.close()


def test_a_regression_may_answer_any_finite_number(python: Start) -> None:
    process = python(EACH % "print('-1e3\\n' * len(rows), end='')", task="regression")

    assert process.predict(ROWS).tolist() == [-1000.0] * 3


def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(StepError, match="`no-such-program` cannot be started: No such file"):
        start(["no-such-program"], columns=["x"], cwd=tmp_path, environment={}, timeout_s=1)


def test_a_program_sees_only_the_variables_it_is_given(
    python: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "1")
    process = python(EACH % "import os; print(('SECRET_TOKEN' in os.environ) * 1.0)")

    assert process.predict(ROWS.slice(0, 1)).tolist() == [0.0]
