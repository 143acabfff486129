"""The audit samples that are workbooks: synthetic, the same bytes every time.

    python -m tests.adapters.audit_books

writes them again below `adapters/audit`.
"""

from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Final

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font
from openpyxl.worksheet.worksheet import Worksheet

import adapters.audit
from tests.adapters.petition_books import Cell, book_bytes

FOLDER: Final = Path(adapters.audit.__path__[0])


def problems() -> bytes:
    """A list of problems as an office keeps it: title, unit, groups of columns, numbers as text,
    the project merged over its rows."""
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = "问题清单"
    _titled(sheet, "示范市审计局审计发现问题清单", 11)
    sheet.append(["填报单位：示范市审计局", *[None] * 8, "单位：万元"])
    project_titles = ["*项目编号", "*项目名称", "*项目类型", "*被审计单位", "*审计报告日期"]
    titles = ["*问题序号", "*问题类别", "*问题名称", "*主要事实", "问题金额", None]
    sheet.append([*project_titles, *titles])
    sheet.append([*[None] * 9, "违规金额", "管理不规范金额"])
    project: list[Cell] = [
        "SJ-510100-2026-012",
        "示范市本级2025年度预算执行审计",
        "预算执行审计",
        "示范市样例财政中心",
        date(2026, 7, 20),
    ]
    rows: list[list[Cell]] = [
        [1, "违规使用财政资金", "挤占专项资金", "挤占专项资金用于日常开支。", "1,234.5", None],
        ["02", "滞留闲置资金", "资金闲置", "结余资金闲置两年以上。", None, 58.2],
        [3, "非金额计量问题", "批复不及时", "3 个部门预算批复超过法定时限。", None, None],
        [4, "违规收费", "超标准收费", "超标准收取示例费用。", "约30万", None],
    ]
    for number, row in enumerate(rows):
        sheet.append([*(project if number == 0 else [None] * 5), *row])
    for column in range(1, 6):
        sheet.merge_cells(start_row=5, end_row=8, start_column=column, end_column=column)
    for column in range(1, 10):
        sheet.merge_cells(start_row=3, end_row=4, start_column=column, end_column=column)
    sheet.merge_cells("J3:K3")
    book.create_sheet("填表说明").append(["金额以万元为单位，问题序号在一个项目内不重复。"])
    return book_bytes(book)


def rectification() -> bytes:
    """A ledger of rectification: what is said of the project is merged over its findings."""
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = "整改台账"
    titles = ["*项目编号", "*被审计单位", "*截止日期", "*问题序号", "*整改情况", "整改措施"]
    more = ["已上缴财政金额", "未完成原因", "计划完成时间"]
    _titled(sheet, "示范市审计整改台账（单位：元）", len([*titles, *more]))
    sheet.append([*titles, *more])
    whole: list[Cell] = ["SJ-510100-2026-012", "示范市样例财政中心", date(2026, 10, 10)]
    rows: list[list[Cell]] = [
        [1, "已整改", "1、上缴财政；2、完善制度", 1_234_500, None, None],
        [2, "正在整改", None, None, "等待批复", "2026年12月31日"],
        [3, None, None, None, None, None],
    ]
    for number, row in enumerate(rows):
        sheet.append([*(whole if number == 0 else [None] * 3), *row])
    for column in range(1, 4):
        sheet.merge_cells(start_row=3, end_row=5, start_column=column, end_column=column)
    return book_bytes(book)


def plan() -> bytes:
    """A year's plan: the plan is named in its first row alone, merged over the others."""
    book = Workbook()
    sheet = book.worksheets[0]
    titles = ["*计划编号", "*年度", "*通报日期", "*批准日期", "*项目编号", "*项目名称"]
    more = ["*项目类型", "*被审计单位", "计划开始月份", "计划结束月份", "联动方式"]
    _titled(sheet, "示范市2026年度审计项目计划", len([*titles, *more]))
    sheet.append([*titles, *more])
    whole: list[Cell] = ["510100-SJJH-2026", 2026, date(2026, 2, 25), date(2026, 2, 20)]
    budget: list[Cell] = ["SJ-510100-2026-012", "示范市本级2025年度预算执行审计", "预算执行"]
    sheet.append([*whole, *budget, "示范市样例财政中心", "2026年3月", "2026年5月", "先审后巡"])
    works: list[Cell] = [*[None] * 4, "SJ-510100-2026-013", "示范市样例工程审计", "投资审计"]
    sheet.append([*works, "示范市样例建设中心", date(2026, 7, 1), "2026.09", None])
    for column in range(1, 5):
        sheet.merge_cells(start_row=3, end_row=4, start_column=column, end_column=column)
    return book_bytes(book)


BOOKS: Final[Mapping[str, Callable[[], bytes]]] = {
    "plans/samples/workbook/in.xlsx": plan,
    "problems/samples/workbook/in.xlsx": problems,
    "rectification/samples/workbook/in.xlsx": rectification,
}


def _titled(sheet: Worksheet, title: str, columns: int) -> None:
    sheet.append([title])
    sheet.merge_cells(start_row=1, end_row=1, start_column=1, end_column=columns)
    sheet["A1"].font = Font(bold=True)
    sheet["A1"].alignment = Alignment(horizontal="center")


if __name__ == "__main__":
    for name, made in BOOKS.items():
        path = FOLDER / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(made())
