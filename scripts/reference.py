"""Write the reference pages from the code: ``python scripts/reference.py [--check]``.

``docs/reference/project-file.md`` comes from ``fairway.project.schema()``, ``commands.md`` from the
commands of ``fairway.cli.main``. What neither of them says (meanings, defaults that depend on the
data, examples) stands in ``scripts/reference_text.py``. With ``--check`` nothing is written, and
the exit code is 1 where a page differs.
"""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click
import reference_text as said

from fairway.cli import main as cli
from fairway.data import repair
from fairway.delivery import condition
from fairway.evaluation import vocabulary
from fairway.project import schema

FOLDER = Path(__file__).parents[1] / "docs/reference"
COMMON = ("project", "home", "json", "as", "at")
WORDS = {"string": "text", "integer": "whole number", "number": "number", "boolean": "truth"}
DURATION = "A number and one of s, m, h, d, w."


def pages() -> dict[Path, str]:
    """Every generated page: its file and what must stand in it."""
    return {FOLDER / "project-file.md": project_file(), FOLDER / "commands.md": commands()}


def project_file() -> str:
    """Describe every key of the project file."""
    whole = schema()
    parts = [said.PROJECT_FILE]
    for name, told in whole["$defs"]["File"]["properties"].items():
        parts.append(_table(whole, name, told))
    parts += [said.LANGUAGES, _metrics()]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def keys(whole: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any], bool]]:
    """Every key of the file: its table, its name, its schema, and whether it must be there."""
    file = whole["$defs"]["File"]
    for table, told in file["properties"].items():
        entry = _struct(whole, told)
        if entry is None:
            name = "NAME" if told.get("type") == "object" else ""
            inner = told.get("additionalProperties", told)
            yield table, name, inner, table in file["required"]
            continue
        for key, value in entry["properties"].items():
            nested = _struct(whole, value)
            if nested is None:
                yield table, key, value, key in entry.get("required", ())
                continue
            for deep, item in nested["properties"].items():
                yield table, f"{key}.COLUMN.{deep}", item, deep in nested.get("required", ())


def repair_keys() -> tuple[str, ...]:
    """The keys of an entry of ``[repair]``, which the schema leaves open."""
    return repair.KEYS


def _table(whole: Mapping[str, Any], table: str, told: Mapping[str, Any]) -> str:
    """One section: what the table is, and its keys."""
    if table == "format":
        return f"## format\n\n{said.MEANINGS['format'].meaning}"
    entry = _struct(whole, told)
    head = f"[{table}.NAME]" if _is_map_of_structs(told) else f"[{table}]"
    text = [f"## {head}", "", said.TABLES[table]]
    if entry is not None:
        text = [f"## {head}", "", f"{entry['description']} {said.TABLES[table]}".strip()]
    if table == "repair":
        rows = [
            ("COLUMN." + key, said.REPAIRS[key].type, "none", said.REPAIRS[key].meaning)
            for key in repair_keys()
        ]
    else:
        rows = [
            (
                key,
                _told_type(table, key, value),
                _default(table, key, value, is_required=must),
                _meaning(table, key),
            )
            for owner, key, value, must in keys(whole)
            if owner == table
        ]
    return "\n".join([*text, "", *_grid(("key", "type", "default", "meaning"), rows)])


def _struct(whole: Mapping[str, Any], told: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The table that a schema refers to, by itself, as an option or as entries."""
    choices = [told, *told.get("anyOf", ()), told.get("additionalProperties", {})]
    for one in choices:
        if isinstance(one, Mapping) and "$ref" in one:
            found: Mapping[str, Any] = whole["$defs"][one["$ref"].rpartition("/")[2]]
            return found
    return None


def _is_map_of_structs(told: Mapping[str, Any]) -> bool:
    inner = told.get("additionalProperties")
    return isinstance(inner, Mapping) and "$ref" in inner


def _told_type(table: str, key: str, value: Mapping[str, Any]) -> str:
    return said.MEANINGS[f"{table}.{key}"].type or _type(value)


def _type(value: Mapping[str, Any]) -> str:
    """A JSON Schema's type in the words of this page."""
    kind = value.get("type")
    if "anyOf" in value:
        kinds = [_type(one) for one in value["anyOf"] if one.get("type") != "null"]
        text = " or ".join(dict.fromkeys(kinds))
    elif "enum" in value:
        text = " or ".join(f'`"{one}"`' for one in value["enum"])
    elif value.get("description") == DURATION:
        text = "duration"
    elif value.get("format") == "date":
        text = "date or time"
    elif kind == "array":
        text = f"list of {_plural(_type(value['items']))}"
    elif kind == "object":
        inner = value.get("additionalProperties")
        text = f"table of {_plural(_type(inner))}" if isinstance(inner, Mapping) else "table"
    else:
        text = WORDS[str(kind)] + (f", at least {value['minimum']}" if "minimum" in value else "")
    return text


def _plural(kind: str) -> str:
    return " or ".join(one if " of " in one else f"{one}s" for one in kind.split(" or "))


def _default(table: str, key: str, value: Mapping[str, Any], *, is_required: bool) -> str:
    told = said.MEANINGS[f"{table}.{key}"].default
    if told:
        return told
    if is_required:
        return "**required**"
    default = value.get("default")
    if default in (None, "", [], {}):
        return "none"
    return f'`"{default}"`' if isinstance(default, str) else f"`{default}`"


def _meaning(table: str, key: str) -> str:
    return said.MEANINGS[f"{table}.{key}"].meaning


def _metrics() -> str:
    """The words that ``[evaluate]`` and ``[gate]`` know."""
    groups = {
        "yes or no": vocabulary.BINARY,
        "number": vocabulary.REGRESSION,
        "any": (*vocabulary.ALWAYS, *condition.FIXED_WORD, "approvals"),
    }
    rows = [
        (f"`{name}`", target, said.METRICS[name])
        for target, names in groups.items()
        for name in names
    ]
    return "\n".join([said.METRICS_HEAD, "", *_grid(("name", "target", "meaning"), rows)])


def commands() -> str:
    """Describe every verb."""
    parts = [said.COMMANDS, _common()]
    for group in dict.fromkeys(verb.group for verb in cli.VERBS.values()):
        parts.append(f"## {group}")
        parts += [_verb(name) for name, verb in cli.VERBS.items() if verb.group == group]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def command(name: str) -> click.Command:
    """The command of a verb such as ``contract suggest``."""
    first, _, act = name.partition(" ")
    found = cli.command.get_command(click.Context(cli.command), first)
    if act and isinstance(found, click.Group):
        found = found.get_command(click.Context(found), act)
    if found is None:
        raise LookupError(name)
    return found


def example(name: str) -> str:
    """An example of a verb: the one of its help, else ours."""
    text = " ".join((command(name).help or "").split())
    return text.partition("Example: ")[2] or said.EXAMPLES[name]


def _common() -> str:
    options = [one for one in command("run").params if one.name in COMMON]
    return "\n".join([said.COMMON, "", *_options(options)])


def _verb(name: str) -> str:
    found = command(name)
    context = click.Context(found, info_name=f"fairway {name}")
    pieces = " ".join(found.collect_usage_pieces(context))
    paragraphs = [
        " ".join(one.split())
        for one in (found.help or "").split("\n\n")
        if not one.strip().startswith("Example: ")
    ]
    own = [
        one
        for one in found.params
        if isinstance(one, click.Option) and one.name not in COMMON and not one.hidden
    ]
    codes = ", ".join(f"{code} {said.CODES[code]}" for code in said.EXITS[name])
    lines = [f"### fairway {name}", "", f"    fairway {name} {pieces}", ""]
    lines += ["\n\n".join(paragraphs), ""]
    lines += [*_options(own), ""] if own else []
    lines += [f"Exit codes: {codes}.", "", "Example:", "", f"    {example(name)}"]
    return "\n".join(lines)


def _options(options: list[click.Parameter]) -> list[str]:
    rows = []
    for one in options:
        if not isinstance(one, click.Option):
            continue
        value = "" if one.is_flag else f" {one.metavar or 'N'}"
        told = one.help or ""
        if one.required:
            told += " Required."
        elif one.show_default:
            told += f" Default: {one.default}."
        rows.append((f"`{'`, `'.join(one.opts)}{value}`", told.strip()))
    return _grid(("option", "meaning"), rows)


def _grid(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    """A table of Markdown; keys are set as code."""
    lines = [f"| {' | '.join(heads)} |", f"|{' --- |' * len(heads)}"]
    for first, *rest in rows:
        named = first if first.startswith("`") or heads[0] != "key" else f"`{first}`"
        cells = [cell.replace("|", r"\|") for cell in (named, *rest)]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def main(arguments: list[str]) -> int:
    """Write the pages, or compare them."""
    stale = [
        file
        for file, text in pages().items()
        if not file.is_file() or file.read_text(encoding="utf-8") != text
    ]
    if "--check" in arguments:
        for file in stale:
            sys.stderr.write(
                f"{file} is not what the code says. Run: python scripts/reference.py\n"
            )
        return 1 if stale else 0
    for file in stale:
        file.write_text(pages()[file], encoding="utf-8")
        sys.stderr.write(f"wrote {file}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
