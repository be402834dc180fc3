"""What ``fairway new`` tells its caller."""

import shlex
from pathlib import Path

import pytest

from fairway.cli import new


@pytest.mark.parametrize("name", ["shop", "p nokey", "o'clock", "$HOME; ls"])
def test_the_next_command_is_one_that_the_shell_takes(
    capsys: pytest.CaptureFixture[str], name: str
) -> None:
    new._show({"files": ["fairway.toml"], "notes": []}, Path(name))

    told = capsys.readouterr().out.splitlines()[-1]
    assert shlex.split(told)[:4] == ["Next:", "cd", name, "&&"]
