import platform
import re
from importlib import metadata

from fairway.line.pins import installed


def test_the_pins_name_interpreter_machine_and_every_package_with_its_version() -> None:
    first, *lines = installed().decode().splitlines()

    assert (
        first == f"# Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    )
    assert f"click=={metadata.version('click')}" in lines
    assert all(re.fullmatch(r"[\w.-]+==\S+", line) for line in lines)
    names = [line.split("==")[0].lower() for line in lines]
    assert names == sorted(names)


def test_the_same_environment_has_the_same_pins() -> None:
    assert installed() == installed()
