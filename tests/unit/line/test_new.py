import csv
import datetime as dt
import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairway.data import check, contract, dataset, source
from fairway.data.split import EntitySplit, TimeSplit, labelled_span
from fairway.errors import FairwayError, NotFoundError, RequestError
from fairway.line.first import found, moment, view
from fairway.line.first.found import Found
from fairway.line.new import new
from fairway.project import Project, read

Rows = list[dict[str, Any]]
Write = Callable[..., Path]

START = dt.datetime(2024, 1, 3, tzinfo=dt.UTC)


def orders(n: int = 200, **columns: Callable[[int], Any]) -> Rows:
    """Rows of orders; a further column is a function of the row's number."""
    usual: dict[str, Callable[[int], Any]] = {
        "order_id": lambda i: 5000 + 3 * i,
        "ordered_at": lambda i: f"{START + dt.timedelta(hours=7 * i):%Y-%m-%dT%H:%M:%SZ}",
        "price": lambda i: round(20 + (i * 37 % 100) / 3, 2),
        "shop": lambda i: ["Bonn", "Köln", "Trier"][i * 7 % 3],
        "returned": lambda i: "yes" if i * 37 % 100 > 70 else "no",
    }
    chosen = {name: make for name, make in {**usual, **columns}.items() if make is not None}
    return [{name: make(i) for name, make in chosen.items()} for i in range(n)]


def without(rows: Rows, *names: str) -> Rows:
    return [{name: v for name, v in row.items() if name not in names} for row in rows]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write rows as CSV."""

    def as_csv(
        rows: Rows, name: str = "orders.csv", *, encoding: str = "utf-8", **form: Any
    ) -> Path:
        path = tmp_path / name
        with path.open("w", encoding=encoding, newline="") as file:
            out = csv.DictWriter(file, list(rows[0]), **form)
            out.writeheader()
            out.writerows(rows)
        return path

    return as_csv


@pytest.fixture
def made(tmp_path: Path, write: Write) -> Callable[..., Project]:
    """Make a project of rows and read it."""

    def make(rows: Rows, target: str = "returned", **form: Any) -> Project:
        new(tmp_path / "shop", write(rows, **form), target, None)
        return read(tmp_path / "shop")

    return make


def built(project: Project) -> Rows:
    """The rows of a project's dataset with their part, built as the line builds them."""
    engine = source.connect()
    tables = {name: source.read(engine, one, project.root) for name, one in project.sources.items()}
    for name, path in project.contracts.items():
        assert not check.check(engine, tables[name], contract.load(path)).n_aside
    keys = {name: one.key for name, one in project.sources.items()}
    rows = dataset.build(engine, project.dataset, tables, {}, project.root, keys=keys)
    target, time = project.dataset.target, project.dataset.time
    if isinstance(project.split, EntitySplit):
        parts = project.split.assign(rows, target=target)
    else:
        windows = project.split.resolve(*labelled_span(rows, time=str(time), target=target))
        parts = project.split.assign(rows, time=str(time), target=target, windows=windows)
    told: Rows = parts.order_by(list(project.dataset.key)).to_pyarrow().to_pylist()
    assert {row["part"] for row in told if row[target] is not None} >= {
        "train",
        "validation",
        "test",
    }
    return told


@pytest.fixture
def looked(write: Write) -> Callable[..., Found]:
    """Find out about rows what a project file would say; nothing is written."""

    def look(rows: Rows, target: str = "returned", **form: Any) -> Found:
        return found.find(view.look(write(rows, **form)), target)

    return look


def rows_of(known: Found) -> Rows:
    """The rows of the dataset that the build makes, with times in UTC as the line takes them."""
    rows = known.rows.order_by(list(known.key.columns)).to_pyarrow().to_pylist()
    return [{name: _aware(value) for name, value in row.items()} for row in rows]


def _aware(value: Any) -> Any:
    return value.replace(tzinfo=dt.UTC) if isinstance(value, dt.datetime) else value


def refusal(rows: Rows, target: str, write: Write, tmp_path: Path) -> FairwayError:
    with pytest.raises(RequestError) as caught:
        new(tmp_path / "shop", write(rows), target, None)
    assert not (tmp_path / "shop").exists()
    return caught.value


def test_a_first_project_has_what_it_needs_and_says_what_it_took(
    write: Write, tmp_path: Path
) -> None:
    answer = new(tmp_path / "shop", write(orders()), "returned", None)

    assert answer["files"] == sorted(
        str(path.relative_to(tmp_path / "shop"))
        for path in (tmp_path / "shop").rglob("*")
        if path.is_file()
    )
    assert any("'yes' is 1, 'no' is 0" in note for note in answer["notes"])
    assert any("order_id is the key" in note for note in answer["notes"])
    assert (tmp_path / "shop/data/orders.csv").read_bytes() == (
        tmp_path / "orders.csv"
    ).read_bytes()


def test_yes_is_one(looked: Callable[..., Found]) -> None:
    rows = rows_of(looked(orders(returned=lambda i: "yes" if i % 3 else "no")))

    assert sum(row["returned"] for row in rows) == sum(1 for i in range(200) if i % 3)


def test_the_rarer_of_two_words_is_one_where_neither_says_yes(looked: Callable[..., Found]) -> None:
    rows = rows_of(looked(orders(returned=lambda i: "kept" if i % 3 else "sent back")))

    assert sum(row["returned"] for row in rows) == sum(1 for i in range(200) if not i % 3)


def test_a_word_that_is_not_no_is_one(looked: Callable[..., Found]) -> None:
    rows = rows_of(looked(orders(returned=lambda i: "sent back" if i % 3 else "no")))

    assert sum(row["returned"] for row in rows) == sum(1 for i in range(200) if i % 3)


def test_spellings_of_yes_and_words_for_no_value_are_understood(
    looked: Callable[..., Found],
) -> None:
    words = ["Yes", "yes ", "No", "NO", "unknown"]
    rows = rows_of(looked(orders(returned=lambda i: words[i % 5])))

    assert [row["returned"] for row in rows[:5]] == [1, 1, 0, 0, None]


def test_a_truth_value_becomes_zero_and_one(looked: Callable[..., Found]) -> None:
    rows = rows_of(looked(orders(returned=lambda i: i % 3 == 0)))

    assert [row["returned"] for row in rows[:3]] == [1, 0, 0]


def test_the_higher_of_two_numbers_is_one(looked: Callable[..., Found]) -> None:
    assert [r["returned"] for r in rows_of(looked(orders(returned=lambda i: 2 - i % 2)))[:2]] == [
        1,
        0,
    ]


def test_zero_and_one_need_no_build(made: Callable[..., Project]) -> None:
    project = made(orders(returned=lambda i: i % 2))

    assert project.dataset.build is None
    assert project.sources["orders"].time == "ordered_at"
    assert isinstance(project.split, TimeSplit)
    assert len(built(project)) == 200


def test_a_number_of_many_values_is_a_regression(made: Callable[..., Project]) -> None:
    project = made(orders(), "price")

    assert 'objective": "regression' in (project.root / "train.py").read_text()
    assert [rule.text for rule in project.gate["production"]] == ["bits > 0.01", "leakage == none"]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (["a", "b", "c"], "3 classes: 'a', 'b', 'c'"),
        ([0, 1, 2], "3 classes: 0, 1, 2"),
        (["only"], "only the value 'only'"),
        ([""], "no value at all"),
        (["2024-01-01", "2024-01-02", "2024-01-03"], "is a time"),
    ],
)
def test_a_target_that_cannot_be_predicted_is_refused_with_the_reason(
    values: Sequence[Any], said: str, write: Write, tmp_path: Path
) -> None:
    rows = orders(returned=lambda i: values[i % len(values)])

    assert said in refusal(rows, "returned", write, tmp_path).problem


def test_free_text_and_ids_are_no_targets(write: Write, tmp_path: Path) -> None:
    rows = orders(returned=lambda i: f"It was too large, said customer {i}")

    assert "free text" in refusal(rows, "returned", write, tmp_path).problem
    assert "another number in every row" in refusal(rows, "order_id", write, tmp_path).problem


def test_the_nearest_column_is_named(write: Write, tmp_path: Path) -> None:
    error = refusal(orders(), "retured", write, tmp_path)

    assert isinstance(error, NotFoundError)
    assert error.hint == "Write 'returned'."


def test_too_few_rows_of_one_kind_are_refused(write: Write, tmp_path: Path) -> None:
    rows = orders(returned=lambda i: "yes" if i < 3 else "no")

    assert "stands in 3 rows" in refusal(rows, "returned", write, tmp_path).problem
    assert "Only 20 rows" in refusal(orders(20), "returned", write, tmp_path).problem


def test_nothing_is_overwritten(write: Write, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full/notes.txt").write_text("mine")
    table = write(orders())

    with pytest.raises(RequestError, match="has files in it"):
        new(tmp_path / "full", table, "returned", None)
    with pytest.raises(RequestError, match="is a file"):
        new(table, table, "returned", None)


def test_a_fresh_repository_is_an_empty_folder(write: Write, tmp_path: Path) -> None:
    (tmp_path / "shop/.git").mkdir(parents=True)

    new(tmp_path / "shop", write(orders()), "returned", None)

    assert read(tmp_path / "shop").name == "shop"


def test_the_name_is_that_of_the_folder_in_plain_letters(write: Write, tmp_path: Path) -> None:
    new(tmp_path / "My Shop (2)", write(orders()), "returned", None)

    assert read(tmp_path / "My Shop (2)").name == "my-shop-2"
    with pytest.raises(RequestError) as caught:
        new(tmp_path / "other", write(orders()), "returned", "My Shop")
    assert caught.value.hint == "Write my-shop."


def test_a_table_that_is_not_there_names_the_nearest(write: Write, tmp_path: Path) -> None:
    write(orders())

    with pytest.raises(NotFoundError) as caught:
        new(tmp_path / "shop", tmp_path / "order.csv", "returned", None)
    assert caught.value.hint == "Write 'orders.csv'."


def test_ids_that_are_not_the_key_teach_nothing_and_keep_their_rows_together(
    made: Callable[..., Project],
) -> None:
    rows = without(orders(600, customerID=lambda i: f"C{i * 31 % 90}"), "ordered_at")
    project = made(rows)
    told = built(project)

    assert project.split == EntitySplit(key=("customerID",))
    assert '"customerID"' in (project.root / "train.py").read_text()
    parts = {(row["customerID"], row["part"]) for row in told}
    assert len(parts) == len({customer for customer, _ in parts})


def test_a_place_and_a_day_are_a_key(looked: Callable[..., Found]) -> None:
    rows = orders(
        400,
        shop=lambda i: f"shop {i % 4}",
        ordered_at=lambda i: f"{START + dt.timedelta(days=i // 4):%Y-%m-%d}",
    )
    known = looked(without(rows, "order_id"))

    assert known.key.columns == ("shop", "ordered_at")
    assert known.key.is_own
    assert {row["shop_name"] for row in rows_of(known)} == {f"shop {i}" for i in range(4)}


def test_rows_without_any_key_are_named_by_content_and_equal_ones_stay_together(
    made: Callable[..., Project],
) -> None:
    rows = without(orders(300), "order_id", "ordered_at")
    project = made([*rows, *rows[:40]])
    told = built(project)

    assert project.dataset.key == ("row_id", "copy")
    assert len(told) == 340
    parts = {(row["row_id"], row["part"]) for row in told}
    assert len(parts) == len({name for name, _ in parts})


def test_a_column_called_as_its_table_does_not_take_the_place_of_the_row(
    looked: Callable[..., Found],
) -> None:
    rows = without(orders(300, orders=lambda i: i % 5), "order_id", "ordered_at")

    assert len({row["row_id"] for row in rows_of(looked(rows))}) > 50


def test_a_date_and_an_hour_in_columns_of_their_own_are_one_time(
    looked: Callable[..., Found],
) -> None:
    rows = orders(
        400,
        ordered_at=lambda i: "{0.month}/{0.day}/{0:%y}".format(START + dt.timedelta(hours=i)),
        hr=lambda i: (START + dt.timedelta(hours=i)).hour,
    )
    known = looked(without(rows, "order_id"))
    told = rows_of(known)

    assert known.key.columns == ("happened_at",)
    assert [row["happened_at"] for row in told] == [
        START + dt.timedelta(hours=i) for i in range(400)
    ]
    assert "hr" in told[0]
    assert "ordered_at" not in told[0]


def test_year_month_and_day_in_columns_of_their_own_are_a_time(
    looked: Callable[..., Found],
) -> None:
    day = {
        part: lambda i, part=part: getattr(START + dt.timedelta(days=i), part)
        for part in ("year", "month", "day")
    }
    told = rows_of(looked(without(orders(300, **day), "ordered_at")))

    assert told[-1]["happened_at"] == START + dt.timedelta(days=299)


SPELLINGS = [
    form + clock for _, forms in moment.DATES for form in forms for _, clock in moment.CLOCKS
]


@settings(max_examples=25, deadline=None)
@given(
    spelling=st.sampled_from(SPELLINGS),
    seconds=st.lists(
        st.integers(0, 97 * 365 * 86_400),  # until 2067: with two digits a year is of 1969 to 2068
        min_size=moment.FEWEST,
        max_size=20,
        unique=True,
    ),
)
def test_a_time_in_any_spelling_is_read_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, spelling: str, seconds: list[int]
) -> None:
    start = dt.datetime(1970, 1, 2, tzinfo=dt.UTC)
    written = [(start + dt.timedelta(seconds=s)).strftime(spelling) for s in seconds]
    told = {dt.datetime.strptime(text, spelling).replace(tzinfo=dt.UTC) for text in written}
    path = tmp_path_factory.mktemp("spelling") / "rows.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["seen", "y"], *([text, "1"] for text in written)])
    seen = view.look(path)
    if seen.columns["seen"].n_distinct < moment.FEWEST:
        return

    when = moment.find(seen, target="y")

    assert when is not None
    sql = f"SELECT CAST({when.sql} AS TIMESTAMP) FROM rows"
    read_back = {row[0].replace(tzinfo=dt.UTC) for row in seen.ask(sql)}
    is_ambiguous = any("could be" in note for note in when.notes)
    assert is_ambiguous or read_back == told


def test_birthdays_and_ends_are_not_the_time_of_a_row(looked: Callable[..., Found]) -> None:
    rows = orders(
        birth_date=lambda i: f"19{50 + i % 40}-0{1 + i % 9}-11",
        closed_at=lambda i: f"{START + dt.timedelta(hours=7 * i + 50):%Y-%m-%dT%H:%M:%SZ}",
    )
    front = [
        {"closed_at": row["closed_at"], "birth_date": row["birth_date"], **row} for row in rows
    ]

    when = looked(front).moment

    assert when is not None
    assert when.column == "ordered_at"


def test_a_table_of_half_of_europe_is_read(made: Callable[..., Project]) -> None:
    rows = orders(
        price=lambda i: f"1.0{i % 90 + 10},5",
        ordered_at=lambda i: f"{START + dt.timedelta(days=i):%d.%m.%Y}",
        returned=lambda i: "ja" if i % 3 else "nein",
        **{"Größe [cm]": lambda i: i % 40},
    )
    project = made(rows, encoding="latin-1", delimiter=";")
    told = built(project)

    assert project.sources["orders"].encoding == "latin-1"
    assert (told[0]["price"], told[0]["shop"], told[1]["shop"]) == (1010.5, "Bonn", "Köln")
    assert told[0]["Größe_cm"] == 0
    assert told[3]["ordered_at"] == START + dt.timedelta(days=3)


def test_a_comma_between_thousands_is_no_decimal_comma(looked: Callable[..., Found]) -> None:
    assert rows_of(looked(orders(price=lambda i: f"1,{i % 90 + 100}")))[5]["price"] == 1105.0


def test_a_column_with_the_name_of_the_parts_gets_another(made: Callable[..., Project]) -> None:
    told = built(made(orders(part=lambda i: i % 7)))

    assert told[3]["part_2"] == 3
    assert told[3]["part"] in {"train", "validation", "test"}


def test_windows_hold_enough_rows_where_the_rows_are_uneven_in_time(
    looked: Callable[..., Found],
) -> None:
    def at(i: int) -> str:  # nine rows of ten in the first tenth of the time
        hours = i if i < 1800 else 1800 + (i - 1800) * 90
        return f"{START + dt.timedelta(hours=hours):%Y-%m-%dT%H:%M:%SZ}"

    dealt = looked(orders(2000, ordered_at=at)).deal
    shares = [dealt.counts[part] / 2000 for part in ("validation", "test")]

    assert dealt.keys["by"] == "time"
    assert all(0.1 <= share <= 0.2 for share in shares)


def test_too_few_times_to_split_by_leave_a_split_by_entity(looked: Callable[..., Found]) -> None:
    known = looked(orders(ordered_at=lambda i: f"2024-01-0{1 + i % 2}"))

    assert known.deal.keys == {"by": "entity"}


def test_rows_without_a_target_stay_and_are_in_no_part(made: Callable[..., Project]) -> None:
    told = built(made(orders(returned=lambda i: ["yes", "no", "", "no"][i % 4])))

    assert len(told) == 200
    assert sum(row["part"] is None for row in told) == 50


def test_suggested_repairs_stand_in_the_file_with_their_reasons(
    made: Callable[..., Project],
) -> None:
    project = made(orders(price=lambda i: 999 if i % 9 == 0 else i % 50))
    text = project.file.read_text()

    assert project.repairs["price"].sentinel == (999,)
    assert "# 999 in 23 rows" in text
    assert max(len(line) for line in text.splitlines()) <= 110


def test_a_commented_example_works_without_its_sign(made: Callable[..., Project]) -> None:
    project = made(orders(1200))
    text = project.file.read_text()
    written = re.sub(r"^# (?=\[|[a-z]+ = )", "", text, flags=re.MULTILINE)
    project.file.write_text(written)

    told = read(project.root)

    assert told.payoff is not None
    assert (told.evaluate.slices, told.owner) == (("shop",), "you@example.org")
    assert '# gap = "1d"' in text


@pytest.mark.parametrize("name", ["events.parquet", "events.jsonl"])
def test_parquet_and_json_lines_are_tables_too(name: str, tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = orders()
    if name.endswith(".parquet"):
        pq.write_table(pa.Table.from_pylist(rows), tmp_path / name)
    else:
        (tmp_path / name).write_text("".join(json.dumps(row) + "\n" for row in rows))

    new(tmp_path / "shop", tmp_path / name, "returned", None)
    project = read(tmp_path / "shop")

    assert len(built(project)) == 200
    assert project.dataset.time == "ordered_at"


def test_classes_are_told_from_numbers_in_well_known_tables(tmp_path: Path) -> None:
    from sklearn import datasets

    tables = {
        "cancer": datasets.load_breast_cancer,
        "diabetes": datasets.load_diabetes,
        "wine": datasets.load_wine,
    }
    for name, load in tables.items():
        load(as_frame=True).frame.to_csv(tmp_path / f"{name}.csv", index=False)

    tasks = [
        found.find(view.look(tmp_path / f"{name}.csv"), "target").target.task
        for name in ("cancer", "diabetes")
    ]
    assert tasks == ["binary", "regression"]
    with pytest.raises(RequestError, match="3 classes"):
        found.find(view.look(tmp_path / "wine.csv"), "target")
