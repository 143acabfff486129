"""A reader that makes one record of a document: all members of an archive together."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from adapters.kit.port import (
    FaultKind,
    Place,
    Reader,
    Record,
    RowFault,
    Totals,
    Unbalanced,
    Unreadable,
)
from adapters.kit.readers.totals import MOST_OPEN
from adapters.kit.wanted import Wanted

_MOST_FAULTS: Final = 1_000
_MOST_UNREAD: Final = 500
_LONGEST: Final = 1 << 22
_ADVICE: Final = "一个文件（或压缩包）里只放一套数据，请分开提供"


class WholeDocument:
    """`Reader` of the one record that the records of another reader make.

    What several of them say must be the same; parts are put together, totals added up. The columns
    "#sha256" and "#size" are of the document's bytes. If any of it is Unreadable, all of it is.
    """

    def __init__(self, reader: Reader, path: Path, *, name: str, wanted: Wanted) -> None:
        self._reader = reader
        self._path = path
        self._name = name
        self._wanted = wanted

    @property
    def notices(self) -> tuple[RowFault, ...]:
        return self._reader.notices

    @property
    def rows(self) -> int | None:
        return 1

    def read(self, after: int = 0) -> Iterator[Record | Unreadable]:
        if after:
            return
        united = _United(self._wanted)
        for each in self._reader.read():
            united.add(each)
        if not united.records:
            return
        place = Place(self._name, 1)
        if united.faults:
            yield Unreadable(1, place, tuple(united.faults))
            return
        columns = {**united.columns, **_facts(self._path)}
        totals, unread = united.totals, tuple(united.unread)
        yield Record(1, place, columns, united.groups, totals=totals, unread=unread)


@dataclass(slots=True)
class _United:
    """What was read so far, as one record."""

    wanted: Wanted
    records: int = 0
    columns: dict[str, str] = field(default_factory=dict)
    groups: dict[str, list[Mapping[str, str]]] = field(default_factory=dict)
    totals: dict[str, Totals] = field(default_factory=dict)
    unread: dict[str, None] = field(default_factory=dict)
    faults: list[RowFault] = field(default_factory=list)
    characters: int = 0

    def add(self, each: Record | Unreadable) -> None:
        self.records += 1
        if len(self.faults) >= _MOST_FAULTS or self.characters > _LONGEST:
            return
        if isinstance(each, Unreadable):
            self.faults.extend(each.faults)
            return
        for column, cell in each.columns.items():
            if cell and self.columns.setdefault(column, cell) != cell:
                title = self.wanted.titles[column]
                reason = f"几个文件（或几处）的“{title}”不一致"
                self.faults.append(
                    RowFault(0, column, FaultKind.MISMATCH, reason, _ADVICE, each.place.sheet)
                )
        self.unread |= dict.fromkeys(each.unread[: _MOST_UNREAD - len(self.unread)])
        inside = (part for parts in each.groups.values() for part in parts)
        self.characters += sum(len(cell) for part in inside for cell in part.values())
        if self.characters > _LONGEST:
            reason = f"各处的同类项合计超过 {_LONGEST} 字"
            self.faults.append(RowFault(0, "", FaultKind.TOO_LONG, reason, _ADVICE))
            return
        for name, parts in each.groups.items():
            self.groups.setdefault(name, []).extend(parts)
        for name, totals in each.totals.items():
            placed = _placed(totals, each.place.sheet)
            self.totals[name] = _sum(self.totals[name], placed) if name in self.totals else placed


def _facts(path: Path) -> dict[str, str]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return {"#sha256": digest, "#size": str(file.seek(0, 2))}


def _placed(totals: Totals, member: str) -> Totals:
    """Totals that tell the member of an archive in which their table stands."""
    if not member:
        return totals
    return replace(
        totals,
        unbalanced={
            number: replace(each, sheet=f"{member}/{each.sheet}")
            for number, each in totals.unbalanced.items()
        },
        faults=tuple(replace(fault, sheet=f"{member}/{fault.sheet}") for fault in totals.faults),
    )


def _sum(one: Totals, other: Totals) -> Totals:
    """The totals of a table that stands in two places."""
    firsts = [each.first for each in (one, other) if each.first]
    lasts = [each.last for each in (one, other) if each.last]
    unbalanced = _still_unbalanced(one.unbalanced, other.unbalanced)
    faults = (*one.faults, *other.faults)
    if len(unbalanced) > MOST_OPEN:
        reason = f"超过 {MOST_OPEN} 个编号两方不等，不能逐一核对"
        advice = "请核对导出程序，重新导出"
        faults = (*faults, RowFault(0, "", FaultKind.BALANCE, reason, advice))
        unbalanced = {}
    return Totals(
        rows=one.rows + other.rows,
        columns=tuple(dict.fromkeys((*one.columns, *other.columns))),
        sums={name: one.sums[name] + other.sums[name] for name in one.sums},
        first=min(firsts, default=None),
        last=max(lasts, default=None),
        unbalanced=unbalanced,
        faults=faults,
    )


def _still_unbalanced(
    one: Mapping[str, Unbalanced], other: Mapping[str, Unbalanced]
) -> dict[str, Unbalanced]:
    both = {**other, **one}
    for number in one.keys() & other.keys():
        excess = one[number].excess + other[number].excess
        both[number] = replace(one[number], excess=excess)
    return {number: each for number, each in both.items() if each.excess}
