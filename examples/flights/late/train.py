"""Train one candidate: ``python -m late.train KIND TRAIN VALID MODEL [--leaves N] [--rate R]``.

TRAIN and VALID are Parquet files of repaired rows; MODEL is the empty folder that the model goes
into. Both kinds are told nothing but the table: the key, the features and the target.
"""

import argparse
from pathlib import Path

import pandas as pd

KEY = ["time_hour", "carrier", "flight"]
TARGET = "late"
SEED = 2013


def main() -> None:
    """Read the rows, train, and leave one file behind."""
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=["logistic", "lightgbm"])
    parser.add_argument("train", type=Path)
    parser.add_argument("valid", type=Path)
    parser.add_argument("model", type=Path)
    parser.add_argument("--leaves", type=int, default=31)
    parser.add_argument("--rate", type=float, default=0.05)
    asked = parser.parse_args()
    train, valid = pd.read_parquet(asked.train), pd.read_parquet(asked.valid)
    if asked.kind == "logistic":
        logistic(train, asked.model)
    else:
        lightgbm(train, valid, asked.model, leaves=asked.leaves, rate=asked.rate)


def logistic(train: pd.DataFrame, folder: Path) -> None:
    """The simple candidate: scaled numbers, one-hot text, a linear model."""
    import skops.io
    from sklearn.compose import ColumnTransformer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    features = train.drop(columns=[*KEY, TARGET])
    text = features.select_dtypes(exclude="number").columns.tolist()
    numbers = features.select_dtypes("number").columns.tolist()
    one_hot = OneHotEncoder(min_frequency=200, handle_unknown="infrequent_if_exist")
    prepare = ColumnTransformer([("text", one_hot, text), ("numbers", StandardScaler(), numbers)])
    model = Pipeline([("prepare", prepare), ("model", LogisticRegression(C=0.1, max_iter=200))])
    model.fit(features, train[TARGET])
    skops.io.dump(model, folder / "model.skops")


def lightgbm(
    train: pd.DataFrame, valid: pd.DataFrame, folder: Path, *, leaves: int, rate: float
) -> None:
    """Boosted trees on the numbers, stopped where validation no longer gains."""
    import lightgbm as lgb

    numbers = train.drop(columns=[*KEY, TARGET]).select_dtypes("number").columns.tolist()
    fit = lgb.Dataset(train[numbers], train[TARGET])
    stop = lgb.Dataset(valid[numbers], valid[TARGET], reference=fit)
    settings = {
        "objective": "binary",
        "num_leaves": leaves,
        "learning_rate": rate,
        "min_data_in_leaf": 200,
        "feature_fraction": 0.8,
        "bagging_fraction": 0.8,
        "bagging_freq": 1,
        "num_threads": 1,
        "deterministic": True,
        "force_row_wise": True,
        "seed": SEED,
        "verbosity": -1,
    }
    model = lgb.train(
        settings,
        fit,
        num_boost_round=400,
        valid_sets=[stop],
        callbacks=[lgb.early_stopping(30, verbose=False)],
    )
    model.save_model(folder / "model.txt")


if __name__ == "__main__":
    main()
