"""Taking the wanted values of a record that is no row, by their paths: of XML and JSON."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from adapters.kit.port import FaultKind, Place, Record, RowFault, Unreadable
from adapters.kit.readers.limits import Limits
from adapters.kit.wanted import Wanted

_MOST_PARTS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Paths:
    """The wanted paths: those of a record, the names of groups by where each part stands, and the
    ways to any of these."""

    wanted: Wanted
    leaves: frozenset[str]
    parts: Mapping[str, str]
    ways: frozenset[str]

    @classmethod
    def of(cls, wanted: Wanted) -> "Paths":
        """What the mapping wants, by path."""
        leaves = frozenset([*wanted.titles, *wanted.also])
        parts = {group.each: name for name, group in wanted.groups.items()}
        return cls(wanted, leaves, parts, frozenset(_above([*leaves, *parts])))


@dataclass(frozen=True, slots=True)
class Part:
    """One of the parts that a record holds many of, and what was taken of it so far."""

    each: str
    leaves: frozenset[str]
    values: dict[str, str]


@dataclass(slots=True)
class Taken:
    """What was taken of a record so far. Values that stand at one path are joined as lines."""

    paths: Paths
    limits: Limits
    values: dict[str, str] = field(default_factory=dict)
    groups: dict[str, list[dict[str, str]]] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)

    def part(self, each: str) -> Part:
        """Begin one more part of a group; of too many, one that is thrown away."""
        name = self.paths.parts[each]
        part = Part(each, frozenset(self.paths.wanted.groups[name].titles), {})
        parts = self.groups.setdefault(name, [])
        if len(parts) < _MOST_PARTS:
            parts.append(part.values)
        else:
            self.faults[each] = f"同类项超过 {_MOST_PARTS} 个"
        return part

    def add(self, part: Part | None, path: str, text: str) -> None:
        """A value of a part, or of the record itself; passed over where it is not wanted."""
        if path not in (part.leaves if part else self.paths.leaves):
            return
        values = part.values if part else self.values
        values[path] = f"{values[path]}\n{text}" if path in values else text
        if len(values[path]) > self.limits.cell_characters:
            values[path] = ""
            where = f"{part.each}/{path}" if part else path
            self.faults[where] = f"内容超过 {self.limits.cell_characters} 字"

    def record(self, number: int, place: Place) -> Record | Unreadable:
        """The record, or what is wrong with it."""
        if self.faults:
            told = (
                RowFault(place.row, path, FaultKind.TOO_LONG, reason, "请缩短后重新导出")
                for path, reason in sorted(self.faults.items())
            )
            return Unreadable(number=number, place=place, faults=tuple(told))
        return Record(number=number, place=place, columns=self._columns(), groups=self.groups)

    def _columns(self) -> dict[str, str]:
        titles, also = self.paths.wanted.titles, self.paths.wanted.also
        columns = {path: text for path, text in self.values.items() if path in titles}
        for path, text in self.values.items():
            if path not in titles:
                columns.setdefault(also[path], text)
        return columns


def no_record(wanted: Wanted) -> RowFault:
    """The notice of a document that can be read and has no record."""
    reason = f"文件里没有记录（应在 {wanted.records or '最外层'}）"
    advice = "如果应有内容，请核对导出是否完整，或在映射中写明记录的位置"
    return RowFault(0, "", FaultKind.NOTICE, reason, advice)


def _above(paths: Iterable[str]) -> Iterator[str]:
    for path in paths:
        members = path.split("/")
        yield from ("/".join(members[:n]) for n in range(1, len(members)))
