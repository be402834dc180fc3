"""What held rows promise: they stand still, and they go."""

import ibis
import pyarrow as pa

from fairway.data import source
from fairway.data.leak.held import held


def test_rows_stay_as_they_were_and_leave_nothing_behind() -> None:
    engine = source.connect()
    engine.con.register("rows", pa.table({"x": [1, 2, 3]}))
    table = engine.table("rows")
    before = set(engine.list_tables())

    with held(table.filter(table.x > 1).mutate(luck=ibis.random(), nothing=ibis.null())) as kept:
        assert kept.luck.sum().to_pyarrow() == kept.luck.sum().to_pyarrow()
        assert sorted(kept.x.to_pyarrow().to_pylist()) == [2, 3]
        assert kept.nothing.type().is_string()

    assert set(engine.list_tables()) == before
