"""What the leakage audit promises: each test refuses by name with evidence, and nothing else."""

from datetime import UTC, datetime, timedelta
from typing import Any

import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
import pytest

from fairway.data import source
from fairway.data.known_at import KnownAt, parse
from fairway.data.leak.lineage import inherit
from fairway.data.leakage import Finding, audit
from fairway.errors import ContractError, ProjectError

N = 400
START = datetime(2013, 1, 1, tzinfo=UTC)
ENGINE = source.connect()


def load(name: str, **columns: Any) -> ir.Table:
    ENGINE.con.register(name, pa.table(columns))
    return ENGINE.table(name)


def flights(**more: Any) -> ir.Table:
    """Flights of which every tenth has no label; the last quarter judges."""
    chance = np.random.default_rng(5)
    late = chance.random(N) < 0.3
    known = np.arange(N) % 10 != 0
    columns: dict[str, Any] = {
        "id": np.arange(N),
        "at": [START + timedelta(hours=i) for i in range(N)],
        "plane": [f"N{i}" for i in range(N)],
        "distance": chance.integers(100, 3000, N),
        "wind": np.where(chance.random(N) < 0.2, np.nan, chance.random(N)),
        "cargo": chance.random(N) < 0.5,
        "late": pa.array(late, mask=~known),
        "part": pa.array(np.where(np.arange(N) < 300, "train", "test"), mask=~known),
    }
    return load("flights", **columns | {k: v(late, known, chance) for k, v in more.items()})


def refused(table: ir.Table, **more: Any) -> dict[str, list[str]]:
    """Tests that hit, by column."""
    found: dict[str, list[str]] = {}
    for finding in look(table, **more):
        found.setdefault(finding.column, []).append(finding.test)
    return found


def look(table: ir.Table, **more: Any) -> list[Finding]:
    features = [name for name in table.columns if name not in {"id", "late", "part"}]
    asked: dict[str, Any] = {"task": "binary", "target": "late", "features": features}
    return audit(table, key=["id"], **asked | more)


def test_honest_columns_pass() -> None:
    assert refused(flights()) == {}


def test_a_column_that_predicts_too_well_is_refused_with_the_split_that_tells() -> None:
    table = flights(delay=lambda late, known, chance: 60.0 * late + chance.integers(0, 61, N))

    (finding,) = look(table)

    assert (finding.column, finding.test) == ("delay", "predicts_too_well")
    assert finding.value is not None
    assert 0.85 < finding.value < 1
    assert finding.evidence.startswith(f"AUC {finding.value:.3f} from delay alone on 270 ")
    assert "with delay >= 60, in 0.0% of the others." in finding.evidence


@pytest.mark.parametrize("kind", ["text", "boolean", "time"])
def test_a_column_of_any_type_that_means_the_target_is_refused(kind: str) -> None:
    made = {
        "text": lambda late, *_: np.where(late, "delayed", "landed").tolist(),
        "boolean": lambda late, *_: ~late,
        "time": lambda late, *_: [START + timedelta(days=int(one)) for one in late],
    }

    assert refused(flights(status=made[kind])) == {"status": ["predicts_too_well"]}


def test_only_training_rows_tell_how_well_a_column_predicts() -> None:
    table = flights(
        delay=lambda late, known, chance: np.where(np.arange(N) < 300, chance.random(N), late)
    )

    assert refused(table) == {}


@pytest.mark.parametrize(("n_late", "tests"), [(4, {}), (12, {"hint": ["predicts_too_well"]})])
def test_a_few_lucky_rows_are_no_proof(n_late: int, tests: dict[str, list[str]]) -> None:
    late = np.arange(24) < n_late
    table = load("few", id=np.arange(24), hint=late * 1.0, late=late, part=["train"] * 24)

    assert refused(table) == tests


def test_a_column_missing_exactly_where_the_label_is_unknown_is_refused() -> None:
    table = flights(
        air_time=lambda late, known, chance: np.where(known, chance.random(N), np.nan),
        text=lambda late, known, chance: pa.array(["x"] * N, mask=~known),
        nearly=lambda late, known, chance: pa.array(
            chance.random(N), mask=~known & (np.arange(N) > 0)
        ),
        more=lambda late, known, chance: pa.array(chance.random(N), mask=np.arange(N) % 5 == 0),
    )

    (first, second) = look(table)

    assert (first.column, second.column) == ("air_time", "text")
    assert {first.test, second.test} == {"null_with_label"}
    assert "missing in exactly the 40 of 400 rows whose late is unknown" in first.evidence
    assert first.value == 40


def test_a_complete_target_makes_no_complete_column_suspect() -> None:
    table = flights()

    assert refused(table.filter(table.late.notnull())) == {}


def test_a_column_stated_to_be_known_later_is_refused_with_an_example() -> None:
    table = flights(seen_at=lambda *_: [START + timedelta(hours=i - (i != 7)) for i in range(N)])
    stated = {"wind": parse("seen_at - 1h"), "cargo": parse("at - 3h")}

    (finding,) = look(table, known_at=parse("at - 2h"), stated=stated)

    assert (finding.column, finding.test, finding.value) == ("wind", "declared", 1)
    assert '"seen_at - 1h"' in finding.evidence
    assert "later than the prediction time at - 2h in 1 of 400 rows, by up to 1.0 h" in (
        finding.evidence
    )
    assert "id = 7: known 2013-01-01T06:00Z, needed 2013-01-01T05:00Z" in finding.evidence


def test_what_a_contract_says_is_inherited_by_values_of_the_same_row() -> None:
    table = flights()
    base = load(
        "base",
        id=np.arange(N),
        arrived_at=[START + timedelta(hours=i + 5) for i in range(N)],
        wind=np.arange(N) * 1.0,
        late=np.arange(N) % 2 == 0,
    )
    built = base.mutate(gust=base.wind * 2, calm=base.wind.mean().over()).select(
        "id", "late", "gust", "calm"
    )
    inherited = inherit(built, base, {"wind": parse("arrived_at")}, target="late")
    dataset = table.select("id", "at", "late", "part", gust="wind", calm="distance")

    found = look(dataset, features=["gust", "calm"], known_at=parse("at - 3h"), inherited=inherited)

    assert [(f.column, f.test, f.value) for f in found] == [("gust", "declared", N)]
    assert "by up to 8.0 h" in found[0].evidence


def test_a_column_known_with_the_target_is_refused_whatever_the_clock() -> None:
    table = flights()

    for known_at in (None, parse("at")):
        (finding,) = look(table, known_at=known_at, stated={"wind": KnownAt("late")})
        assert finding.test == "declared"
        assert "only with the target" in finding.evidence


def test_a_known_at_without_a_prediction_time_is_not_believed() -> None:
    (finding,) = look(flights(), stated={"wind": parse("at - 9d")})

    assert finding.test == "declared"
    assert "[dataset] has no known_at" in finding.evidence


def test_every_test_that_hits_is_told_in_order_of_columns_and_tests() -> None:
    table = flights(
        delay=lambda late, known, chance: pa.array(late * 1.0, mask=~known),
    )

    found = look(table, known_at=parse("at"), stated={"delay": parse("at + 1h")})

    assert [(f.column, f.test) for f in found] == [
        ("delay", "declared"),
        ("delay", "predicts_too_well"),
        ("delay", "null_with_label"),
    ]


def test_columns_that_add_up_to_the_target_are_refused_and_one_that_explains_it() -> None:
    chance = np.random.default_rng(2)
    casual, registered = chance.integers(0, 50, N), chance.integers(0, 300, N)
    table = load(
        "rides",
        id=np.arange(N),
        casual=casual,
        registered=registered,
        hour=np.arange(N) % 24,
        total=pa.array(casual + registered, mask=np.arange(N) == 3),
        part=["train"] * N,
    )

    found = look(
        table, task="regression", target="total", features=["casual", "registered", "hour"]
    )

    assert [(f.column, f.test) for f in found] == [
        ("casual", "sum_is_target"),
        ("registered", "predicts_too_well"),
        ("registered", "sum_is_target"),
    ]
    assert "casual + registered = total in all 399 rows with a label" in found[0].evidence
    assert found[1].evidence.startswith("R2 0.9")


def test_a_target_of_text_is_judged_like_any_other() -> None:
    table = flights()
    spelt = table.mutate(late=table.late.ifelse("yes", "no"), hint=table.late)

    assert refused(spelt, features=["hint", "wind"]) == {"hint": ["predicts_too_well"]}


def test_columns_of_structures_and_of_nothing_are_left_alone() -> None:
    table = flights(
        tags=lambda *_: [["a"]] * N,
        empty=lambda *_: pa.array([None] * N, pa.float64()),
    )

    assert refused(table) == {}


def test_a_binary_target_of_three_values_is_refused() -> None:
    table = flights()

    with pytest.raises(ContractError, match="distance has more than two values"):
        look(table, target="distance", features=["wind"])


def test_an_unknown_column_is_refused() -> None:
    with pytest.raises(ProjectError, match="No column 'gust'"):
        look(flights(), features=["gust"])


def test_no_feature_is_no_finding() -> None:
    assert look(flights(), features=[]) == []
