"""What is said of outputs of steps that no probe can judge."""

from pathlib import Path

import pytest

from fairway.data import source
from fairway.data.dataset import DatasetSpec
from fairway.data.split import EntitySplit
from fairway.line.stages import audit
from fairway.line.stages.spec import DatasetSpecs

BUILD = """\
def by_path(orders, limit):
    return orders.mutate(limit=float(limit.read_text()))

def by_table(orders, shares):
    return orders.mutate(share=shares.share.mean().as_scalar())

def by_key(orders, dear):
    return orders.left_join(dear, "order_id")

def alone(orders):
    return orders
"""


def said(root: Path, build: str, *, known_at: tuple[str, float] | None = ("at", 0.0)) -> list[str]:
    engine = source.connect()
    files = {}
    for name, text in {
        "late.py": BUILD,
        "limit.txt": "3",
        "shares.csv": "channel,share\nweb,0.5\n",
        "dear.csv": "order_id,dear\n1,2\n",
    }.items():
        (root / name).write_text(text)
        files[Path(name).stem] = root / name
    del files["late"]
    asked = DatasetSpecs(
        dataset=DatasetSpec(
            build=f"late:{build}", key=("order_id",), target="returned", known_at=known_at
        ),
        sources={},
        contracts={},
        by_time=None,
        by_entity=EntitySplit(key=("order_id",), test=0.2, validation=0.2),
        repairs={},
        csv=False,
        outputs={name: path.name for name, path in files.items()},
        slices=(),
    )
    orders = engine.sql("SELECT 1 AS order_id, TIMESTAMPTZ '2024-01-01' AS at, true AS returned")
    return audit.unprobed(engine, asked, {"orders": orders}, files)


@pytest.mark.parametrize(
    ("build", "name", "reason"),
    [
        ("by_path", "limit", "it is no table"),
        ("by_table", "shares", "it lacks the key order_id"),
    ],
)
def test_an_output_that_no_probe_can_judge_is_named_with_the_reason(
    build: str, name: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert said(tmp_path, build) == [
        f"{name}, the output of a step, cannot be probed for values from the future: {reason}."
    ]


@pytest.mark.parametrize("build", ["by_key", "alone"])
def test_an_output_with_the_key_and_one_that_the_build_does_not_use_are_not_named(
    build: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert said(tmp_path, build) == []


def test_nothing_is_said_where_nothing_is_probed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert said(tmp_path, "by_table", known_at=None) == []
