"""Takes a workbook apart, in a process of its own.

`python -m adapters.kit.readers.calamine FILE PARENT SECONDS` writes frames to standard output. Two
cells can make the library ask for half a terabyte, and then the process ends; one wrong tag can
keep it busy for ever. So the process is not that of an adapter, and has limits (`apart`).
"""

import errno
import os
import sys
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import BinaryIO, Final

from python_calamine import (
    CalamineError,
    CalamineSheet,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
    load_workbook,
)

from adapters.kit.readers.apart import limit_this_process
from adapters.kit.readers.errorcells import error_cells
from adapters.kit.readers.frames import (
    NOT_WRITTEN,
    TOO_LONG,
    Frame,
    Refused,
    Sheet,
    packed,
    write_frame,
)

_Cell = int | float | str | bool | time | date | datetime | timedelta

_BYTES_OF_MEMORY: Final = 2 << 30
_BYTES_WRITTEN: Final = 4 << 30
# As tall as a spreadsheet can be.
_TALLEST: Final = 1 << 20
_MOST_ROWS: Final = 200
_LONGEST_ROW: Final = 1 << 22
_MOST_MARKS: Final = 200_000
_MOST_CHARACTERS: Final = 32_768
# A spreadsheet keeps so many digits of a number; what is longer has lost some.
_DIGITS: Final = 15
_ZERO: Final = "1899-12-31"


def frames_of(path: Path) -> Iterator[Frame]:
    """Every sheet of a workbook and its rows; at last, if it comes to that, why not."""
    try:
        # By its content: a path would be judged by how it ends.
        with path.open("rb") as file, load_workbook(file) as book:
            errors = error_cells(path)
            for each in book.sheets_metadata:
                if each.typ is SheetTypeEnum.WorkSheet:
                    hidden = each.visible is not SheetVisibleEnum.Visible
                    sheet = book.get_sheet_by_name(each.name)
                    yield from _of_sheet(sheet, hidden=hidden, errors=errors.get(each.name, []))
    except PasswordError:
        yield Refused("encrypted")
    except MemoryError:
        yield Refused("large")
    except (CalamineError, ValueError, OSError):
        yield Refused("damaged")


def _of_sheet(
    sheet: CalamineSheet, *, hidden: bool, errors: list[tuple[int, int]]
) -> Iterator[Frame]:
    merged = [(*first, *last) for first, last in sheet.merged_cell_ranges or ()]
    height, left = (sheet.end[0] + 1, sheet.start[1]) if sheet.start and sheet.end else (0, 0)
    if height > _TALLEST or len(merged) > _MOST_MARKS or len(errors) > _MOST_MARKS:
        raise MemoryError
    yield Sheet(sheet.name, hidden, height, merged, errors)
    for rows in _together(_rows(sheet, left)):
        yield packed(rows)


def _together(rows: Iterator[list[str]]) -> Iterator[list[list[str]]]:
    """Rows in lots that whoever reads them can hold."""
    some: list[list[str]] = []
    size = 0
    for row in rows:
        some.append(row)
        length = sum(map(len, row))
        size += length
        if length > _LONGEST_ROW:
            raise MemoryError
        if len(some) == _MOST_ROWS or size > _LONGEST_ROW:
            yield some
            some, size = [], 0
    yield some


def _rows(sheet: CalamineSheet, left: int) -> Iterator[list[str]]:
    before = [""] * left
    for cells in sheet.iter_rows():
        # Most cells are text, and need no more than this.
        row = before + [c[:_MOST_CHARACTERS] if type(c) is str else as_text(c) for c in cells]
        while row and not row[-1]:
            row.pop()
        yield row


def as_text(cell: _Cell) -> str:
    """A cell as people would write it: days and moments in ISO form, numbers in full.

    A number with more digits than a spreadsheet keeps stays in scientific notation, which every
    conversion refuses.
    """
    match cell:
        case str():
            return cell[:_MOST_CHARACTERS]
        case bool():
            return "是" if cell else "否"
        case int() | float():
            return _number(cell)
        case datetime():
            moment = (cell + timedelta(microseconds=500_000)).replace(microsecond=0)
            return moment.isoformat(" ") if moment.time() else moment.date().isoformat()
        case date():
            return cell.isoformat()
        case time():
            return cell.isoformat("seconds") if cell != time() else _ZERO
        case timedelta():
            minutes, seconds = divmod(round(cell.total_seconds()), 60)
            return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"


def _number(number: float) -> str:
    if abs(number) >= 10**_DIGITS:
        return f"{number:.{_DIGITS - 1}E}"
    written = f"{number:.{_DIGITS}g}"
    return f"{Decimal(written):f}" if "e" in written else written


def _write(path: Path, out: BinaryIO) -> int:
    try:
        for frame in frames_of(path):
            write_frame(out, frame)
        out.flush()
    except OSError as error:
        return TOO_LONG if error.errno == errno.EFBIG else NOT_WRITTEN
    return 0


if __name__ == "__main__":
    _parent, _seconds = map(int, sys.argv[2:])
    limit_this_process(_parent, seconds=_seconds, memory=_BYTES_OF_MEMORY, written=_BYTES_WRITTEN)
    # What could not be written must not be tried again on the way out.
    os._exit(_write(Path(sys.argv[1]), sys.stdout.buffer))
