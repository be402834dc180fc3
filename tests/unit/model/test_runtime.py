"""What a loaded model promises, whichever framework made it."""

import builtins
import pickle
from pathlib import Path
from types import ModuleType
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import skops.io
import xgboost
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder

from fairway.errors import RequestError, StepError
from fairway.model.runtime import load

RANDOM = np.random.default_rng(5)
N = 300
FRAME = pd.DataFrame(
    {
        "wind": RANDOM.normal(size=N),
        "carrier": RANDOM.choice(["AA", "MQ", "UA"], N),
        "hour": RANDOM.integers(0, 24, N),
    }
)
FEATURES = list(FRAME.columns)
TARGET = (FRAME.wind + (FRAME.carrier == "MQ") + RANDOM.normal(size=N) > 0.3).astype(int)
ROWS = pa.Table.from_pandas(FRAME.iloc[:20], preserve_index=False)
NUMBERS = ["hour", "wind"]  # not in the features' order


def coded() -> pd.DataFrame:
    return FRAME.assign(carrier=FRAME.carrier.astype("category"))


def boosted(x: Any) -> lightgbm.Booster:
    settings = {"objective": "binary", "num_threads": 1, "verbose": -1}
    return lightgbm.train(settings, lightgbm.Dataset(x, TARGET), 5)


def logistic() -> Any:
    encode = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["carrier"]), remainder="passthrough"
    )
    return make_pipeline(encode, LogisticRegression(max_iter=500)).fit(FRAME, TARGET)


def test_a_skops_pipeline_gets_a_frame_with_its_text(tmp_path: Path) -> None:
    model = logistic()
    skops.io.dump(model, tmp_path / "model.skops")

    scores = load(tmp_path, features=FEATURES).predict(ROWS)

    assert scores.tolist() == model.predict_proba(FRAME.iloc[:20])[:, 1].tolist()
    assert (scores.dtype, scores.shape) == (np.float64, (20,))


def test_a_skops_file_with_types_that_are_not_trusted_lists_them(tmp_path: Path) -> None:
    model = make_pipeline(FunctionTransformer(pickle.dumps), LogisticRegression())
    skops.io.dump(model, tmp_path / "model.skops")

    with pytest.raises(StepError, match=r"types that are not trusted: .*pickle\.dumps"):
        load(tmp_path, features=FEATURES)


def test_a_model_gets_the_columns_whose_names_it_stores_in_its_order(tmp_path: Path) -> None:
    booster = lightgbm.train(
        {"verbose": -1, "num_threads": 1, "objective": "binary"},
        lightgbm.Dataset(FRAME[NUMBERS], TARGET),
        5,
    )
    booster.save_model(tmp_path / "model.txt")

    scores = load(tmp_path, features=FEATURES).predict(ROWS)

    assert scores.tolist() == booster.predict(FRAME[NUMBERS].iloc[:20]).tolist()


def test_a_model_without_names_gets_all_features_in_order(tmp_path: Path) -> None:
    x = FRAME[["wind", "hour"]].to_numpy()
    booster = boosted(x)
    booster.save_model(tmp_path / "model.txt")

    scores = load(tmp_path, features=["wind", "hour"]).predict(ROWS)

    assert scores.tolist() == booster.predict(x[:20]).tolist()
    with pytest.raises(StepError, match="takes 2 columns, but there are 3 features"):
        load(tmp_path, features=FEATURES)


def test_lightgbm_reads_text_with_the_categories_of_its_training(tmp_path: Path) -> None:
    booster = lightgbm.train(
        {"verbose": -1, "num_threads": 1, "objective": "binary"},
        lightgbm.Dataset(coded(), TARGET),
        5,
    )
    booster.save_model(tmp_path / "model.txt")
    model = load(tmp_path, features=FEATURES)

    assert model.predict(ROWS).tolist() == booster.predict(coded().iloc[:20]).tolist()
    unseen = ROWS.set_column(1, "carrier", [["ZZ"] * 20])
    assert np.isfinite(model.predict(unseen)).all()


@pytest.mark.parametrize("name", ["model.ubj", "model.json"])
def test_xgboost_reads_text_with_the_categories_of_its_training(tmp_path: Path, name: str) -> None:
    data = xgboost.DMatrix(coded(), TARGET, enable_categorical=True)
    booster = xgboost.train({"objective": "binary:logistic", "nthread": 1}, data, 5)
    booster.save_model(tmp_path / name)

    scores = load(tmp_path, features=FEATURES).predict(ROWS)

    assert scores.tolist() == booster.predict(data)[:20].astype(float).tolist()


def test_xgboost_stops_at_the_best_iteration_as_its_own_classifier_does(tmp_path: Path) -> None:
    classifier = xgboost.XGBClassifier(n_estimators=50, early_stopping_rounds=2, n_jobs=1)
    x = FRAME[NUMBERS]
    classifier.fit(x[:200], TARGET[:200], eval_set=[(x[200:], TARGET[200:])], verbose=False)
    classifier.save_model(tmp_path / "model.ubj")

    scores = load(tmp_path, features=FEATURES).predict(ROWS)

    assert classifier.best_iteration < 49
    assert scores == pytest.approx(classifier.predict_proba(x.iloc[:20])[:, 1], abs=1e-7)


@pytest.mark.parametrize("zipmap", [True, False])
def test_an_onnx_classifier_gives_the_probability_of_class_1(tmp_path: Path, zipmap: bool) -> None:
    from skl2onnx import to_onnx

    x = FRAME[["wind", "hour"]].to_numpy(dtype=np.float32)
    model = LogisticRegression().fit(x, TARGET)
    made = to_onnx(model, x[:1], options={"zipmap": zipmap}, target_opset=15)
    (tmp_path / "model.onnx").write_bytes(made.SerializeToString())

    scores = load(tmp_path, features=["wind", "hour"]).predict(ROWS)

    assert scores == pytest.approx(model.predict_proba(x[:20])[:, 1], abs=1e-6)


def test_an_onnx_model_may_take_one_input_per_column(tmp_path: Path) -> None:
    from skl2onnx import to_onnx
    from skl2onnx.common.data_types import FloatTensorType, StringTensorType

    encode = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["carrier"]), ("passthrough", ["wind"])
    )
    model = make_pipeline(encode, LogisticRegression()).fit(FRAME[["carrier", "wind"]], TARGET)
    types = [("carrier", StringTensorType([None, 1])), ("wind", FloatTensorType([None, 1]))]
    made = to_onnx(model, initial_types=types, target_opset=15)
    (tmp_path / "model.onnx").write_bytes(made.SerializeToString())

    scores = load(tmp_path, features=FEATURES).predict(ROWS)

    expected = model.predict_proba(FRAME[["carrier", "wind"]].iloc[:20])[:, 1]
    assert scores == pytest.approx(expected, abs=1e-6)


def test_an_onnx_regression_gives_its_number(tmp_path: Path) -> None:
    from skl2onnx import to_onnx

    x = FRAME[["wind", "hour"]].to_numpy(dtype=np.float32)
    model = LinearRegression().fit(x, FRAME.hour * 10.0)
    made = to_onnx(model, x[:1], target_opset=15)
    (tmp_path / "model.onnx").write_bytes(made.SerializeToString())

    scores = load(tmp_path, features=["wind", "hour"], task="regression").predict(ROWS)

    assert scores == pytest.approx(FRAME.hour[:20] * 10.0, abs=1e-3)


def test_a_regression_of_scikit_learn_predicts(tmp_path: Path) -> None:
    model = LinearRegression().fit(FRAME[NUMBERS], FRAME.hour * 10.0)
    skops.io.dump(model, tmp_path / "model.skops")

    scores = load(tmp_path, features=FEATURES, task="regression").predict(ROWS)

    assert scores == pytest.approx(FRAME.hour[:20] * 10.0)


def test_a_constant_says_the_same_for_every_row(tmp_path: Path) -> None:
    (tmp_path / "constant.json").write_text('{"constant": 0.25}')

    model = load(tmp_path, features=FEATURES)

    assert model.predict(ROWS).tolist() == [0.25] * 20
    assert model.predict(ROWS.slice(0, 0)).shape == (0,)


def test_one_row_alone_scores_as_among_many(tmp_path: Path) -> None:
    near = KNeighborsClassifier(5, algorithm="brute", n_jobs=2).fit(FRAME[NUMBERS], TARGET)
    skops.io.dump(near, tmp_path / "model.skops")
    model = load(tmp_path, features=FEATURES)

    alone = [model.predict(ROWS.slice(i, 1))[0] for i in range(20)]

    assert alone == model.predict(ROWS).tolist()


@pytest.mark.parametrize(
    ("constant", "problem"),
    [
        ("NaN", "The constant model scored row 0 as nan, which is not a probability"),
        ("1.5", "The constant model scored row 0 as 1.5, which is not a probability"),
        ("-0.1", "scored row 0 as -0.1"),
    ],
)
def test_a_score_that_cannot_be_names_row_and_value(
    tmp_path: Path, constant: str, problem: str
) -> None:
    (tmp_path / "constant.json").write_text(f'{{"constant": {constant}}}')

    with pytest.raises(StepError, match=problem):
        load(tmp_path, features=FEATURES).predict(ROWS)


def test_a_model_of_several_classes_is_refused(tmp_path: Path) -> None:
    model = LogisticRegression().fit(FRAME[["wind"]], FRAME.hour % 3)
    skops.io.dump(model, tmp_path / "model.skops")

    with pytest.raises(StepError, match=r"knows the classes .*Train it on a target of 0 and 1"):
        load(tmp_path, features=FEATURES).predict(ROWS)


def test_a_model_trained_on_what_is_no_feature_names_it(tmp_path: Path) -> None:
    model = LogisticRegression().fit(FRAME[["wind"]].set_axis(["late"], axis=1), TARGET)
    skops.io.dump(model, tmp_path / "model.skops")

    with pytest.raises(StepError, match="was trained on late, which is no feature"):
        load(tmp_path, features=FEATURES)


def test_text_for_a_model_of_numbers_is_told(tmp_path: Path) -> None:
    x = FRAME[["wind", "hour"]].to_numpy()
    booster = boosted(x)
    booster.save_model(tmp_path / "model.txt")

    with pytest.raises(StepError, match="takes numbers, but the column 'carrier' is"):
        load(tmp_path, features=["wind", "carrier"]).predict(ROWS)


def test_a_row_without_a_column_is_the_callers_fault(tmp_path: Path) -> None:
    booster = boosted(FRAME[["wind"]])
    booster.save_model(tmp_path / "model.txt")

    with pytest.raises(RequestError, match=r"column is absent: .*wind"):
        load(tmp_path, features=["wind"], task="regression").predict(ROWS.drop_columns("wind"))


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("model.skops", b"PK\x05\x06" + b"\0" * 18),
        ("model.skops", b"junk"),
        ("model.txt", b"tree\nversion=v4\nnum_class=1\n"),
        ("model.ubj", b"{junk"),
        ("model.json", b'{"learner": 1}'),
        ("model.onnx", b"junk"),
        ("model.onnx", b""),
    ],
)
def test_a_damaged_file_is_named_and_nothing_is_printed(
    tmp_path: Path, name: str, data: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / name).write_bytes(data)

    with pytest.raises(StepError, match=rf"{name} cannot be read"):
        load(tmp_path, features=FEATURES)
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize(
    ("package", "name", "command"),
    [
        ("xgboost", "model.ubj", "Run: pip install xgboost-cpu"),
        ("onnxruntime", "model.onnx", "Run: pip install onnxruntime"),
    ],
)
def test_a_missing_framework_says_how_to_install_it(
    tmp_path: Path, package: str, name: str, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / name).write_bytes(b"{L")
    found = builtins.__import__

    def without(wanted: str, *args: Any, **more: Any) -> ModuleType:
        if wanted.partition(".")[0] == package:
            raise ModuleNotFoundError(wanted)
        return found(wanted, *args, **more)

    monkeypatch.setattr(builtins, "__import__", without)

    with pytest.raises(StepError, match="is not installed") as refused:
        load(tmp_path, features=FEATURES)
    assert refused.value.hint == command
