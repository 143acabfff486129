"""A new workbook of the rows that came back: title rows, header, and these rows alone, as text."""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any, Final

from openpyxl.cell import WriteOnlyCell
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.cell_range import CellRange

from adapters.kit.faulty import Faulty, by_column, sentences
from adapters.kit.port import RowFault
from adapters.kit.readers.table import Table
from adapters.kit.wanted import PROBLEMS, canonical
from adapters.kit.workbooks import (
    MARK,
    MOST_COLUMNS,
    WRAPPED,
    add_mark,
    as_text,
    new_workbook,
    note,
    save,
)

_WIDTH: Final = 16
_PROBLEMS_WIDTH: Final = 60
_SHEET: Final = "退回"
_NOT_IN_NAMES: Final = re.compile(r"[\[\]:*?/\\\x00-\x1f']")
_LONGEST_NAME: Final = 31


def return_rows(tables: Sequence[Table], faulty: Faulty, path: Path) -> bool:
    """Write the faulty rows of these tables; False when there are none. Raises OSError."""
    book = new_workbook(write_only=True)
    for table in tables:
        wide = [len(cells) for row, cells in table.lines() if (table.sheet, row) in faulty.rows]
        if wide:
            _write(book, table, _problems(table, max(wide)), faulty)
    if not book.worksheets:
        return False
    if (mark := tables[0].mark) is not None:
        add_mark(book, mark)
    save(book, path)
    return True


def _problems(table: Table, widest: int) -> int:
    """The column, from 0, that tells problems: where it was before, or behind all others."""
    names = table.header.names
    known = canonical(PROBLEMS)
    if known in names:
        return names.index(known)
    head = (len(cells) for row, cells in _head(table))
    return min(max(widest, len(names), *head), MOST_COLUMNS - 1)


def _head(table: Table) -> Iterator[tuple[int, Sequence[str]]]:
    return takewhile(lambda line: line[0] <= table.header.row, table.lines())


def _write(book: Any, table: Table, problems: int, faulty: Faulty) -> None:
    title = _NOT_IN_NAMES.sub(" ", table.title)[:_LONGEST_NAME] or _SHEET
    sheet = book.create_sheet(title)
    for at in range(problems):
        sheet.column_dimensions[get_column_letter(at + 1)].width = _WIDTH
    sheet.column_dimensions[get_column_letter(problems + 1)].width = _PROBLEMS_WIDTH
    sheet.freeze_panes = f"A{table.header.row + 1}"
    for first, left, last, right in table.merged:
        if last < table.header.row and right < problems:
            sheet.merged_cells.add(CellRange(None, left + 1, first + 1, right + 1, last + 1))
    for row, line in table.lines():
        if row <= table.header.row:
            of_header = row == table.header.row
            cells = _cells(sheet, table, line, problems, PROBLEMS if of_header else "", {})
            if of_header and faulty.beyond:
                cells[problems].comment = note(faulty.beyond)
            sheet.append(cells)
        elif faults := faulty.rows.get((table.sheet, row), ()):
            told = f"原第 {row} 行：{sentences(faults)}"
            sheet.append(_cells(sheet, table, line, problems, told, by_column(faults)))


def _cells(
    sheet: Any,
    table: Table,
    line: Sequence[str],
    problems: int,
    told: str,
    faults: Mapping[str, Sequence[RowFault]],
) -> list[Any]:
    names = table.header.names
    cells = []
    for at in range(max(problems + 1, min(len(line), MOST_COLUMNS))):
        name = names[at] if at < len(names) else ""
        if at == problems:
            cell = as_text(WriteOnlyCell(sheet), told)
            cell.alignment = WRAPPED
        else:
            cell = as_text(WriteOnlyCell(sheet), line[at] if at < len(line) else "")
        if name and name in faults:
            cell.comment = note(sentences(faults[name]))
        if cell.comment or (at == problems and told):
            cell.fill = MARK
        cells.append(cell)
    return cells
