"""The workbook that came, with what has to be put right marked in it."""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Final, cast
from zipfile import BadZipFile, ZipFile

from openpyxl import load_workbook
from openpyxl.cell import Cell, MergedCell
from openpyxl.utils import get_column_letter
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from adapters.kit.faulty import Faulty, by_column, sentences
from adapters.kit.port import RowFault
from adapters.kit.readers.table import Table
from adapters.kit.wanted import PROBLEMS, canonical
from adapters.kit.workbooks import (
    MARK,
    MOST_COLUMNS,
    WRAPPED,
    as_text,
    mark,
    note,
    save,
    unmarked,
)

_LARGEST: Final = 20 << 20
_LARGEST_INSIDE: Final = 48 << 20
_MOST_CELLS: Final = 300_000
_WIDTH: Final = 60
_NOTED: Final = 100
# What openpyxl raises for a workbook that other programs read and it does not.
_NOT_FOR_OPENPYXL: Final = (
    ArithmeticError,
    AttributeError,
    BadZipFile,
    EOFError,
    LookupError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    zlib.error,
)


@dataclass(frozen=True, slots=True)
class _Marked:
    """A sheet with a table, where its columns stand, and the one that tells problems, if any."""

    sheet: Worksheet
    table: Table
    columns: Mapping[str, int]
    problems: int | None


def mark_workbook(original: Path, tables: Sequence[Table], faulty: Faulty, path: Path) -> bool:
    """Write the xlsx workbook `original` with these tables to `path`, marked; False when it is not
    fit for that.

    Sheets, styles and formulas stay. Macros, pictures and controls go, and links to other workbooks
    with the formulas of the workbook that has them (their values stay). Raises OSError.
    """
    if original.stat().st_size > _LARGEST:
        return False
    book = _loaded(original.read_bytes())
    if book is None:
        return False
    try:
        _mark(book, tables, faulty)
        save(book, path)
    except _NOT_FOR_OPENPYXL:
        return False
    return True


def _loaded(content: bytes) -> Workbook | None:
    """The workbook in these bytes; None for one that is too large, or not sound."""
    try:
        linked = _linked(content)
        if linked is None:
            return None
        book = load_workbook(BytesIO(content), keep_vba=False, keep_links=False, data_only=linked)
    except (*_NOT_FOR_OPENPYXL, OSError):
        return None
    return book if _cells(book) <= _MOST_CELLS else None


def _linked(content: bytes) -> bool | None:
    """Whether a workbook has links to others; None for one that is too large, or has entities."""
    with ZipFile(BytesIO(content)) as archive:
        members = archive.infolist()
        if sum(member.file_size for member in members) > _LARGEST_INSIDE:
            return None
        if any(b"<!DOCTYPE" in archive.read(member) for member in members):
            return None
        return any(member.filename.startswith("xl/externalLinks/") for member in members)


def _cells(book: Workbook) -> int:
    return sum(sheet.max_row * sheet.max_column for sheet in book.worksheets)


def _mark(book: Workbook, tables: Sequence[Table], faulty: Faulty) -> None:
    for worksheet in book.worksheets:
        for row in worksheet.iter_rows():
            for cell in row:
                if isinstance(cell, Cell):
                    unmarked(cell)
    found = {table.sheet: _begun(book[table.title], table) for table in tables}
    for (place, number), faults in faulty.rows.items():
        if place in found:
            _mark_row(found[place], number, faults)
    told = "\n".join(filter(None, (sentences(faulty.document), faulty.beyond)))
    if told and book.worksheets:
        _tell(book.worksheets[0], told)


def _begun(sheet: Worksheet, table: Table) -> _Marked:
    """With a column for problems, empty but for its name."""
    columns = {name: at for at, name in enumerate(table.header.names, 1) if name}
    at = columns.get(canonical(PROBLEMS)) or _free_column(sheet)
    if at is not None:
        for number in range(table.header.row + 1, sheet.max_row + 1):
            _write(sheet.cell(number, at), None)
        _write(sheet.cell(table.header.row, at), PROBLEMS)
        sheet.column_dimensions[get_column_letter(at)].width = _WIDTH
    return _Marked(sheet, table, columns, at)


def _free_column(sheet: Worksheet) -> int | None:
    """Behind everything that says something."""
    rows = sheet.iter_rows(values_only=True)
    last = max((_last_filled(row) for row in rows), default=0)
    return last + 1 if last < MOST_COLUMNS else None


def _last_filled(row: Sequence[object]) -> int:
    return max((at for at, value in enumerate(row, 1) if value is not None), default=0)


def _mark_row(marked: _Marked, number: int, faults: Sequence[RowFault]) -> None:
    for column, found in by_column(faults).items():
        if (at := marked.columns.get(column)) is not None:
            mark(_anchor(marked.sheet, marked.sheet.cell(number, at)), sentences(found))
    if marked.problems is not None:
        _write(marked.sheet.cell(number, marked.problems), sentences(faults))


def _anchor(sheet: Worksheet, cell: Cell | MergedCell) -> Cell:
    """The cell that stands for all of a merge."""
    if isinstance(cell, Cell):
        return cell
    merge = next(m for m in sheet.merged_cells.ranges if cell.coordinate in m)
    return cast("Cell", sheet.cell(merge.min_row, merge.min_col))


def _write(cell: Cell | MergedCell, text: str | None) -> None:
    if isinstance(cell, MergedCell):
        return
    if text is None:
        cell.value = None
        return
    as_text(cell, text)
    cell.alignment = WRAPPED
    cell.fill = MARK


def _tell(sheet: Worksheet, text: str) -> None:
    """A note at the top, where people have not noted anything."""
    for at in range(1, _NOTED + 1):
        cell = sheet.cell(1, at)
        if isinstance(cell, Cell) and cell.comment is None:
            cell.comment = note(text)
            return
