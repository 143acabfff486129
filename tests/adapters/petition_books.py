"""The petition samples that are workbooks: synthetic, the same bytes every time.

    python -m tests.adapters.petition_books

writes them again below `adapters/petition`.
"""

import io
import re
import zipfile
from collections.abc import Callable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Final

import xlwt
from openpyxl import Workbook
from openpyxl.styles import Alignment, Font

import adapters.petition

FOLDER: Final = Path(adapters.petition.__path__[0])
_TITLE: Final = "示范市信访局信访件导出（2026年10月）"
_WRITTEN: Final = "2026-11-01T00:00:00Z"
_PACKED: Final = (2026, 11, 1, 0, 0, 0)

Cell = str | int | float | date | datetime | None

_CASE: Final[Mapping[str, Cell]] = {
    "信访件编号": "XFJ0001",
    "登记时间": datetime.fromisoformat("2026-10-08 09:05:00"),
    "信访日期": date.fromisoformat("2026-10-08"),
    "信访形式": "来信",
    "信访人数": 1,
    "概况": "反映小区公共收益未公开，要求公布",
    "投诉内容": "来信原文不得出现在任何输出中",
    "是否重复信访": "否",
    "是否联名": "否",
    "问题属地": 510104,
    "内容分类": "080300",
    "内容分类名称": "物业管理",
    "信访目的": "求决",
    "限办截止日期": None,
    "被反映人姓名": None,
    "被反映人职务": None,
    "被反映人单位": None,
    "信访人": "赵示甲",
    "证件类型": "居民身份证",
    "证件号码": "519999198001010012",
    "联系电话": "12800000001",
    "住址": "示范市样板路1号",
    "办理方式": "转送",
}
_DUE: Final = date.fromisoformat("2026-12-07")
# What an .xls holds where a system has no date: 1899-12-31.
_NO_DAY: Final = 1


def old_workbook() -> bytes:
    """An .xls as a bureau's system exports it."""
    book = xlwt.Workbook(encoding="utf-8")
    sheet = book.add_sheet("导出")
    sheet.write_merge(0, 0, 0, len(_CASE) - 1, _TITLE)
    rows: list[list[Cell]] = [
        [*_CASE],
        _row(1, 限办截止日期=_NO_DAY),
        _row(2, 限办截止日期=_DUE, 信访人数=12),
        _row(3, 信访日期="2026年10月8日", 问题属地="510104"),
        _accusation(4, 限办截止日期=r"\N"),
        # Typed as a number, eighteen digits are no longer what they were.
        _row(5, 证件号码=519999198001010012.0),
        _row(6, 信访日期=_NO_DAY),
    ]
    for place, row in enumerate(rows, start=1):
        for column, (name, cell) in enumerate(zip(_CASE, row, strict=True)):
            if cell is not None:
                sheet.write(place, column, cell, _style(name, cell))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def workbook() -> bytes:
    """An .xlsx as people keep it: merged title, stars, a line of notes, another sheet."""
    required = ("信访件编号", "登记时间", "信访日期", "问题属地")
    book = _book()
    sheet = book.create_sheet("信访件")
    sheet.append([_TITLE])
    sheet.merge_cells(start_row=1, start_column=1, end_row=1, end_column=len(_CASE))
    sheet["A1"].font = Font(bold=True)
    sheet["A1"].alignment = Alignment(horizontal="center")
    sheet.append(["填报单位：示范市信访局", None, None, "填报人：示例"])
    sheet.append([f"*{name}" if name in required else name for name in _CASE])
    for row in (
        _row(1, 登记时间="2026-10-08 09:05:00", 信访日期="20261008", 信访人数="3人"),
        _row(2, 信访人数="3", 是否联名="是", 内容分类=80300),
        _row(3, 是否重复信访=True, 限办截止日期=_DUE),
        _accusation(4),
        _row(5, 证件类型="护照", 证件号码="SL0000001"),
    ):
        sheet.append(row)
    book.create_sheet("填表说明").append(["带星号的必填。"])
    return book_bytes(book)


def hostile_workbook() -> bytes:
    """What nobody should send, and somebody will."""
    book = _book()
    sheet = book.create_sheet("信访件")
    sheet.append(list(_CASE))
    for row in (
        _row(1, 概况="=cmd|'/c calc'!A0", 信访人='=HYPERLINK("http://example.invalid")'),
        _row(2, 信访件编号="ＸＦＪ０００２", 问题属地="５１０１０４", 信访人数="１２"),
        _row(3, 信访人="示" * 10_000),
        _row(4, 信访人="赵\u202e示甲\u202c", 住址="\u200f示范市\ufeff样板路\u200b1号"),
        _row(5, 信访件编号="../../XFJ0005", 概况="<script>alert(1)</script>'; --"),
        _row(6, 信访件编号="XFJ 0006", 概况="示" * 20_001),
        _row(7, 信访日期="9999-99-99", 信访人数="1e309"),
        _row(8, 信访人数=-1, 问题属地="../etc"),
        _row(9, 住址="样板路_x0000_1号_x0007_"),
    ):
        sheet.append(row)
    return book_bytes(book)


BOOKS: Final[Mapping[str, Callable[[], bytes]]] = {
    "samples/chinese-headers-xls/in.xls": old_workbook,
    "samples/chinese-headers-xlsx/in.xlsx": workbook,
    "samples/hostile-xlsx/in.xlsx": hostile_workbook,
}


def _row(number: int, **changes: Cell) -> list[Cell]:
    return list({**_CASE, "信访件编号": f"XFJ{number:04}", **changes}.values())


def _accusation(number: int, **changes: Cell) -> list[Cell]:
    accused: dict[str, Cell] = {
        "概况": "反映有关负责人收受礼金",
        "内容分类": "030100",
        "内容分类名称": "贪污贿赂",
        "信访目的": "检举控告",
        "被反映人姓名": "钱例乙",
        "被反映人职务": "党组成员、副局长",
        "被反映人单位": "示范市东湖区城市更新局",
    }
    return _row(number, **{**accused, **changes})


def _style(name: str, cell: Cell) -> xlwt.XFStyle:
    if isinstance(cell, datetime):
        return xlwt.easyxf(num_format_str="yyyy/mm/dd hh:mm:ss")
    if isinstance(cell, date) or (cell == _NO_DAY and name.endswith("日期")):
        return xlwt.easyxf(num_format_str="yyyy/mm/dd")
    return xlwt.easyxf()


def _book() -> Workbook:
    book = Workbook()
    book.remove(book.worksheets[0])
    return book


def book_bytes(book: Workbook) -> bytes:
    """The workbook without the time at which it was made."""
    packed, out = io.BytesIO(), io.BytesIO()
    book.save(packed)
    with zipfile.ZipFile(packed) as given, zipfile.ZipFile(out, "w") as kept:
        for name in sorted(given.namelist()):
            content = given.read(name)
            if name == "docProps/core.xml":
                content = re.sub(rb"\d{4}-\d\d-\d\dT[\d:]+Z", _WRITTEN.encode(), content)
            member = zipfile.ZipInfo(name, _PACKED)
            kept.writestr(member, content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


if __name__ == "__main__":
    for name, made in BOOKS.items():
        path = FOLDER / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(made())
