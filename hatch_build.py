"""Compiles the observer of reads while the package is built, where there is a C compiler.

A hook of hatchling, for wheels and for `pip install -e`. Without a compiler, or away from Linux,
nothing is compiled: Fairway then counts every source file of a project as read by a command that
it cannot observe.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SOURCE = Path("fairway/pipeline/shim.c")


class Shim(BuildHookInterface):  # type: ignore[type-arg]  # hatchling's own hooks leave it open
    """Makes ``shim.so`` beside ``shim.c``."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002  hatchling calls it
        """Compile, and name the platform in the wheel's tag when something was compiled."""
        if self.target_name != "wheel":
            return
        if problem := compile_shim(Path(self.root)):
            print(problem, file=sys.stderr)
            return
        platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{platform}"


def compile_shim(root: Path) -> str:
    """Compile the observer beside its source.

    The library appears whole under a new inode: steps of a run that is under way may have the old
    one loaded.

    Returns:
        Nothing, or why there is no observer; an older one is then removed.
    """
    source = root / SOURCE
    library = source.with_suffix(".so")
    library.unlink(missing_ok=True)
    if sys.platform != "linux":
        return f"{SOURCE} is for Linux; it was not compiled."
    compiler = os.environ.get("CC") or shutil.which("cc") or shutil.which("gcc")
    if not compiler:
        return f"There is no C compiler; {SOURCE} was not compiled."
    fresh = library.with_suffix(".fresh")
    command = [*compiler.split(), "-O2", "-shared", "-fPIC", "-o", str(fresh), str(source), "-ldl"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        return f"{SOURCE} was not compiled: {error}."
    if done.returncode:
        fresh.unlink(missing_ok=True)
        return f"{' '.join(command)} failed:\n{done.stderr}"
    fresh.replace(library)
    return ""
