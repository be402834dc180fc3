"""What the reference pages say that no schema and no command can: meanings, languages, examples.

``reference.py`` puts it together with what the code says. A key, a verb or a metric that is absent
here, or stands here without being there any more, fails ``tests/shape/test_reference.py``.
"""

from typing import NamedTuple


class Key(NamedTuple):
    """A key of the project file: its meaning; default and type where the schema says too little."""

    meaning: str
    default: str = ""
    type: str = ""


class Entry(NamedTuple):
    """A key of an entry of ``[repair]``."""

    type: str
    meaning: str


PROJECT_FILE = """
# The project file

`fairway.toml` is the whole project. It is read strictly: an unknown key, a wrong type, a column
or a file that is not there is told with its line, and exit code 2. Where it is silent Fairway
takes what a careful team would choose; `fairway check` prints what that is. Paths are relative
to the file's folder, in which all commands run. This page is made from the code by
`scripts/reference.py`.
"""

TABLES = {
    "project": "",
    "source": "NAME is what `build`, contracts and `{in.NAME}` call it. "
    "Text files may also end in `.gz`.",
    "dataset": "",
    "contract": "What the rows of a source, or of the dataset, promise: a file of the Open Data "
    "Contract Standard (v3.0.0 to v3.2.0). `fairway contract suggest` writes a first "
    "one. Rows that "
    "break a promise of severity error are set aside with rule and value.",
    "split": "Without it: by time where the dataset has one, else by the key.",
    "repair": 'What becomes of missing and impossible values, by column; `"*"` is for all other '
    "columns, and for what an outlier rule blanked. It is learned from the training rows alone and "
    "applied alike when the model serves. `fairway check --suggest-repairs` proposes entries.",
    "step": "Its output is an argument of `build`, or an input of another step, by NAME.",
    "candidate": "Afterwards `{model}` holds one file that Fairway loads (`.skops`, LightGBM's "
    "`.txt`, XGBoost's `.ubj` or `.json`, `.onnx`), or an `MLmodel` folder of such "
    "files, or there is "
    "`predict`. Pickles are refused. A candidate never sees the test part. The base rate "
    "is always a "
    "candidate too, as `baseline`.",
    "evaluate": "",
    "payoff": "For a yes-or-no target. One acts from the score on that these numbers imply for a "
    "calibrated score.",
    "gate": "The conditions of each environment, in the order of the environments: "
    "`fairway release` "
    "asks those of the first, `fairway deploy` those of the one deployed to.",
    "release": "",
}

MEANINGS = {
    "format": Key("The file's format: `1`. A newer file is refused. **Required.**"),
    "project.name": Key("Lower-case letters, digits, `-`, `_` and `.`."),
    "project.purpose": Key("Whom it helps, and how."),
    "project.owner": Key(
        "Who answers for it; `approvals(owner)` in a gate asks this name.", "nobody"
    ),
    "project.variables": Key(
        "Environment variables that commands may see besides PATH, HOME, LANG and TMPDIR."
    ),
    "project.env": Key(
        "Lock files of the commands' libraries: a change runs them anew.",
        "`uv.lock`, `requirements.lock`, `requirements.txt`, `renv.lock`, as far as they are there",
    ),
    "source.from": Key(
        "A file, a folder, a glob, or `sqlite:PATH`: Parquet, CSV, JSON lines, SQLite. "
        "`${NAME}` is "
        "filled from the environment."
    ),
    "source.table": Key("The table in a SQLite file."),
    "source.key": Key("Columns that tell its rows apart."),
    "source.time": Key(
        "The column that says when a row came to be. At clock T (`--at`, else now) only older rows "
        "are seen."
    ),
    "source.fresh": Key("How old its newest row may be, before `check` and `run` warn."),
    "source.encoding": Key("How a text file is spelled, such as `latin-1`.", "UTF-8"),
    "dataset.target": Key(
        "The column to predict: a truth value or 0 and 1 (yes or no), or a number. A row "
        "without it "
        "is in no part."
    ),
    "dataset.build": Key(
        "`module:function`, which takes Ibis tables by the names of its arguments and "
        "returns one; or a "
        "`.sql` file with one SELECT in DuckDB's SQL, in which the tables have their names.",
        "the only source as it is",
    ),
    "dataset.key": Key("Columns that tell its rows apart.", "the key of the only source"),
    "dataset.time": Key(
        "The column that says which instant a row is about.",
        "the time of the only source, without `build`",
    ),
    "dataset.known_at": Key(
        "When a row is to be predicted, as `COLUMN`, `COLUMN - 3h` or `COLUMN + 1d`. A "
        "feature that "
        "is known only later is withheld."
    ),
    "dataset.rows": Key(
        "Whether the build may have fewer or more rows than the source with the same key. `same` "
        "refuses a join that loses or multiplies rows."
    ),
    "dataset.accept.COLUMN.by": Key("Who answers for a column that the leakage audit refuses."),
    "dataset.accept.COLUMN.reason": Key("Why it is no leak."),
    "contract.NAME": Key("The contract's file; NAME is a source, or `dataset`."),
    "split.by": Key("By time, or by entity: whole entities by the hash of their key."),
    "split.test": Key(
        "The part that judges: a duration by time, a share by entity.",
        "15 % of the labelled span in whole days; by entity `0.2`",
    ),
    "split.validation": Key(
        "The part that tunes and chooses, before the test part: likewise.", "as `test`"
    ),
    "split.gap": Key(
        "By time: rows so long before a window are in no part, for outcomes that are known late.",
        "`0s`",
    ),
    "split.until": Key(
        "By time: the end of the test part, exclusive. Dates are UTC.",
        "the day after the newest labelled row",
    ),
    "split.key": Key("By entity: columns that name the entity.", "the dataset's key"),
    "split.salt": Key("By entity: another text deals all entities anew."),
    "step.run": Key("The command, with `{python}`, `{in.NAME}` and `{out}`."),
    "step.in": Key("What it reads: sources, files or folders, other steps."),
    "step.out": Key("The file that it writes, such as `days.parquet`; without a suffix a folder."),
    "step.timeout": Key("After which it is stopped.", "`1h`"),
    "step.retries": Key("How often it is started again after a failure."),
    "step.memory": Key("The most memory that it may use, such as `2GB`.", "no limit"),
    "step.env": Key("Lock files of its own, besides those of the project."),
    "candidate.run": Key(
        "The training command, with `{python}`, `{train}`, `{valid}` (Parquet: the key, "
        "the repaired "
        "features, the target), `{train.csv}`, `{valid.csv}`, `{model}` and its own settings."
    ),
    "candidate.predict": Key(
        "A process that reads a CSV header once, then batches of rows each ended by an empty line, "
        "and answers one score per row. May name `{python}`, `{model}` and settings."
    ),
    "candidate.search": Key(
        "Settings to search, by placeholder: a range or a list of choices. The best has the least "
        "log loss, or squared error, on the validation part.",
        type="table of ranges or lists",
    ),
    "candidate.trials": Key("How many settings are tried.", "`20`, with `search`"),
    "candidate.timeout": Key("After which a training is stopped.", "`1h`"),
    "candidate.retries": Key("How often it is started again after a failure."),
    "candidate.memory": Key("The most memory that it may use, such as `2GB`.", "no limit"),
    "candidate.parameters": Key("Fixed settings, by placeholder.", type="table of values"),
    "evaluate.metrics": Key(
        "Names below, or `module:function` of the project's own: (outcomes, scores) -> number.",
        "all that fit the target",
    ),
    "evaluate.slices": Key("Columns by whose values everything is measured apart, too."),
    "payoff.unit": Key("Of what the numbers are, such as `EUR`."),
    "payoff.tp": Key("Earned where one acts and the outcome is 1; a cost is negative."),
    "payoff.fp": Key("Where one acts and the outcome is 0."),
    "payoff.fn": Key("Where one does not act and the outcome is 1."),
    "payoff.tn": Key("Where one does not act and the outcome is 0."),
    "gate.NAME": Key(
        "What must hold for environment NAME; see [conditions](#conditions).",
        'none; without `[gate]`: `production`, with `"leakage == none"`, `"payoff >= '
        'champion"` where '
        'there is a pay-off, `"tests == passed"` where there are tests',
    ),
    "release.app": Key("The folder of the application that is released with the model."),
    "release.test": Key(
        "A command that runs with FAIRWAY_RELEASE, the release's folder; its exit code is the "
        "evidence for `tests == passed`."
    ),
}

REPAIRS = {
    "missing": Entry(
        '`"median"`, `"mode"` or a value', "What a missing value becomes; text: `(missing)`."
    ),
    "flag": Entry(
        "truth", 'Add a column `COLUMN_missing` of 0 and 1; under `"*"` where values are missing.'
    ),
    "outlier": Entry(
        '`"mad > K"`',
        "A value is an outlier if it is farther than K x 1.4826 x MAD from the median.",
    ),
    "then": Entry(
        '`"missing"` or `"drop"`',
        "What happens to an outlier: it becomes missing, or its row is not trained on.",
    ),
    "sentinel": Entry("list", 'Values that mean "missing", such as `[-999, "N/A"]`.'),
    "spelling": Entry(
        "table", 'Variants and the one spelling: `{ "AIRBUS INDUSTRIE" = "AIRBUS" }`.'
    ),
    "clip": Entry(
        "`[low, high]`", "Values beyond become the bound; `-inf` and `inf` leave it open."
    ),
}

LANGUAGES = """
## Durations, amounts, ranges

- A duration is a number and one of `s`, `m`, `h`, `d` (24 hours), `w`: `"90m"`, `"31d"`.
- An amount of memory is a number and a unit: `"512MB"`, `"1.5GiB"`.
- A range of a search is `"int 8..256 log"`, `"0.01..0.3 log"` or `"0.1..0.9"`; `log` makes each
  doubling as likely as any other. Choices are a list.

## Conditions

    [worst(COLUMN).]NAME[(ARG)] OP RIGHT [+|- NUMBER]

OP is one of `>=`, `<=`, `>`, `<`, `==`. RIGHT is a number; `none` (for `leakage`); `passed`
(for `tests` and `contract`); or `champion` (the environment's latest release; where there is
none, the best fixed action), `baseline` (the base rate) or `fixed` (the best fixed action).
`worst(COLUMN)` is the worst slice of a column in `[evaluate] slices`; slices under 200 rows, or
20 of a class, are shown and not judged. What cannot be judged, because the evidence is missing
or old, refuses.

    auc >= 0.65                        worst(carrier).auc >= 0.55
    leakage == none                    payoff >= champion - 100
    tests == passed                    approvals(owner, not author) >= 1
"""

METRICS_HEAD = """
## Metrics

All are of the test part, with a 95 % interval where one can be had.
""".strip()

METRICS = {
    "auc": "Chance that a row of outcome 1 has the higher score than one of outcome 0.",
    "log_loss": "Mean surprise in nats; what candidates without a pay-off are ordered by.",
    "brier": "Mean squared difference of score and outcome.",
    "calibration_error": "Mean of |predicted - observed| over 10 equal-count bins.",
    "information_gain": "Bits per decision gained over always answering the training base rate.",
    "relative_information_gain": "The same as a share of the uncertainty that there was.",
    "mae": "Mean absolute error.",
    "rmse": "Root of the mean squared error.",
    "bias": "Mean of prediction minus outcome.",
    "bits": "1/2 log2(MSE of the training mean / MSE of the model).",
    "r2": "Share of the outcome's variance that is explained.",
    "payoff": "Earned per 1,000 decisions, in the pay-off's unit.",
    "p99_ms": "99th percentile of 1,000 one-row predictions on one thread, in milliseconds.",
    "size_bytes": "Size of the model's files.",
    "leakage": "`none` when each finding is withheld or accepted by a named person.",
    "tests": "`passed` when the release's tests ended with exit code 0.",
    "contract": "`passed` when no row broke a promise of severity error.",
    "approvals": "How many people have approved: `approvals(owner)`, `approvals(owner, "
    "not author)`.",
}

COMMANDS = """
# Commands

Each verb has `--help`. This page is made from the code by `scripts/reference.py`; what scripts
may rely on, the keys of `--json` above all, stands in [wire.md](wire.md).
"""

COMMON = """
## Options of every verb

Without `--project` the file is looked for in the folder and above it. The home is `.fairway`
beside it.
""".strip()

CODES = {
    0: "done",
    1: "refused by a gate or a check",
    2: "wrong project file or usage",
    3: "a step or candidate failed",
    4: "disk, permission or database",
    5: "bytes are not what their name promises",
}

EXITS = {
    "new": (0, 2, 4),
    "check": (0, 1, 2, 3, 4, 5),
    "contract suggest": (0, 2, 4, 5),
    "run": (0, 1, 2, 3, 4, 5),
    "candidates": (0, 2, 4),
    "logs": (0, 2, 4, 5),
    "demo": (0, 1, 2, 3, 4, 5),
    "release": (0, 1, 2, 3, 4, 5),
    "approve": (0, 2, 4),
    "verify": (0, 2, 4, 5),
    "deploy": (0, 1, 2, 4, 5),
    "rollback": (0, 1, 2, 4, 5),
    "at": (0, 2, 4),
    "trace": (0, 2, 4),
    "data log": (0, 2, 4),
    "data diff": (0, 2, 4, 5),
    "audit verify": (0, 2, 4, 5),
    "push": (0, 2, 4, 5),
    "pull": (0, 2, 4, 5),
    "gc": (0, 2, 4, 5),
}

EXAMPLES = {
    "check": "fairway check --suggest-repairs",
    "contract suggest": "fairway contract suggest orders > contracts/orders.odcs.yaml",
    "run": "fairway run --at 2026-01-31",
    "demo": "fairway demo",
    "release": "fairway release lightgbm --json",
    "verify": "fairway verify 3f9c01ab",
    "deploy": "fairway deploy 3f9c01ab --env production",
    "rollback": "fairway rollback --env production",
    "trace": "fairway trace 3f9c01ab",
    "data log": "fairway data log",
    "data diff": "fairway data diff 61d02b77 9ac4e05f",
    "audit verify": "fairway audit verify",
    "push": "fairway push 3f9c01ab ../team/.fairway",
    "pull": "fairway pull 3f9c01ab ../team/.fairway",
    "gc": "fairway gc --dry-run",
}
