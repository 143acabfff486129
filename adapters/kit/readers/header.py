"""Finding the header of a table: below title rows, by the columns that the mapping needs."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from adapters.kit.amounts import Unit, unit_in, unit_told, without_unit
from adapters.kit.port import FaultKind, RowFault, UnreadableFile
from adapters.kit.readers.limits import Limits
from adapters.kit.wanted import PROBLEMS, Wanted, canonical

SEARCHED: Final = 10
_LONGEST_HINT: Final = 40
_PROBLEMS: Final = canonical(PROBLEMS)


@dataclass(frozen=True, slots=True)
class Header:
    """A header row: its place, its canonical names by position, and what people should know.
    `units`: column of money → the unit that its name there, or else a title row, says; `own`:
    what the table itself calls a column that is known by another name."""

    row: int
    names: tuple[str, ...]
    notices: tuple[RowFault, ...]
    units: Mapping[str, Unit]
    own: Mapping[str, str]


def name_columns(cells: Iterable[str]) -> tuple[str, ...]:
    """Canonical names by position; the second `名称` is `名称#2`, a blank cell has no name."""
    seen: Counter[str] = Counter()
    names = []
    for name in map(canonical, cells):
        seen[name] += 1
        names.append(f"{name}#{seen[name]}" if name and seen[name] > 1 else name)
    return tuple(names)


def find_header(
    rows: Sequence[tuple[int, tuple[str, ...]]], wanted: Wanted, limits: Limits
) -> Header:
    """The first of these rows of names with every required column, and any wanted one.

    A column found under another name (`Wanted.also`) has its own in the answer. Raises
    UnreadableFile, each column told once.
    """
    settled = [(row, *_settled(names, wanted)) for row, names in rows]
    for at, (row, names, doubled) in enumerate(settled):
        if wanted.required.issubset(names) and not wanted.titles.keys().isdisjoint(names):
            if len(names) > limits.columns:
                raise UnreadableFile(_too_many(row, len(names), limits))
            notices = (*_notices(row, names, wanted), *_doubled(row, doubled, wanted))
            titles = [title for above, cells in rows[:at] if above < row for title in cells]
            written = rows[at][1]
            units = _units(written, names, wanted, unit_told(titles))
            own = {name: its for name, its in zip(names, written, strict=True) if name != its}
            return Header(row=row, names=names, notices=notices, units=units, own=own)
    likely = max(settled, key=lambda each: len(wanted.required.intersection(each[1])), default=None)
    # A row that has few of the names may be data, and data is never quoted.
    if (
        likely is None
        or not wanted.required
        or 2 * len(wanted.required.intersection(likely[1])) < len(wanted.required)
    ):
        raise UnreadableFile(_no_header(wanted))
    row, names, _ = likely
    absent = sorted(wanted.required.difference(names))
    raise UnreadableFile(*(_missing(row, column, names, wanted) for column in absent))


def _settled(names: Sequence[str], wanted: Wanted) -> tuple[tuple[str, ...], dict[str, str]]:
    """Names as the mapping knows them; and the columns that stand there more than once, each with
    the name under which it is read."""
    read_as = {name: name for name in names if name in wanted.titles}
    doubled, settled = {}, []
    for name in names:
        column = _meant(name, names, wanted)
        if column not in wanted.titles:
            settled.append(name)
        elif read_as.setdefault(column, name) == name:
            settled.append(column)
        else:
            settled.append(name)
            doubled[column] = read_as[column]
    return tuple(settled), doubled


def _meant(name: str, names: Sequence[str], wanted: Wanted) -> str:
    """The column that a name stands for; a `名称#2` that nobody knows is `名称` again."""
    if name in wanted.titles or name in wanted.ignored:
        return name
    first, _, nth = name.rpartition("#")
    known = first if name not in wanted.also and nth.isdecimal() and first in names else name
    meant = wanted.also.get(known, known)
    amount = wanted.also.get(without_unit(known), without_unit(known))
    return amount if meant not in wanted.titles and amount in wanted.amounts else meant


def _units(
    written: Sequence[str], names: Sequence[str], wanted: Wanted, told: Unit | None
) -> Mapping[str, Unit]:
    """The units of the columns of money, which stand there as `written`; `told` is the title's."""
    said = (
        (column, unit_in(name) or unit_in(column) or told)
        for name, column in zip(written, names, strict=True)
        if column in wanted.amounts
    )
    return {column: unit for column, unit in said if unit}


def _no_header(wanted: Wanted) -> RowFault:
    columns = "、".join(sorted(wanted.required or wanted.titles))
    reason = f"前 {SEARCHED} 行内没有找到表头（须有列：{columns}）"
    return RowFault(
        0, "", FaultKind.HEADER, reason, "请保留导出文件原有的表头行，或在站点映射中改列名"
    )


def _too_many(row: int, columns: int, limits: Limits) -> RowFault:
    reason = f"表头有 {columns} 列，超过 {limits.columns} 列"
    return RowFault(row, "", FaultKind.HEADER, reason, "请只导出需要的列")


def _missing(row: int, column: str, names: Sequence[str], wanted: Wanted) -> RowFault:
    reason = f"表头缺少必需的列（{wanted.titles[column]}）"
    hint = similar(column, names, wanted)
    advice = f"是否即列“{hint}”？可改表头，或在站点映射中写明" if hint else "请在导出时勾选该列"
    return RowFault(row, column, FaultKind.HEADER, reason, advice)


def _notices(row: int, names: Sequence[str], wanted: Wanted) -> tuple[RowFault, ...]:
    """Columns that may be absent, but seem to stand there under another name."""
    absent = sorted(wanted.titles.keys() - set(names))
    found = [(column, similar(column, names, wanted)) for column in absent]
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


def _doubled(row: int, doubled: Mapping[str, str], wanted: Wanted) -> tuple[RowFault, ...]:
    return tuple(
        RowFault(
            row,
            column,
            FaultKind.NOTICE,
            f"表头中“{wanted.titles[column]}”不止一列，只读取“{doubled[column]}”一列",
            "请删去多余的列，或在站点映射中写明用哪一列",
        )
        for column in sorted(doubled)
    )


def similar(column: str, names: Collection[str], wanted: Wanted) -> str | None:
    """The column that is nobody's and whose name is most like the wanted one, its title or another
    of its names."""
    spare = [
        name
        for name in names
        if 0 < len(name) <= _LONGEST_HINT
        and name not in wanted.titles
        and name not in wanted.ignored
        and name != _PROBLEMS
    ]
    # Paths through the same members are alike whatever they lead to.
    others = (also for also, meant in wanted.also.items() if meant == column and "/" not in also)
    for wish in (column, canonical(wanted.titles[column]), *others):
        if close := get_close_matches(wish, spare, n=1, cutoff=0.7):
            return close[0]
    return None
