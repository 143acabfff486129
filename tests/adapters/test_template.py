"""A template is made from an adapter, filled in by people, and read back as what they meant."""

import re
from collections.abc import Mapping
from datetime import date, datetime
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from openpyxl import load_workbook
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from adapters.kit.adapter import Adapter, available, load
from adapters.kit.answers import write_answers
from adapters.kit.dry import dry_run, fitting, rehearsed
from adapters.kit.port import CannotRun, FaultKind, RowFault
from adapters.kit.template import Offered, Template, adapter_making, template_of
from adapters.kit.templatebook import workbook_of, write_template
from adapters.kit.templatemark import GUIDE, MARK, Mark, mark_in
from adapters.kit.wanted import canonical
from contracts.owncodes import SHIPPED

DAY = date(2026, 11, 1)
OFFERED = Offered(region="510100", day=DAY)
BRIEFING: Mapping[str, Any] = {
    "轮次编号": "510100-14-11",
    "党组织编号": "510100.inspected-party.sample",
    "通报日期": datetime(2026, 11, 2, 9, 5),  # noqa: DTZ001 (what a cell holds)
    "通报期间起": date(2023, 1, 1),
    "通报期间止": date(2026, 10, 31),
    "零报告": "是",
    "机关类别": "审计",
}


def of(name: str, type_: str = "", offered: Offered = OFFERED) -> Template:
    return template_of(load(name), offered, type_)


def filled(
    template: Template, path: Path, *rows: Mapping[str, Any], **lists: tuple[Mapping[str, Any], ...]
) -> Path:
    """The template with these rows below its header, and those of its lists, saved as people's
    programs save it."""
    book = reopened(workbook_of(template))
    fill(book[template.sheets[0].name], *rows)
    for name, listed in lists.items():
        fill(book[name], *listed)
    book.save(path)
    return path


def fill(sheet: Worksheet, *rows: Mapping[str, Any]) -> None:
    header = header_of(sheet)
    names = [str(cell.value).rstrip("*") for cell in sheet[header]]
    for number, row in enumerate(rows, header + 1):
        for name, value in row.items():
            sheet.cell(number, names.index(name) + 1).value = value


def header_of(sheet: Worksheet) -> int:
    return int(str(sheet.freeze_panes).removeprefix("A")) - 1


def reopened(book: Workbook) -> Workbook:
    content = BytesIO()
    book.save(content)
    return load_workbook(content)


def faults_of(adapter: Adapter, path: Path) -> list[RowFault]:
    return [fault for tried in rehearsed(adapter, path, "510100.audit") for fault in tried.faults]


def lists_of(book: Workbook, sheet: Worksheet) -> dict[str, list[str]]:
    """What people choose from, by heading."""
    header = header_of(sheet)
    offered = {}
    for validation in sheet.data_validations.dataValidation:
        if validation.type == "list":
            name, _, cells = str(validation.formula1).partition("!")
            column = next(iter(validation.sqref.ranges)).min_col
            listed = book[name.strip("'")][cells.replace("$", "")]
            heading = str(sheet.cell(header, column).value).rstrip("*")
            offered[heading] = [str(cell.value) for (cell,) in listed]
    return offered


def test_a_template_that_was_filled_in_is_read_as_it_was_meant(tmp_path: Path) -> None:
    path = filled(of("discipline.briefings"), tmp_path / "通报.xlsx", BRIEFING)
    done = dry_run(load("discipline.briefings"), path, "510100.audit")
    assert (done.read, done.types, done.faults) == (1, {"briefing.provided": 1}, ())
    event = done.document(show=True)["first"][0]["event"]
    assert event["data"] == {
        "roundid": "510100-14-11",
        "targetid": "510100.inspected-party.sample",
        "section": {"code": "audit", "label": "审计"},
        "period": {"from": "2023-01-01", "to": "2026-10-31"},
        "nothing_to_report": True,
    }
    assert event["time"] == "2026-11-02T09:05:00+08:00"


@pytest.mark.parametrize("name", [name for name in available() if load(name).mapping.templated])
def test_every_adapters_template_has_the_columns_that_the_adapter_needs(name: str) -> None:
    template = of(name)
    book = reopened(workbook_of(template))
    for number, asked in enumerate(template.sheets):
        headings = {canonical(column.name) for column in asked.columns}
        assert len(headings) == len(asked.columns)
        assert number or load(name).mapping.wanted.required <= headings
        assert book[asked.name].max_row <= 3


@pytest.mark.parametrize(
    "name", [name for name in available() if load(name).mapping.template.example]
)
def test_the_example_of_a_template_can_be_sent_as_it_stands(name: str, tmp_path: Path) -> None:
    template = of(name)
    first, *lists = (
        {column.name: column.example for column in sheet.columns if column.example}
        for sheet in template.sheets
    )
    listed = {sheet.name: (row,) for sheet, row in zip(template.sheets[1:], lists, strict=True)}
    path = filled(template, tmp_path / "照示例填.xlsx", first, **listed)
    assert faults_of(load(name), path) == []
    assert fitting(path) == (name,)


def test_lists_that_belong_to_records_stand_on_sheets_of_their_own(tmp_path: Path) -> None:
    template = of("inspection.feedback")
    assert [sheet.name for sheet in template.sheets] == ["反馈意见", "问题清单", "整改要求"]
    assert [c.name for c in template.sheets[2].columns] == ["党组织编号", "要求序号", "整改要求"]
    feedback = {
        "轮次编号": "510100-14-11",
        "党组织编号": "510100.inspected-party.sample",
        "党组织名称": "示范市样例局",
        "反馈时间": date(2026, 6, 20),
        "反馈会日期": date(2026, 6, 20),
        "反馈范围": "党组织主要负责人",
        "整改方案期限": date(2026, 7, 20),
        "整改报告期限": date(2026, 12, 20),
    }
    issue = {
        "问题编号": "WT-1",
        "问题类别": "财务管理不规范",
        "具体问题": "工程款支付不规范",
        "具体表现": "2 个项目未经验收即支付尾款。",
        "整改专项": "巡察专项",
        "监督重点": "聚焦群众身边不正之风和腐败",
    }
    path = filled(
        template,
        tmp_path / "反馈.xlsx",
        feedback,
        问题清单=(issue, {**issue, "问题编号": "WT-2"}),
        整改要求=({"要求序号": 1, "整改要求": "限期整改。"},),
    )
    done = dry_run(load("inspection.feedback"), path, "510100.inspection-office")
    assert (done.types, done.faults) == ({"feedback.issued": 1}, ())
    data = done.document(show=True)["first"][0]["event"]["data"]
    assert [issue["issueid"] for issue in data["issues"]] == ["WT-1", "WT-2"]


@pytest.mark.parametrize("name", ["audit.books", "organization.forms", "organization.packages"])
def test_what_reads_no_tables_has_no_template(name: str) -> None:
    with pytest.raises(CannotRun, match=rf"{re.escape(name)} 读的不是表格，没有填报模板"):
        of(name)


def test_an_empty_template_says_nothing_and_nothing_of_it_is_told(tmp_path: Path) -> None:
    path = filled(of("discipline.briefings"), tmp_path / "空.xlsx")
    done = dry_run(load("discipline.briefings"), path, "510100.discipline")
    assert (done.read, done.types, done.faults, done.complete) == (0, {}, (), True)


def test_what_people_see_is_locked_but_for_the_rows_and_what_they_do_not_see_is_hidden() -> None:
    template = of("discipline.briefings")
    book = reopened(workbook_of(template))
    states = {sheet.title: sheet.sheet_state for sheet in book.worksheets}
    assert states == {
        "填报": "visible",
        GUIDE: "visible",
        "贯通选项": "hidden",
        MARK: "veryHidden",
    }
    sheet = book["填报"]
    header = sheet[2]
    assert sheet.protection.sheet
    assert sheet.protection.password is None
    assert sheet.freeze_panes == "A3"
    assert sheet.print_title_rows == "$1:$2"
    assert all(cell.protection.locked for cell in header)
    dimension = sheet.column_dimensions["C"]
    assert (dimension.protection.locked, dimension.number_format) == (False, "@")
    assert sheet.column_dimensions["G"].number_format == "yyyy-mm-dd hh:mm"
    assert header[2].value == "党组织编号*"
    assert header[2].comment is not None
    assert header[2].comment.text == "必填\n编号，照原样填写，不含空格"


def test_people_choose_by_name_and_are_stopped_at_what_nobody_could_read() -> None:
    template = of("discipline.briefings")
    book = reopened(workbook_of(template))
    sheet = book["填报"]
    lists = lists_of(book, sheet)
    assert lists["零报告"] == ["是", "否"]
    assert lists["机关类别"][:3] == ["纪检监察", "组织", "宣传"]
    names = {cell.coordinate[:-1]: str(cell.value).rstrip("*") for cell in sheet[2]}
    stopped = {
        names[str(validation.sqref).partition("3")[0]]: (
            validation.type,
            validation.errorStyle,
            validation.formula1,
            validation.formula2,
            validation.error,
        )
        for validation in sheet.data_validations.dataValidation
        if validation.type != "list"
    }
    assert stopped["通报期间起"] == ("date", "stop", "1", "73050", "请填日期，如 2026-10-12")
    assert stopped["涉密件数"] == (
        "whole",
        "stop",
        "0",
        "1000000000",
        "请填 0 至 1000000000 的整数",
    )
    assert stopped["统一社会信用代码"] == ("textLength", "stop", "18", "18", "应为 18 位")
    assert stopped["不予通报说明"] == ("textLength", "stop", "1", "2000", "不超过 2000 字")
    # Cells about several matters are held against no rule, and amounts may bear their unit.
    assert not {"事项日期", "涉及金额"} & stopped.keys()


def test_a_region_offers_itself_and_those_below_it_and_a_level_its_own_codes() -> None:
    city = {column.name: column.choices for column in of("petition").columns}
    assert city["wtsddm"][:2] == ("四川省成都市", "四川省成都市锦江区")
    nobody = of("petition", offered=Offered(day=DAY))
    assert {c.name: c.choices for c in nobody.columns}["wtsddm"] == ()


def test_a_template_of_one_type_asks_for_what_its_event_cannot_be_without() -> None:
    needed = [c.name for c in of("discipline.clues", "clue.concluded").columns if c.needed]
    assert needed == ["线索编号", "办结时间", "反馈内容", "办结承办人", "办结结果"]
    names = {column.name for column in of("discipline.clues", "clue.concluded").columns}
    assert "退回理由" not in names


def test_a_type_finds_the_adapter_that_makes_its_events() -> None:
    adapter, only = adapter_making("clue.concluded", None, SHIPPED)
    assert (adapter.name, only) == ("discipline.clues", "clue.concluded")
    adapter, only = adapter_making("discipline.clues", None, SHIPPED)
    assert (adapter.name, only) == ("discipline.clues", "")
    with pytest.raises(CannotRun, match=r"没有名为 clue\.unheard 的适配器"):
        adapter_making("clue.unheard", None, SHIPPED)
    with pytest.raises(CannotRun, match=r"discipline\.clues 不发 petition\.replied"):
        of("discipline.clues", "petition.replied")


def test_a_region_that_nobody_knows_is_told() -> None:
    with pytest.raises(CannotRun, match="--region"):
        of("petition", offered=Offered(region="999999"))


def test_a_template_of_another_adapter_is_told_once(tmp_path: Path) -> None:
    path = filled(of("discipline.briefings"), tmp_path / "通报.xlsx", BRIEFING, BRIEFING)
    assert faults_of(load("discipline.exchange"), path) == [
        RowFault(
            row=0,
            column="",
            kind=FaultKind.FILE,
            reason="放错了文件夹：这是 discipline.briefings 的填报模板，不是“公文往来登记表”的",
            advice="请放入 discipline.briefings 的投放文件夹；"
            "要填“公文往来登记表”的，请换用它的模板",
        )
    ]
    assert fitting(path)[0] == "discipline.briefings"


def test_a_row_that_is_wrong_comes_back_in_the_template_and_is_read_once_it_is_right(
    tmp_path: Path,
) -> None:
    adapter = load("discipline.briefings")
    unfinished = {**BRIEFING, "通报期间起": None}
    path = filled(of("discipline.briefings"), tmp_path / "通报.xlsx", unfinished)
    faults = faults_of(adapter, path)
    assert [(fault.row, fault.column) for fault in faults] == [(3, "通报期间起")]

    (_, answer) = write_answers(path, path.name, faults, tmp_path, wanted=adapter.mapping.wanted)
    book = load_workbook(answer)
    assert book[MARK].sheet_state == "veryHidden"
    sheet = book["填报"]
    assert sheet.cell(2, 3).comment is not None
    assert [cell.value for cell in sheet[2]][-1] == "需修改的问题"
    fill(sheet, {"通报期间起": date(2023, 1, 1)})
    book.save(answer)
    done = dry_run(adapter, answer, "510100.audit")
    assert (done.read, done.types, done.faults) == (1, {"briefing.provided": 1}, ())


def test_a_mark_that_was_tampered_with_is_no_mark(tmp_path: Path) -> None:
    mark = Mark("a.b", "b", ("x.y 1.0",), ("甲", "乙"))
    rows = [list(row) for row in mark.rows()]
    assert mark_in(rows) == mark
    for place, cell in (((0, 0), "别的"), ((0, 1), "0"), ((1, 1), "../x"), ((4, 2), "丙")):
        changed = [list(row) for row in rows]
        changed[place[0]][place[1]] = cell
        assert mark_in(changed) is None
    assert mark_in(rows[:3]) is None
    assert mark_in([]) is None


def test_an_existing_file_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "模板.xlsx"
    write_template(of("discipline.briefings"), path)
    before = path.read_bytes()
    with pytest.raises(CannotRun, match="已经存在"):
        write_template(of("discipline.briefings"), path)
    assert path.read_bytes() == before
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_template_is_the_same_every_time(tmp_path: Path) -> None:
    paths = [tmp_path / f"{n}.xlsx" for n in range(2)]
    for path in paths:
        write_template(of("petition.handling"), path)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    with ZipFile(paths[0]) as parts:
        assert not any("external" in name for name in parts.namelist())


def test_a_roster_need_not_give_the_number_that_the_adapter_makes() -> None:
    needed = {column.name for column in of("organization.rosters").columns if column.needed}
    assert needed == {"姓名", "现任职务", "统计日期"}
