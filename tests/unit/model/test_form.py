"""What counts as a model, and that a pickle never does, wherever it hides."""

import bz2
import gzip
import io
import json
import lzma
import pickle
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import joblib
import numpy as np
import pytest

from fairway.errors import StepError
from fairway.model.form import classify, read_constant

LIGHTGBM = b"tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\n"
XGBOOST = b'{"learner":{"attributes":{}}}'


class Bomb:
    def __reduce__(self) -> tuple[Callable[..., object], tuple[str]]:
        return (print, ("loaded",))


def zipped(name: str, data: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("schema.json", "{}")
        archive.writestr(name, data)
    return file.getvalue()


def tarred(name: str, data: bytes) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        entry = tarfile.TarInfo(name)
        entry.size = len(data)
        archive.addfile(entry, io.BytesIO(data))
    return file.getvalue()


def objects() -> bytes:
    file = io.BytesIO()
    np.save(file, np.array([Bomb()], dtype=object), allow_pickle=True)
    return file.getvalue()


def compressed_by_joblib() -> bytes:
    file = io.BytesIO()
    joblib.dump(Bomb(), file, compress=3)
    return file.getvalue()


@pytest.mark.parametrize(
    ("name", "data", "kind"),
    [
        ("model.skops", zipped("a.npy", b""), "skops"),
        ("model.txt", LIGHTGBM, "lightgbm"),
        ("model.ubj", b"{L", "xgboost"),
        ("model.json", XGBOOST, "xgboost"),
        ("sub/model.onnx", b"\x08\x09", "onnx"),
        ("constant.json", b'{"constant": 0.25}', "constant"),
    ],
)
def test_a_form_is_told_by_suffix_and_first_bytes_beside_other_files(
    tmp_path: Path, name: str, data: bytes, kind: str
) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    (tmp_path / "notes.txt").write_text("trees are tall")
    (tmp_path / "metrics.json").write_text('{"auc": 0.7}')

    form = classify(tmp_path)

    assert (form.kind, form.file, form.is_mlmodel) == (kind, path, False)


PICKLES = [
    ("model.skops", pickle.dumps(Bomb()), "model.skops (by its first bytes)"),
    ("model.pkl", b"", "model.pkl (by its suffix .pkl)"),
    ("deep/model.joblib", b"x", "deep/model.joblib (by its suffix .joblib)"),
    ("weights.bin7", pickle.dumps(Bomb(), 0), "weights.bin7 (by its opcodes)"),
    ("weights.bin7", pickle.dumps(Bomb(), 1), "weights.bin7 (by its opcodes)"),
    ("notes.txt", b"cos\nsystem\n(S'id'\ntR.", "notes.txt (by its opcodes)"),
    ("notes.txt", b"cimportlib\nimport_module\n(S'os'\ntR.", "notes.txt (by its opcodes)"),
    ("model.skops", zipped("data.pkl", b""), "model.skops/data.pkl (by its suffix)"),
    ("model.skops", zipped("a.npy", objects()), "model.skops/a.npy (an object array"),
    ("x.zip", zipped("y.zip", zipped("z", pickle.dumps(Bomb()))), "x.zip/y.zip/z (by its first"),
    ("x.tar", tarred("z", pickle.dumps(Bomb())), "x.tar/z (by its first bytes)"),
    ("x.tgz", gzip.compress(tarred("z", pickle.dumps(Bomb()))), "x.tgz (gzip)/z (by its first"),
    ("x.bin", zlib.compress(pickle.dumps(Bomb())), "x.bin (zlib) (by its first bytes)"),
    ("x.bin", bz2.compress(pickle.dumps(Bomb())), "x.bin (bz2) (by its first bytes)"),
    ("x.bin", lzma.compress(pickle.dumps(Bomb())), "x.bin (xz) (by its first bytes)"),
    ("x.bin", compressed_by_joblib(), "x.bin (zlib) (by its first bytes)"),
    ("x.npy", objects(), "x.npy (an object array"),
]


@pytest.mark.parametrize(("name", "data", "found"), PICKLES)
def test_a_pickle_is_refused_by_name_wherever_it_hides(
    tmp_path: Path, name: str, data: bytes, found: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "model.txt").write_bytes(LIGHTGBM)
    (tmp_path / "deep").mkdir()
    (tmp_path / name).write_bytes(data)

    with pytest.raises(StepError) as refused:
        classify(tmp_path)

    assert f"The model holds a pickle: {found}" in refused.value.problem
    assert capsys.readouterr().out == ""


def test_texts_and_arrays_of_numbers_are_no_pickles(tmp_path: Path) -> None:
    (tmp_path / "model.txt").write_bytes(LIGHTGBM)
    np.save(tmp_path / "x.npy", np.arange(5.0))
    (tmp_path / "requirements.txt").write_text("lightgbm==4.7\npandas\n")
    (tmp_path / "README.md").write_text("A model. It is trained on flights.\n")
    (tmp_path / "conda.yaml").write_text("channels:\n- conda-forge\ndependencies: []\n")
    (tmp_path / "empty").write_bytes(b"")

    assert classify(tmp_path).kind == "lightgbm"


def mlmodel(folder: Path, flavors: str) -> None:
    (folder / "MLmodel").write_text("artifact_path: model\nflavors:\n" + flavors)


@pytest.mark.parametrize(
    ("flavors", "name", "kind"),
    [
        ("  lightgbm:\n    data: model.lgb\n  python_function:\n    loader_module: mlflow.lightgbm\n", "model.lgb", "lightgbm"),  # noqa: E501
        ("  xgboost:\n    data: model.ubj\n", "model.ubj", "xgboost"),
        ("  onnx:\n    data: model.onnx\n", "model.onnx", "onnx"),
        ("  sklearn:\n    pickled_model: model.skops\n    serialization_format: skops\n", "model.skops", "skops"),  # noqa: E501
    ],
)  # fmt: skip
def test_an_mlmodel_folder_says_where_its_model_is(
    tmp_path: Path, flavors: str, name: str, kind: str
) -> None:
    mlmodel(tmp_path, flavors)
    (tmp_path / name).write_bytes(b"data")

    form = classify(tmp_path)

    assert (form.kind, form.file, form.is_mlmodel) == (kind, tmp_path / name, True)


@pytest.mark.parametrize(
    ("flavors", "problem"),
    [
        ("  sklearn:\n    pickled_model: model.pkl\n", "holds a pickle: model.pkl"),
        ("  lightgbm:\n    data: ../outside\n", "'../outside', which is not in its folder"),
        ("  lightgbm:\n    data: absent\n", "names 'absent', which is not there"),
        ("  sklearn:\n    pickled_model: model.bin\n", "'model.bin' is no .skops file"),
        ("  pytorch:\n    data: d\n", "has the flavors pytorch, none of which can be loaded"),
        ("  ]", "is not MLflow's description of a model"),
    ],
)
def test_an_mlmodel_that_cannot_be_loaded_safely_is_refused(
    tmp_path: Path, flavors: str, problem: str
) -> None:
    mlmodel(tmp_path, flavors)
    (tmp_path / "model.bin").write_bytes(b"data")
    if "pkl" in flavors:
        (tmp_path / "model.pkl").write_bytes(b"data")

    with pytest.raises(StepError) as refused:
        classify(tmp_path)

    assert problem in refused.value.problem


def test_two_models_nothing_and_nothing_loadable_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(StepError, match=r"The model folder is empty\. Leave an MLmodel"):
        classify(tmp_path)
    (tmp_path / "model.rds").write_bytes(b"RDX3")
    with pytest.raises(StepError, match=r"holds nothing loadable, only model\.rds"):
        classify(tmp_path)
    (tmp_path / "a.txt").write_bytes(LIGHTGBM)
    (tmp_path / "b.json").write_bytes(XGBOOST)
    with pytest.raises(StepError, match=r"holds 2 models: a\.txt, b\.json"):
        classify(tmp_path)


def test_a_symbolic_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.txt").symlink_to("/etc/hostname")

    with pytest.raises(StepError, match=r"model\.txt is a symbolic link"):
        classify(tmp_path)


def test_a_constant_must_be_a_number(tmp_path: Path) -> None:
    (tmp_path / "constant.json").write_text(json.dumps({"constant": "high"}))

    with pytest.raises(StepError, match="holds no constant score"):
        read_constant(tmp_path / "constant.json")
