"""A record read by its field map: the fields that are not blank, or everything that is wrong.

What one cell says is read once: codes, flags, days and bodies come again in row after row.
"""

from collections.abc import Mapping as MappingOf
from dataclasses import dataclass
from itertools import chain, repeat
from types import MappingProxyType
from typing import Final, NamedTuple

from msgspec import Struct

from adapters.kit.amounts import Unit
from adapters.kit.convert import READINGS, Cell, Numbered, Scalar, Value, Wrong, bare, plain
from adapters.kit.days import day_of
from adapters.kit.mapping import AMOUNTS, DAYS, FieldRule, Mapping, Table, When
from adapters.kit.numbered import numbered
from adapters.kit.port import FaultKind, Place, Record, RowFault, Totals
from contracts.owncodes import Codes

_MOST_KNOWN: Final = 1_000
_LONGEST_KNOWN: Final = 64
_MISSING: Final = Wrong(FaultKind.MISSING, "没有填写（空白或空值标记）", "请补填后重新导出")

_NO_UNITS: Final[MappingOf[str, Unit]] = MappingProxyType({})

_Cells = MappingOf[str, str]
_Units = MappingOf[str, Unit]
_Given = str | None | tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Deleted:
    """A record that was deleted where it comes from, by the number that its system gave it."""

    place: Place
    native: str


class Row(Struct, frozen=True):
    """A record (or one part of a group) read by its mapping: the fields that are not blank, the
    totals of its tables, and what of it nobody reads."""

    place: Place
    values: MappingOf[str, Value]
    fields: MappingOf[str, FieldRule]
    groups: MappingOf[str, "tuple[Row, ...]"] = {}
    totals: MappingOf[str, Totals] = {}
    tables: MappingOf[str, Table] = {}
    unread: tuple[str, ...] = ()

    def text(self, field: str) -> str | None:
        """A field that reads as text, or None."""
        value = self.values.get(field)
        return value if isinstance(value, str) else None

    def texts(self, field: str) -> tuple[str, ...]:
        """A field that reads as several texts; none when it is blank."""
        value = self.values.get(field)
        items = value if isinstance(value, list) else ()
        return tuple(item for item in items if isinstance(item, str))

    def of_each(self, field: str) -> MappingOf[str, Scalar]:
        """A numbered field: what it says, by number; empty for one that is blank."""
        value = self.values.get(field)
        return value.parts if isinstance(value, Numbered) else {}

    def wrong(self, field: str, wrong: Wrong) -> RowFault:
        """A fault of a field that only the translation can see."""
        return _fault(self.place, self.fields[field], wrong)


class _Field(NamedTuple):
    """One field: the columns that it is read from (`column` if it is one alone, and no unit is
    heard for it), and what their cells said so far."""

    name: str
    rule: FieldRule
    column: str | None
    columns: tuple[str, ...]
    known: dict[_Given, Value | Wrong | None]


class Rows:
    """Reads the records of one field map, under the codes in use."""

    def __init__(self, mapping: Mapping, codes: Codes) -> None:
        self._mapping = mapping
        self._cells = mapping.cells
        self._codes = codes
        self._fields = _prepared(mapping.fields)
        self._groups = {
            name: _prepared(group.fields, parts=True) for name, group in mapping.groups.items()
        }

    def read(self, record: Record) -> Row | Deleted | tuple[RowFault, ...]:
        """Every field of a record, or everything that is wrong with it; of a deleted one only
        its number."""
        place, mapping = record.place, self._mapping
        if mapping.deleted and self._says(record.columns, mapping.deleted):
            return self._gone(record, mapping.fields[mapping.deleted.native])
        values, faults = self._values(self._fields, record.columns, place, record.units)
        groups: dict[str, tuple[Row, ...]] = {}
        for name, fields in self._groups.items():
            parts = []
            places = record.places.get(name) or repeat(place)
            units = record.part_units.get(name) or repeat(_NO_UNITS)
            for columns, at, of in zip(record.groups.get(name, ()), places, units, strict=False):
                inner, wrong = self._values(fields, columns, at, of)
                faults += wrong
                parts.append(Row(place=at, values=inner, fields=mapping.groups[name].fields))
            groups[name] = tuple(parts)
        faults += chain(*(totals.faults for totals in record.totals.values()))
        if faults:
            return tuple(faults)
        totals, tables = record.totals, mapping.tables
        return Row(place, values, mapping.fields, groups, totals, tables, record.unread)

    def _gone(self, record: Record, rule: FieldRule) -> Deleted | tuple[RowFault, ...]:
        number = self._value(record.columns, rule)
        if isinstance(number, Wrong):
            return (_fault(record.place, rule, number),)
        if number is None:
            return (_fault(record.place, rule, _MISSING),)
        return Deleted(record.place, str(number))

    def _values(
        self, fields: tuple[_Field, ...], columns: _Cells, place: Place, units: _Units
    ) -> tuple[dict[str, Value], list[RowFault]]:
        values: dict[str, Value] = {}
        faults = []
        get = columns.get
        for name, rule, column, several, known in fields:
            unit = None if column else units.get(rule.column)
            given = get(column) if column else (unit, *map(get, several))
            value = known.get(given, ...)
            if value is ...:
                value = self._value(columns, rule, unit)
                _keep(known, given, value)
            if value is None:
                continue
            if isinstance(value, Wrong):
                faults.append(_fault(place, rule, value))
            else:
                values[name] = value
        return values, faults

    def _value(
        self, columns: _Cells, rule: FieldRule, unit: Unit | None = None
    ) -> Value | Wrong | None:
        if rule.when and not self._says(columns, rule.when):
            return None
        dates = rule.reads in DAYS
        text = self._filled(columns, rule.column, dates=dates)
        # The reader finds a record's columns by their other names; those of a part come as named.
        for other in rule.also if text is None else ():
            text = text or self._filled(columns, other, dates=dates)
        text = rule.default if text is None else text
        if text is None:
            return _MISSING if rule.required else None
        label = self._filled(columns, rule.label_column) if rule.label_column else None
        cell, reading = Cell(text, label, unit), READINGS[rule.reads]
        if rule.numbered:
            return numbered(cell, rule, self._codes, reading, prose=rule.reads == "text")
        return reading(cell, rule, self._codes)

    def _says(self, columns: _Cells, when: When) -> bool:
        text = self._filled(columns, when.column)
        return text is not None and plain(text) in when.says

    def _filled(self, columns: _Cells, column: str, *, dates: bool = False) -> str | None:
        """The cell, or None for one that is blank or says so."""
        text = bare(columns.get(column, ""))
        if not text or text in self._cells.nulls:
            return None
        if dates and (day := day_of(plain(text))) and day.isoformat() in self._cells.null_dates:
            return None
        return text


def _prepared(fields: MappingOf[str, FieldRule], *, parts: bool = False) -> tuple[_Field, ...]:
    """The fields of a record, or of its parts, whose columns come under every name they have."""
    return tuple(_prepare(name, rule, parts) for name, rule in fields.items())


def _prepare(name: str, rule: FieldRule, part: bool) -> _Field:
    more = (rule.label_column, rule.when and rule.when.column, *(rule.also if part else ()))
    columns = (rule.column, *(column for column in more if column))
    alone = len(columns) == 1 and rule.reads not in AMOUNTS
    return _Field(name, rule, columns[0] if alone else None, columns, {})


def _keep(
    known: dict[_Given, Value | Wrong | None], given: _Given, value: Value | Wrong | None
) -> None:
    """Remember what short cells say, so many of them at most."""
    if given is None or isinstance(given, str):
        length = len(given or "")
    else:
        length = sum(map(len, filter(None, given)))
    if length <= _LONGEST_KNOWN:
        if len(known) >= _MOST_KNOWN:
            known.clear()
        known[given] = value


def _fault(place: Place, rule: FieldRule, wrong: Wrong) -> RowFault:
    reason = f"{rule.title}{wrong.reason}"
    return RowFault(place.row, rule.column, wrong.kind, reason, wrong.advice, place.sheet)
