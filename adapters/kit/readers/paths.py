"""Taking the wanted values of a record that is no row, by their paths: of XML and JSON."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from adapters.kit.port import FaultKind, Place, Record, RowFault, Unreadable, UnreadableFile
from adapters.kit.readers.header import similar
from adapters.kit.readers.limits import Limits
from adapters.kit.readers.totals import Tally
from adapters.kit.wanted import Wanted

_MOST_PARTS: Final = 1_000
_LONGEST_RECORD: Final = 1 << 22


@dataclass(frozen=True, slots=True)
class Paths:
    """The wanted paths: the leaves of a record (under "") and of each part, by where it stands;
    the names of groups and of tables by the same; and the ways to any of these."""

    wanted: Wanted
    leaves: Mapping[str, frozenset[str]]
    groups: Mapping[str, str]
    tables: Mapping[str, str]
    ways: frozenset[str]

    @classmethod
    def of(cls, wanted: Wanted) -> "Paths":
        """What the mapping wants, by path."""
        groups = {group.each: name for name, group in wanted.groups.items()}
        tables = {each: name for name, table in wanted.tables.items() for each in table.each}
        leaves = (
            {each: wanted.tables[name].columns for each, name in tables.items()}
            | {each: frozenset(wanted.groups[name].titles) for each, name in groups.items()}
            | {"": frozenset([*wanted.titles, *wanted.also])}
        )
        ways = frozenset(_above([*leaves[""], *groups, *tables]))
        return cls(wanted, leaves, groups, tables, ways)

    def begins_part(self, path: str) -> bool:
        """Whether each element at this path is a part of a group, or a row of a table."""
        return path in self.groups or path in self.tables


@dataclass(frozen=True, slots=True)
class Part:
    """One of the parts that a record holds many of, and what was taken of it so far; `tally` is
    its table's, if only totals are kept."""

    each: str
    leaves: frozenset[str]
    values: dict[str, str]
    tally: Tally | None = None


@dataclass(slots=True)
class Taken:
    """What was taken of a record so far. Values that stand at one path are joined as lines;
    `characters` are those of its parts."""

    paths: Paths
    limits: Limits
    values: dict[str, str] = field(default_factory=dict)
    groups: dict[str, list[dict[str, str]]] = field(default_factory=dict)
    tallies: dict[str, Tally] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)
    unread: dict[str, None] = field(default_factory=dict)
    characters: int = 0

    def part(self, each: str) -> Part:
        """Begin one more part of a group, of too many one that is thrown away; or one more row of
        a table."""
        if name := self.paths.tables.get(each):
            if (tally := self.tallies.get(name)) is None:
                tally = self.tallies[name] = Tally(self.paths.wanted.tables[name])
            return Part(each, self.paths.leaves[each], {}, tally)
        name = self.paths.groups[each]
        part = Part(each, self.paths.leaves[each], {})
        parts = self.groups.setdefault(name, [])
        if len(parts) < _MOST_PARTS:
            parts.append(part.values)
        else:
            self.faults[each] = f"同类项超过 {_MOST_PARTS} 个"
        return part

    def end(self, part: Part) -> None:
        """A part has ended: a row of a table is counted and forgotten."""
        if part.tally:
            part.tally.add(part.values)

    def see(self, part: Part, path: str) -> None:
        """A member of a part, wanted or not: a table tells which columns it has."""
        if part.tally and path not in part.tally.columns:
            if len(part.tally.columns) < self.limits.columns:
                part.tally.columns[path] = None
            else:
                self.faults[part.each] = f"栏目超过 {self.limits.columns} 个"

    def pass_over(self, path: str) -> None:
        """Something with members of its own that nobody reads; what is in it is not named."""
        above = path.rpartition("/")[0]
        named = len(self.unread) < self.limits.columns
        if path and named and (not above or above in self.paths.ways):
            self.unread[path] = None

    def add(self, part: Part | None, path: str, text: str) -> None:
        """A value of a part, or of the record itself; passed over where it is not wanted."""
        if path not in (part.leaves if part else self.paths.leaves[""]):
            return
        if part and part.tally:
            part.values.setdefault(path, text[: self.limits.cell_characters])
            return
        values = part.values if part else self.values
        where = f"{part.each}/{path}" if part else path
        if part:
            self.characters += len(text)
        if self.characters <= _LONGEST_RECORD and where not in self.faults:
            values[path] = f"{values[path]}\n{text}" if path in values else text
            if len(values[path]) > self.limits.cell_characters:
                self.faults[where] = f"内容超过 {self.limits.cell_characters} 字"

    def record(self, number: int, place: Place) -> Record | Unreadable:
        """The record, or what is wrong with it."""
        if self._is_too_long():
            self.faults[""] = f"整条记录超过 {_LONGEST_RECORD} 字"
        if self.faults:
            told = (
                RowFault(place.row, path, FaultKind.TOO_LONG, reason, "请缩短后重新导出")
                for path, reason in sorted(self.faults.items())
            )
            return Unreadable(number=number, place=place, faults=tuple(told))
        totals = {name: tally.totals() for name, tally in self.tallies.items()}
        unread = tuple(self.unread)
        return Record(number, place, self._columns(), self.groups, totals=totals, unread=unread)

    def _is_too_long(self) -> bool:
        most = self.characters + len(self.values) * self.limits.cell_characters
        if most <= _LONGEST_RECORD:
            return False
        return self.characters + sum(map(len, self.values.values())) > _LONGEST_RECORD

    def _columns(self) -> Mapping[str, str]:
        titles, also = self.paths.wanted.titles, self.paths.wanted.also
        if also.keys().isdisjoint(self.values):
            return self.values
        columns = {path: text for path, text in self.values.items() if path in titles}
        for path, text in self.values.items():
            if path not in titles:
                columns.setdefault(also[path], text)
        return columns


def renamed(seen: Collection[str], wanted: Wanted) -> UnreadableFile | None:
    """What is wrong when the first records all lack a required value, and have one that is called
    almost so: it is told once, not with every record."""
    there = {wanted.also.get(path, path) for path in seen}
    absent = [(each, similar(each, sorted(seen), wanted)) for each in wanted.required - there]
    faults = [
        RowFault(
            0,
            column,
            FaultKind.HEADER,
            f"记录中都没有必需的项（{wanted.titles[column]}）",
            f"是否即“{hint}”？可改名称，或在站点映射中写明",
        )
        for column, hint in sorted(absent)
        if hint
    ]
    return UnreadableFile(*faults) if faults else None


def no_record(wanted: Wanted) -> RowFault:
    """The notice of a document that can be read and has no record."""
    reason = f"文件里没有记录（应在 {wanted.records or '最外层'}）"
    advice = "如果应有内容，请核对导出是否完整，或在映射中写明记录的位置"
    return RowFault(0, "", FaultKind.NOTICE, reason, advice)


def _above(paths: Iterable[str]) -> Iterator[str]:
    for path in paths:
        members = path.split("/")
        yield from ("/".join(members[:n]) for n in range(1, len(members)))
