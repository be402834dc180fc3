"""Train one candidate: ``python -m late.train KIND TRAIN VALID MODEL [--leaves N] [--rate R]``.

TRAIN and VALID are Parquet files of repaired rows: the key, the features and the target. MODEL is
an empty folder, in which one file is left: the model, in a form that holds no code.
"""

import argparse
from pathlib import Path

import pandas as pd

KEY = ["time_hour", "carrier", "flight"]
TARGET = "late"
SEED = 2013


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=["logistic", "lightgbm"])
    parser.add_argument("train", type=Path)
    parser.add_argument("valid", type=Path)
    parser.add_argument("model", type=Path)
    parser.add_argument("--leaves", type=int, default=31)
    parser.add_argument("--rate", type=float, default=0.1)
    asked = parser.parse_args()
    train = pd.read_parquet(asked.train)
    if asked.kind == "logistic":
        logistic(train, asked.model)
    else:
        valid = pd.read_parquet(asked.valid)
        lightgbm(train, valid, asked.model, leaves=asked.leaves, rate=asked.rate)


def logistic(train: pd.DataFrame, folder: Path) -> None:
    """The simple candidate: scaled numbers, one-hot text, a linear model."""
    import skops.io
    from sklearn.compose import ColumnTransformer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    x, text = features(train)
    rare = OneHotEncoder(min_frequency=200, handle_unknown="infrequent_if_exist")
    columns = ColumnTransformer([("text", rare, text)], remainder=StandardScaler())
    model = make_pipeline(columns, LogisticRegression(C=0.1, max_iter=200))
    model.fit(x, train[TARGET])
    skops.io.dump(model, folder / "model.skops")


def lightgbm(
    train: pd.DataFrame, valid: pd.DataFrame, folder: Path, *, leaves: int, rate: float
) -> None:
    """Boosted trees, text as categories, stopped where validation no longer gains."""
    import lightgbm as lgb

    def dataset(rows: pd.DataFrame, **more: lgb.Dataset) -> lgb.Dataset:
        x, text = features(rows)
        return lgb.Dataset(x.astype(dict.fromkeys(text, "category")), rows[TARGET], **more)

    fit = dataset(train)
    settings = {
        "objective": "binary",
        "num_leaves": leaves,
        "learning_rate": rate,
        "min_data_in_leaf": 200,
        "feature_fraction": 0.8,
        "bagging_fraction": 0.8,
        "bagging_freq": 1,
        "seed": SEED,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": 1,  # Fairway trains as many candidates at once as there are cores
        "verbosity": -1,
    }
    model = lgb.train(
        settings,
        fit,
        num_boost_round=400,
        valid_sets=[dataset(valid, reference=fit)],
        callbacks=[lgb.early_stopping(30, verbose=False)],
    )
    model.save_model(folder / "model.txt")


def features(rows: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """What a model may learn from, and which of these columns are text."""
    x = rows.drop(columns=[*KEY, TARGET])
    return x, x.select_dtypes(exclude="number").columns.tolist()


if __name__ == "__main__":
    main()
