"""How a ledger looks: its header, the formats of its cells, what people may choose from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from openpyxl import Workbook as Book
from openpyxl.formatting.rule import Rule
from openpyxl.styles import (
    Alignment,
    Border,
    Font,
    NamedStyle,
    PatternFill,
    Protection,
    Side,
)
from openpyxl.styles.differential import DifferentialStyle
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.dimensions import ColumnDimension
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from adapters.kit.present import Shape
from adapters.kit.sinks.ledgerform import Ledger, LedgerColumn

CHOICES: Final = "贯通选项"
HEADER: Final = "贯通表头"
TITLE: Final = "贯通标题"
_FORMATS: Final[Mapping[Shape, str]] = {
    "text": "@",
    "code": "@",
    "flag": "@",
    "month": "@",
    "date": "yyyy-mm-dd",
    "time": "yyyy-mm-dd hh:mm",
    "money": "#,##0.00",
    "number": "0",
}
Others = Literal["stop", "warning", "taken"]
_LAST_ROW: Final = 1_048_576
_LAST_COLUMN: Final = 16_384
_LINE: Final = Side(style="thin", color="FFB0B7BF")
_FILL_IN: Final = PatternFill("solid", start_color="FFFFF8DC")
_MISSING: Final = PatternFill("solid", start_color="FFF8CBAD", end_color="FFF8CBAD")


@dataclass(frozen=True, slots=True)
class Offer:
    """What people may choose from in the column at `place`, and what becomes of anything else."""

    title: str
    place: int
    choices: tuple[str, ...]
    others: Others


def style_of(column: LedgerColumn) -> str:
    """The name of the style of a column's cells."""
    shape = "number" if column.shows == "number" else column.reads
    return f"贯通填写{shape}" if column.editable else f"贯通{shape}"


def for_people(dimension: ColumnDimension, shape: Shape) -> None:
    """A column that people fill in: its cells have this look before anything stands in them."""
    dimension.number_format = _FORMATS[shape]
    dimension.alignment = Alignment(vertical="top", wrap_text=True)
    dimension.protection = Protection(locked=False)


def add_styles(book: Book) -> None:
    """Give the workbook the styles that it does not have yet."""
    have = {str(name) for name in book.named_styles}
    border = Border(left=_LINE, right=_LINE, top=_LINE, bottom=_LINE)
    header = NamedStyle(HEADER, font=Font(bold=True), border=border)
    header.fill = PatternFill("solid", start_color="FFD9E2EC")
    header.alignment = Alignment(horizontal="center", vertical="center", wrap_text=True)
    title = NamedStyle(TITLE, font=Font(bold=True, size=16))
    title.alignment = Alignment(horizontal="center", vertical="center")
    styles = [header, title]
    for shape, number_format in _FORMATS.items():
        for name, fill in ((f"贯通{shape}", None), (f"贯通填写{shape}", _FILL_IN)):
            style = NamedStyle(name, number_format=number_format, border=border)
            style.alignment = Alignment(vertical="top", wrap_text=True)
            style.protection = Protection(locked=False)
            if fill is not None:
                style.fill = fill
            styles.append(style)
    for style in styles:
        if style.name not in have:
            book.add_named_style(style)


def begin_sheet(book: Book, ledger: Ledger) -> Worksheet:
    """A sheet with title and header; people may do what they like with all but these."""
    sheet: Worksheet = book.create_sheet(ledger.sheet, 0)
    width = len(ledger.columns)
    dress_title(sheet, ledger.title, width)
    for place, column in enumerate(ledger.columns, 1):
        dress_header(sheet, 2, place, column.title, required=column.required)
        letter = get_column_letter(place)
        sheet.column_dimensions[letter].width = column.width
        sheet.column_dimensions[letter].protection = Protection(locked=False)
    set_up(sheet, header=2, width=width)
    return sheet


def dress_title(sheet: Worksheet, title: str, width: int) -> None:
    """The title in the first row, over all columns."""
    cell = sheet.cell(1, 1, title)
    cell.style = TITLE
    sheet.row_dimensions[1].height = 30
    if width > 1:
        sheet.merge_cells(start_row=1, start_column=1, end_row=1, end_column=width)


def set_up(sheet: Worksheet, *, header: int, width: int) -> None:
    """Header and what is above it stay in sight and on every page, and are protected; the columns
    beyond the table are people's."""
    beyond = get_column_letter(width + 1)
    sheet.column_dimensions[beyond] = ColumnDimension(
        sheet, index=beyond, min=width + 1, max=_LAST_COLUMN, width=13
    )
    sheet.column_dimensions[beyond].protection = Protection(locked=False)
    sheet.freeze_panes = f"A{header + 1}"
    sheet.auto_filter.ref = f"A{header}:{get_column_letter(width)}{header}"
    sheet.print_title_rows = f"1:{header}"
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    _protect(sheet)


def _protect(sheet: Worksheet) -> None:
    # Against slips of the hand, hence without a password: False allows.
    protection = sheet.protection
    protection.sheet = True
    protection.objects = protection.scenarios = False
    for allowed in (
        "formatCells", "formatColumns", "formatRows", "insertColumns", "insertRows",
        "insertHyperlinks", "deleteRows", "sort", "autoFilter", "pivotTables",
    ):  # fmt: skip
        setattr(protection, allowed, False)


def dress_header(sheet: Worksheet, row: int, place: int, title: str, *, required: bool) -> None:
    """Write a column's header; a required one has a star, and its cells a colour until filled."""
    cell = sheet.cell(row, place)
    cell.value = f"{title}*" if required else title
    cell.data_type = "s"
    cell.style = HEADER
    if required:
        letter = get_column_letter(place)
        below = f"{letter}{row + 1}"
        first = get_column_letter(1)
        blank = f"AND(LEN(TRIM({below}))=0,LEN(${first}{row + 1})>0)"
        rule = Rule("expression", formula=[blank], dxf=DifferentialStyle(fill=_MISSING))
        sheet.conditional_formatting.add(f"{below}:{letter}{_LAST_ROW}", rule)


def offer_choices(book: Book, tables: Sequence[tuple[Worksheet, int, Sequence[Offer]]]) -> None:
    """Let people choose in columns of these sheets (each with the row of its header), from what
    stands on a hidden sheet; anew each time."""
    if CHOICES in book.sheetnames:
        book.remove(book[CHOICES])
    for sheet, _, _ in tables:
        kept = [v for v in sheet.data_validations.dataValidation if CHOICES not in str(v.formula1)]
        sheet.data_validations.dataValidation = kept
    every = [(sheet, header, offer) for sheet, header, offers in tables for offer in offers]
    if not every:
        return
    hidden = book.create_sheet(CHOICES)
    hidden.sheet_state = "hidden"
    for n, (sheet, header, offer) in enumerate(every, 1):
        for row, choice in enumerate((offer.title, *offer.choices), 1):
            cell = hidden.cell(row, n, choice)
            cell.data_type = "s"
        source = get_column_letter(n)
        offered = DataValidation(
            type="list",
            formula1=f"'{CHOICES}'!${source}$2:${source}${len(offer.choices) + 1}",
            allow_blank=True,
            showErrorMessage=offer.others != "taken",
            errorStyle=offer.others if offer.others != "taken" else None,
            errorTitle=offer.title[:30],
            error="请从下拉列表中选择",
        )
        offered.add(below(header, offer.place))
        sheet.add_data_validation(offered)


def below(header: int, place: int) -> str:
    """The cells of a column below the header, to the end of the sheet."""
    letter = get_column_letter(place)
    return f"{letter}{header + 1}:{letter}{_LAST_ROW}"
