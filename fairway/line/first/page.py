"""Write the project file of a first project, with comments that teach.

Room: ``fairway.line``, for ``new``. It spells what was found; it finds nothing and writes no file.
"""

import json
import re
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from fairway.data.suggest import Suggestion
from fairway.line.first.build import NAME
from fairway.line.first.deal import Deal
from fairway.line.first.found import Found
from fairway.line.first.target import Target
from fairway.line.first.view import spelled

WIDTH = 100
NOTE = 31  # the column in which comments beside a line begin


def project_file(
    found: Found, repairs: Sequence[Suggestion], *, name: str, file: str, contract: str
) -> str:
    """Spell ``fairway.toml``.

    Args:
        found: What was found out.
        repairs: What the rows seem to need, in the order of the columns.
        name: The project's name.
        file: The table, relative to the project's folder.
        contract: Its contract, likewise.
    """
    blocks = [
        _head(found, name),
        _source(found, file, contract),
        _dataset(found),
        _split(found.deal),
        _repair(repairs),
        _candidates(),
        _evaluate(found),
        *([_PAYOFF] if found.target.task == "binary" else []),
        _gate(found.target),
    ]
    return "\n\n".join("\n".join(block) for block in blocks) + "\n"


def _head(found: Found, name: str) -> list[str]:
    return [
        f"# Predict {found.target.name}. Written by `fairway new`; every line is yours to change.",
        "# `fairway check` says what Fairway takes where this file is silent.",
        "format = 1",
        "",
        "[project]",
        f"name = {toml(name)}",
        _beside(f"purpose = {toml(f'Predict {found.target.name}')}", "whom does it help, and how?"),
        _beside('# owner = "you@example.org"', "then a gate may ask for approvals(owner) >= 1"),
        _beside('env = ["requirements.txt"]', "other versions may give other results: a new run"),
    ]


def _source(found: Found, file: str, contract: str) -> list[str]:
    source, moment = found.view.source, found.moment
    pairs: dict[str, Any] = {"from": file}
    if found.key.is_own:
        pairs["key"] = _one_or_many(found.key.columns)
    if moment is not None and moment.expression is None and not moment.n_missing:
        pairs["time"] = moment.column
    if source.encoding:
        pairs["encoding"] = source.encoding
    comment = (
        "# With --at TIME, rows that came to be at TIME or later are not seen."
        if "time" in pairs
        else "# More tables stand here beside it: Parquet by month, SQLite, JSON lines, CSV."
    )
    return [
        "[source]",
        comment,
        f"{source.name} = {{ {', '.join(f'{k} = {toml(v)}' for k, v in pairs.items())} }}",
        "",
        "[contract]",
        "# What the rows promise; those that break it are set aside. Read it: it is only a draft.",
        f"{source.name} = {toml(contract)}",
    ]


def _dataset(found: Found) -> list[str]:
    lines = ["[dataset]"]
    if found.build.sql is not None:
        lines += [
            _beside(f"build = {toml(NAME)}", _first(found.build.does)),
            f"key = {toml(_one_or_many(found.key.columns))}",
        ]
    lines.append(f"target = {toml(found.target.name)}")
    moment = found.moment
    if moment is not None:
        if found.build.sql is not None or moment.n_missing:
            lines.append(f"time = {toml(moment.column)}")
        lines += [
            "# When a row is to be predicted. A column that is known only later leaks the answer:",
            "# say so in the contract (knownAt), and it is withheld.",
            f"known_at = {toml(moment.column)}",
        ]
    return lines


def _split(deal: Deal) -> list[str]:
    is_by_time = deal.keys["by"] == "time"
    lines = ["[split]"]
    lines.append(
        "# Learn from the past, be judged by what came after it."
        if is_by_time
        else "# The rows of one entity stay together: none is learned from and judged by."
    )
    lines += [f"{key} = {toml(value)}" for key, value in deal.keys.items()]
    told = ", ".join(f"{part} {n:,}" for part, n in deal.counts.items())
    lines[2] = _beside(lines[2], f"rows: {told}")
    if is_by_time:
        lines.append(_beside('# gap = "1d"', "if the outcome is known only after a day"))
    return lines


def _repair(repairs: Sequence[Suggestion]) -> list[str]:
    lines = [
        "[repair]",
        "# Learned from the training rows, and applied alike when the model serves.",
    ]
    everything = ""
    for one in repairs:
        entry = one.toml().partition("  # ")[0]
        if one.column == "*":
            everything = one.reason
            continue
        reason = f"{one.column}: {one.reason}" if one.is_question else one.reason
        lines += textwrap.wrap(reason, WIDTH, initial_indent="# ", subsequent_indent="#   ")
        lines.append(entry)
    if everything:
        lines += textwrap.wrap(everything, WIDTH, initial_indent="# ", subsequent_indent="#   ")
    lines.append(
        _beside('"*" = { missing = "median", flag = true }', "all other columns; text: (missing)")
    )
    return lines


def _candidates() -> list[str]:
    return [
        "# A candidate is any command that reads {train} and leaves a model in {model}.",
        "[candidate.simple]",
        'run = "{python} train.py simple {train} {valid} {model}"',
        "",
        "[candidate.trees]",
        'run = "{python} train.py trees {train} {valid} {model}"',
    ]


def _evaluate(found: Found) -> list[str]:
    if found.slice_by is None:
        return [
            "# [evaluate]",
            '# slices = ["COLUMN"]           # measures each of its values apart, too',
        ]
    metric = "auc >= 0.6" if found.target.task == "binary" else "mae <= 10"
    column = found.slice_by
    return [
        "# [evaluate]",
        "# Measures each value of a column apart, too; a gate may then ask, say,",
        f"# worst({column}).{metric}",
        f"# slices = [{toml(column)}]",
    ]


_PAYOFF = [
    "# What a decision earns. With it candidates are ordered by money, not by error.",
    "# [payoff]",
    '# unit = "EUR"',
    "# tp = 50   # acted, and rightly",
    "# fp = -5   # acted for nothing",
    "# fn = 0    # should have acted",
    "# tn = 0    # rightly did nothing",
]


def _gate(target: Target) -> list[str]:
    rules = ["bits > 0.01", "leakage == none"]
    told = "bits: gained over always answering the mean of the training rows."
    if target.task == "binary":
        rules = ["auc > 0.5", "relative_information_gain > 0.01", "leakage == none"]
        told = "relative_information_gain: the share of the uncertainty that the model takes away."
    return [
        "[gate]",
        "# `fairway release` asks the rules of the first environment, `deploy` those of each.",
        f"# {told}",
        f"production = {toml(rules)}",
    ]


def toml(value: object) -> str:
    """Spell a value as TOML."""
    if isinstance(value, Mapping):
        pairs = (f"{_key(str(k))} = {toml(v)}" for k, v in value.items())
        return f"{{ {', '.join(pairs)} }}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(toml(one) for one in value)}]"
    return json.dumps(value, ensure_ascii=False)


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.dumps(name, ensure_ascii=False)


def _one_or_many(names: Sequence[str]) -> str | list[str]:
    return names[0] if len(names) == 1 else list(names)


def _beside(line: str, comment: str) -> str:
    """A line with a comment beside it, or above it where the two are too long for one."""
    both = f"{line.ljust(NOTE)} # {comment}"
    return both if len(both) <= WIDTH else f"# {comment[:1].upper()}{comment[1:]}.\n{line}"


def _first(does: Sequence[str]) -> str:
    shown = list(does[:3])
    return spelled(shown) if len(does) == len(shown) else f"{', '.join(shown)} and more"
