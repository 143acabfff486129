"""The clerk's hand: workbooks made from an adapter's template, and rows entered in them."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from adapters.kit.adapter import load
from adapters.kit.template import Offered, template_of
from adapters.kit.templatebook import workbook_of
from deploy.demo.failed import DemoFailed
from deploy.demo.steps import Entered

# As far down as a header stands in a template or a ledger.
_HEADER_WITHIN: Final = 5


def blank(kind: str, site: Path | None, region: str) -> Workbook:
    """The adapter's template, as `guantong adapter template` gives it to an office of a region."""
    return workbook_of(template_of(load(kind, site), Offered(region=region)))


def enter(book: Workbook, rows: Sequence[Entered]) -> bool:
    """Enter rows; False, and nothing is entered, while one that has to be found is not there.

    Raises DemoFailed for a column that the workbook has not.
    """
    for name in dict.fromkeys(row.sheet for row in rows):
        if name and name not in book:
            _add_list(book, name, (row for row in rows if row.sheet == name))
    places = [_place(_sheet(book, row), row) for row in rows]
    if None in places:
        return False
    for row, place in zip(rows, places, strict=True):
        sheet = _sheet(book, row)
        columns = _columns(sheet, row)[1]
        line = place or sheet.max_row + 1
        for title, said in row.cells.items():
            sheet.cell(line, columns[title]).value = said
    return True


def _add_list(book: Workbook, name: str, rows: Iterable[Entered]) -> None:
    """A sheet of a list with the columns that its rows say."""
    sheet = book.create_sheet(name)
    sheet.append(list(dict.fromkeys(title for row in rows for title in row.cells)))


def _sheet(book: Workbook, row: Entered) -> Worksheet:
    return book[row.sheet] if row.sheet else book.worksheets[0]


def _place(sheet: Worksheet, row: Entered) -> int | None:
    """The line of a row that says what is looked for; 0 for a new one, None when none does."""
    if not row.find:
        return 0
    header, columns = _columns(sheet, row)
    for line in range(header + 1, sheet.max_row + 1):
        if all(sheet.cell(line, columns[t]).value == said for t, said in row.find.items()):
            return line
    return None


def _columns(sheet: Worksheet, row: Entered) -> tuple[int, dict[str, int]]:
    """The header's line, and where the columns of its titles are."""
    wanted = row.cells.keys() | row.find.keys()
    lacking = wanted
    for line in range(1, _HEADER_WITHIN + 1):
        titles = {
            str(cell.value).strip("*"): cell.column
            for cell in sheet[line]
            if cell.value is not None
        }
        if wanted <= titles.keys():
            return line, titles
        lacking = min(lacking, wanted - titles.keys(), key=len)
    raise DemoFailed(f"工作表“{sheet.title}”没有这些列：{'、'.join(sorted(lacking))}")
