"""A reader of one CSV or TSV export as agencies' systems and spreadsheets write them."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from itertools import count, islice
from typing import Final, TextIO

from adapters.kit.port import FaultKind, Place, Record, RowFault, Unreadable, UnreadableFile
from adapters.kit.readers.encoding import TextFile, as_2022
from adapters.kit.readers.header import SEARCHED, Header, find_header, name_columns
from adapters.kit.readers.layout import is_total
from adapters.kit.readers.limits import Limits
from adapters.kit.readers.table import Lines, Table
from adapters.kit.wanted import Wanted

_LONGEST_ROW: Final = 1 << 22
# The first under which a header is found counts.
_DELIMITERS: Final = (",", "\t", ";")

Row = tuple[int, list[str]]


class CsvFile:
    """`Reader` of one CSV file: GBK, GB18030, UTF-8 or UTF-16, title rows above the header.

    The number of a record is its row. Blank rows and those of totals are passed over.
    Opening raises UnreadableFile for a header that is of no use.
    """

    def __init__(
        self,
        file: TextFile,
        *,
        name: str,
        wanted: Wanted,
        limits: Limits,
    ) -> None:
        self._file = file
        self._name = name
        self._limits = limits
        self._delimiter, self._header = self._headed(wanted)
        names = enumerate(self._header.names)
        self._places = tuple((name, at) for at, name in names if name in wanted.titles)

    @property
    def notices(self) -> tuple[RowFault, ...]:
        return self._header.notices

    @property
    def rows(self) -> int | None:
        return self._file.rows

    @property
    def tables(self) -> tuple[Table, ...]:
        return (Table("", "", self._header, (), self._lines),)

    def _lines(self) -> Lines:
        chinese = self._file.encoding == "gb18030"
        with self._open() as text:
            try:
                for row, cells in _rows(text, self._delimiter):
                    yield row, [as_2022(cell) for cell in cells] if chinese else cells
            except UnreadableFile:
                return

    def read(self, after: int = 0) -> Iterator[Record | Unreadable]:
        begun = max(self._header.row, after)
        with self._open() as text:
            for row, cells in _rows(text, self._delimiter):
                if row > begun and any(map(str.strip, cells)) and not is_total(cells):
                    yield self._record(row, cells)

    def _headed(self, wanted: Wanted) -> tuple[str, Header]:
        errors = []
        for delimiter in _DELIMITERS:
            with self._open() as text:
                try:
                    return delimiter, _header(text, delimiter, wanted, self._limits)
                except UnreadableFile as error:
                    errors.append(error)
        # One that names columns says more than that there is no header.
        raise max(errors, key=lambda error: error.faults[0].row > 0)

    def _open(self) -> TextIO:
        return self._file.path.open(encoding=self._file.encoding, newline="")

    def _record(self, row: int, cells: Sequence[str]) -> Record | Unreadable:
        place, whole = Place(self._name, row), "".join(cells)
        if faults := self._faults(row, cells, len(whole)):
            return Unreadable(number=row, place=place, faults=faults)
        columns, units = self._columns(cells, whole), self._header.units
        return Record(number=row, place=place, columns=columns, units=units)

    def _columns(self, cells: Sequence[str], whole: str) -> Mapping[str, str]:
        """Only what the mapping reads leaves this place."""
        columns = {name: cells[at] for name, at in self._places}
        if self._file.encoding == "gb18030" and as_2022(whole) != whole:
            return {name: as_2022(cell) for name, cell in columns.items()}
        return columns

    def _faults(self, row: int, cells: Sequence[str], characters: int) -> tuple[RowFault, ...]:
        names = self._header.names
        if len(cells) != len(names):
            reason = f"本行有 {len(cells)} 格，表头有 {len(names)} 格，各列可能已错位"
            advice = "请检查是否少填了格，或文字中有逗号、引号而未加引号，改正后重新导出"
            return (RowFault(row, "", FaultKind.CELLS, reason, advice),)
        most = self._limits.cell_characters
        if characters <= most:
            return ()
        return tuple(
            RowFault(row, name, FaultKind.TOO_LONG, f"单元格超过 {most} 字", "请缩短后重新导出")
            for name, cell in zip(names, cells, strict=True)
            if len(cell) > most
        )


def _header(text: TextIO, delimiter: str, wanted: Wanted, limits: Limits) -> Header:
    """The header, also when soon below it a row cannot be read any more."""
    top: list[Row] = []
    unclosed = None
    try:
        top.extend(islice(_rows(text, delimiter), SEARCHED))
    except UnreadableFile as error:
        unclosed = error
    try:
        return find_header([(row, name_columns(cells)) for row, cells in top], wanted, limits)
    except UnreadableFile as error:
        raise unclosed or error from None


def _rows(text: TextIO, delimiter: str) -> Iterator[Row]:
    """Every row as a spreadsheet counts them, cells with line breaks being one row.

    Raises UnreadableFile where a quote is not closed: what follows cannot be told apart any more.
    """
    lines = _Lines(text)
    rows = csv.reader(lines, delimiter=delimiter)
    for row in count(1):
        lines.room = _LONGEST_ROW
        try:
            cells = next(rows, None)
        except csv.Error:
            raise UnreadableFile(_unclosed(row)) from None
        if cells is None:
            return
        if lines.ended:
            raise UnreadableFile(_unclosed(row))
        yield row, cells


class _Lines:
    """The lines of a file, as long as the `room` of a row; `ended` once one was asked for in
    vain."""

    def __init__(self, text: TextIO) -> None:
        self._text = text
        self.room = 0
        self.ended = False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._text.readline(self.room)
        self.room -= len(line)
        if self.room <= 0:
            raise csv.Error("row too long")
        if not line:
            self.ended = True
            raise StopIteration
        return line


def _unclosed(row: int) -> RowFault:
    reason = f"第 {row} 行起有引号没有成对，或单行过长，此后的内容无法分列"
    advice = "请检查该行的英文双引号（文中的双引号应写成两个），或重新导出；此行之前的已处理"
    return RowFault(row, "", FaultKind.QUOTES, reason, advice)
