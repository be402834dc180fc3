"""What the locator promises: the line of every key, in any spelling of TOML."""

import tomllib

from hypothesis import given
from hypothesis import strategies as st

from fairway.project.lines import locate

BARE = st.from_regex(r"[A-Za-z0-9_-]{1,6}", fullmatch=True)
QUOTED = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters='"\\'),
    max_size=6,
).map(lambda text: (text, f'"{text}"'))
KEY = BARE.map(lambda text: (text, text)) | QUOTED | BARE.map(lambda text: (text, f"'{text}'"))
SCALARS = st.sampled_from(
    [
        "1",
        "-2.5e3",
        "true",
        "2013-08-31",
        "2013-08-31 10:00:00Z",
        '"a # no comment, [x] {y} = 1"',
        "'C:\\'",
        '"a \\" b"',
        '"""\nfirst\nsecond "" x\\""""',
        "'''\nfirst = 1\n[second]'''",
        '""',
        "''",
    ]
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: ("list", items)),
        st.lists(st.tuples(KEY, inner), max_size=3, unique_by=lambda p: p[0][0]).map(
            lambda pairs: ("table", pairs)
        ),
    ),
    max_leaves=5,
)
ROWS = st.lists(st.tuples(KEY, VALUES), max_size=4, unique_by=lambda pair: pair[0][0])
TABLES = st.lists(st.tuples(KEY, KEY, ROWS), max_size=4, unique_by=lambda row: row[0][0])


class Writer:
    """Writes TOML and notes on which line each path came to stand."""

    def __init__(self) -> None:
        self.text = ""
        self.lines: dict[tuple[str | int, ...], int] = {}

    def note(self, path: tuple[str | int, ...]) -> None:
        self.lines[path] = self.text.count("\n") + 1

    def value(self, value: object, path: tuple[str | int, ...]) -> None:
        if isinstance(value, str):
            self.text += value
            return
        kind, items = value  # type: ignore[misc]
        if kind == "list":
            self.text += '[ # a list, "]"\n'
            for i, item in enumerate(items):
                self.note((*path, i))
                self.value(item, (*path, i))
                self.text += " ,\n"
            self.text += "]"
        else:
            self.text += "{ "
            for i, ((name, spelled), item) in enumerate(items):
                self.text += ", " if i else ""
                self.note((*path, name))
                self.text += f"{spelled} = "
                self.value(item, (*path, name))
            self.text += " }"


@given(TABLES)
def test_every_key_and_item_has_the_line_on_which_it_stands(tables: list) -> None:
    writer = Writer()
    for (first, spelled_first), (second, spelled_second), rows in tables:
        writer.text += "\n# [not] = a header\n"
        writer.note((first,))
        writer.note((first, second))
        writer.text += f"[ {spelled_first} . {spelled_second} ] # header\n"
        for (name, spelled), value in rows:
            writer.note((first, second, name))
            writer.text += f"{spelled}  =  "
            writer.value(value, (first, second, name))
            writer.text += "  # end\n"
    tomllib.loads(writer.text)  # the writer itself must write TOML

    assert dict(locate(writer.text).known) == writer.lines


def test_a_dotted_key_and_an_array_of_tables_have_their_lines() -> None:
    lines = locate('a.b = 1\na."c.d".e = 2\n[[x]]\ny = 1\n[[x]]\ny = 2\n[x.z]\nw = 3\n')

    assert lines.of(("a", "b")) == 1
    assert lines.of(("a", "c.d", "e")) == 2
    assert lines.of(("x", 0, "y")) == 4
    assert lines.of(("x", 1, "y")) == 6
    assert lines.of(("x", 1, "z", "w")) == 8


def test_a_path_without_a_line_has_that_of_its_nearest_parent() -> None:
    lines = locate('[a]\n"b.c" = { d = 1 }\n')

    assert lines.of_text("a.b.c.d") == 2
    assert lines.of_text("a.b.c.nothing") == 2
    assert lines.of_text("a.nothing") == 1
    assert lines.of_text("nothing") is None


def test_windows_line_ends_count_once() -> None:
    assert locate("a = 1\r\nb = '''x\r\ny'''\r\nc = 3\r\n").of(("c",)) == 4


def test_what_is_no_toml_ends_the_search_quietly() -> None:
    assert locate('a = 1\nb = "\nc = [').of(("a",)) == 1
