"""Spell our rules as clauses of the standard; ``clause`` reads them back.

Room: ``fairway.data``, after ``clause``, before ``contract``. It writes no file.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from fairway.data import known_at
from fairway.data.promise.clause import BOUNDS
from fairway.data.promise.rule import ColumnRule, Limit, Reference, Unique
from fairway.errors import ProjectError

_SHORTHAND = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*(\.[A-Za-z_][A-Za-z0-9_-]*)+")


def column(
    name: str, rule: ColumnRule, references: Sequence[Reference], limits: Sequence[Limit]
) -> dict[str, Any]:
    """Spell a column's clauses as a property of the standard."""
    item: dict[str, Any] = {"name": name}
    item |= {"description": rule.description} if rule.description else {}
    item |= {"logicalType": rule.type} if rule.type else {}
    if rule.primary_key is not None:
        item |= {"primaryKey": True, "primaryKeyPosition": rule.primary_key}
    item |= {"required": True} if rule.required else {}
    item |= {"unique": True} if rule.unique else {}
    options = {word: getattr(rule, field) for word, field in BOUNDS.items()}
    options = {word: value for word, value in options.items() if value is not None}
    item |= {"logicalTypeOptions": options} if options else {}
    quality: list[dict[str, Any]] = []
    if rule.accepted:
        valid = {"validValues": list(rule.accepted)}
        quality.append({"metric": "invalidValues", "arguments": valid, "mustBe": 0})
    if rule.refused:
        missing = {"missingValues": list(rule.refused)}
        quality.append({"metric": "missingValues", "arguments": missing, "mustBe": 0})
    quality += [limit(one) for one in limits]
    item |= {"quality": quality} if quality else {}
    custom: dict[str, Any] = {"knownAt": rule.known_at} if rule.known_at is not None else {}
    custom |= {"severity": dict(rule.severity)} if rule.severity else {}
    related = [reference("", one) for one in references]
    item |= {"relationships": related} if related else {}
    item |= {"customProperties": _properties(custom)} if custom else {}
    return item


def reference(table: str, reference: Reference) -> dict[str, Any]:
    """Spell a foreign key as a relationship: of a column, or of ``table`` where it is named."""
    start = [f"{table}.{column}" for column in reference.columns]
    to = [f"{reference.source}.{column}" for column in reference.to]
    item: dict[str, Any] = (
        {"type": "foreignKey", "from": start, "to": to} if table else {"to": to[0]}
    )
    for text in to:
        if not _SHORTHAND.fullmatch(text):
            raise ProjectError(
                f"The standard has no way to refer to {text!r}.",
                hint="Where others refer to it, use letters, digits, - and _ only.",
            )
    mild = _properties({"severity": "warning"}) if reference.severity == "warning" else []
    return item | ({"customProperties": mild} if mild else {})


def unique(unique: Unique) -> dict[str, Any]:
    """Spell a key of several columns as a quality check of the table."""
    named = {"properties": list(unique.columns)}
    item = {"metric": "duplicateValues", "arguments": named, "mustBe": 0}
    return item | ({"severity": "warning"} if unique.severity == "warning" else {})


def limit(limit: Limit) -> dict[str, Any]:
    """Spell a limit as a quality check."""
    arguments: dict[str, Any] = {}
    for rule in limit.rules:
        if rule.kind == "accepted" and isinstance(rule.value, tuple):
            arguments["validValues"] = list(rule.value)
        elif rule.kind == "pattern":
            arguments["pattern"] = rule.value
        elif rule.kind == "refused" and isinstance(rule.value, tuple):
            arguments["missingValues"] = [*arguments.get("missingValues", ()), *rule.value]
        elif limit.metric == "missingValues":
            arguments["missingValues"] = [None]
    if limit.metric == "duplicateValues" and len(limit.columns) > 1:
        arguments["properties"] = list(limit.columns)
    bound = list(limit.bound) if isinstance(limit.bound, tuple) else limit.bound
    item: dict[str, Any] = {"metric": limit.metric}
    item |= {"arguments": arguments} if arguments else {}
    item |= {limit.operator: bound}
    item |= {"unit": "percent"} if limit.percent else {}
    return item | ({"severity": "warning"} if limit.severity == "warning" else {})


def freshness(fresh_s: float, element: str) -> dict[str, Any]:
    """Spell how old the newest row may be, in the largest unit of which it is a whole number."""
    for unit, word in (("d", "d"), ("h", "h"), ("m", "min")):
        if fresh_s % known_at.SECONDS[unit] == 0:
            value = int(fresh_s // known_at.SECONDS[unit])
            return {"property": "latency", "value": value, "unit": word, "element": element}
    return {"property": "latency", "value": fresh_s, "unit": "s", "element": element}


def _properties(custom: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"property": name, "value": value} for name, value in custom.items()]
