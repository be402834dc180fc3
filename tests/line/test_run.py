"""``fairway run`` on projects of many shapes: what it makes, and what it need not make again."""

import json
import re
import textwrap
from pathlib import Path

import pytest

from tests.line.place import PREDICT, TRAIN, Place, by_name, csv_text, orders

ALL = ["baseline evaluation", "dataset", "plain", "plain evaluation", "sources"]
TARGET = 'target = "returned"'
BUILT = TARGET + '\nbuild = "dataset.sql"\nkey = "order_id"\ntime = "ordered_at"'
ENGINES = ("ibis", "duckdb", "sklearn", "pandas", "pyarrow", "numpy")


def test_a_first_run_measures_the_candidate_and_the_baseline_on_rows_it_never_gave_them(
    ran: Place,
) -> None:
    answer = ran.ask("run")
    told = by_name(answer)

    assert answer["split"] == {"train": 400, "validation": 160, "test": 240}
    assert answer["best"] == "plain"
    assert [told[name]["state"] for name in ("plain", "baseline")] == ["done", "done"]
    assert told["plain"]["metrics"]["auc"]["low"] > 0.5
    assert told["baseline"]["metrics"]["auc"]["value"] == 0.5
    assert told["plain"]["threshold"] == pytest.approx(0.3)  # 3 / 10: cover or not
    assert re.match(r"steepness 0\.0\d+$", ran.log("plain"))


def test_a_second_run_runs_nothing_and_loads_no_engine(ran: Place) -> None:
    said = ran.call("run", "--json", PYTHONPROFILEIMPORTTIME="1")
    loaded = {line.rpartition("|")[2].strip() for line in said.err.splitlines() if "|" in line}

    assert said.code == 0
    assert all(one["cached"] for one in said.json["candidates"])
    assert "fairway.line.run" in loaded
    assert not {name for name in loaded if name.partition(".")[0] in ENGINES}
    assert ran.worked() == []


def test_a_project_that_moves_with_its_home_runs_nothing(ran: Place, tmp_path: Path) -> None:
    moved = ran.copy(tmp_path / "another place")
    moved.ask("run")

    assert moved.worked() == []


def test_a_new_file_that_nothing_reads_runs_nothing(ran: Place) -> None:
    ran.write("notes.md", "what we talked about\n")
    ran.write("later/idea.py", "x = 1\n")
    ran.ask("run")

    assert ran.worked() == []


def test_a_training_program_changed_retrains_and_reads_no_source_again(ran: Place) -> None:
    ran.swap("train.py", "steep = sum", "steep = 0.5 * sum")
    before = ran.steps()
    ran.ask("run")

    assert ran.worked() == ["plain", "plain evaluation"]
    assert ran.steps()["plain"]["why"] == "train.py changed"
    assert before["dataset"]["why"] == "never run"


def test_a_comment_in_a_training_program_stops_at_an_equal_model(ran: Place) -> None:
    ran.swap("train.py", "import csv\n", "import csv  # of the standard library\n")
    ran.ask("run")

    assert ran.worked() == ["plain"]


def test_a_build_helper_changed_that_nobody_declared_builds_again(shop: Place) -> None:
    shop.write("late/__init__.py", "")
    shop.write("late/rule.py", "LEAST = 0\n")
    shop.write(
        "late/build.py",
        """\
        from late import rule

        def build(orders):
            return orders.filter(orders.amount > rule.LEAST)
        """.replace("        ", ""),
    )
    shop.swap(
        "fairway.toml",
        TARGET,
        BUILT.replace("dataset.sql", "late.build:build") + '\nrows = "fewer"',
    )
    first = shop.ask("run")
    shop.swap("late/rule.py", "LEAST = 0", "LEAST = 0  # cents")
    shop.ask("run")
    assert shop.worked() == ["dataset"]  # an equal dataset: early cut-off

    shop.swap("late/rule.py", "LEAST = 0", "LEAST = 45")
    second = shop.ask("run")

    assert shop.worked() == ["baseline evaluation", "dataset", "plain", "plain evaluation"]
    assert shop.steps()["dataset"]["why"] == "late/rule.py changed"
    assert second["snapshot"] != first["snapshot"]
    assert sum(second["split"].values()) < sum(first["split"].values())

    shop.swap("late/rule.py", "LEAST = 45", "LEAST = 0")
    shop.write("late/unread.py", "x = 1\n")
    assert shop.ask("run")["snapshot"] == first["snapshot"]
    assert shop.worked() == []


def test_a_variable_that_is_not_declared_is_not_seen_and_one_that_is_counts(shop: Place) -> None:
    shop.swap("fairway.toml", 'name  = "shop"', 'name  = "shop"\nvariables = ["SHOP_RATE"]')
    sees = 'import os\nprint(os.environ.get("SHOP_RATE"), os.environ.get("SHOP_MOOD"))\n'
    shop.write("train.py", TRAIN + sees)
    shop.ask("run", SHOP_RATE="3", SHOP_MOOD="good")
    assert shop.log("plain").endswith("\n3 None")
    shop.ask("run", SHOP_RATE="3", SHOP_MOOD="bad")
    assert shop.worked() == []

    shop.ask("run", SHOP_RATE="4")
    assert shop.log("plain").endswith("\n4 None")
    assert shop.steps()["plain"]["why"] == "variable changed: SHOP_RATE"


def test_an_output_tampered_with_or_deleted_is_made_again(ran: Place) -> None:
    model = ran.ran()["plain"]["model"]
    file = next(iter(json.loads(ran.blob(model).read_bytes())["tree"].values()))["digest"]
    path = ran.blob(file)
    good = path.read_bytes()
    path.chmod(0o644)
    path.write_bytes(good.replace(b"0.", b"9."))
    again = ran.ran()["plain"]
    assert (again["model"], again["state"]) == (model, "done")
    assert path.read_bytes() == good
    assert ran.worked() == ["plain"]

    path.unlink()
    assert ran.ran()["plain"]["model"] == model
    assert path.read_bytes() == good


def test_a_source_changed_and_changed_back_finds_the_first_results(ran: Place) -> None:
    first = ran.ask("run")
    text = (ran.root / "orders.csv").read_text()
    ran.write("orders.csv", csv_text(orders(seed=2)))
    second = ran.ask("run")
    assert second["snapshot"] != first["snapshot"]
    assert ran.worked() == ALL

    ran.write("orders.csv", text)
    third = ran.ask("run")
    assert third["snapshot"] == first["snapshot"]
    assert by_name(third)["plain"]["model"] == by_name(first)["plain"]["model"]
    assert ran.worked() == []
    snapshots = {one["snapshot"] for one in ran.ask("data", "log")["snapshots"]}
    assert snapshots == {first["snapshot"], second["snapshot"]}


def test_a_clock_at_which_the_same_rows_are_seen_runs_nothing(shop: Place) -> None:
    early = shop.ask("run", "--at", "2024-05-01T01:00Z")
    assert shop.worked() == ALL
    same = shop.ask("run", "--at", "2024-05-01T05:00Z")  # the next order comes at six
    assert same["snapshot"] == early["snapshot"]
    assert shop.worked() == []

    later = shop.ask("run", "--at", "2024-06-01")
    assert shop.worked() == ALL
    assert later["snapshot"] != early["snapshot"]
    assert sum(early["split"].values()) == 4 * (31 + 29 + 31 + 30) + 1
    assert sum(later["split"].values()) == 4 * (31 + 29 + 31 + 30 + 31)
    shop.ask("run", "--at", "2024-05-01T03:00Z")
    assert shop.worked() == []


def test_a_clock_hides_what_is_not_older_than_it(shop: Place) -> None:
    split = shop.ask("check", "--at", "2024-05-01T00:00Z")["split"]

    assert sum(split.values()) == 4 * (31 + 29 + 31 + 30)


def test_a_project_says_as_little_as_it_must(shop: Place) -> None:
    shop.drop("split", "evaluate", "payoff", "gate")
    answer = shop.ask("run")
    released = shop.ask("release")
    keys = {one["key"]: one["value"] for one in shop.ask("check")["defaults"]}

    assert by_name(answer)["plain"]["threshold"] == 0.5
    assert "payoff" not in by_name(answer)["plain"]["metrics"]
    assert released["environment"] == "production"
    assert [rule["rule"] for rule in released["verdict"]["rules"]] == ["leakage == none"]
    assert keys["payoff"] == "none"
    assert keys["contract.orders"] == "none"
    assert keys['repair."*"'].startswith("missing: median")
    assert keys["gate.production"] == "leakage == none"


def test_a_project_without_candidates_measures_the_baseline(shop: Place) -> None:
    shop.drop("candidate.plain")
    answer = shop.ask("run")

    assert [one["name"] for one in answer["candidates"]] == ["baseline"]
    assert answer["best"] is None
    assert "fairway" in shop.refused("release", code=2)


def test_steps_of_ones_own_feed_the_build_from_sources_files_and_steps(shop: Place) -> None:
    shop.write("limits.txt", "45\n")
    shop.write(
        "dear.py",
        textwrap.dedent("""\
            import csv, sys
            import pyarrow.parquet as pq

            rows, limit, out = sys.argv[1:]
            least = float(open(limit).read())
            with open(out, "w", newline="") as file:
                told = csv.writer(file)
                told.writerow(["order_id", "dear"])
                for row in pq.read_table(rows).to_pylist():
                    told.writerow([row["order_id"], int(row["amount"] > least)])
            """),
    )
    shop.add(
        textwrap.dedent("""\
            [step.limit]
            run = "tr -d '\\\\n' < {in.limits} > {out}"
            in  = ["limits.txt"]
            out = "limit.txt"

            [step.dear]
            run = "{python} dear.py {in.orders} {in.limit} {out}"
            in  = ["orders", "limit"]
            out = "dear.csv"
            """)
    )
    shop.write("dataset.sql", "SELECT orders.*, dear.dear FROM orders JOIN dear USING (order_id)\n")
    shop.swap("fairway.toml", TARGET, BUILT)
    shop.ask("run")
    report = json.loads(shop.dataset("report.json").read_bytes())
    assert "dear" in report["features"]
    assert {"limit", "dear"} <= set(shop.worked())

    shop.write("limits.txt", "45\n\n")
    shop.ask("run")
    assert shop.worked() == ["limit"]  # an equal limit: what waits for it is known
    shop.write("limits.txt", "55\n")
    shop.ask("run")
    assert {"limit", "dear", "dataset", "plain"} <= set(shop.worked())


def test_a_step_of_ones_own_that_fails_ends_the_run_and_shows_what_it_said(shop: Place) -> None:
    shop.add('[step.bad]\nrun = "echo no such luck >&2; false {in.orders} {out}"\nin = ["orders"]')
    shop.write("dataset.sql", "SELECT * FROM orders\n")
    shop.swap("fairway.toml", TARGET, BUILT)
    said = shop.refused("run", code=3)

    assert "no such luck" in said
    assert "fairway logs bad" in said
    assert shop.log("bad") == "no such luck"


def test_a_join_that_multiplies_rows_is_refused_with_counts(shop: Place) -> None:
    shop.write("tags.csv", "channel,tag\nweb,a\nweb,b\nshop,c\nphone,d\n")
    shop.swap("fairway.toml", "[dataset]", 'tags = { from = "tags.csv" }\n\n[dataset]')
    shop.write("dataset.sql", "SELECT orders.*, tag FROM orders JOIN tags USING (channel)\n")
    shop.swap("fairway.toml", TARGET, BUILT)
    n_web = sum(row["channel"] == "web" for row in orders())
    said = shop.refused("run", code=1)

    assert "800" in said
    assert f"{800 + n_web:,}".replace(",", "") in said.replace(",", "")
    assert shop.rows("SELECT state FROM run") == [("failed",)]
    assert shop.refused("release", code=2)


def test_rows_that_a_join_loses_may_be_asked_for(shop: Place) -> None:
    shop.write("dataset.sql", "SELECT * FROM orders WHERE channel <> 'web'\n")
    shop.swap("fairway.toml", TARGET, BUILT)
    n_web = sum(row["channel"] == "web" for row in orders())
    assert "rows" in shop.refused("check", code=1)

    shop.swap("fairway.toml", 'build = "dataset.sql"', 'build = "dataset.sql"\nrows = "fewer"')
    assert sum(shop.ask("check")["split"].values()) == 800 - n_web


def test_rows_that_break_a_contract_are_set_aside_with_rule_and_value(shop: Place) -> None:
    rows = orders()
    rows[5]["amount"] = -7.25
    rows[9]["channel"] = "fax"
    shop.write("orders.csv", csv_text(rows))
    shop.add('[contract]\norders = "orders.odcs.yaml"')
    shop.write(
        "orders.odcs.yaml",
        textwrap.dedent("""\
            apiVersion: v3.1.0
            kind: DataContract
            id: orders
            version: 1.0.0
            status: active
            schema:
              - name: orders
                properties:
                  - {name: order_id, logicalType: integer, required: true, unique: true}
                  - name: amount
                    logicalType: number
                    logicalTypeOptions: {minimum: 0}
                  - name: channel
                    logicalType: string
                    logicalTypeOptions: {pattern: "^(web|shop|phone)$"}
            """),
    )
    told = shop.ask("check")

    assert told["contracts"]["orders"]["n_aside"] == 2
    assert told["contracts"]["orders"]["n_rows"] == 798
    broken = [rule for rule in told["contracts"]["orders"]["rules"] if not rule["passed"]]
    assert {rule["column"] for rule in broken} == {"amount", "channel"}
    assert "-7.25" not in json.dumps(told)  # an answer holds no row's values


def test_a_table_without_a_column_that_its_contract_promises_is_refused(shop: Place) -> None:
    shop.add('[contract]\norders = "orders.odcs.yaml"')
    shop.write(
        "orders.odcs.yaml",
        textwrap.dedent("""\
            apiVersion: v3.1.0
            kind: DataContract
            id: orders
            version: 1.0.0
            status: active
            schema:
              - name: orders
                properties:
                  - {name: price, logicalType: number}
            """),
    )

    assert "price" in shop.refused("run", code=1)


def test_a_search_tries_settings_by_validation_and_a_second_one_tries_nothing(ran: Place) -> None:
    ran.write("train.py", TRAIN.replace("import sys", "import sys\n\nfactor = float(sys.argv[3])"))
    ran.swap("train.py", "steep = sum", "steep = factor * sum")
    ran.swap(
        "fairway.toml", "train.py {train.csv} {model}", "train.py {train.csv} {model} {factor}"
    )
    ran.swap(
        "fairway.toml",
        "[candidate.plain]",
        '[candidate.plain]\nsearch = { factor = "0.01..2.0" }\ntrials = 4',
    )
    told = ran.ran()["plain"]
    rows = ran.ask("candidates")["candidates"]
    trials = [row for row in rows if row["name"] == "plain" and row["trial"] is not None]
    losses = {
        row["parameters"]["factor"]: row["metrics"]["validation_log_loss"]["value"]
        for row in trials
    }

    assert sorted(row["trial"] for row in trials) == [0, 1, 2, 3]
    assert len(losses) == 4
    assert told["parameters"] == {"factor": min(losses, key=lambda factor: losses[factor])}
    said = ran.call("run", "--json", PYTHONPROFILEIMPORTTIME="1")
    assert by_name(said.json)["plain"]["model"] == told["model"]
    assert by_name(said.json)["plain"]["cached"] is True
    assert ran.worked() == []
    assert "optuna" not in said.err
    release = ran.ask("release")["path"]
    manifest = json.loads((Path(release) / "release.json").read_bytes())
    assert manifest["parameters"] == told["parameters"]


def test_a_target_of_numbers_is_a_regression(shop: Place) -> None:
    shop.drop("payoff", "gate", "evaluate")
    shop.swap("fairway.toml", 'target = "returned"', 'target = "weight"')
    shop.write("train.py", TRAIN.replace('row["returned"]', 'row["weight"]'))
    shop.write("predict.py", PREDICT.replace("min(max(score, 0.0), 1.0)", "score"))
    shop.write("orders.csv", csv_text([r for r in orders() if r["weight"] != ""]))
    answer = shop.ask("run")
    told = by_name(answer)

    assert {"mae", "rmse", "bias", "bits"} <= set(told["plain"]["metrics"])
    assert told["baseline"]["metrics"]["bits"]["value"] == pytest.approx(0, abs=1e-9)
    assert told["plain"]["threshold"] is None
    assert "auc" not in told["plain"]["metrics"]
