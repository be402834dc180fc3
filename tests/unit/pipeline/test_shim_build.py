"""How the shim gets into an install."""

import importlib.util
import shutil
import sys
from pathlib import Path
from types import ModuleType

import pytest

REPOSITORY = Path(__file__).parents[3]


@pytest.fixture
def build() -> ModuleType:
    spec = importlib.util.spec_from_file_location("hatch_build", REPOSITORY / "hatch_build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "fairway" / "pipeline").mkdir(parents=True)
    shutil.copy(REPOSITORY / "fairway/pipeline/shim.c", tmp_path / "fairway/pipeline")
    return tmp_path


@pytest.mark.skipif(sys.platform != "linux", reason="the shim is for Linux")
def test_with_a_compiler_the_shim_lies_beside_its_source(build: ModuleType, source: Path) -> None:
    assert build.compile_shim(source) == ""
    assert sorted(path.name for path in (source / "fairway/pipeline").iterdir()) == [
        "shim.c",
        "shim.so",
    ]


@pytest.mark.parametrize("compiler", ["", "false"])
def test_without_a_compiler_that_works_no_shim_is_left_and_the_reason_is_told(
    build: ModuleType, source: Path, monkeypatch: pytest.MonkeyPatch, compiler: str
) -> None:
    (source / "fairway/pipeline/shim.so").write_text("of an earlier build")
    monkeypatch.setenv("CC", compiler)
    monkeypatch.setenv("PATH", "" if not compiler else "/usr/bin:/bin")
    problem = build.compile_shim(source)
    assert ("no C compiler" in problem) if not compiler else ("false -O2" in problem)
    assert not (source / "fairway/pipeline/shim.so").exists()
