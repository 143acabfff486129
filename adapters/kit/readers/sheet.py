"""A reader of workbooks (xlsx, xls, et, ods) as people keep them."""

import errno
import os
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, islice
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Final, Protocol

from adapters.kit.port import FaultKind, Place, Record, RowFault, Unreadable, UnreadableFile
from adapters.kit.readers.apart import run_apart
from adapters.kit.readers.frames import NOT_WRITTEN, TOO_LONG, Refused, Rows, Sheet, Why, read_frame
from adapters.kit.readers.header import SEARCHED, Header, find_header
from adapters.kit.readers.layout import Filling, candidates, is_total
from adapters.kit.readers.limits import Limits
from adapters.kit.readers.lists import Lists
from adapters.kit.readers.patterns import counts, quoted
from adapters.kit.readers.table import Lines, Table
from adapters.kit.templatemark import MARK, Mark, aside, mark_in, read_as
from adapters.kit.wanted import Wanted, canonical

# Of computing: to begin with, and for each MiB; a slow machine needs a tenth of it.
_SECONDS: Final = 10
_SECONDS_PER_MIB: Final = 4
_REFUSALS: Final[Mapping[Why, tuple[str, str]]] = {
    "encrypted": ("工作簿设有打开密码", "请在表格软件中取消密码后另存"),
    "damaged": ("工作簿已损坏，或不是表格文件", "请用表格软件打开，另存为 xlsx 后重新提供"),
    "large": ("工作簿展开后过大，或结构异常", "请删去远处多余的单元格，或分成几个文件"),
}


class OpenWorkbook(Protocol):
    """Opens a reader of the workbook at `path`. Raises UnreadableFile, or OSError."""

    def __call__(
        self, path: Path, name: str, wanted: Wanted, limits: Limits
    ) -> AbstractContextManager["Workbook"]: ...


@contextmanager
def opened_workbook(path: Path, name: str, wanted: Wanted, limits: Limits) -> Iterator["Workbook"]:
    """What `OpenWorkbook` says. What it holds stands meanwhile in a file without a name."""
    with opening_again() as open_workbook, open_workbook(path, name, wanted, limits) as workbook:
        yield workbook


@contextmanager
def opening_again() -> Iterator[OpenWorkbook]:
    """Opens one workbook for several readers, one after the other; it is taken apart once."""
    with TemporaryFile() as frames:
        taken: list[Why | None] = []

        @contextmanager
        def opened(path: Path, name: str, wanted: Wanted, limits: Limits) -> Iterator[Workbook]:
            if not taken:
                seconds = _SECONDS + _SECONDS_PER_MIB * (path.stat().st_size >> 20)
                taken.append(take_apart(path, frames, seconds=seconds, go_on=limits.go_on))
            if taken[0]:
                raise _refused(taken[0])
            yield Workbook(frames, name=name, wanted=wanted, limits=limits)

        yield opened


def take_apart(
    path: Path, frames: IO[bytes], *, seconds: int, go_on: Callable[[], None]
) -> Why | None:
    """Write a workbook's frames to a file within so much computing, or tell why not. Raises
    OSError when the file is full, and what `go_on` does."""
    module = "adapters.kit.readers.calamine"
    ended = run_apart(module, path, frames, seconds=seconds, go_on=go_on)
    if ended == NOT_WRITTEN:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    if ended == TOO_LONG or ended < 0:
        return "large"
    return "damaged" if ended else None


def _refused(why: Why) -> UnreadableFile:
    return UnreadableFile(RowFault(0, "", FaultKind.FILE, *_REFUSALS[why]))


@dataclass(frozen=True, slots=True)
class _Seen:
    """A sheet, its first rows, where its rows begin among the frames, and the rows before it."""

    sheet: Sheet
    top: list[list[str]]
    position: int
    offset: int


@dataclass(frozen=True, slots=True)
class _Table:
    """A sheet with a header, and which of its columns are wanted, by position."""

    seen: _Seen
    header: Header
    columns: tuple[tuple[int, str], ...]


class Workbook:
    """`Reader` of one workbook: every sheet with the header, title rows and merged cells.

    The number of a record is its row, behind those of all sheets before. A cell merged downwards
    counts in each of its rows. Sheets without the header, and hidden ones, are passed over and
    told; blank rows and those of totals are passed over, and a template's own sheets. Opening
    raises UnreadableFile when no sheet has the header, or for a workbook that came from another
    adapter's template.
    Sheets of lists come behind the others; of their rows only those that belong to no record come
    as `Unreadable`, the others with their record.
    """

    def __init__(self, frames: IO[bytes], *, name: str, wanted: Wanted, limits: Limits) -> None:
        self._frames = frames
        self._name = name
        self._limits = limits
        sheets = list(self._sheets())
        self._rows = sum(seen.sheet.rows for seen in sheets)
        self._mark = mark = _mark_of(sheets)
        read = read_as(mark, wanted)
        self._before = read.before
        self._wanted = read.wanted
        counted = [seen for seen in sheets if not aside(seen.sheet.name, mark)]
        self._several = len(counted) > 1
        listed = {seen.sheet.name: _list_of(seen.sheet.name, wanted) for seen in counted}
        records = [seen for seen in counted if not listed[seen.sheet.name]]
        lists = [seen for seen in counted if listed[seen.sheet.name]]
        placed = iter(_placed([*records, *lists]))
        self._tables, told = self._found(list(islice(placed, len(records))), read.wanted)
        self._lists, more = self._found_lists(list(placed), listed)
        self._notices = (*read.notices, *told, *more)

    @property
    def notices(self) -> tuple[RowFault, ...]:
        return self._notices

    @property
    def rows(self) -> int | None:
        return self._rows

    @property
    def tables(self) -> tuple[Table, ...]:
        return tuple(
            Table(
                sheet=self._place(found.seen),
                title=found.seen.sheet.name,
                header=found.header,
                merged=found.seen.sheet.merged,
                lines=partial(self._lines, found),
                mark=self._mark,
            )
            for found in (*self._tables, *(table for _, table in self._lists))
        )

    def _lines(self, found: _Table) -> Lines:
        filling = Filling.of(found.seen.sheet.merged, first=found.header.row)
        for row, cells in enumerate(self._cells(found.seen)):
            if row >= found.header.row:
                filling.fill(row, cells)
            yield row + 1, cells

    def read(self, after: int = 0) -> Iterator[Record | Unreadable]:
        if not self._lists:
            yield from self._records(after)
            return
        rows: dict[str, list[Iterator[Record | Unreadable]]] = {}
        for name, table in self._lists:
            rows.setdefault(name, []).append(self._read(table, 0))
        lists = Lists.of(
            self._wanted.lists,
            self._records(0),
            {name: chain.from_iterable(every) for name, every in rows.items()},
            self._limits,
        )
        yield from map(lists.complete, self._records(after))
        strangers = sorted(lists.strangers, key=lambda row: row.number)
        yield from (row for row in strangers if row.number > after)

    def _records(self, after: int) -> Iterator[Record | Unreadable]:
        for table in self._tables:
            if table.seen.offset + table.seen.sheet.rows > after:
                yield from self._read(table, after)

    def _sheets(self) -> Iterator[_Seen]:
        seen: _Seen | None = None
        self._frames.seek(0)
        while frame := read_frame(self._frames):
            match frame:
                case Refused():
                    raise _refused(frame.why)
                case Sheet():
                    seen = _Seen(frame, [], self._frames.tell(), 0)
                    yield seen
                case Rows() if seen and len(seen.top) <= SEARCHED:
                    seen.top.extend(frame.rows()[: SEARCHED + 1 - len(seen.top)])

    def _found(
        self, sheets: Sequence[_Seen], wanted: Wanted
    ) -> tuple[list[_Table], tuple[RowFault, ...]]:
        """The sheets with a header, and what people should know."""
        tables, hidden, without = [], [], []
        refusals: list[UnreadableFile] = []
        for seen in sheets:
            name = seen.sheet.name
            if not seen.top or not counts(name, wanted.sheets):
                continue
            try:
                table = self._table(seen, wanted)
            except UnreadableFile as refusal:
                if not seen.sheet.hidden:
                    without.append(name)
                    refusals.append(refusal)
                continue
            if seen.sheet.hidden:
                hidden.append(name)
            else:
                tables.append(table)
        if not tables:
            raise _no_table(refusals, hidden, wanted)
        headers = (table.header.notices for table in tables)
        return tables, (*chain.from_iterable(headers), *_passed_over(without, hidden))

    def _found_lists(
        self, sheets: Sequence[_Seen], listed: Mapping[str, str]
    ) -> tuple[list[tuple[str, _Table]], tuple[RowFault, ...]]:
        """The lists with the names of their groups. A list that is hidden or has no header is
        refused, for its records would be short of it."""
        found = []
        for seen in sheets:
            name = seen.sheet.name
            if seen.sheet.hidden:
                reason, advice = f"清单 {quoted([name])} 是隐藏的工作表", "请取消隐藏后重新提供"
                raise UnreadableFile(RowFault(0, "", FaultKind.HEADER, reason, advice, name))
            if seen.top:
                group = self._wanted.groups[listed[name]]
                wanted = Wanted(
                    titles=group.titles,
                    required=group.required - self._before.keys(),
                    ignored=self._wanted.ignored,
                    also=group.also,
                    amounts=group.amounts,
                )
                found.append((listed[name], self._table(seen, wanted)))
        headers = (table.header.notices for _, table in found)
        return found, tuple(chain.from_iterable(headers))

    def _table(self, seen: _Seen, wanted: Wanted) -> _Table:
        rows = list(candidates(seen.top, seen.sheet.merged, wanted))
        sheet = self._place(seen)
        try:
            header = find_header(rows, wanted, self._limits)
        except UnreadableFile as refusal:
            raise UnreadableFile(*(replace(f, sheet=sheet) for f in refusal.faults)) from None
        notices = tuple(replace(fault, sheet=sheet) for fault in header.notices)
        columns = tuple((n, name) for n, name in enumerate(header.names) if name in wanted.titles)
        return _Table(seen, replace(header, notices=notices), columns)

    def _place(self, seen: _Seen) -> str:
        return seen.sheet.name if self._several else ""

    def _read(self, table: _Table, after: int) -> Iterator[Record | Unreadable]:
        first, offset = table.header.row, table.seen.offset
        filling = Filling.of(table.seen.sheet.merged, first=first)
        errors: dict[int, set[int]] = {}
        for row, column in table.seen.sheet.errors:
            errors.setdefault(row, set()).add(column)
        for row, cells in enumerate(self._cells(table.seen)):
            if row < first:
                continue
            blank = row not in errors and not any(map(str.strip, cells))
            passed_over = blank or is_total(cells)
            filling.fill(row, cells)
            if not passed_over and offset + row + 1 > after:
                yield self._record(table, row + 1, cells, errors.get(row, frozenset()))

    def _cells(self, seen: _Seen) -> Iterator[list[str]]:
        position = seen.position
        while True:
            self._frames.seek(position)
            frame = read_frame(self._frames)
            if not isinstance(frame, Rows):
                return
            position = self._frames.tell()
            yield from frame.rows()

    def _record(
        self, table: _Table, row: int, cells: Sequence[str], errors: Set[int]
    ) -> Record | Unreadable:
        place = Place(self._name, row, self._place(table.seen))
        number = table.seen.offset + row
        width, most = len(cells), self._limits.cell_characters
        if errors or max(map(len, cells), default=0) > most:
            told = tuple(_faults(table, row, cells, errors, most=most, sheet=place.sheet))
            if told:
                return Unreadable(number=number, place=place, faults=told)
        said = {name: cells[at] if at < width else "" for at, name in table.columns}
        columns = {**self._before, **said} if self._before else said
        return Record(number=number, place=place, columns=columns, units=table.header.units)


def _faults(
    table: _Table, row: int, cells: Sequence[str], errors: Set[int], *, most: int, sheet: str
) -> Iterator[RowFault]:
    """What is wrong with the wanted cells of a row."""
    for at, name in table.columns:
        if at in errors:
            reason, advice = "单元格是公式的错误值（如 #N/A）", "请改正公式，或直接填写结果"
            yield RowFault(row, name, FaultKind.FORMULA, reason, advice, sheet)
        elif at < len(cells) and len(cells[at]) > most:
            reason = f"单元格超过 {most} 字"
            yield RowFault(row, name, FaultKind.TOO_LONG, reason, "请缩短后重新导出", sheet)


def _mark_of(sheets: Sequence[_Seen]) -> Mark | None:
    """The mark of the template that a workbook came from, if it came from one."""
    return next((mark_in(seen.top) for seen in sheets if seen.sheet.name == MARK), None)


def _list_of(sheet: str, wanted: Wanted) -> str:
    """The group whose list a sheet is, by its name; "" for none."""
    called = canonical(sheet)
    return next((name for name, group in wanted.lists.items() if group.each in called), "")


def _placed(sheets: Sequence[_Seen]) -> Iterator[_Seen]:
    """Sheets in the order in which their rows are numbered."""
    offset = 0
    for seen in sheets:
        yield replace(seen, offset=offset)
        offset += seen.sheet.rows


def _no_table(
    refusals: Sequence[UnreadableFile], hidden: Sequence[str], wanted: Wanted
) -> UnreadableFile:
    if refusals:
        # One that names columns says more than that there is no header.
        return max(refusals, key=lambda refusal: refusal.faults[0].row > 0)
    if hidden:
        reason, advice = f"只有隐藏的工作表 {quoted(hidden)} 有表头", "请取消隐藏后重新提供"
    elif wanted.sheets:
        reason = f"没有内容的工作表，或名称不符（须为 {quoted(wanted.sheets)}）"
        advice = "请改工作表名称，或在站点映射中写明；放错了文件夹的，请放入该收的那一个"
    else:
        reason, advice = "工作簿里没有内容", "请确认导出的文件完整"
    return UnreadableFile(RowFault(0, "", FaultKind.HEADER, reason, advice))


def _passed_over(without: Sequence[str], hidden: Sequence[str]) -> Iterator[RowFault]:
    for names, reason in (
        (without, "工作表 {} 没有所需的表头，未读取"),
        (hidden, "隐藏的工作表 {} 未读取"),
    ):
        if names:
            advice = "如其中有应发送的内容，请改正表头、取消隐藏后重新提供"
            yield RowFault(0, "", FaultKind.NOTICE, reason.format(quoted(names)), advice)
