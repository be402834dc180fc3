"""The language in which candidates are asked for, as SQL with every value a parameter.

Room: ``fairway.tracking``, used by ``search``. It knows the grammar and the columns' names; it
runs nothing.

``auc > 0.68 and name = 'lightgbm' and not (parameters.leaves <= 64 or state in ('failed'))``.
A field is a column of the logbook (``name``, ``trial``, ``model``, ``state``, ``cached``,
``threshold``, ``run``), ``parameters.KEY``, ``body.KEY``, or else a metric: ``auc``, ``auc.low``,
``auc.high``. What is not plain letters stands in backticks: ``parameters.`max depth```. Operators:
``= != < <= > >=``, ``like`` (``%`` any text), ``in (...)``, ``is null``, joined by ``and``, ``or``,
``not`` and brackets. A comparison with what a candidate lacks, or with a value of another type, is
false.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fairway.errors import RequestError

MOST_CHARACTERS = 10_000
_DEEPEST = 50
_COLUMNS = {
    "name": "c.name",
    "trial": "c.trial",
    "model": "c.model",
    "state": "c.state",
    "cached": "c.cached",
    "threshold": "c.threshold",
    "run": "c.run_id",
}
_WORDS = frozenset({"and", "or", "not", "in", "is", "null", "like", "true", "false", "asc", "desc"})
_TOKEN = re.compile(
    r"""\s*(?:
        (?P<number>[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?(?![\w.]))
      | (?P<text>'(?:[^']|'')*'|"(?:[^"]|"")*")
      | (?P<name>(?:[A-Za-z_]\w*|`[^`"\0]+`)(?:\.(?:\w+|`[^`"\0]+`))*)
      | (?P<sign><=|>=|!=|<>|==|=|<|>|\(|\)|,)
    )""",
    re.VERBOSE,
)


@dataclass(frozen=True, kw_only=True)
class Sql:
    """A piece of SQL over ``candidate AS c``, and its values by name."""

    text: str
    parameters: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class _Token:
    kind: str
    text: str
    at: int


def where(text: str) -> Sql:
    """Compile a filter; an empty one lets everything pass.

    Raises:
        RequestError: If it is not in the language, with the position, counted from 1.
    """
    reader = _Reader(text)
    if reader.next.kind == "end":
        return Sql(text="1", parameters={})
    compiled = reader.either(0)
    reader.expect_end()
    return Sql(text=compiled, parameters=reader.parameters)


def order(text: str) -> Sql:
    """Compile an ordering such as ``auc desc, name``; what lacks the value comes last.

    Raises:
        RequestError: If it is not in the language, with the position, counted from 1.
    """
    reader = _Reader(text)
    parts = []
    while reader.next.kind != "end":
        field = reader.field()
        direction = "DESC" if reader.word("desc") else "ASC"
        if direction == "ASC":
            reader.word("asc")
        parts.append(f"{field} {direction} NULLS LAST")
        if reader.next.kind != "end":
            reader.expect(",")
            if reader.next.kind == "end":
                raise reader.fault("a field")
    return Sql(text=", ".join(parts), parameters=reader.parameters)


class _Reader:
    """Reads one text from left to right, one token ahead."""

    def __init__(self, text: str) -> None:
        if len(text) > MOST_CHARACTERS:
            raise RequestError(
                f"The filter has {len(text)} characters.", hint=f"At most {MOST_CHARACTERS}."
            )
        self.text = text
        self.parameters: dict[str, Any] = {}
        self.position = 0
        self.next = self._token()

    def _token(self) -> _Token:
        match = _TOKEN.match(self.text, self.position)
        if match is None:
            rest = self.text[self.position :]
            at = self.position + len(rest) - len(rest.lstrip()) + 1
            if rest.strip():
                raise self._refusal(at, f"{rest.strip()[:20]!r} cannot be read")
            return _Token(kind="end", text="", at=at)
        self.position = match.end()
        kind = str(match.lastgroup)
        text, at = match[kind], match.start(kind) + 1
        if kind == "name" and text.lower() in _WORDS:
            kind, text = "word", text.lower()
        return _Token(kind=kind, text=text, at=at)

    def take(self) -> _Token:
        token = self.next
        self.next = self._token()
        return token

    def word(self, text: str) -> bool:
        """Whether the next token is this word or sign; it is taken if so."""
        is_next = self.next.kind in {"word", "sign"} and self.next.text == text
        if is_next:
            self.take()
        return is_next

    def expect(self, text: str) -> None:
        if not self.word(text):
            raise self.fault(repr(text))

    def expect_end(self) -> None:
        if self.next.kind != "end":
            raise self.fault("'and', 'or' or the end")

    def fault(self, wanted: str) -> RequestError:
        token = self.next
        found = repr(token.text) if token.kind != "end" else "the end"
        return self._refusal(token.at, f"there is {found} where {wanted} should be")

    def _refusal(self, at: int, problem: str) -> RequestError:
        return RequestError(
            f"At character {at} of {self.text!r} {problem}.",
            hint="Write for example: auc > 0.68 and name = 'lightgbm' and parameters.leaves <= 64",
        )

    def bind(self, value: object) -> str:
        name = f"f{len(self.parameters)}"
        self.parameters[name] = value
        return f":{name}"

    def either(self, depth: int) -> str:
        return self._joined("or", self._both, depth)

    def _both(self, depth: int) -> str:
        return self._joined("and", self._one, depth)

    def _joined(self, word: str, part: Callable[[int], str], depth: int) -> str:
        if depth > _DEEPEST:
            raise self._refusal(self.next.at, "brackets are nested too deeply")
        parts = [part(depth)]
        while self.word(word):
            parts.append(part(depth))
        return parts[0] if len(parts) == 1 else f"({f' {word.upper()} '.join(parts)})"

    def _one(self, depth: int) -> str:
        if self.word("not"):
            if depth > _DEEPEST:
                raise self._refusal(self.next.at, "'not' is nested too deeply")
            return f"(NOT {self._one(depth + 1)})"
        if self.word("("):
            inner = self.either(depth + 1)
            self.expect(")")
            return inner
        return self._comparison()

    def _comparison(self) -> str:
        if self.next.kind != "name":
            raise self.fault("a field")
        parts = _parts(self.next.text)
        field = self.field()
        is_metric = parts[0] not in _COLUMNS and parts[0] not in {"parameters", "body"}
        if self.word("is"):
            negated = self.word("not")
            self.expect("null")
            return f"({field} IS {'NOT ' if negated else ''}NULL)"
        negated = self.word("not")
        if self.word("like"):
            compared = f"({field} LIKE {self.bind(self._value((str,)))}) IS TRUE"
        elif self.word("in"):
            self.expect("(")
            values = [self._equal(field)]
            while self.word(","):
                values.append(self._equal(field))
            self.expect(")")
            compared = " OR ".join(values)
        elif negated or self.next.kind != "sign" or self.next.text in {"(", ")", ","}:
            raise self.fault("'in' or 'like'" if negated else "an operator")
        else:
            sign = {"==": "=", "<>": "!="}.get(self.next.text, self.next.text)
            self.take()
            value = self._value((float,) if is_metric else (float, int, str))
            compared = self._compare(field, sign, value, parts if is_metric else [])
        return f"(NOT ({compared}))" if negated else f"({compared})"

    def _compare(self, field: str, sign: str, value: object, metric: list[str]) -> str:
        if metric:
            # The index by name and value finds the few that pass without looking at the rest.
            name, column = self.bind(metric[0]), metric[1] if len(metric) == 2 else "value"
            return (
                "c.seq IN (SELECT candidate FROM candidate_metric"  # noqa: S608  values are bound
                f" WHERE name = {name} AND {column} {sign} {self.bind(value)})"
            )
        kinds = "'text'" if isinstance(value, str) else "'integer', 'real'"
        return f"typeof({field}) IN ({kinds}) AND {field} {sign} {self.bind(value)}"

    def _equal(self, field: str) -> str:
        return f"({field} = {self.bind(self._value((float, int, str)))}) IS TRUE"

    def _value(self, kinds: tuple[type, ...]) -> object:
        token = self.next
        value: object = None
        if token.kind == "number":
            value = float(token.text) if re.search(r"[.eE]", token.text) else int(token.text)
            if isinstance(value, int) and abs(value) >= 2**63:
                value = float(value)
        elif token.kind == "text":
            quote = token.text[0]
            value = token.text[1:-1].replace(quote * 2, quote)
        elif token.kind == "word" and token.text in {"true", "false"}:
            value = int(token.text == "true")
        names: dict[tuple[type, ...], str] = {(str,): "a quoted text", (float,): "a number"}
        wanted = names.get(kinds, "a number or text")
        if value is None or (isinstance(value, str) and str not in kinds):
            raise self.fault(wanted)
        if not isinstance(value, str) and kinds == (str,):
            raise self.fault(wanted)
        self.take()
        return value

    def field(self) -> str:
        """The SQL of the next field."""
        if self.next.kind != "name":
            raise self.fault("a field")
        first, *rest = _parts(self.next.text)
        if first in {"parameters", "body"} and rest:
            path = "".join(f'."{part}"' for part in rest)
            compiled = f"json_extract(c.{first}, {self.bind(f'${path}')})"
        elif first in _COLUMNS and not rest:
            compiled = _COLUMNS[first]
        elif first in _COLUMNS or first in {"parameters", "body"} or rest not in _ENDS:
            raise self.fault("a column, parameters.KEY, body.KEY, a metric, METRIC.low or .high")
        else:
            column = rest[0] if rest else "value"
            compiled = (
                f"(SELECT {column} FROM candidate_metric"  # noqa: S608  values are bound
                f" WHERE candidate = c.seq AND name = {self.bind(first)})"
            )
        self.take()
        return compiled


_ENDS: tuple[list[str], ...] = ([], ["value"], ["low"], ["high"])


def _parts(name: str) -> list[str]:
    """The parts of a dotted name, without their backticks."""
    return [part.strip("`") for part in re.findall(r"`[^`]+`|\w+", name)]
