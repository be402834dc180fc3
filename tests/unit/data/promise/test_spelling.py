"""What is written as a contract says what was meant: it is read back the same."""

from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from fairway.data.contract import Contract, dump, load
from fairway.data.promise.rule import ColumnRule, Limit, Reference, RowRule, Unique

NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True)
SEVERITIES = st.sampled_from(["error", "warning"])
TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=5)


@st.composite
def columns(draw: st.DrawFn) -> ColumnRule:
    type_ = draw(st.sampled_from(["string", "integer", "number", "boolean", ""]))
    more: dict[str, Any] = {}
    if type_ == "string":
        more = {
            "accepted": tuple(draw(st.lists(TEXTS, max_size=3))),
            "refused": tuple(draw(st.lists(TEXTS, max_size=2))),
            "min_length": draw(st.none() | st.integers(0, 3)),
            "pattern": draw(st.none() | st.just("[a-z]*")),
        }
    elif type_ in {"integer", "number"}:
        more = {
            "minimum": draw(st.none() | st.integers(-9, 0)),
            "exclusive_maximum": draw(st.none() | st.integers(1, 9)),
        }
    warned = [name for name in ("required", *more) if draw(st.booleans())]
    names = {"min_length": "minLength", "exclusive_maximum": "exclusiveMaximum"}
    return ColumnRule(
        type=type_,
        required=draw(st.booleans()),
        unique=draw(st.booleans()),
        severity={names.get(name, name): "warning" for name in warned},
        description=draw(TEXTS),
        **more,
    )


@st.composite
def contracts(draw: st.DrawFn) -> Contract:
    named = draw(st.dictionaries(NAMES, columns(), min_size=2, max_size=4))
    first, second = list(named)[:2]
    limits = [
        Limit(metric="rowCount", operator="mustBeBetween", bound=(1, 5), severity=draw(SEVERITIES)),
        Limit(
            metric="duplicateValues", columns=(first, second), operator="mustBeLessThan", bound=3
        ),
        Limit(
            metric="nullValues",
            columns=(first,),
            rules=(RowRule(column=first, kind="required"),),
            operator="mustBeLessOrEqualTo",
            bound=2.5,
            percent=True,
        ),
    ]
    chosen = [limit for limit in limits if draw(st.booleans())]
    whole = [limit for limit in chosen if len(limit.columns) != 1]
    return Contract(
        id=draw(NAMES),
        name=draw(NAMES),
        version=draw(st.sampled_from(["1.0.0", "2.1"])),
        columns=named,
        uniques=(Unique(columns=(second, first), severity=draw(SEVERITIES)),),
        references=(
            Reference(columns=(first,), source="s", to=("a",), severity=draw(SEVERITIES)),
            Reference(
                columns=(first, second), source="s", to=("a", "b"), severity=draw(SEVERITIES)
            ),
        ),
        limits=(*whole, *[limit for limit in chosen if limit not in whole]),
        fresh_s=draw(st.none() | st.sampled_from([60.0, 90.0, 5400.0, 86400.0])),
    )


@settings(max_examples=20, deadline=None)
@given(written=contracts())
def test_what_is_written_is_read_back(written: Contract, tmp_path_factory: Any) -> None:
    path = tmp_path_factory.mktemp("odcs") / "c.odcs.yaml"
    path.write_text(dump(written), encoding="utf-8")

    assert load(path, table=written.name) == written
    assert yaml.safe_load(path.read_text())["apiVersion"] == "v3.1.0"
