"""Read and write the file of a data contract as the standard has it.

Room: ``fairway.data``, before ``clause`` and ``contract``, which make our nouns from the document
read here. It judges the file by the standard alone and knows nothing of Fairway's rules.

Source: Open Data Contract Standard (ODCS), Bitol, Linux Foundation AI & Data: written as v3.1.0,
read from v3.0.0 to v3.2.0.
"""

import difflib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fairway.errors import ProjectError

if TYPE_CHECKING:
    import yaml
    from jsonschema.exceptions import ValidationError

WRITTEN = "v3.1.0"
READ = ("v3.0.0", "v3.0.1", "v3.0.2", "v3.1.0", "v3.2.0")
KIND = "DataContract"
MOST_FAULTS = 20

Place = tuple[str | int, ...]
"""Keys and list positions that lead from the top of the document to a node."""

_OLD_METRICS = {
    "nullCheck": "nullValues",
    "duplicateCount": "duplicateValues",
    "rowCount": "rowCount",
    "validValues": "invalidValues",
}


@dataclass(frozen=True, kw_only=True)
class Document:
    """A contract file that the standard allows, with the line of each of its nodes.

    Attributes:
        path: The file.
        value: Its content; what only v3.0 spelled is spelled as v3.1 does.
        lines: The line, counted from 1, of each node.
    """

    path: Path
    value: Mapping[str, Any]
    lines: Mapping[Place, int]

    def line(self, place: Place) -> int:
        """The line of a node, or of the nearest node around it."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)

    def fault(self, place: Place, problem: str, *, hint: str) -> ProjectError:
        """A fault at a node, ready to be raised."""
        return ProjectError(problem, hint=hint, file=self.path, line=self.line(place))


def read(path: Path) -> Document:
    """Read a contract file and judge it: kind, then version, then the standard's JSON Schema.

    Raises:
        ProjectError: With file and line, if it is not YAML, not a contract of a version that is
            read, or not what the schema allows. Further faults are in ``more``.
    """
    value, lines = _parse(path)
    document = Document(path=path, value=value, lines=lines)
    if value.get("kind") != KIND:
        found = f"kind is {value['kind']!r}" if "kind" in value else "The file has no kind"
        raise document.fault(("kind",), f"{found}.", hint=f"Write kind: {KIND}.")
    version = value.get("apiVersion")
    if version not in READ:
        found = f"apiVersion is {version!r}" if version else "The file has no apiVersion"
        raise document.fault(
            ("apiVersion",), f"{found}.", hint=f"Write one of {', '.join(READ)}; new: {WRITTEN}."
        )
    if version.startswith("v3.0"):
        _upgrade(value)
    faults = list(_faults(document))
    if faults:
        raise gather(faults)
    return document


def write(value: Mapping[str, Any]) -> str:
    """Spell a document as YAML; keys stay in the order given."""
    import yaml

    return yaml.safe_dump(dict(value), sort_keys=False, allow_unicode=True, width=100)


def gather(faults: Sequence[ProjectError]) -> ProjectError:
    """The first fault in the file, carrying the others."""
    first, *rest = sorted(faults, key=lambda fault: fault.line or 0)[:MOST_FAULTS]
    return ProjectError(
        first.problem, hint=first.hint, file=first.file, line=first.line, more=tuple(rest)
    )


def _parse(path: Path) -> tuple[dict[str, Any], dict[Place, int]]:
    """Read YAML, keeping each node's line; times stay text, a key given twice is a fault."""
    import yaml

    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ProjectError(
            f"The contract cannot be read: {error.strerror}.",
            hint="Name a file that is there; `fairway contract suggest` writes a first one.",
            file=path,
        ) from error
    except UnicodeDecodeError as error:
        raise ProjectError(
            "The contract is not UTF-8.", hint="Save it as UTF-8.", file=path
        ) from error
    loader = _text_loader()(text)
    try:
        node = loader.get_single_node()
        lines: dict[Place, int] = {}
        if node is not None:
            _note(node, (), lines, path)
        value = loader.construct_document(node) if node is not None else None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise ProjectError(
            f"The contract is no YAML: {getattr(error, 'problem', None) or error}.",
            hint="Mend the line; indentation is by blanks, and text with ': ' needs quotes.",
            file=path,
            line=mark.line + 1 if mark else None,
        ) from error
    finally:
        loader.dispose()
    if not isinstance(value, dict):
        raise ProjectError(
            "The contract is no mapping of keys to values.",
            hint=f"Begin it with apiVersion: {WRITTEN} and kind: {KIND}.",
            file=path,
            line=1,
        )
    return value, lines


def _text_loader() -> "type[yaml.SafeLoader]":
    """A safe loader that leaves dates as the text that they are: the schema asks for text."""
    import yaml

    class TextLoader(yaml.SafeLoader):
        yaml_implicit_resolvers = {  # noqa: RUF012  the loader's own way of being told
            first: [pair for pair in pairs if pair[0] != "tag:yaml.org,2002:timestamp"]
            for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
        }

    return TextLoader


def _note(node: "yaml.Node", place: Place, lines: dict[Place, int], path: Path) -> None:
    """Write down the line of a node and of all below it."""
    import yaml

    lines.setdefault(place, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        for key, child in node.value:
            below = (*place, str(key.value))
            if below in lines:
                raise ProjectError(
                    f"{key.value!r} stands twice.",
                    hint=f"Keep one; the first is in line {lines[below]}.",
                    file=path,
                    line=key.start_mark.line + 1,
                )
            lines[below] = key.start_mark.line + 1
            _note(child, below, lines, path)
    elif isinstance(node, yaml.SequenceNode):
        for position, child in enumerate(node.value):
            _note(child, (*place, position), lines, path)


def _upgrade(value: dict[str, Any]) -> None:
    """Spell in place what v3.0 spelled otherwise than the schema, which is that of v3.2."""
    for table in _dicts(value.get("schema")):
        for holder in (table, *_dicts(table.get("properties"))):
            for item in _dicts(holder.get("quality")):
                _upgrade_quality(item)
            options = holder.get("logicalTypeOptions")
            for edge in ("Minimum", "Maximum"):
                if isinstance(options, dict) and isinstance(options.get("exclusive" + edge), bool):
                    bound = options.get(edge.lower())
                    if options.pop("exclusive" + edge) and bound is not None:
                        options["exclusive" + edge] = options.pop(edge.lower())


def _upgrade_quality(item: dict[str, Any]) -> None:
    """v3.0 named library checks by ``rule``, and gave accepted values beside it."""
    rule = item.get("rule")
    if "metric" in item or not isinstance(rule, str) or item.get("type", "library") != "library":
        return
    if rule not in _OLD_METRICS:  # v3.0 left the names free; such a rule is listed as unchecked
        for key in [
            key for key in item if key.startswith("must") or key in {"rule", "validValues"}
        ]:
            del item[key]
        item.update(type="custom", engine=rule, implementation=rule)
        return
    item["metric"] = _OLD_METRICS[rule]
    if "validValues" in item:
        item["arguments"] = {"validValues": item.pop("validValues")}
    if not any(key.startswith("must") for key in item):
        item["mustBe"] = 0


def _dicts(value: object) -> list[dict[str, Any]]:
    """The mappings of a list, or none where there is no list; the schema judges the rest."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _faults(document: Document) -> Iterator[ProjectError]:
    """Judge a document by the JSON Schema that the standard's own package ships."""
    from jsonschema import Draft201909Validator

    folder = resources.files("open_data_contract_standard")
    schema = json.loads((folder / "schema.json").read_text(encoding="utf-8"))
    errors = list(Draft201909Validator(schema).iter_errors(document.value))
    # A failed part makes the schema call its fields unknown as well: tell only what comes first.
    errors = [error for error in errors if not _is_vacuous(error, document.value)]
    if str(document.value["apiVersion"]).startswith("v3.0"):
        errors = [error for error in errors if not _is_old_field(error)]
    plain = [_deepest(e) for e in errors if e.validator != "unevaluatedProperties"]
    places = [tuple(error.absolute_path) for error in plain]
    unknown = [
        error
        for error in errors
        if error.validator == "unevaluatedProperties"
        and not any(
            place[: len(error.absolute_path)] == tuple(error.absolute_path) for place in places
        )
    ]
    seen: set[tuple[Place, str]] = set()
    for error in [*plain, *unknown]:
        for place, problem, hint in _told(error, schema):
            if (place, problem) not in seen:
                seen.add((place, problem))
                yield document.fault(place, problem, hint=hint)


def _is_vacuous(error: "ValidationError", value: object) -> bool:
    """Whether a fault is one of a logical type that the property does not have.

    The schema of v3.2.0 asks ``if: {properties: {logicalType: {const: map}}}``, which holds of a
    property without any logical type too; and that is optional.
    """
    if "then" not in error.absolute_schema_path:
        return False
    holder: Any = value
    for part in error.absolute_path:
        if part == "logicalTypeOptions":
            break
        holder = holder[part]
    return isinstance(holder, Mapping) and "name" in holder and "logicalType" not in holder


def _is_old_field(error: "ValidationError") -> bool:
    """Whether a v3.0 file has a field that v3.2 no longer knows, outside of what is checked."""
    is_unknown = error.validator in {"additionalProperties", "unevaluatedProperties", "anyOf"}
    return is_unknown and bool(error.absolute_path) and error.absolute_path[0] != "schema"


def _deepest(error: "ValidationError") -> "ValidationError":
    """Of the alternatives that all failed, the fault that says most."""
    from jsonschema.exceptions import best_match

    return best_match([error]) or error


def _told(error: "ValidationError", schema: Mapping[str, Any]) -> Iterator[tuple[Place, str, str]]:
    """Say a fault of the schema in words: place, problem, hint."""
    place = tuple(error.absolute_path)
    name = ".".join(str(part) for part in place) or "the contract"
    if error.validator in {"additionalProperties", "unevaluatedProperties"}:
        for key in re.findall(r"'([^']+)'", error.message.partition("(")[2]):
            near = difflib.get_close_matches(key, sorted(_words(schema)), n=1)
            hint = f"Did you mean {near[0]!r}?" if near else "Put it under customProperties."
            yield (*place, key), f"{key!r} is no field of {name}.", hint
    elif error.validator == "required":
        for key in _list(error.validator_value):
            if key not in _list(error.instance):
                yield place, f"{name} has no {key!r}.", f"Add {key}."
    elif error.validator == "enum":
        choices = [str(choice) for choice in _list(error.validator_value)]
        near = difflib.get_close_matches(str(error.instance), choices, n=1)
        hint = f"Did you mean {near[0]!r}?" if near else f"Write one of {', '.join(choices)}."
        yield place, f"{name} is {error.instance!r}.", hint
    elif error.validator == "type":
        wanted = error.validator_value
        yield place, f"{name} is {_short(error.instance)}, no {wanted}.", f"Write a {wanted}."
    elif error.validator == "oneOf" and "quality" in place:
        yield place, f"{name} has no comparison, or more than one.", "Give one, such as mustBe: 0."
    else:
        yield place, f"{name}: {error.message[:200]}.", "Follow the standard, ODCS v3.1.0."


def _words(schema: object) -> set[str]:
    """All field names that the standard knows."""
    if isinstance(schema, Mapping):
        own = schema.get("properties")
        below = [_words(value) for value in schema.values()]
        return set(own if isinstance(own, Mapping) else ()).union(*below)
    if isinstance(schema, list):
        return set[str]().union(*[_words(value) for value in schema])
    return set()


def _list(value: object) -> list[Any]:
    """The items of a list, or the keys of a mapping; the library types neither."""
    return list(value) if isinstance(value, list | Mapping) else []


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
