"""What a table promises: the noun, and how it is read from a file of the standard and written.

Room: ``fairway.data``, after ``rule``, ``odcs``, ``clause`` and ``spelling``, before ``check``,
which holds tables to it. Nothing here opens a table; ``draft`` suggests a first contract from one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fairway.data.promise import clause, odcs, spelling
from fairway.data.promise.rule import ColumnRule, Limit, Reference, RowRule, Unique


@dataclass(frozen=True, kw_only=True)
class Contract:
    """What a source, or the dataset that a model learns from, promises to whoever reads it.

    Columns that the contract does not name are allowed.

    Attributes:
        id: The contract's identity, whoever stores it.
        name: The table's name, as references from other contracts say it.
        version: The contract's own version.
        columns: Promises by column.
        uniques: Keys of several columns, besides the primary key and unique columns.
        references: Foreign keys.
        limits: Promises of the whole table, such as the number of rows.
        fresh_s: Seconds that the newest row may be old; None for no such promise.
        fresh_column: The time column that tells how old a row is.
        unchecked: What the file says that Fairway does not check, each with file and line.
    """

    id: str
    name: str
    version: str = "1.0.0"
    columns: Mapping[str, ColumnRule]
    uniques: tuple[Unique, ...] = ()
    references: tuple[Reference, ...] = ()
    limits: tuple[Limit, ...] = ()
    fresh_s: float | None = None
    fresh_column: str | None = None
    unchecked: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[str, ...]:
        """The primary key's columns, in order; empty where there is none."""
        named = [
            (rule.primary_key, name) for name, rule in self.columns.items() if rule.primary_key
        ]
        return tuple(name for _, name in sorted(named))

    def row_rules(self) -> tuple[RowRule, ...]:
        """All that a single row can break, in the order of the columns; types aside."""
        return tuple(rule for name, column in self.columns.items() for rule in column.rules(name))

    def unique_keys(self) -> tuple[Unique, ...]:
        """All that must be unique: the primary key, unique columns, keys of several columns."""
        keys = (Unique(columns=self.key),) if self.key else ()
        single = tuple(
            Unique(columns=(name,), severity=column.severity_of("unique"))
            for name, column in self.columns.items()
            if column.unique and (name,) != self.key
        )
        return keys + single + self.uniques


def load(path: Path, *, table: str | None = None) -> Contract:
    """Read a contract of the Open Data Contract Standard, v3.0.0 to v3.2.0.

    Args:
        path: The file.
        table: Which of the file's tables; needed only where it describes several.

    Raises:
        ProjectError: With file and line, at the first fault; the others are in ``more``. The kind
            is judged first, then the version, then the standard's JSON Schema, then what Fairway
            itself needs.
    """
    document = odcs.read(path)
    reader = clause.Reader(document, clause.place(document, table))
    columns = reader.columns()
    uniques, limits = reader.table_quality()
    fresh_s, fresh_column = reader.freshness()
    contract = Contract(
        id=document.value["id"],
        name=reader.name,
        version=document.value["version"],
        columns=columns,
        uniques=uniques,
        references=reader.references(),
        limits=(*limits, *reader.limits),
        fresh_s=fresh_s,
        fresh_column=fresh_column,
        unchecked=tuple(reader.unchecked),
    )
    if reader.faults:
        raise odcs.gather(reader.faults)
    return contract


def dump(contract: Contract) -> str:
    """Spell a contract as ODCS v3.1.0 YAML.

    Law: ``load`` gives it back, but for ``unchecked`` and the order of references and limits.
    """
    columns = contract.columns
    single = {(name,) for name in columns}
    table: dict[str, Any] = {"name": contract.name, "physicalType": "table"}
    table["properties"] = [
        spelling.column(
            name,
            rule,
            [one for one in contract.references if one.columns == (name,)],
            [one for one in contract.limits if one.columns == (name,)],
        )
        for name, rule in columns.items()
    ]
    wide = [one for one in contract.references if one.columns not in single]
    if wide:
        table["relationships"] = [spelling.reference(contract.name, one) for one in wide]
    quality = [spelling.unique(one) for one in contract.uniques]
    quality += [spelling.limit(one) for one in contract.limits if one.columns not in single]
    if quality:
        table["quality"] = quality
    value: dict[str, Any] = {
        "apiVersion": odcs.WRITTEN,
        "kind": odcs.KIND,
        "id": contract.id,
        "version": contract.version,
        "status": "active",
        "schema": [table],
    }
    if contract.fresh_s is not None:
        element = ".".join(filter(None, (contract.name, contract.fresh_column)))
        value["slaProperties"] = [spelling.freshness(contract.fresh_s, element)]
    return odcs.write(value)
