"""The clauses of a contract, from the document of the standard to our rules.

``spelling`` is the way back.

Room: ``fairway.data``, after ``odcs``, ``rule`` and ``known_at``, before ``contract``, which puts
the clauses together. What the standard can say and Fairway does not check is listed, never dropped.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, time
from typing import Any

from fairway.data import known_at
from fairway.data.promise.odcs import Document, Place
from fairway.data.promise.rule import (
    OPERATORS,
    ColumnRule,
    Limit,
    Metric,
    Reference,
    RowRule,
    Severity,
    Unique,
    check_pattern,
)
from fairway.errors import ProjectError

BOUNDS = {
    "minimum": "minimum",
    "maximum": "maximum",
    "exclusiveMinimum": "exclusive_minimum",
    "exclusiveMaximum": "exclusive_maximum",
    "minLength": "min_length",
    "maxLength": "max_length",
    "pattern": "pattern",
}
TIMES = ("date", "timestamp", "time")
SEVERITIES = (*BOUNDS, "type", "required", "unique", "accepted", "refused")
MILD = {"warning", "warn", "info", "information", "low", "minor", "medium"}
FRESHNESS = {"latency", "ly", "freshness"}  # the standard prefers latency

_UNITS = {
    "s": ("s", "sec", "second", "seconds"),
    "m": ("min", "minute", "minutes"),
    "h": ("h", "hr", "hour", "hours"),
    "d": ("d", "day", "days"),
    "w": ("w", "wk", "week", "weeks"),
}
_SECONDS = {word: known_at.SECONDS[unit] for unit, words in _UNITS.items() for word in words}
_PYTHON: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}


def place(document: Document, table: str | None) -> Place:
    """Find one table of a contract.

    Raises:
        ProjectError: If there is none, or several and ``table`` names none of them.
    """
    tables = document.value.get("schema") or []
    names = [one["name"] for one in tables]
    if table in names:
        return ("schema", names.index(table))
    if len(tables) == 1:
        return ("schema", 0)
    found = f"describes {', '.join(names)}" if names else "describes no table"
    raise document.fault(
        ("schema",),
        f"The contract {found}.",
        hint=f"Describe one table named {table or 'as its source'} under schema.",
    )


class Reader:
    """Reads the clauses of one table.

    Attributes:
        name: The table's name.
        faults: What is wrong, as far as was read.
        limits: Limits that were found at columns.
        unchecked: What the file says that Fairway does not check.
    """

    def __init__(self, document: Document, at: Place) -> None:
        self._document = document
        self._at = at
        self._table = document.value["schema"][at[1]]
        self.name: str = self._table["name"]
        self.faults: list[ProjectError] = []
        self.limits: list[Limit] = []
        self.unchecked: list[str] = []
        self._names = {
            one["name"]: one.get("physicalName") or one["name"]
            for one in self._table.get("properties", ())
        }

    def columns(self) -> dict[str, ColumnRule]:
        """The rules of every column, by the name that it has in the table."""
        rules: dict[str, ColumnRule] = {}
        for i, item in enumerate(self._table.get("properties", ())):
            at = (*self._at, "properties", i)
            name = self._names[item["name"]]
            if name in rules:
                self._fault(at, f"The column {name} stands twice.", "Keep one of the two.")
            rules[name] = self._column(name, item, at)
        for i, (name, rule) in enumerate(rules.items()):
            if rule.known_at is not None:
                self._check_known_at(rule.known_at, rules, (*self._at, "properties", i), name)
        return rules

    def references(self) -> tuple[Reference, ...]:
        """The table's foreign keys, those of single columns first."""
        found: list[Reference] = []
        for i, item in enumerate(self._table.get("properties", ())):
            at = (*self._at, "properties", i)
            own, texts = (self._names[item["name"]],), []
            for j, relation in enumerate(item.get("relationships", ())):
                texts.append((relation["to"], relation, (*at, "relationships", j)))
            custom = _custom(item)
            if "references" in custom:
                texts.append((custom["references"], {}, (*at, "customProperties")))
            for to, relation, where in texts:
                found += self._reference(own, to, relation, where)
        for j, relation in enumerate(self._table.get("relationships", ())):
            where = (*self._at, "relationships", j)
            start = relation["from"] if isinstance(relation["from"], list) else [relation["from"]]
            own_names = tuple(self._target(text)[1] for text in start)
            found += self._reference(own_names, relation["to"], relation, where)
        return tuple(found)

    def table_quality(self) -> tuple[tuple[Unique, ...], tuple[Limit, ...]]:
        """Keys and limits that are promised of the table as a whole."""
        uniques: list[Unique] = []
        limits: list[Limit] = []
        for item, at in self._library(self._table, self._at):
            metric, severity = item["metric"], _severity(item)
            arguments = item.get("arguments") or {}
            if metric == "rowCount":
                limits.append(_limit(metric, item))
            elif metric == "duplicateValues" and arguments.get("properties"):
                columns = tuple(self._names.get(one, one) for one in arguments["properties"])
                for one in set(columns) - set(self._names.values()):
                    self._fault(at, f"There is no column {one!r}.", "Name a property of the table.")
                if _is_none_allowed(item):
                    uniques.append(Unique(columns=columns, severity=severity))
                else:
                    limits.append(_limit(metric, item, columns))
            else:
                self._leave(at, f"{metric} of a whole table")
        return tuple(uniques), tuple(limits)

    def freshness(self) -> tuple[float | None, str | None]:
        """How old the newest row may be in seconds, and the column that tells."""
        for i, item in enumerate(self._document.value.get("slaProperties") or ()):
            at = ("slaProperties", i)
            element = str(
                item.get("element") or self._document.value.get("slaDefaultElement") or ""
            )
            if str(item["property"]).lower() not in FRESHNESS:
                continue
            head, _, tail = element.partition(",")[0].strip().partition(".")
            if tail and head not in {self.name, self._table.get("physicalName")}:
                continue
            column = tail or (head if head in self._names or head != self.name else "")
            unit = str(item.get("unit") or "s")
            value = item["value"]
            if (
                isinstance(value, bool)
                or not isinstance(value, int | float)
                or unit not in _SECONDS
            ):
                problem = f"{item['property']} is {value} {unit}."
                self._fault(at, problem, "Write a number as value and s, min, h, d or w as unit.")
                continue
            column = self._names.get(column, column)
            if column and column not in self._names.values():
                self._fault(at, f"There is no column {column!r}.", "Name the table's time column.")
            return value * _SECONDS[unit], column or None
        return None, None

    def _column(self, name: str, item: Mapping[str, Any], at: Place) -> ColumnRule:
        options = item.get("logicalTypeOptions") or {}
        type_ = item.get("logicalType", "")
        custom = _custom(item)
        promises: dict[str, Any] = {
            field: options[word] for word, field in BOUNDS.items() if word in options
        }
        severity = self._severities(custom.get("severity"), (*at, "customProperties"))
        for word in set(options) - set(BOUNDS) - {"timezone", "defaultTimezone"}:
            self._leave((*at, "logicalTypeOptions", word), f"{word} of {name}")
        for key in ("properties", "items", "map"):
            if key in item:
                self._leave((*at, key), f"what is inside {name}")
        if item.get("enum"):
            promises["accepted"] = tuple(one["value"] for one in item["enum"])
        for check, where in self._library(item, at):
            self._quality(name, check, where, promises, severity)
        self._check_values(name, type_, promises, at)
        position = item.get("primaryKeyPosition", -1)
        return ColumnRule(
            type=type_,
            required=promises.pop("required", False) or item.get("required", False),
            unique=promises.pop("unique", False) or item.get("unique", False),
            primary_key=max(position, 1) if item.get("primaryKey") else None,
            known_at=custom.get("knownAt"),
            severity=severity,
            description=item.get("description", ""),
            **promises,
        )

    def _quality(
        self,
        name: str,
        item: Mapping[str, Any],
        at: Place,
        promises: dict[str, Any],
        severity: dict[str, Severity],
    ) -> None:
        """Read one library check of a column: a promise of each row, or a limit of the table."""
        metric, arguments = item["metric"], item.get("arguments") or {}
        found: dict[str, Any] = {}
        if metric == "nullValues":
            found["required"] = True
        elif metric == "duplicateValues":
            found["unique"] = True
        elif metric == "missingValues" and arguments.get("missingValues"):
            values = arguments["missingValues"]
            found["refused"] = tuple(one for one in values if one is not None)
            if None in values:
                found["required"] = True
        elif metric == "invalidValues" and {"validValues", "pattern"} & set(arguments):
            if "validValues" in arguments:
                found["accepted"] = tuple(
                    one for one in arguments["validValues"] if one is not None
                )
            if "pattern" in arguments:
                found["pattern"] = arguments["pattern"]
        else:
            self._leave(at, f"{metric} of {name}")
            return
        if _is_none_allowed(item):
            promises.update(found)
            if _severity(item) == "warning":
                severity.update(dict.fromkeys(found, "warning"))
        else:
            found.pop("unique", None)
            self._check_values(name, "", found, at)
            rules = ColumnRule(**found).rules(name)
            self.limits.append(_limit(metric, item, (name,), rules))

    def _check_values(self, name: str, type_: str, promises: Mapping[str, Any], at: Place) -> None:
        """Refuse what no value of the column could ever be compared with."""
        for word, field in BOUNDS.items():
            value = promises.get(field)
            if type_ in TIMES and isinstance(value, str) and not _is_time(value, type_):
                hint = "Write ISO 8601, such as 2013-01-31, 2013-01-31T10:00:00Z, or 10:00:00."
                self._fault((*at, "logicalTypeOptions", word), f"{word} is {value!r}.", hint)
        pairs = (("minimum", "maximum"), ("min_length", "max_length"))
        for low, high in pairs:
            least, most = promises.get(low), promises.get(high)
            if (
                least is not None
                and most is not None
                and type(least) is type(most)
                and least > most
            ):
                problem = f"The minimum of {name} is {least}, above its maximum {most}."
                self._fault((*at, "logicalTypeOptions"), problem, "Exchange the two.")
        if wrong := check_pattern(promises.get("pattern") or ""):
            self._fault(at, f"The pattern of {name} {wrong}.", "Write it in RE2 syntax.")
        wanted = _PYTHON.get(type_)
        for value in (*promises.get("accepted", ()), *promises.get("refused", ())):
            is_flag = isinstance(value, bool) and type_ != "boolean"
            if wanted and (is_flag or not isinstance(value, wanted)):
                hint = "Put it in quotes." if type_ == "string" else f"Write values of {type_}."
                self._fault((*at, "quality"), f"{value!r} is no {type_}, as {name} is.", hint)

    def _check_known_at(
        self, text: str, rules: Mapping[str, ColumnRule], at: Place, name: str
    ) -> None:
        """``knownAt`` must be text, well formed, and name a column of this table."""
        where = (*at, "customProperties")
        try:
            column = known_at.parse(str(text)).column
        except ProjectError as error:
            self._fault(where, f"knownAt of {name}: {error.problem}", error.hint)
            return
        if column not in rules:
            problem = f"knownAt of {name} names {column!r}, which is no column."
            self._fault(where, problem, f"Name one of {', '.join(rules)}.")

    def _severities(self, value: object, at: Place) -> dict[str, Severity]:
        """One severity for all rules of a column, or one by rule."""
        if value is None:
            return {}
        named = dict.fromkeys(SEVERITIES, value) if isinstance(value, str) else value
        if not isinstance(named, Mapping) or set(named) - set(SEVERITIES):
            hint = f"Write error or warning, or one of them for each of {', '.join(SEVERITIES)}."
            self._fault(at, f"severity is {value!r}.", hint)
            return {}
        mild = (rule for rule, word in named.items() if _severity({"severity": word}) == "warning")
        return dict.fromkeys(mild, "warning")

    def _reference(
        self, columns: tuple[str, ...], to: object, relation: Mapping[str, Any], at: Place
    ) -> list[Reference]:
        texts = to if isinstance(to, list) else [to]
        ends = [self._target(str(text)) for text in texts]
        sources = {source for source, _ in ends}
        if len(ends) != len(columns) or len(sources) != 1 or not all(name for _, name in ends):
            problem = f"{', '.join(columns)} cannot refer to {', '.join(map(str, texts))}."
            self._fault(at, problem, "Name as many columns of one source: SOURCE.COLUMN.")
            return []
        severity = _severity(_custom(relation))
        target = tuple(name for _, name in ends)
        return [Reference(columns=columns, source=sources.pop(), to=target, severity=severity)]

    def _target(self, text: str) -> tuple[str, str]:
        """The table and column that a reference names, by names or by the standard's ids."""
        text = text.rpartition("#")[2].lstrip("/")
        if "/" not in text:
            table, _, column = text.partition(".")
        else:
            parts = text.split("/")
            table, column = parts[1], parts[3] if len(parts) > 3 else ""
            for one in self._document.value["schema"]:
                if one.get("id", one["name"]) == table:
                    table = one["name"]
                    ids = {item.get("id"): item["name"] for item in one.get("properties", ())}
                    column = ids.get(column, column)
        return table, self._names.get(column, column) if table == self.name else column

    def _library(
        self, holder: Mapping[str, Any], at: Place
    ) -> Iterator[tuple[Mapping[str, Any], Place]]:
        """The standard's own checks at a node; others are noted, text for people is skipped."""
        for i, item in enumerate(holder.get("quality") or ()):
            where = (*at, "quality", i)
            if "metric" in item:
                yield item, where
            elif item.get("type") in {"sql", "custom"}:
                name = item.get("name") or item.get("engine") or item["type"]
                self._leave(where, f"the quality rule {name}")

    def _fault(self, at: Place, problem: str, hint: str) -> None:
        self.faults.append(self._document.fault(at, problem, hint=hint))

    def _leave(self, at: Place, what: str) -> None:
        line = self._document.line(at)
        self.unchecked.append(f"{self._document.path}:{line}: {what} is not checked.")


def _limit(
    metric: Metric,
    item: Mapping[str, Any],
    columns: tuple[str, ...] = (),
    rules: tuple[RowRule, ...] = (),
) -> Limit:
    word = next(key for key in item if key in OPERATORS)
    bound = tuple(item[word]) if isinstance(item[word], list) else item[word]
    return Limit(
        metric=metric,
        columns=columns,
        rules=rules,
        operator=word,
        bound=bound,
        percent=item.get("unit") in {"percent", "%"},
        severity=_severity(item),
    )


def _is_none_allowed(item: Mapping[str, Any]) -> bool:
    """Whether a check allows no row at all to break it, so that it is a promise of each row."""
    return bool(item.get("mustBe", item.get("mustBeLessOrEqualTo")) == 0)


def _severity(item: Mapping[str, Any]) -> Severity:
    """The standard leaves the words free; all but the mild ones are errors."""
    return "warning" if str(item.get("severity", "")).lower() in MILD else "error"


def _custom(item: Mapping[str, Any]) -> dict[str, Any]:
    return {one["property"]: one["value"] for one in item.get("customProperties") or ()}


def _is_time(text: str, type_: str) -> bool:
    try:
        (time if type_ == "time" else datetime).fromisoformat(text)
    except ValueError:
        return False
    return True
