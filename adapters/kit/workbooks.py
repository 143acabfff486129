"""Workbooks that people get: saved whole or not at all, for the owner's eyes, the same every time.

What came from elsewhere is written as text: no cell of it is a formula.
"""

import warnings
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from openpyxl.cell import Cell, WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, PatternFill
from openpyxl.workbook import Workbook
from openpyxl.writer.excel import ExcelWriter

from adapters.kit.sources.files import new_file
from adapters.kit.templatemark import MARK as MARKED
from adapters.kit.templatemark import Mark

# They repeat what cells say. For good: what is done for a while is done to all threads, and undone.
warnings.filterwarnings("ignore", module=r"openpyxl(\.|$)")

AUTHOR: Final = "贯通"
_COLOUR: Final = "FFFFE69A"
MARK: Final = PatternFill("solid", start_color=_COLOUR, end_color=_COLOUR)
WRAPPED: Final = Alignment(wrap_text=True, vertical="top")
MOST_COLUMNS: Final = 16_384

_SAVED: Final = datetime(2000, 1, 1, tzinfo=UTC).replace(tzinfo=None)
_IN_ARCHIVE: Final = (2000, 1, 1, 0, 0, 0)
_LONGEST_COMMENT: Final = 2_000


class _Archive(ZipFile):
    """A zip whose members bear no time of their own."""

    def writestr(
        self,
        zinfo_or_arcname: Any,
        data: Any,
        compress_type: int | None = None,
        compresslevel: int | None = None,
    ) -> None:
        super().writestr(ZipInfo(str(zinfo_or_arcname), _IN_ARCHIVE), data, ZIP_DEFLATED)

    def write(
        self,
        filename: Any,
        arcname: Any = None,
        compress_type: int | None = None,
        compresslevel: int | None = None,
    ) -> None:
        info = ZipInfo(str(arcname), _IN_ARCHIVE)
        info.compress_type = ZIP_DEFLATED
        with open(filename, "rb") as given, self.open(info, "w", force_zip64=True) as member:
            while chunk := given.read(1 << 20):
                member.write(chunk)


def save(workbook: Workbook, path: Path) -> None:
    """Put a workbook in place of an earlier one. Raises OSError, and what openpyxl cannot write."""
    workbook.properties.modified = _SAVED
    with new_file(path) as out, _Archive(out, "w", ZIP_DEFLATED) as archive:
        ExcelWriter(workbook, archive).save()


def new_workbook(**options: Any) -> Workbook:
    """An empty one, made at no time."""
    workbook = Workbook(**options)
    workbook.properties.created = _SAVED
    workbook.properties.creator = AUTHOR
    return workbook


def as_text(cell: Any, text: str) -> Any:
    """The cell, saying a text whatever it looks like; it stays text when people edit it."""
    cell.value = ILLEGAL_CHARACTERS_RE.sub("\ufffd", text) or None
    if text:
        cell.data_type = "s"
    cell.number_format = "@"
    return cell


def add_mark(workbook: Workbook, mark: Mark) -> None:
    """Write the mark of a template on a sheet that people do not see."""
    sheet: Any = workbook.create_sheet(MARKED)
    for cells in mark.rows():
        sheet.append([as_text(WriteOnlyCell(sheet), cell) for cell in cells])
    sheet.sheet_state = "veryHidden"


def mark(cell: Cell, text: str) -> None:
    """Mark a cell that has to be put right, and say why, unless people noted something there."""
    cell.fill = MARK
    if cell.comment is None:
        cell.comment = note(text)


def note(text: str) -> Comment:
    """A comment of ours."""
    return Comment(text[:_LONGEST_COMMENT], AUTHOR, height=120, width=320)


def unmarked(cell: Cell) -> None:
    """Take away a mark of an earlier time."""
    if cell.comment is not None and cell.comment.author == AUTHOR:
        cell.comment = None
    if cell.fill.patternType == MARK.patternType and cell.fill.start_color.rgb == _COLOUR:
        cell.fill = PatternFill()
