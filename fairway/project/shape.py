"""The shape of ``fairway.toml``: which tables and keys there are, and of which type.

Room: ``fairway.project``, before ``reading``. These structs are the file as written; what its
values mean to a room (a duration, a condition, a split) is said in ``nouns``. The JSON Schema for
editors is made from the same structs, so the two cannot differ.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct, field

FORMAT = 1

Text = Annotated[str, Meta(min_length=1)]
Texts = Text | list[Text]
Scalar = bool | int | float | str

Duration = Annotated[Text, Meta(description="A number and one of s, m, h, d, w.", examples=["31d"])]

Instant = Annotated[
    dt.datetime,
    Meta(
        description="A date (midnight) or a time; UTC where it names no zone; exclusive.",
        extra_json_schema={"format": "date", "examples": ["2013-08-31"]},
    ),
]


class Table(Struct, kw_only=True, forbid_unknown_fields=True):
    """A table of the file; a key that it does not name is refused."""


class ProjectTable(Table):
    """What the project is, who answers for it, and what its commands may see."""

    name: Annotated[
        str,
        Meta(
            pattern="^[a-z0-9][a-z0-9._-]*$",
            description="Lower-case letters, digits, '-', '_' and '.'.",
        ),
    ]
    purpose: str = ""
    owner: str = ""
    variables: list[Text] = []
    env: list[Text] = []


class SourceTable(Table):
    """Where rows come from."""

    from_: Text = field(name="from")
    table: Text | None = None
    key: Texts = []
    time: Text | None = None
    fresh: Duration | None = None
    encoding: Text | None = None


class AcceptTable(Table):
    """A finding of the leakage audit that a named person answers for."""

    by: Text
    reason: Text


class DatasetTable(Table):
    """How the tables become one table, and what is to be predicted."""

    target: Text
    build: Text | None = None
    key: Texts = []
    time: Text | None = None
    known_at: Text | None = None
    rows: Literal["same", "fewer", "more", "any"] = "same"
    accept: dict[str, AcceptTable] = {}


class SplitTable(Table):
    """Which rows train, which tune and which judge."""

    by: Literal["time", "entity"]
    test: Duration | float | None = None
    validation: Duration | float | None = None
    gap: Duration | None = None
    until: Instant | None = None
    key: Texts = []
    salt: str | None = None


class StepTable(Table):
    """A command of one's own between the sources and the dataset."""

    run: Text
    in_: list[Text] = field(name="in", default=[])
    out: Text = "out"
    timeout: Duration | None = None
    retries: Annotated[int, Meta(ge=0)] = 0
    memory: Text | None = None
    env: list[Text] = []


class CandidateTable(Table):
    """A command that trains a model."""

    run: Text
    predict: Text | None = None
    search: dict[str, Text | list[Scalar]] | None = None
    trials: Annotated[int, Meta(ge=1)] | None = None
    timeout: Duration | None = None
    retries: Annotated[int, Meta(ge=0)] = 0
    memory: Text | None = None
    parameters: dict[str, int | float | str] = {}


class EvaluateTable(Table):
    """What is measured on the test part, and for which slices apart."""

    metrics: list[Text] = []
    slices: list[Text] = []


class PayoffTable(Table):
    """What each outcome of a decision earns; a cost is negative."""

    unit: Text
    tp: float
    fp: float
    fn: float = 0.0
    tn: float = 0.0


class ReleaseTable(Table):
    """What travels with the model under the same version."""

    app: Text | None = None
    test: Text | None = None


class File(Table):
    """A whole project in one file."""

    format: Annotated[int, Meta(ge=1, le=FORMAT)]
    project: ProjectTable
    source: dict[str, SourceTable]
    dataset: DatasetTable
    contract: dict[str, Text] = {}
    split: SplitTable | None = None
    repair: dict[str, dict[str, Any]] = {}
    step: dict[str, StepTable] = {}
    candidate: dict[str, CandidateTable] = {}
    evaluate: EvaluateTable = field(default_factory=EvaluateTable)
    payoff: PayoffTable | None = None
    gate: dict[str, list[Text]] = {}
    release: ReleaseTable = field(default_factory=ReleaseTable)


LATER: Mapping[str, tuple[str, ...]] = {
    "": ("serve", "monitor", "update"),
    "split": ("update",),
}
"""Keys, by table, that a later Fairway reads; this one refuses them and says so."""


def schema() -> dict[str, Any]:
    """Describe the file as a JSON Schema, for editors and for the reference page.

    Source: JSON Schema 2020-12, https://json-schema.org/draft/2020-12
    """
    made = msgspec.json.schema(File)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made}
