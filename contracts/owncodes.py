"""The codes of one installation: the shipped lists and regions, and its own beside them.

Its own stand in a directory, a CSV file per list, `region_overlay.csv` for regions. They add to
open lists and to the regions; they never change what is shipped, and never open a closed list.
What a later release ships under the same code takes their place.
"""

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Final

from contracts import codelists, region
from contracts.codelists import CodeList, Member, code_list, list_names, member_of
from contracts.region import Region, Regions, load_regions, region_of, regions_with
from contracts.tables import MOST_BYTES, Refused, Row, RowFault, read_table

# Where a hub finds them, below its data directory.
CODES: Final = "codes"
REGIONS: Final = "region_overlay"
MOST_LEVELS: Final = 6
_LISTED: Final = re.compile(r"[^\s,*]{1,32}")
_REGION: Final = re.compile(r"[0-9]{6}")
_DAYS: Final = ("valid_from", "valid_until")


@dataclass(frozen=True, slots=True, eq=False)
class Codes:
    """What payloads are checked against. `list_of` answers for the names of shipped lists."""

    list_of: Callable[[str], CodeList]
    regions: Callable[[], Regions]


SHIPPED: Final = Codes(list_of=code_list, regions=load_regions)


class CodesDamaged(ValueError):
    """The installation's own codes have faults: correct the file and start again."""

    def __init__(self, path: Path, refused: Refused) -> None:
        self.faults = refused.faults
        lines = (f"{path}: {told(fault)}" for fault in refused.faults[:20])
        super().__init__("\n".join(("本地代码表有误 / the installation's own codes", *lines)))


@dataclass(frozen=True, slots=True)
class Change:
    """What an import makes of an installation's file of one list: codes, and its text after it."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    unchanged: tuple[str, ...]
    text: str


def told(fault: RowFault) -> str:
    """A fault as one line."""
    place, place_en = (f"第 {fault.row} 行", f"row {fault.row}") if fault.row else ("文件", "file")
    column = f" {fault.column}" if fault.column else ""
    return f"{place}{column}：{fault.message} / {place_en}{column}: {fault.message_en}"


def columns_of(name: str) -> tuple[str, ...]:
    """The columns of a list's file."""
    return region.COLUMNS if name == REGIONS else codelists.COLUMNS


def load_codes(directory: Path) -> Codes:
    """The shipped codes, and those of the directory, which need not be there.

    Raises CodesDamaged, or OSError for a file that cannot be read.
    """
    own = {path.stem: _own_rows(path) for path in sorted(directory.glob("*.csv"))}
    regions = regions_with(region_of(row.cells) for row in own.pop(REGIONS, ()))
    lists = {
        name: code_list(name).extended(member_of(row.cells) for row in rows)
        for name, rows in own.items()
    }
    return Codes(list_of=lambda name: lists.get(name) or code_list(name), regions=lambda: regions)


def own_rows(directory: Path, name: str) -> tuple[Row, ...]:
    """The installation's rows of one list; none if it has no file. Raises as `load_codes` does."""
    path = directory / f"{name}.csv"
    return _own_rows(path) if path.exists() else ()


def change(name: str, content: bytes, kept: tuple[Row, ...]) -> Change | Refused:
    """What a file would make of the rows that are kept. A refused one makes nothing of them."""
    rows = read_table(content, columns_of(name)) if _may_grow(name) else _closed(name)
    if isinstance(rows, Refused):
        return rows
    shipped = _shipped(name)
    faults = tuple(_faults(name, rows, kept)) or tuple(
        _at(row, "code", "已随系统提供，不能改动", "is shipped and cannot be changed")
        for row in rows
        if shipped.get(row.cells["code"]) not in (None, _meaning(name, row))
    )
    if faults:
        return Refused(faults)
    before = {row.cells["code"]: row for row in kept}
    now = {row.cells["code"]: row for row in rows}
    same = [c for c, row in now.items() if c in shipped or _equal(name, row, before.get(c))]
    added = [code for code in now if code not in before and code not in shipped]
    merged = before | {code: row for code, row in now.items() if code not in shipped}
    text = _written(columns_of(name), merged.values())
    whole = _sound(name, text.encode()) if merged else ()
    if isinstance(whole, Refused):
        return Refused(tuple(_beside_kept(fault) for fault in whole.faults))
    return Change(
        added=tuple(added),
        changed=tuple(code for code in now if code not in {*added, *same}),
        unchanged=tuple(same),
        text=text,
    )


def _written(columns: tuple[str, ...], rows: Iterable[Row]) -> str:
    text = io.StringIO(newline="")
    table = csv.DictWriter(text, columns, lineterminator="\n")
    table.writeheader()
    table.writerows(row.cells for row in rows)
    return text.getvalue()


def _equal(name: str, row: Row, before: Row | None) -> bool:
    return before is not None and _meaning(name, row) == _meaning(name, before)


def _beside_kept(fault: RowFault) -> RowFault:
    """A fault that only shows once a file stands beside what was imported before."""
    message = f"与以前导入的代码合并后：{fault.message}"
    return RowFault(0, fault.column, message, f"beside earlier imports: {fault.message_en}")


def _own_rows(path: Path) -> tuple[Row, ...]:
    with path.open("rb") as file:
        content = file.read(MOST_BYTES + 1)
    rows = _sound(path.stem, content)
    if isinstance(rows, Refused):
        raise CodesDamaged(path, rows)
    return rows


def _sound(name: str, content: bytes) -> tuple[Row, ...] | Refused:
    """The rows of an installation's file, without those that a release has come to ship."""
    rows = read_table(content, columns_of(name)) if _may_grow(name) else _closed(name)
    if isinstance(rows, Refused):
        return rows
    shipped = _shipped(name)
    rows = tuple(row for row in rows if row.cells["code"] not in shipped)
    faults = tuple(_faults(name, rows, ()))
    return Refused(faults) if faults else rows


def _may_grow(name: str) -> bool:
    return name == REGIONS or (name in list_names() and not code_list(name).closed)


def _closed(name: str) -> Refused:
    if name not in list_names():
        message = "没有这个代码表：文件名应为代码表的名称"
        message_en = "no such code list: the file bears the name of one"
    else:
        message = f"代码表 {name} 是封闭的，不能添加"
        message_en = f"code list {name} is closed: nothing can be added"
    return Refused((RowFault(0, "", message, message_en),))


def _shipped(name: str) -> Mapping[str, Member | Region]:
    if name == REGIONS:
        return load_regions().rows
    return {code: replace(m, source="") for code, m in code_list(name).members.items()}


def _meaning(name: str, row: Row) -> Member | Region:
    """What a row says, whatever its source."""
    if name == REGIONS:
        return region_of(row.cells)
    return replace(member_of(row.cells), source="")


def _at(row: Row, column: str, message: str, message_en: str) -> RowFault:
    return RowFault(row.number, column, message, message_en)


def _faults(name: str, rows: tuple[Row, ...], kept: tuple[Row, ...]) -> Iterator[RowFault]:
    """What is wrong with the rows, each alone and beside each other and those kept."""
    parents = {code: entry.parent for code, entry in _shipped(name).items()}
    parents |= {row.cells["code"]: row.cells["parent"] or None for row in (*kept, *rows)}
    seen: set[str] = set()
    for row in rows:
        code = row.cells["code"]
        if not (_REGION if name == REGIONS else _LISTED).fullmatch(code):
            yield _malformed(name, row)
        elif code in seen:
            yield _at(row, "code", "代码重复", "the code stands twice")
        seen.add(code)
        title = "name" if name == REGIONS else "label"
        if not row.cells[title]:
            yield _at(row, title, "缺少名称", "the name is missing")
        yield from _wrong_days(row)
        yield from _wrong_links(name, row, parents)


def _malformed(name: str, row: Row) -> RowFault:
    if name == REGIONS:
        return _at(row, "code", "应为 6 位数字", "must be 6 digits")
    message = "应为 1 至 32 个字符，不含空格、逗号和星号"
    message_en = "must be 1 to 32 characters without spaces, commas and asterisks"
    return _at(row, "code", message, message_en)


def _wrong_days(row: Row) -> Iterator[RowFault]:
    days = [_day(row.cells[column]) for column in _DAYS]
    for column, day in zip(_DAYS, days, strict=True):
        if row.cells[column] and day is None:
            yield _at(row, column, "应为日期，如 2026-11-01", "must be a date like 2026-11-01")
    start, end = days
    if start and end and start > end:
        yield _at(row, "valid_until", "早于 valid_from", "is before valid_from")


def _day(text: str) -> date | None:
    try:
        return (
            date.fromisoformat(text) if re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", text) else None
        )
    except ValueError:
        return None


def _wrong_links(name: str, row: Row, parents: Mapping[str, str | None]) -> Iterator[RowFault]:
    parent = row.cells["parent"]
    if name == REGIONS and not parent:
        yield _at(row, "parent", "缺少上级代码", "the parent is missing")
    if parent and parent not in parents:
        yield _at(row, "parent", "上级代码不存在", "the parent is not listed")
    elif parent and _too_deep(row.cells["code"], parents):
        message = f"上级代码成环，或超过 {MOST_LEVELS} 级"
        message_en = f"parents go in a circle, or through more than {MOST_LEVELS} levels"
        yield _at(row, "parent", message, message_en)
    successor = row.cells.get("successor", "")
    if successor and not load_regions().known(successor):
        message = "应为随系统提供的行政区划代码"
        yield _at(row, "successor", message, "must be a region code that is shipped")


def _too_deep(code: str, parents: Mapping[str, str | None]) -> bool:
    step: str | None = code
    for _ in range(MOST_LEVELS):
        step = parents.get(step) if step else None
    return step is not None
