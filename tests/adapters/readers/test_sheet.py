"""Workbooks as people keep them."""

import io
import zipfile
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from pathlib import Path

import openpyxl
import pytest
import xlwt
from openpyxl.worksheet.worksheet import Worksheet

from adapters.kit.port import FaultKind, RowFault
from adapters.kit.wanted import Wanted, canonical
from tests.adapters.readers.documents import (
    WANTED,
    Reading,
    laid_out,
    ods_of,
    read,
    saved,
    written_xlsx,
    zip_of,
)

HEADER = ["no", "day", "note"]


def of_sheets(path: Path, sheets: dict[str, list[list[str]]], wanted: Wanted = WANTED) -> Reading:
    """What an xlsx of several sheets gives."""
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
        if name.startswith("隐"):
            sheet.sheet_state = "hidden"
    book.save(path)
    return read(path, wanted)


def moment(hour: int = 0, minute: int = 0, second: int = 0) -> datetime:
    """A moment of one day as spreadsheets keep it, of no zone."""
    return datetime.combine(date(2026, 10, 3), time(hour, minute, second))


CELLS = [
    ("123456789012345", "123456789012345"),
    (12345.0, "12345"),
    (12345, "12345"),
    (0.1 + 0.2, "0.3"),
    (1e-7, "0.0000001"),
    (-1234.5, "-1234.5"),
    (999_999_999_999_999, "999999999999999"),
    (110101199001011234, "1.10101199001011E+17"),
    (True, "是"),
    (False, "否"),
    (date(2026, 10, 3), "2026-10-03"),
    (moment(), "2026-10-03"),
    (moment(9, 5), "2026-10-03 09:05:00"),
    (moment(23, 59, 59), "2026-10-03 23:59:59"),
    (time(9, 5), "09:05:00"),
]


def test_cells_of_an_xlsx_are_read_as_people_would_write_them(path: Path) -> None:
    def lay(sheet: Worksheet) -> None:
        sheet.append(HEADER)
        for number, (written, _) in enumerate(CELLS):
            sheet.append([f"{number}", written])

    assert [columns["day"] for columns in laid_out(path, lay).columns] == [
        text for _, text in CELLS
    ]


def test_days_and_numbers_of_an_xls_are_read_alike(path: Path) -> None:
    book = xlwt.Workbook()
    sheet = book.add_sheet("表")
    day = xlwt.easyxf(num_format_str="yyyy-mm-dd")
    minute = xlwt.easyxf(num_format_str="yyyy-mm-dd hh:mm:ss")
    rows: list[tuple[list[object], xlwt.XFStyle | None]] = [
        ([*HEADER], None),
        ([1, date(2026, 10, 3), True], day),
        ([2.0, moment(9, 5), False], minute),
        (["3", 0, 110101199001011234], day),
    ]
    for number, (cells, style) in enumerate(rows):
        for column, cell in enumerate(cells):
            sheet.write(number, column, cell, style if style and column == 1 else xlwt.XFStyle())
    path.write_bytes(saved(book))
    assert read(path).columns == [
        {"no": "1", "day": "2026-10-03", "note": "是"},
        {"no": "2", "day": "2026-10-03 09:05:00", "note": "否"},
        {"no": "3", "day": "1899-12-31", "note": "1.10101199001011E+17"},
    ]


FORMATS = [
    'yyyy"年"m"月"d"日";@',
    "[$-804]yyyy/m/d",
    "yyyy.mm.dd",
    "m/d/yy h:mm",
    "[$-409]d-mmm-yy",
]


def test_a_day_is_read_however_the_sheet_shows_it(path: Path) -> None:
    def lay(sheet: Worksheet) -> None:
        sheet.append(HEADER)
        for row, number_format in enumerate(FORMATS, start=2):
            sheet.append(["1", 46298])
            sheet.cell(row, 2).number_format = number_format

    days = [columns["day"] for columns in laid_out(path, lay).columns]
    assert days == ["2026-10-03"] * len(FORMATS)


def test_durations_and_breaks_within_lines_are_kept(path: Path) -> None:
    def lay(sheet: Worksheet) -> None:
        sheet.append(HEADER)
        sheet.append(["1", timedelta(hours=30, minutes=5), "一_x000D_\n二"])

    assert laid_out(path, lay).columns == [{"no": "1", "day": "30:05:00", "note": "一\r\n二"}]


def test_a_cell_merged_downwards_counts_in_every_row(path: Path) -> None:
    def lay(sheet: Worksheet) -> None:
        for row in (HEADER, ["1", "甲", "a"], [None, None, "b"], [None] * 3, ["2", "乙", "c"]):
            sheet.append(row)
        sheet.merge_cells("A2:A4")
        sheet.merge_cells("B2:B3")

    got = laid_out(path, lay)
    assert [(each.place.row) for each in got.records] == [2, 3, 5]
    assert got.columns == [
        {"no": "1", "day": "甲", "note": "a"},
        {"no": "1", "day": "甲", "note": "b"},
        {"no": "2", "day": "乙", "note": "c"},
    ]
    assert read(path, after=2).records == got.records[1:]


@pytest.mark.parametrize("total", ["合计", " 合　计：", "小计", "总计:", "累计", "本页合计"])
def test_rows_that_add_up_those_above_are_passed_over(path: Path, total: str) -> None:
    def lay(sheet: Worksheet) -> None:
        for row in (HEADER, ["1", "甲", "3"], [total, None, "#REF!"], ["2", "乙", "4"]):
            sheet.append(row)
        sheet["C3"].data_type = "e"
        sheet.append([None, total, "7"])
        sheet.append(["3", "丙", total])
        sheet.append(["合计金额", "丁", "5"])
        sheet.merge_cells("A3:B3")

    got = laid_out(path, lay)
    assert [each["no"] for each in got.columns] == ["1", "2", "3", "合计金额"]
    assert (got.numbers, got.unreadable, got.notices) == ([2, 4, 6, 7], [], ())


def test_rows_that_say_who_filled_the_table_in_are_passed_over(path: Path) -> None:
    def lay(sheet: Worksheet) -> None:
        for row in (HEADER, ["1", "甲", "3"], ["审核人：", None, " 填表人：乙样例"]):
            sheet.append(row)
        sheet.append([None, "制表单位：示范局"])
        sheet.append(["填表人：乙", "2", "有内容的行照读"])
        sheet.append(["负责人", "3", "没有冒号的也照读"])

    got = laid_out(path, lay)
    assert [each["no"] for each in got.columns] == ["1", "填表人：乙", "负责人"]
    assert (got.numbers, got.unreadable, got.notices) == ([2, 5, 6], [], ())


def test_a_column_that_is_missing_is_guessed_by_its_other_names(path: Path) -> None:
    wanted = replace(WANTED, also={**WANTED.also, canonical("现任职务（职级）"): "no"})

    def lay(sheet: Worksheet) -> None:
        sheet.append(["职务（职级）", "day", "note"])
        sheet.append(["1", "a", "n"])

    got = laid_out(path, lay, wanted)
    assert [fault.advice for fault in (*got.faults, *got.notices)] == [
        "是否即列“职务(职级)”？可改表头，或在站点映射中写明"
    ]


def test_cells_merged_downwards_in_an_xls_count_in_every_row(path: Path) -> None:
    book = xlwt.Workbook()
    sheet = book.add_sheet("表")
    for column, name in enumerate(HEADER):
        sheet.write(0, column, name)
    sheet.write_merge(1, 2, 0, 0, "1")
    for row, cell in enumerate("ab", start=1):
        sheet.write(row, 1, cell)
    path.write_bytes(saved(book))
    assert read(path).columns == [
        {"no": "1", "day": "a", "note": ""},
        {"no": "1", "day": "b", "note": ""},
    ]


GROUPED = Wanted(
    titles={"no": "编号", "被反映人/姓名": "姓名", "单位": "单位", "经办人/姓名": "经办人"},
    required=frozenset({"no", "被反映人/姓名"}),
    ignored=frozenset(),
)


def test_a_header_of_two_rows_gives_names_of_both(path: Path) -> None:
    def lay(sheet: Worksheet) -> None:
        sheet.append(["示范市线索台账"])
        sheet.append(["no*", "被反映人", None, "经办人", None])
        sheet.append([None, "姓 名", "单位", "姓名", "电话"])
        sheet.append(["1", "甲某某", "示范局", "乙某某", "0"])
        for cells in ("A1:E1", "A2:A3", "B2:C2", "D2:E2"):
            sheet.merge_cells(cells)

    got = laid_out(path, lay, GROUPED)
    assert [each.place.row for each in got.records] == [4]
    expected = {"no": "1", "被反映人/姓名": "甲某某", "单位": "示范局", "经办人/姓名": "乙某某"}
    assert (got.columns, got.notices) == ([expected], ())


def test_a_title_over_the_whole_table_is_no_part_of_the_header(path: Path) -> None:
    def lay(sheet: Worksheet) -> None:
        for row in (["示范市台账"], ["no", "day", "notes"], ["1", "a", "n"]):
            sheet.append(row)
        sheet.merge_cells("A1:C1")

    got = laid_out(path, lay)
    assert got.columns == [{"no": "1", "day": "a"}]
    assert [fault.advice for fault in got.notices] == [
        "是否即列“notes”？若是，请改表头或在站点映射中写明"
    ]


def test_every_sheet_with_the_header_is_read_and_the_others_told_once(path: Path) -> None:
    got = of_sheets(
        path,
        {
            "说明": [["填表说明"]],
            "一季度": [HEADER, ["1", "a"]],
            "空白": [],
            "隐藏旧表": [HEADER, ["9", "z"]],
            "隐藏选项": [["是"], ["否"]],
            "二季度": [["标题"], HEADER, ["2", "b"]],
        },
    )
    told = [(each.place.sheet, each.place.row, each.number) for each in got.records]
    assert told == [("一季度", 2, 3), ("二季度", 3, 10)]
    assert [columns["no"] for columns in got.columns] == ["1", "2"]
    assert [(f.row, f.kind, f.reason) for f in got.notices] == [
        (0, FaultKind.NOTICE, "工作表 “说明” 没有所需的表头，未读取"),
        (0, FaultKind.NOTICE, "隐藏的工作表 “隐藏旧表” 未读取"),
    ]
    assert got.rows == 10


def test_only_sheets_that_are_asked_for_are_read(path: Path) -> None:
    wanted = Wanted(WANTED.titles, WANTED.required, WANTED.ignored, sheets=("线索*", "附?"))
    sheets = {"线索一": [HEADER, ["1", "a"]], "汇总": [HEADER, ["8", "z"]], "附件": [HEADER]}
    got = of_sheets(path, sheets, wanted)
    assert ([columns["no"] for columns in got.columns], got.notices) == (["1"], ())
    got = of_sheets(path, {"汇总": [HEADER, ["8", "z"]]}, wanted)
    assert [fault.reason for fault in got.faults] == [
        "没有内容的工作表，或名称不符（须为 “线索*”、“附?”）"
    ]


def test_a_fault_of_one_of_several_sheets_names_it(path: Path) -> None:
    got = of_sheets(path, {"甲": [["x"]], "乙": [["no", "day1"], ["1", "a"]]})
    assert [(fault.sheet, fault.row, fault.column) for fault in got.faults] == [("乙", 1, "day")]


def test_a_sheet_that_begins_further_right_is_read_where_it_stands(path: Path) -> None:
    def lay(sheet: Worksheet) -> None:
        for column, name in enumerate(HEADER, start=4):
            sheet.cell(3, column).value = name
            sheet.cell(4, column).value = f"{column}"

    got = laid_out(path, lay)
    assert [each.place.row for each in got.records] == [4]
    assert got.columns == [{"no": "4", "day": "5", "note": "6"}]


def test_cells_beside_the_table_are_nobodys(path: Path) -> None:
    def lay(sheet: Worksheet) -> None:
        for row in (HEADER, ["1", "a", "n", None, "旁注"], [None, None, None, None, None]):
            sheet.append(row)

    assert laid_out(path, lay).columns == [{"no": "1", "day": "a", "note": "n"}]


def test_an_error_of_a_formula_is_a_fault_of_its_row_alone(path: Path) -> None:
    def lay(sheet: Worksheet) -> None:
        for row in (HEADER, ["1", "a", "#N/A"], ["2", "b", "n"], ["3", "c", "n", "#REF!"]):
            sheet.append(row)

    got = laid_out(path, lay)
    assert [columns["no"] for columns in got.columns] == ["2", "3"]
    assert got.unreadable == [
        RowFault(
            2,
            "note",
            FaultKind.FORMULA,
            "单元格是公式的错误值（如 #N/A）",
            "请改正公式，或直接填写结果",
        )
    ]


def test_errors_are_found_wherever_the_pieces_of_a_long_sheet_are_cut(path: Path) -> None:
    def row(number: int) -> str:
        error = number % 100 == 0
        cells = [f"{number}", "#N/A" if error else "a", "一段文字" * 100]
        return f'<row r="{number}">' + "".join(
            f'<c r="{column}{number}" t="e"><v>{cell}</v></c>'
            if cell == "#N/A"
            else f'<c r="{column}{number}" t="inlineStr"><is><t>{cell}</t></is></c>'
            for column, cell in zip("ABC", cells, strict=True)
        )

    book = written_xlsx([HEADER])
    rows = "".join(f"{row(number)}</row>" for number in range(2, 2_001))
    members: dict[str, str | bytes] = {}
    with zipfile.ZipFile(io.BytesIO(book)) as archive:
        for name in archive.namelist():
            content = archive.read(name).decode()
            members[name] = content.replace("</sheetData>", f"{rows}</sheetData>")
    path.write_bytes(zip_of(members))
    assert [fault.row for fault in read(path).unreadable] == [*range(100, 2_001, 100)]


def test_repeated_cells_and_days_of_an_ods_are_read(path: Path) -> None:
    def cell(text: str) -> str:
        string = '<table:table-cell office:value-type="string"><text:p>'
        return f"{string}{text}</text:p></table:table-cell>"

    day = (
        '<table:table-cell office:value-type="date" office:date-value="2026-10-03">'
        "<text:p>2026年10月3日</text:p></table:table-cell>"
    )
    header = "".join(map(cell, HEADER))
    rows = [
        f"<table:table-row>{header}</table:table-row>",
        f'<table:table-row table:number-rows-repeated="2">{cell("1")}{day}</table:table-row>',
    ]
    path.write_bytes(ods_of(f'<table:table table:name="表">{"".join(rows)}</table:table>'))
    assert read(path).columns == [{"no": "1", "day": "2026-10-03", "note": ""}] * 2
