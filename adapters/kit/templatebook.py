"""A template as a workbook: what people fill in, how, and the mark by which it is known again.

Example and header stand above the rows and are locked; so the example is never read, however the
workbook is saved.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal

from openpyxl.comments import Comment
from openpyxl.styles import Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.workbook import Workbook
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from adapters.kit.port import CannotRun
from adapters.kit.present import Shape
from adapters.kit.sinks.sheetlook import (
    HEADER,
    Offer,
    Others,
    add_styles,
    below,
    dress_header,
    dress_title,
    for_people,
    offer_choices,
    set_up,
)
from adapters.kit.template import Template, TemplateColumn, TemplateSheet
from adapters.kit.templatemark import GUIDE
from adapters.kit.workbooks import WRAPPED, add_mark, as_text, new_workbook, save

# Not the author of what the kit marks in a workbook that it sends back, which goes again.
_AUTHOR: Final = "填写说明"
_EXAMPLE: Final = "示例："
_GREY: Final = PatternFill("solid", start_color="FFF2F2F2")
_EXAMPLE_FONT: Final = Font(italic=True, color="FF7F7F7F")
_NARROWEST, _WIDEST = 10, 40
_LONG: Final = frozenset({"text", "lines"})
_SHAPES: Final[Mapping[str, Shape]] = MappingProxyType(
    {"date": "date", "time": "time", "integer": "number"}
)
# As spreadsheets count days: from 1900 to the end of 2099.
_DAYS: Final = (1, 73_050)
_LARGEST: Final = 999_999_999_999
_GUIDE_COLUMNS: Final = (("列名", 26), ("必填", 8), ("怎样填", 80), ("示例", 40))
_HAND_IN: Final = (
    "一行填一条，从表头下面一行开始，中间可以空行。标题、示例和表头不要改动；带 * 的列必填。",
    "填好保存后，放入投放文件夹。没有问题的行随即发出；有问题的，整个工作簿退回，错的格标黄并写明"
    "原因，改好再放入。",
    "不要把别的列写进来，不要拆分或合并单元格。需要分几份填的，复制这个文件或工作表。",
)


def write_template(template: Template, path: Path) -> None:
    """Write a template to a new file. Raises CannotRun when there is one already, or OSError."""
    if path.exists():
        raise CannotRun(f"{path} 已经存在，请换一个文件名或先移走")
    save(workbook_of(template), path)


def workbook_of(template: Template) -> Workbook:
    """The workbook: sheets to fill in, a page of instructions, and two that nobody sees."""
    book = new_workbook()
    book.remove(book.worksheets[0])
    add_styles(book)
    tables = []
    for asked in template.sheets:
        sheet = book.create_sheet(asked.name)
        header = _sheet(sheet, asked)
        tables.append((sheet, header, tuple(_offers(asked))))
    _explain(book.create_sheet(GUIDE), template)
    offer_choices(book, tables)
    add_mark(book, template.mark)
    return book


def _sheet(sheet: Worksheet, asked: TemplateSheet) -> int:
    """Title, example, header, and what the cells below it take; the row of the header."""
    dress_title(sheet, asked.title, len(asked.columns))
    header = _exemplify(sheet, asked) + 1
    for place, column in enumerate(asked.columns, 1):
        _column(sheet, header, place, column)
        if (validation := _validation(column)) is not None:
            validation.add(below(header, place))
            sheet.add_data_validation(validation)
    set_up(sheet, header=header, width=len(asked.columns))
    return header


def _exemplify(sheet: Worksheet, asked: TemplateSheet) -> int:
    """Write the example, if there is one, below the title; the row of the last of the two."""
    if not any(column.example for column in asked.columns):
        return 1
    for place, column in enumerate(asked.columns, 1):
        told = f"{_EXAMPLE}{column.example}" if place == 1 else column.example
        cell = as_text(sheet.cell(2, place), told)
        cell.font, cell.fill, cell.alignment = _EXAMPLE_FONT, _GREY, WRAPPED
    return 2


def _column(sheet: Worksheet, header: int, place: int, column: TemplateColumn) -> None:
    """Header with its note, and the look of the cells below."""
    dress_header(sheet, header, place, column.name, required=column.needed)
    told = "\n".join(("必填" if column.needed else "可不填", *column.about))
    lines = 1 + told.count("\n") + len(told) // 24
    sheet.cell(header, place).comment = Comment(told, _AUTHOR, height=12 + 18 * lines, width=320)
    dimension = sheet.column_dimensions[get_column_letter(place)]
    for_people(dimension, _SHAPES.get(column.reads, "text"))
    if column.reads == "decimal":
        # What is typed into a cell of text is no number, and would be refused as none.
        dimension.number_format = "General"
    dimension.width = _width(column)


def _width(column: TemplateColumn) -> int:
    """Of a Chinese character two."""
    if column.reads in _LONG:
        return _WIDEST
    longest = max(len(column.name) + 1, *map(len, column.choices), len(column.example), 0)
    return min(max(2 * longest + 2, _NARROWEST), _WIDEST)


def _offers(asked: TemplateSheet) -> Iterator[Offer]:
    for place, column in enumerate(asked.columns, 1):
        if column.choices:
            others: Others = "stop" if column.only_these else "warning"
            if column.several:
                others = "taken"
            yield Offer(column.name, place, column.choices, others)


def _validation(column: TemplateColumn) -> DataValidation | None:
    """What the program that people use refuses at once; the rest is told when it is read."""
    if column.choices or column.several:
        return None
    least, most = column.least, column.most
    match column.reads:
        case "date" | "time":
            return _refusing(column, "date", *_DAYS, "请填日期，如 2026-10-12")
        case "decimal":
            return _refusing(column, "decimal", -_LARGEST, _LARGEST, "请填数值，不写单位")
        case "integer":
            between = f"请填 {least} 至 {most} 的整数" if most is not None else "请填整数，不写单位"
            return _refusing(column, "whole", least or 0, most or _LARGEST, between)
    if least is None or most is None:
        return None
    told = f"应为 {most} 位" if least == most else f"不超过 {most} 字"
    return _refusing(column, "textLength", least, most, told)


def _refusing(
    column: TemplateColumn,
    kind: Literal["date", "decimal", "whole", "textLength"],
    least: int,
    most: int,
    told: str,
) -> DataValidation:
    return DataValidation(
        type=kind,
        operator="between",
        formula1=str(least),
        formula2=str(most),
        allow_blank=True,
        showErrorMessage=True,
        errorStyle="stop",
        errorTitle=column.name[:30],
        error=told,
    )


def _explain(sheet: Worksheet, template: Template) -> None:
    """The page of instructions: the whole, then each column."""
    dress_title(sheet, f"{template.title}：{GUIDE}", len(_GUIDE_COLUMNS))
    row = 2
    version = f"模板版本 {template.mark.version}（{'、'.join(template.mark.types)}）"
    for sentence in (*template.notes, *_HAND_IN, version):
        as_text(sheet.cell(row, 1), sentence).alignment = WRAPPED
        sheet.merge_cells(start_row=row, start_column=1, end_row=row, end_column=4)
        sheet.row_dimensions[row].height = 18 * (1 + len(sentence) // 70)
        row += 1
    for place, (name, width) in enumerate(_GUIDE_COLUMNS, 1):
        as_text(sheet.cell(row, place), name).style = HEADER
        sheet.column_dimensions[get_column_letter(place)].width = width
    for asked, column in ((each, c) for each in template.sheets for c in each.columns):
        row += 1
        needed = "是" if column.needed else ""
        name = column.name if asked is template.sheets[0] else f"{asked.name}：{column.name}"
        cells = (name, needed, "\n".join(column.about), column.example)
        for place, said in enumerate(cells, 1):
            as_text(sheet.cell(row, place), said).alignment = WRAPPED
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.protection.sheet = True
