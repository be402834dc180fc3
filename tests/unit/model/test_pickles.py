"""A pickle is refused by name, and nothing else is taken for one."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from fairway.errors import StepError
from fairway.model import pickles


def saved(array: np.ndarray, version: tuple[int, int]) -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array(file, array, version=version, allow_pickle=True)
    return file.getvalue()


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_numbers_whose_bytes_spell_an_object_array_are_no_pickle(
    tmp_path: Path, version: tuple[int, int]
) -> None:
    numbers = np.frombuffer(b"|O" * 400, dtype="uint8")
    with zipfile.ZipFile(tmp_path / "model.skops", "w") as archive:
        archive.writestr("1.npy", saved(numbers, version))

    pickles.refuse(tmp_path)


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_an_object_array_is_a_pickle_and_is_named(tmp_path: Path, version: tuple[int, int]) -> None:
    with zipfile.ZipFile(tmp_path / "model.skops", "w") as archive:
        archive.writestr("2.npy", saved(np.array([{"a": 1}], dtype=object), version))

    with pytest.raises(StepError, match=r"model\.skops/2\.npy"):
        pickles.refuse(tmp_path)
