"""Giving records the rows of their lists: other sheets of the workbook, joined by one column."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from msgspec.structs import replace

from adapters.kit.convert import bare, plain
from adapters.kit.port import FaultKind, Place, Record, RowFault, Unreadable, UnreadableFile
from adapters.kit.readers.limits import Limits
from adapters.kit.wanted import WantedGroup

Read = Record | Unreadable

_TOO_LARGE: Final = "请分成几个文件"
_TOGETHER: Final = "请改正清单中标出的行，整个工作簿一并重新提供"


@dataclass(slots=True)
class Lists:
    """The rows of a workbook's lists, each with the record that it belongs to.

    A row belongs to the record that says the same in the group's column, and one that says nothing
    to the only record there is. While a row belongs to nobody no record is complete, for nobody
    knows whose is short of it.
    """

    groups: Mapping[str, WantedGroup]
    keys: Mapping[str, Counter[str]]
    only: Record | None
    belonging: dict[tuple[str, str], list[Read]] = field(default_factory=dict)
    strangers: list[Unreadable] = field(default_factory=list)

    @classmethod
    def of(
        cls,
        groups: Mapping[str, WantedGroup],
        records: Iterable[Read],
        rows: Mapping[str, Iterable[Read]],
        limits: Limits,
    ) -> "Lists":
        """`rows`: those of each group. Raises UnreadableFile for more than the limits allow."""
        keys: dict[str, Counter[str]] = {group.by: Counter() for group in groups.values()}
        count, last = 0, None
        for record in records:
            count += 1
            if count > limits.list_rows:
                raise _too_large(f"带清单的记录超过 {limits.list_rows} 条")
            last = record
            if isinstance(record, Record):
                for by, said in keys.items():
                    said[_key(record, by)] += 1
        only = last if count == 1 and isinstance(last, Record) else None
        lists = cls(groups, keys, only)
        for name, row in _within(rows, limits):
            lists._add(name, row)
        return lists

    def complete(self, record: Read) -> Read:
        """A record with its rows, or what is wrong with it or them."""
        if isinstance(record, Unreadable):
            return record
        if self.strangers:
            return _held_up(record, "清单中有的行不知属于哪一件，因此没有发出", _TOGETHER)
        parts: dict[str, list[Record]] = {}
        faults: list[RowFault] = []
        for name, group in self.groups.items():
            key = _key(record, group.by)
            rows = self.belonging.get((name, key), ())
            if rows and self.keys[group.by][key] > 1:
                reason = "与另一行的编号相同，不知清单属于哪一行"
                return _held_up(record, reason, "请只留一行，或改正编号", group.by)
            for row in rows:
                if isinstance(row, Unreadable):
                    faults.extend(row.faults)
            parts[name] = [row for row in rows if isinstance(row, Record)]
        if faults:
            return Unreadable(record.number, record.place, tuple(faults))
        return replace(
            record,
            groups={name: [row.columns for row in rows] for name, rows in parts.items()},
            places={name: [row.place for row in rows] for name, rows in parts.items()},
            part_units={name: [row.units for row in rows] for name, rows in parts.items()},
        )

    def _add(self, name: str, row: Read) -> None:
        by = self.groups[name].by
        key = _key(row, by) if isinstance(row, Record) else ""
        if not key and self.only:
            key = _key(self.only, by)
        elif not key or not self.keys[by][key]:
            self.strangers.append(_stranger(row, by, blank=not key))
            return
        self.belonging.setdefault((name, key), []).append(row)


def _within(rows: Mapping[str, Iterable[Read]], limits: Limits) -> Iterator[tuple[str, Read]]:
    count = characters = 0
    for name, every in rows.items():
        for row in every:
            count += 1
            if isinstance(row, Record):
                characters += sum(map(len, row.columns.values()))
            if count > limits.list_rows:
                raise _too_large(f"清单超过 {limits.list_rows} 行")
            if characters > limits.list_characters:
                raise _too_large(f"清单超过 {limits.list_characters} 字")
            yield name, row


def _key(record: Record, by: str) -> str:
    return plain(bare(record.columns.get(by, "")))


def _stranger(row: Read, by: str, *, blank: bool) -> Unreadable:
    if isinstance(row, Unreadable):
        return row
    reason = f"没有填写“{by}”，不知属于哪一件" if blank else f"没有“{by}”与此相同的记录"
    fault = _fault(row.place, by, reason, "请照主表填写，与主表的编号一致")
    return Unreadable(row.number, row.place, (fault,))


def _held_up(record: Record, reason: str, advice: str, column: str = "") -> Unreadable:
    fault = _fault(record.place, column, reason, advice)
    return Unreadable(record.number, record.place, (fault,))


def _fault(place: Place, column: str, reason: str, advice: str) -> RowFault:
    return RowFault(place.row, column, FaultKind.MISMATCH, reason, advice, place.sheet)


def _too_large(reason: str) -> UnreadableFile:
    return UnreadableFile(RowFault(0, "", FaultKind.TOO_LONG, reason, _TOO_LARGE))
