"""A new workbook of the rows that came back: title rows, header, and these rows alone, as text."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from operator import attrgetter
from pathlib import Path
from typing import Any, Final

from openpyxl.cell import WriteOnlyCell
from openpyxl.utils import get_column_letter

from adapters.kit.faulty import Faulty, sentences
from adapters.kit.port import RowFault, UnreadableFile
from adapters.kit.readers.header import SEARCHED, Header, find_header, name_columns
from adapters.kit.readers.limits import SPREADSHEET
from adapters.kit.wanted import PROBLEMS, Wanted, canonical
from adapters.kit.workbooks import MARK, MOST_COLUMNS, WRAPPED, as_text, new_workbook, note, save

_WIDTH: Final = 16
_PROBLEMS_WIDTH: Final = 60
_SHEET: Final = "退回"
_NOT_IN_NAMES: Final = re.compile(r"[\[\]:*?/\\\x00-\x1f']")
_LONGEST_NAME: Final = 31


@dataclass(frozen=True, slots=True)
class Line:
    """A row as it came: its sheet, its number there, its cells."""

    sheet: str
    row: int
    cells: Sequence[str]


Lines = Callable[[], Iterable[Line]]


@dataclass(frozen=True, slots=True)
class _Table:
    """What comes back of a sheet: its rows up to the header, and the column that tells problems."""

    sheet: str
    header: Header
    top: tuple[Line, ...]
    problems: int


def return_rows(lines: Lines, wanted: Wanted, faulty: Faulty, path: Path) -> bool:
    """Write the faulty rows among `lines`, which are gone through twice; False when there are none
    below a header. Raises OSError.
    """
    tables = {table.sheet: table for table in _tables(lines(), wanted, faulty)}
    if not tables:
        return False
    book = new_workbook(write_only=True)
    for name, of_sheet in groupby(lines(), attrgetter("sheet")):
        if name in tables:
            _write(book, tables[name], of_sheet, faulty)
    save(book, path)
    return True


def _tables(lines: Iterable[Line], wanted: Wanted, faulty: Faulty) -> Iterator[_Table]:
    for name, group in groupby(lines, attrgetter("sheet")):
        of_sheet = iter(group)
        top = tuple(islice(of_sheet, SEARCHED))
        try:
            header = find_header(
                [(line.row, name_columns(line.cells)) for line in top], wanted, SPREADSHEET
            )
        except UnreadableFile:
            continue
        own = [at for at, known in enumerate(header.names) if known == canonical(PROBLEMS)]
        wide = [len(line.cells) for line in (*top, *of_sheet) if (name, line.row) in faulty.rows]
        if wide:
            head = tuple(line for line in top if line.row <= header.row)
            widest = max(*wide, *(len(line.cells) for line in head))
            yield _Table(name, header, head, min([*own, widest, MOST_COLUMNS - 1]))


def _write(book: Any, table: _Table, lines: Iterable[Line], faulty: Faulty) -> None:
    title = _NOT_IN_NAMES.sub(" ", table.sheet)[:_LONGEST_NAME] or _SHEET
    sheet = book.create_sheet(title)
    for at in range(table.problems):
        sheet.column_dimensions[get_column_letter(at + 1)].width = _WIDTH
    sheet.column_dimensions[get_column_letter(table.problems + 1)].width = _PROBLEMS_WIDTH
    sheet.freeze_panes = f"A{len(table.top) + 1}"
    for line in table.top:
        of_header = line.row == table.header.row
        cells = _cells(sheet, table, line, PROBLEMS if of_header else "", {})
        if of_header and faulty.beyond:
            cells[-1].comment = note(faulty.beyond)
        sheet.append(cells)
    for line in lines:
        faults = faulty.rows.get((line.sheet, line.row), ())
        if faults:
            told = f"原第 {line.row} 行：{sentences(faults)}"
            sheet.append(_cells(sheet, table, line, told, _by_column(faults)))


def _by_column(faults: Iterable[RowFault]) -> dict[str, list[RowFault]]:
    found: dict[str, list[RowFault]] = {}
    for fault in faults:
        found.setdefault(fault.column, []).append(fault)
    return found


def _cells(
    sheet: Any, table: _Table, line: Line, told: str, faults: dict[str, list[RowFault]]
) -> list[Any]:
    names = table.header.names
    cells = []
    for at in range(table.problems):
        cell = as_text(WriteOnlyCell(sheet), line.cells[at] if at < len(line.cells) else "")
        name = names[at] if at < len(names) else ""
        if name and name in faults:
            cell.fill, cell.comment = MARK, note(sentences(faults[name]))
        cells.append(cell)
    problem = as_text(WriteOnlyCell(sheet), told)
    problem.alignment = WRAPPED
    if told:
        problem.fill = MARK
    return [*cells, problem]
