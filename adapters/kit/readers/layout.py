"""How people lay a sheet out: merged cells, headers of two rows, and rows of totals."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Final

from adapters.kit.amounts import unit_in, without_unit
from adapters.kit.readers.header import SEARCHED, name_columns
from adapters.kit.wanted import Wanted, canonical

Merged = tuple[int, int, int, int]
_TOTALS: Final = frozenset({"合计", "总计", "小计", "累计", "本页合计"})
# What people write below a table, with a colon and a name: who filled it in, who checked it.
_SIGNED: Final = re.compile(
    r"(填表|填报|制表|审核|审签|复核|经办|编制|单位负责|部门负责|负责)(人|单位|日期|时间)?:"
)


def candidates(
    top: Sequence[Sequence[str]], merged: Sequence[Merged], wanted: Wanted
) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Rows, from 1, that may be the header, with their names; a merged cell names all its columns.

    Below a row with merged cells come the parts of each: "上级/下级", or the lower name alone where
    that is the one that is known and stands there once, with the upper's unit of money.
    """
    filled = _filled(top, merged)
    for row, cells in enumerate(filled[:SEARCHED]):
        if row + 1 < len(filled) and _has_groups(row, cells, merged):
            yield row + 2, _trimmed(_joined(cells, filled[row + 1], wanted))
        yield row + 1, _trimmed(cells)


@dataclass(slots=True)
class Filling:
    """Gives the value of a cell merged downwards to the rows below its first."""

    starting: dict[int, list[tuple[int, int]]]
    running: dict[int, tuple[int, str]] = field(default_factory=dict)

    @classmethod
    def of(cls, merged: Sequence[Merged], *, first: int) -> "Filling":
        """Of the cells that are merged in rows from `first` on."""
        starting: dict[int, list[tuple[int, int]]] = {}
        for top, left, bottom, _ in merged:
            if top >= first and bottom > top:
                starting.setdefault(top, []).append((left, bottom))
        return cls(starting)

    def fill(self, row: int, cells: list[str]) -> None:
        """Fill a row in; every row is to be given, in order."""
        for column, (bottom, value) in list(self.running.items()):
            if bottom < row:
                del self.running[column]
                continue
            cells.extend([""] * (column + 1 - len(cells)))
            cells[column] = cells[column] or value
        for column, bottom in self.starting.get(row, ()):
            self.running[column] = (bottom, cells[column] if column < len(cells) else "")


def is_total(cells: Sequence[str]) -> bool:
    """Whether a row is none of the table's: the first thing it says is 合计, 小计 or the like, or
    every cell says who filled the table in (填表人：…)."""
    said = filter(str.strip, cells)
    first = next(said, "")
    if first.isascii():
        return False
    if "计" in first and canonical(first).rstrip(":") in _TOTALS:
        return True
    return all(_SIGNED.match(canonical(cell)) for cell in (first, *said))


def _filled(top: Sequence[Sequence[str]], merged: Sequence[Merged]) -> list[list[str]]:
    width = max(map(len, top), default=0)
    filled = [[*row, *[""] * (width - len(row))] for row in top]
    for first, left, last, right in merged:
        if first < len(filled) and left < width:
            for row in filled[first : last + 1]:
                row[left : right + 1] = [filled[first][left]] * (min(right + 1, width) - left)
    return filled


def _has_groups(row: int, cells: Sequence[str], merged: Sequence[Merged]) -> bool:
    """A title over the whole table is no group."""
    named = {cell for cell in cells if cell.strip()}
    return len(named) > 1 and any(
        top == bottom == row and right > left for top, left, bottom, right in merged
    )


def _joined(upper: Sequence[str], lower: Sequence[str], wanted: Wanted) -> list[str]:
    known = {*wanted.titles, *wanted.also, *wanted.ignored}
    below = Counter(map(canonical, lower))
    names = []
    for over, under in zip_longest(map(canonical, upper), map(canonical, lower), fillvalue=""):
        whole = f"{over}/{under}"
        if over == under or not (over and under):
            names.append(over or under)
        elif whole not in known and below[under] == 1 and _amount(under, wanted):
            unit = unit_in(over)
            names.append(f"{under}({unit})" if unit and not unit_in(under) else under)
        elif whole not in known and under in known and below[under] == 1:
            names.append(under)
        else:
            names.append(whole)
    return names


def _amount(name: str, wanted: Wanted) -> bool:
    """Whether a name, with a unit at its end or without, is that of a column of money."""
    bare = name if name in wanted.titles else without_unit(name)
    return wanted.also.get(bare, bare) in wanted.amounts


def _trimmed(cells: Sequence[str]) -> tuple[str, ...]:
    names = list(name_columns(cells))
    while names and not names[-1]:
        names.pop()
    return tuple(names)
