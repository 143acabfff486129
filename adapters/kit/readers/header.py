"""Finding the header of a table: below title rows, by the columns that the mapping needs."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from adapters.kit.port import FaultKind, RowFault, UnreadableFile
from adapters.kit.wanted import Wanted, canonical

SEARCHED: Final = 10
_LONGEST_HINT: Final = 40


@dataclass(frozen=True, slots=True)
class Header:
    """A header row: its place, its canonical names by position, and what people should know."""

    row: int
    names: tuple[str, ...]
    notices: tuple[RowFault, ...]


def name_columns(cells: Iterable[str]) -> tuple[str, ...]:
    """Canonical names by position; the second `名称` is `名称#2`, a blank cell has no name."""
    seen: Counter[str] = Counter()
    names = []
    for name in map(canonical, cells):
        seen[name] += 1
        names.append(f"{name}#{seen[name]}" if name and seen[name] > 1 else name)
    return tuple(names)


def find_header(rows: Sequence[tuple[int, Sequence[str]]], wanted: Wanted) -> Header:
    """The first row with every required column. Raises UnreadableFile, each column told once."""
    named = [(row, name_columns(cells)) for row, cells in rows]
    for row, names in named:
        if wanted.required.issubset(names):
            return Header(row=row, names=names, notices=_notices(row, names, wanted))
    likely = max(named, key=lambda each: len(wanted.required.intersection(each[1])), default=None)
    # A row that has few of the names may be data, and data is never quoted.
    if likely is None or 2 * len(wanted.required.intersection(likely[1])) < len(wanted.required):
        raise UnreadableFile(_no_header(wanted))
    row, names = likely
    absent = sorted(wanted.required.difference(names))
    raise UnreadableFile(*(_missing(row, column, names, wanted) for column in absent))


def _no_header(wanted: Wanted) -> RowFault:
    columns = "、".join(sorted(wanted.required))
    reason = f"前 {SEARCHED} 行内没有找到表头（须有列：{columns}）"
    return RowFault(
        0, "", FaultKind.HEADER, reason, "请保留导出文件原有的表头行，或在站点映射中改列名"
    )


def _missing(row: int, column: str, names: Sequence[str], wanted: Wanted) -> RowFault:
    reason = f"表头缺少必需的列（{wanted.titles[column]}）"
    hint = _similar(column, names, wanted)
    advice = f"是否即列“{hint}”？可改表头，或在站点映射中写明" if hint else "请在导出时勾选该列"
    return RowFault(row, column, FaultKind.HEADER, reason, advice)


def _notices(row: int, names: Sequence[str], wanted: Wanted) -> tuple[RowFault, ...]:
    """Columns that may be absent, but seem to stand there under another name."""
    absent = sorted(wanted.titles.keys() - set(names))
    found = [(column, _similar(column, names, wanted)) for column in absent]
    return tuple(
        RowFault(
            row,
            column,
            FaultKind.NOTICE,
            f"没有列“{column}”（{wanted.titles[column]}），该项按空白处理",
            f"是否即列“{hint}”？若是，请改表头或在站点映射中写明",
        )
        for column, hint in found
        if hint
    )


def _similar(column: str, names: Sequence[str], wanted: Wanted) -> str | None:
    """The column that is nobody's and whose name is most like the wanted one or its title."""
    spare = [
        name
        for name in names
        if 0 < len(name) <= _LONGEST_HINT
        and name not in wanted.titles
        and name not in wanted.ignored
    ]
    for wish in (column, canonical(wanted.titles[column])):
        if close := get_close_matches(wish, spare, n=1, cutoff=0.7):
            return close[0]
    return None
