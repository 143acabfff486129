"""An agency's file run dry: what would be sent, what is refused and why, what the map covers.

No hub is asked and nothing is kept. What only a hub can tell (grants, which opening a reply
answers) does not show, and a step counts as missing that another file told before.
"""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any, Final

from adapters.kit.adapter import Adapter, available, load
from adapters.kit.convert import bare
from adapters.kit.event import event_id, sealed
from adapters.kit.making import make
from adapters.kit.mapping import Mapping as FieldMap
from adapters.kit.port import (
    FaultKind,
    Place,
    Reader,
    Record,
    RowFault,
    Translated,
    Unreadable,
    UnreadableFile,
)
from adapters.kit.readers.opening import opened
from adapters.kit.readers.sheet import OpenWorkbook, opening_again
from adapters.kit.readers.table import Names, Tabular, as_called, own_names
from adapters.kit.readers.xml import XmlFile
from adapters.kit.steps import impossible
from adapters.kit.wanted import PROBLEMS, Wanted, canonical
from contracts.agency import AgencyId

_FIRST_EVENTS: Final = 3
_LOOKED_AT: Final = 100
_ROWS_NAMED: Final = 10


@dataclass(frozen=True, slots=True)
class Foreseen:
    """An event as it would be sent; `reply`: it must yet be told which opening it answers."""

    id: str
    type: str
    place: Place
    reply: bool
    event: bytes


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of one record, or (without one) what was found about the file as a whole.

    `again` counts events that stood in the file before, word for word; they are sent once. `names`
    are the columns of the file's tables, `own` what these call those that have another name there.
    """

    record: Record | Unreadable | None
    events: tuple[Foreseen, ...] = ()
    again: int = 0
    faults: tuple[RowFault, ...] = ()
    complete: bool = True
    names: tuple[str, ...] = ()
    own: Names = field(default_factory=dict)
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """Faults of one kind in one column: how many, the first one's words, the first rows."""

    kind: FaultKind
    column: str
    count: int
    reason: str
    advice: str
    rows: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Covered:
    """A column that the map reads: whether the file has it, and in how many records it says
    something."""

    column: str
    title: str
    required: bool
    present: bool
    filled: int


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What a run would do.

    `again`: events that stood in the file before; `deleted`: records that the agency's system has
    deleted; `replies`: events that a run still gives the opening which they answer; `unread`:
    columns of the file that nobody reads, by name alone. `complete` is False when part of the file
    could not be read.
    """

    read: int
    refused: int
    again: int
    deleted: int
    replies: int
    types: Mapping[str, int]
    first: tuple[Foreseen, ...]
    faults: tuple[Refused, ...]
    columns: tuple[Covered, ...]
    unread: tuple[str, ...]
    complete: bool

    def document(self, *, show: bool = False) -> dict[str, Any]:
        """As JSON; the content of the first events only where it is asked for."""
        first = [
            {"id": e.id, "type": e.type, "sheet": e.place.sheet, "row": e.place.row}
            | ({"event": json.loads(e.event)} if show else {})
            for e in self.first
        ]
        faults = [
            asdict(f) | {"rows": [{"sheet": sheet, "row": row} for sheet, row in f.rows]}
            for f in self.faults
        ]
        return {
            "read": self.read,
            "refused": self.refused,
            "again": self.again,
            "deleted": self.deleted,
            "replies": self.replies,
            "types": dict(self.types),
            "first": first,
            "faults": faults,
            "columns": [asdict(column) for column in self.columns],
            "unread": list(self.unread),
            "complete": self.complete,
        }


def dry_run(adapter: Adapter, path: Path, agency: str) -> Rehearsal:
    """Read a file as `agency` would send it. Raises AgencyIdError, or OSError."""
    tally = _Tally(adapter.mapping)
    for tried in rehearsed(adapter, path, agency):
        tally.add(tried)
    return tally.rehearsal()


def fitting(path: Path) -> tuple[str, ...]:
    """Of the adapters that find every column they need in the first sound record of a file the one
    that finds the most columns, or all that find as many, by name. Raises OSError.
    """
    with opening_again() as again:
        found = {name: _found(load(name).mapping.wanted, path, again) for name in available()}
    most = max(found.values(), default=0)
    return tuple(sorted(name for name in found if most and found[name] == most))


def _found(wanted: Wanted, path: Path, open_workbook: OpenWorkbook) -> int:
    """How many columns the first record has, 0 for a file that has not what is needed."""
    try:
        with opened(path, path.name, wanted, open_workbook=open_workbook) as reader:
            records = islice(reader.read(), _LOOKED_AT)
            first = next((each for each in records if isinstance(each, Record)), None)
    except UnreadableFile:
        return 0
    if first is None or not wanted.required <= first.columns.keys():
        return 0
    return len(first.columns)


def rehearsed(adapter: Adapter, path: Path, agency: str) -> Iterator[Tried]:
    """What becomes of each record of a file in its order, the file's own faults around them.

    Raises AgencyIdError, or OSError.
    """
    source = f"/{AgencyId.parse(agency)}/{adapter.mapping.system}"
    wanted = adapter.mapping.wanted
    with closing(_Before()) as before:
        try:
            with opened(path, path.name, wanted) as reader:
                own = own_names(reader)
                notices = tuple(as_called(fault, own) for fault in reader.notices)
                yield Tried(None, faults=notices, names=_names(reader), own=own)
                for record in reader.read():
                    tried = _tried(adapter, source, record, before)
                    yield replace(tried, faults=tuple(as_called(f, own) for f in tried.faults))
        except UnreadableFile as error:
            yield Tried(None, faults=error.faults, complete=False)


def _names(reader: Reader) -> tuple[str, ...]:
    if isinstance(reader, XmlFile):
        return reader.unread
    tables = reader.tables if isinstance(reader, Tabular) else ()
    return tuple(name for table in tables for name in table.header.names if name)


def _tried(adapter: Adapter, source: str, record: Record | Unreadable, before: "_Before") -> Tried:
    given = make(adapter, record)
    events: list[Foreseen] = []
    faults = list(given.faults)
    again = 0
    for made in given.events:
        event, id_ = made.event, event_id(made.event)
        if before.has(event.native, id_):
            again += 1
        elif wrong := impossible(event.type, before.types(made.case), adapter.mapping.steps):
            place = record.place
            faults.append(
                RowFault(place.row, "", wrong.kind, wrong.reason, wrong.advice, place.sheet)
            )
        else:
            reply = bool(made.contract.answers) and "causationid" not in event.attributes
            whole = _sealed(adapter, source, event, before.last(event.native, event.type))
            events.append(Foreseen(id_, event.type, record.place, reply, whole))
            before.note(made.case, event.native, event.type, id_)
    return Tried(record, tuple(events), again, tuple(faults), deleted=given.deleted is not None)


def _sealed(adapter: Adapter, source: str, event: Translated, supersedes: str | None) -> bytes:
    address, named = adapter.mapping.address, event.attributes
    return sealed(
        event,
        id=event_id(event),
        source=source,
        to=named.get("to", address.to),
        cc=named.get("cc", address.cc),
        supersedes=supersedes,
    )


class _Before:
    """What stood in the file before; a long one's is on disk, in a file that has no name."""

    def __init__(self) -> None:
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute("CREATE TABLE sent (matter, native, type, event)")
        self._database.execute("CREATE INDEX by_case ON sent (matter)")
        self._database.execute("CREATE INDEX by_native ON sent (native)")

    def has(self, native: str, event: str) -> bool:
        select = "SELECT 1 FROM sent WHERE native = ? AND event = ?"
        return self._database.execute(select, (native, event)).fetchone() is not None

    def last(self, native: str, type_: str) -> str | None:
        """The event of that number and type that a new one replaces."""
        select = "SELECT event FROM sent WHERE native = ? AND type = ? ORDER BY rowid DESC LIMIT 1"
        found: tuple[str] | None = self._database.execute(select, (native, type_)).fetchone()
        return found[0] if found else None

    def types(self, case: str) -> frozenset[str]:
        select = "SELECT DISTINCT type FROM sent WHERE matter = ?"
        return frozenset(row[0] for row in self._database.execute(select, (case,)))

    def note(self, case: str, native: str, type_: str, event: str) -> None:
        insert = "INSERT INTO sent VALUES (?, ?, ?, ?)"
        self._database.execute(insert, (case, native, type_, event))

    def close(self) -> None:
        self._database.close()


@dataclass(slots=True)
class _Tally:
    """Counts of what was tried so far."""

    mapping: FieldMap
    read: int = 0
    refused: int = 0
    again: int = 0
    deleted: int = 0
    replies: int = 0
    complete: bool = True
    names: dict[str, None] = field(default_factory=dict)
    own: dict[str, str] = field(default_factory=dict)
    types: Counter[str] = field(default_factory=Counter)
    first: list[Foreseen] = field(default_factory=list)
    faults: dict[tuple[FaultKind, str], list[RowFault]] = field(default_factory=dict)
    counts: Counter[tuple[FaultKind, str]] = field(default_factory=Counter)
    present: set[str] = field(default_factory=set)
    filled: Counter[str] = field(default_factory=Counter)

    def add(self, tried: Tried) -> None:
        self.read += tried.record is not None
        self.refused += tried.record is not None and bool(tried.faults)
        self.again += tried.again
        self.deleted += tried.deleted
        self.replies += sum(event.reply for event in tried.events)
        self.complete &= tried.complete
        self.names |= dict.fromkeys(tried.names)
        if isinstance(tried.record, Record):
            self.names |= dict.fromkeys(tried.record.unread)
        for (_, column), own in tried.own.items():
            self.own.setdefault(column, own)
        self.types.update(event.type for event in tried.events)
        self.first.extend(tried.events[: _FIRST_EVENTS - len(self.first)])
        for fault in tried.faults:
            self._note(fault)
        if isinstance(tried.record, Record):
            self._cover(tried.record)

    def _note(self, fault: RowFault) -> None:
        alike = (fault.kind, fault.column)
        self.counts[alike] += 1
        kept = self.faults.setdefault(alike, [])
        if len(kept) < _ROWS_NAMED:
            kept.append(fault)

    def _cover(self, record: Record) -> None:
        parts: list[tuple[str, Mapping[str, str]]] = [("", record.columns)]
        for name, inner in record.groups.items():
            parts.extend((f"{name}/", columns) for columns in inner)
        blank = {"", *self.mapping.cells.nulls}
        cells = [
            (f"{above}{column}", cell)
            for above, columns in parts
            for column, cell in columns.items()
        ]
        self.present.update(name for name, _ in cells)
        self.filled.update({name for name, cell in cells if bare(cell) not in blank})

    def rehearsal(self) -> Rehearsal:
        wanted = self.mapping.wanted
        known = {canonical(PROBLEMS), *wanted.titles, *wanted.ignored}
        known.update(name for g in wanted.groups.values() if g.by for name in g.titles)
        return Rehearsal(
            read=self.read,
            refused=self.refused,
            again=self.again,
            deleted=self.deleted,
            replies=self.replies,
            types=dict(sorted(self.types.items())),
            first=tuple(self.first),
            faults=tuple(self._refused()),
            columns=tuple(self._columns()),
            unread=tuple(name for name in self.names if name not in known),
            complete=self.complete,
        )

    def _refused(self) -> Iterator[Refused]:
        for alike, kept in self.faults.items():
            rows = tuple((fault.sheet, fault.row) for fault in kept if fault.row)
            first = kept[0]
            yield Refused(
                *alike,
                count=self.counts[alike],
                reason=first.reason,
                advice=first.advice,
                rows=rows,
            )

    def _columns(self) -> Iterator[Covered]:
        wanted = self.mapping.wanted
        titles = dict(wanted.titles)
        for name, group in wanted.groups.items():
            titles |= {f"{name}/{column}": title for column, title in group.titles.items()}
        for column, title in titles.items():
            yield Covered(
                column=self.own.get(column, column),
                title=title,
                required=column in wanted.required,
                present=column in self.present or column in self.names,
                filled=self.filled[column],
            )
