"""Rows one below the other that are one record: a batch with a row for each of its persons."""

from collections.abc import Iterator, Set
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import chain, pairwise
from typing import Final

from adapters.kit.amounts import Unit
from adapters.kit.convert import bare, plain
from adapters.kit.days import day_of
from adapters.kit.port import FaultKind, Reader, Record, RowFault, Unreadable, UnreadableFile
from adapters.kit.readers.table import Names, Table, Tabular, own_names
from adapters.kit.wanted import Wanted, WantedGroup

MOST_PARTS: Final = 1_000
_MOST_RECORDS: Final = 100_000
_LONGEST_RECORD: Final = 1 << 22

Read = Record | Unreadable


@dataclass(slots=True)
class _Run:
    """Rows that say the same in the column, one more than the most of them at most; or, without a
    key, one row that cannot be told whose it is. `last` is the number of the last row, `characters`
    what the rows hold."""

    key: str
    rows: list[Read]
    last: int
    characters: int

    def add(self, row: Record) -> None:
        self.last = row.number
        if len(self.rows) <= MOST_PARTS and self.characters <= _LONGEST_RECORD:
            self.rows.append(row)
            self.characters += _characters(row)


class Gathered:
    """`Reader` whose records are the runs of another's rows that say the same in one column.

    What the group reads is each row's own, and its place is told; anything else is said once, or by
    several rows alike. A record has the number of its last row. A row of which nobody knows whose
    it is holds up the records beside it, for one of them is short of it; a record whose rows do not
    stand together is held up, too, so a document is gone through twice. Reading raises
    UnreadableFile for one of more than 100,000 records.
    """

    def __init__(self, inner: Reader, name: str, wanted: Wanted) -> None:
        self._inner = inner
        self._name = name
        self._group = wanted.groups[name]
        self._titles = wanted.titles

    @property
    def notices(self) -> tuple[RowFault, ...]:
        return self._inner.notices

    @property
    def rows(self) -> int | None:
        return self._inner.rows

    @property
    def names(self) -> Names:
        return own_names(self._inner)

    def read(self, after: int = 0) -> Iterator[Read]:
        return (record for record in self._records() if record.number > after)

    def _records(self) -> Iterator[Read]:
        apart = self._apart()
        stray_before = False
        for run, following in pairwise(chain(self._runs(), (None,))):
            if run is None or not run.key:
                yield from run.rows if run else ()
                stray_before = True
                continue
            beside = stray_before or (following is not None and not following.key)
            yield self._record(run, beside_a_stray=beside, apart=_digest(run.key) in apart)
            stray_before = False

    def _apart(self) -> Set[bytes]:
        """The keys of rows that do not stand together, by their digests: a key may be long."""
        once: set[bytes] = set()
        again: set[bytes] = set()
        for run in self._runs():
            key = _digest(run.key)
            (again if key in once else once).add(key)
            if len(once) > _MOST_RECORDS:
                reason = f"超过 {_MOST_RECORDS} 件"
                raise UnreadableFile(RowFault(0, "", FaultKind.TOO_LONG, reason, "请分成几个文件"))
        return again

    def _runs(self) -> Iterator[_Run]:
        run: _Run | None = None
        for row in self._inner.read():
            key = self._key(row)
            if isinstance(row, Record) and run is not None and key and run.key == key:
                run.add(row)
                continue
            if run is not None:
                yield run
            run = _Run(key, [row if key else self._stray(row)], row.number, _characters(row))
        if run is not None:
            yield run

    def _key(self, row: Read) -> str:
        return plain(bare(row.columns.get(self._group.by, ""))) if isinstance(row, Record) else ""

    def _stray(self, row: Read) -> Unreadable:
        if isinstance(row, Unreadable):
            return row
        reason = f"{self._titles[self._group.by]}没有填写，不知属于哪一件"
        fault = _fault(row, self._group.by, FaultKind.MISSING, reason, "请补填后重新提供")
        return Unreadable(row.number, row.place, (fault,))

    def _record(self, run: _Run, *, beside_a_stray: bool, apart: bool) -> Read:
        rows = [row for row in run.rows if isinstance(row, Record)]
        first = rows[0]
        columns, units, faults = self._shared(rows)
        title = self._titles[self._group.by]
        if beside_a_stray:
            reason = "上面或下面的行不知属于哪一件，也许是这一件的，因此没有发出"
            advice = "请改正该行，与这一件的各行一并重新提供"
            faults.append(_fault(first, "", FaultKind.MISMATCH, reason, advice))
        elif apart:
            reason = f"{title}相同的行没有排在一起"
            faults.append(
                _fault(first, self._group.by, FaultKind.MISMATCH, reason, "请按此列排序后重新提供")
            )
        if len(rows) > MOST_PARTS:
            reason = f"{title}相同的超过 {MOST_PARTS} 行"
            faults.append(_fault(first, self._group.by, FaultKind.TOO_LONG, reason, "请分成几件"))
        if run.characters > _LONGEST_RECORD:
            reason = f"{title}相同的各行合计超过 {_LONGEST_RECORD} 字"
            faults.append(_fault(first, "", FaultKind.TOO_LONG, reason, "请缩短，或分成几件"))
        if faults:
            return Unreadable(run.last, first.place, tuple(faults))
        own = self._group.titles
        parts = [{name: row.columns[name] for name in own if name in row.columns} for row in rows]
        return Record(
            number=run.last,
            place=first.place,
            columns=columns,
            groups={self._name: parts},
            places={self._name: [row.place for row in rows]},
            units=units,
            part_units={self._name: [row.units for row in rows]},
        )

    def _shared(self, rows: list[Record]) -> tuple[dict[str, str], dict[str, Unit], list[RowFault]]:
        """What the rows say of the whole, in which units, and where they contradict each other."""
        columns: dict[str, str] = {}
        units: dict[str, Unit] = {}
        faults = []
        for row in rows:
            for name in row.columns.keys() & self._titles.keys():
                said, before = row.columns[name], columns.get(name, "")
                if not bare(before):
                    columns[name] = said
                    if unit := row.units.get(name):
                        units[name] = unit
                elif bare(said) and not _alike(plain(bare(said)), plain(bare(before))):
                    reason = f"{self._titles[name]}与同一件前面的行不同"
                    advice = "同一件的各行请填写一致，或只填第一行"
                    faults.append(_fault(row, name, FaultKind.MISMATCH, reason, advice))
        return columns, units, faults


def _alike(said: str, before: str) -> bool:
    """Whether two cells say the same: one day may be written in many ways."""
    return said == before or ((day := day_of(said)) is not None and day == day_of(before))


class GatheredTables(Gathered):
    """The same of a reader of tables."""

    @property
    def tables(self) -> tuple[Table, ...]:
        assert isinstance(self._inner, Tabular)
        return self._inner.tables


def gathered(inner: Reader, name: str, wanted: Wanted) -> Reader:
    """The reader of the records whose rows `inner` reads as `rows_of` says."""
    if isinstance(inner, Tabular):
        return GatheredTables(inner, name, wanted)
    return Gathered(inner, name, wanted)


def rows_of(group: WantedGroup, wanted: Wanted) -> Wanted:
    """What is wanted of each row: the columns of the whole and those of its part."""
    return replace(
        wanted,
        titles={**wanted.titles, **group.titles},
        required=wanted.required | group.required,
        also={**wanted.also, **group.also},
        amounts=wanted.amounts | group.amounts,
        groups={},
    )


def _characters(row: Read) -> int:
    return sum(map(len, row.columns.values())) if isinstance(row, Record) else 0


def _digest(key: str) -> bytes:
    return sha256(key.encode()).digest()


def _fault(row: Record, column: str, kind: FaultKind, reason: str, advice: str) -> RowFault:
    return RowFault(row.place.row, column, kind, reason, advice, row.place.sheet)
