"""Find numbers that are written with a comma: 3,14 as in half of Europe, or 1,299 as in America.

Room: ``fairway.line``, for ``new``. Sources read them as text; a build can make numbers of them.
"""

from fairway.line.first.view import View, batches, quote

DECIMAL = r"\s*[+-]?\d+(\.\d{3})*(,\d+)?\s*"
THOUSANDS = r"\s*[+-]?\d{1,3}(,\d{3})*(\.\d+)?\s*"


def find(view: View) -> dict[str, str]:
    """The columns of text that hold such numbers alone, each with the SQL of its number.

    1,299 alone may be either; it is taken as 1299, unless another value of the column rules
    that out.
    """
    texts = [c.name for c in view.columns.values() if c.kind == "text" and c.n_distinct]
    found = {}
    for names in batches(texts):
        asked = []
        for name in names:
            x = quote(name)
            asked += [
                f"count_if({x} IS NOT NULL AND NOT regexp_full_match({x}, '{DECIMAL}'))",
                f"count_if({x} IS NOT NULL AND NOT regexp_full_match({x}, '{THOUSANDS}'))",
                f"count_if(contains({x}, ','))",
            ]
        (row,) = view.ask(f"SELECT {', '.join(asked)} FROM {view.sql_name}")  # noqa: S608  quoted
        for i, name in enumerate(names):
            no_decimal, no_thousands, with_comma = row[3 * i : 3 * i + 3]
            x = quote(name)
            if with_comma and not no_thousands:
                found[name] = f"CAST(replace({x}, ',', '') AS DOUBLE)"
            elif with_comma and not no_decimal:
                found[name] = f"CAST(replace(replace({x}, '.', ''), ',', '.') AS DOUBLE)"
    return found
