"""Keep the rows of an expression in the engine for a while.

Room: ``fairway.data``, used by ``leakage`` and ``probe``. One temporary table of the engine's own,
gone when the block ends. (Ibis's ``cache`` would do, but cannot drop its table with sqlglot 30.)
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ibis.expr.types as ir


@contextmanager
def held(table: "ir.Table") -> Iterator["ir.Table"]:
    """Compute a table once, read it often: (n rows, c columns) -> the same.

    The rows lie in the engine's temporary storage, which may spill to disk. A column that is
    nothing but null, and has no other type, becomes text.
    """
    from ibis.util import gen_name

    engine = table.get_backend()
    name = gen_name("fairway_held")
    typed = table.cast(dict.fromkeys(table.schema().null_fields, "string"))
    kept = engine.create_table(name, typed, temp=True)
    try:
        yield kept
    finally:
        engine.raw_sql(f'DROP TABLE "{name}"')
