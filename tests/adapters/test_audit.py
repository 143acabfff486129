"""Audit: lists and registers go out; what is said again is sent once, what is new is told."""

import csv
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any, Final

import pytest
from openpyxl import load_workbook
from openpyxl.worksheet.worksheet import Worksheet

import contracts
from adapters.kit.adapter import load
from adapters.kit.amounts import without_unit
from adapters.kit.client import HubClient
from adapters.kit.making import FromRecord, make
from adapters.kit.openings import keep_openings
from adapters.kit.port import FaultKind
from adapters.kit.readers.opening import opened
from adapters.kit.runner import Summary, run
from adapters.kit.sinks.columns import described
from adapters.kit.sinks.ledger import LedgerSettings
from adapters.kit.sinks.ledgerform import Ledger
from adapters.kit.state import open_state
from adapters.kit.wanted import canonical
from contracts.catalogue import load_catalogue
from contracts.owncodes import load_codes
from tests.adapters.audit_books import BOOKS, FOLDER
from tests.adapters.door import Door
from tests.adapters.sinks.events import Event, event

CONTRACTS: Final = Path(str(contracts.__file__)).parent
SETTINGS: Final = LedgerSettings(type="ledger", path=Path("台账.xlsx"))
Drop = Callable[..., Summary]

PROBLEM: Final[Mapping[str, Any]] = {
    "项目编号": "SJ-510100-2026-012",
    "项目名称": "示范市本级2025年度预算执行审计",
    "项目类型": "预算执行审计",
    "被审计单位": "示范市样例财政中心",
    "问题序号": "1",
    "问题分类": "违规使用财政资金",
    "问题标题": "挤占专项资金",
    "问题事实": "挤占专项资金用于日常开支。",
    "违规金额（万元）": "12.5",
    "审计文书日期": "2026-07-20",
}


@pytest.fixture
def drop(door: Door, tmp_path: Path) -> Drop:
    """Drop a table of these rows; what went before is remembered from one drop to the next."""

    def drop(name: str, *rows: Mapping[str, Any]) -> Summary:
        file = table(tmp_path / "表.csv", *rows)
        with HubClient(door.url, "t") as client, open_state(tmp_path / name) as state:
            adapter = load(name)
            letter = arrived(7, "audit.assistance_requested-1")
            keep_openings(state, load_catalogue(), [letter])
            return run(adapter, file, agency="510100.audit", hub=client, state=state, now=now)

    return drop


def now() -> float:
    return 0.0


def table(file: Path, *rows: Mapping[str, Any]) -> Path:
    columns = list(dict.fromkeys(title for row in rows for title in row))
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, columns)
        writer.writeheader()
        writer.writerows(rows)
    return file


def sent(door: Door) -> list[dict[str, Any]]:
    return [event for asked in door.asked for event in json.loads(asked.body)]


def arrived(number: int, example: str, **changes: Any) -> Event:
    """An example of the contracts, as the hub gives it; `changes` are members of its payload."""
    type_ = example.partition("-")[0]
    folder = CONTRACTS / type_.partition(".")[0] / "examples" / "valid"
    payload = json.loads((folder / f"{example}.json").read_text(encoding="utf-8"))
    return event(number, type_, payload | changes)


def data(made: FromRecord) -> list[tuple[str, dict[str, Any]]]:
    return [(each.event.type, json.loads(each.event.data)) for each in made.events]


def fill_in(sheet: Worksheet, number: int, cells: Mapping[str, Any]) -> None:
    titles = [str(head.value).strip("*") for head in sheet[2]]
    for title, value in cells.items():
        sheet.cell(number, titles.index(title) + 1, value)


def told(file: Path) -> list[dict[str, Any]]:
    """The rows of a ledger by the titles of its header."""
    sheet = load_workbook(file).worksheets[0]
    heads = [str(head.value).strip("*") for head in sheet[2]]
    rows = sheet.iter_rows(min_row=3, values_only=True)
    return [dict(zip(heads, row, strict=True)) for row in rows if any(row)]


def given(name: str, file: Path, site: Path | None = None) -> Iterator[FromRecord]:
    """What the rows of a file give, one after the other."""
    adapter = load(name, site)
    with opened(file, file.name, adapter.mapping.wanted) as reader:
        for record in reader.read():
            yield make(adapter, record)


@pytest.mark.parametrize("name", BOOKS)
def test_a_workbook_among_the_samples_is_what_is_written_here(name: str) -> None:
    assert (FOLDER / name).read_bytes() == BOOKS[name]()


def test_a_list_that_is_dropped_again_sends_what_was_changed(door: Door, drop: Drop) -> None:
    second = {**PROBLEM, "问题序号": "2", "问题标题": "违规收费"}
    drop("audit.problems", PROBLEM, second)
    summary = drop("audit.problems", PROBLEM, {**second, "违规金额（万元）": "15"})
    assert (summary.accepted, summary.duplicate) == (1, 1)
    first, other, corrected = sent(door)
    assert [each.get("supersedes") for each in (first, other, corrected)] == [
        None,
        None,
        other["id"],
    ]
    assert corrected["data"]["findingid"] == "SJ-510100-2026-012-02"
    assert corrected["data"]["amounts"][0]["money"] == {"amount": "15", "unit": "万元"}


def test_a_long_list_gives_a_finding_or_a_reason_for_every_row(tmp_path: Path) -> None:
    rows = [
        {**PROBLEM, "问题序号": n, "违规金额（万元）": "约30万" if n % 100 == 0 else f"{n}.5"}
        for n in range(1, 3_001)
    ]
    told = Counter[str]()
    for made in given("audit.problems", table(tmp_path / "长.csv", *rows)):
        told.update(each.event.type for each in made.events)
        told.update(str(fault.kind) for fault in made.faults)
    assert told == {"audit.finding_reported": 2_970, FaultKind.MONEY: 30}


RECTIFIED: Final[Mapping[str, Any]] = {
    "项目编号": "SJ-510100-2026-012",
    "被审计单位": "示范市样例财政中心",
    "截止日期": "2026-10-10",
    "问题序号": "1",
    "整改完成情况": "未整改",
    "未整改到位原因": "等待批复",
    "计划完成日期": "2026-12-31",
    "整改措施": "",
}
SECOND: Final[Mapping[str, Any]] = {
    **RECTIFIED,
    "问题序号": "2",
    "整改完成情况": "已整改",
    "整改措施": "已归还原渠道。",
}


def test_rectification_goes_on_from_report_to_report(door: Door, drop: Drop) -> None:
    later = {"截止日期": "2026-11-10"}
    done = {"整改完成情况": "已完成", "整改措施": "已上缴财政。"}
    drop("audit.rectification", RECTIFIED, SECOND)
    drop("audit.rectification", {**RECTIFIED, "未整改到位原因": "等待省厅批复"}, SECOND)
    drop("audit.rectification", {**RECTIFIED, **done, **later}, {**SECOND, **later})
    drop("audit.rectification", {**RECTIFIED, **done, **later}, {**SECOND, **later})
    events = sent(door)
    assert [
        (each["data"]["as_of"], each["data"]["done_count"], each.get("supersedes"))
        for each in events
    ] == [
        ("2026-10-10", 1, None),
        ("2026-10-10", 1, events[0]["id"]),
        ("2026-11-10", 2, None),
    ]


def test_a_project_with_a_faulty_row_comes_back_whole_and_goes_out_when_repaired(
    door: Door, drop: Drop, tmp_path: Path
) -> None:
    summary = drop("audit.rectification", RECTIFIED, {**SECOND, "整改措施": ""})
    (fault,) = summary.faults
    assert (fault.row, fault.column, fault.kind) == (3, "整改措施", FaultKind.CONTRACT)
    assert door.asked == []
    book = next(path for path in summary.answers if path.suffix == ".xlsx")
    sheet = load_workbook(book).worksheets[0]
    assert [row[3] for row in sheet.iter_rows(values_only=True)] == ["问题序号", "1", "2"]


@pytest.mark.parametrize(
    ("name", "unshown"),
    [
        ("audit.answers", set()),
        ("audit.briefings", set()),
        ("audit.rectification", {"问题序号", "已整改问题数"}),
    ],
)
def test_people_fill_in_what_is_read_and_no_more(name: str, unshown: set[str]) -> None:
    adapter = load(name)
    columns = described(adapter.folder / "ledger.toml", Ledger).columns
    filled_in = {without_unit(canonical(each.title)) for each in columns if each.editable}
    shown = {canonical(each.title) for each in columns if not each.editable}
    fields = (adapter.mapping.fields, *(each.fields for each in adapter.mapping.groups.values()))
    read = {rule.column for each in fields for rule in each.values()}
    assert filled_in == read - shown - unshown
    assert shown - read <= adapter.mapping.cells.ignored


@pytest.mark.parametrize(
    "name",
    [
        "problems",
        "rectification",
        "reports",
        "plans",
        "letters",
        "answers",
        "handovers",
        "briefings",
    ],
)
def test_every_ledger_is_described_soundly(name: str) -> None:
    assert described(FOLDER / name / "ledger.toml", Ledger).columns


def test_a_report_that_arrived_is_answered_in_the_ledger(tmp_path: Path) -> None:
    with SETTINGS.opened(tmp_path, FOLDER / "rectification") as sink:
        sink.take([arrived(7, "audit.report_shared-1")])
    file = tmp_path / SETTINGS.path
    assert [data(made) for made in given("audit.rectification", file)] == [[]]
    shown = told(file)
    book = load_workbook(file)
    rows = {
        3: {"截止日期": date(2026, 10, 10), "整改完成情况": "未完成", "未整改到位原因": "争议未了"}
        | {"计划完成日期": date(2026, 12, 20)},
        4: {"整改完成情况": "已完成", "整改措施": "1=印发办法；2=批评教育"}
        | {"措施类型": "1=建章立制；2=追责问责", "已调账处理金额（元）": 356_000},
    }
    for number, cells in rows.items():
        fill_in(book.worksheets[0], number, cells)
    book.save(file)
    (made,) = given("audit.rectification", file)
    assert made.faults == ()
    ((type_, payload),) = data(made)
    assert type_ == "audit.rectification_reported"
    assert [item["findingid"] for item in payload["items"]] == [
        row["审计问题编号"] for row in shown
    ]
    assert (payload["finding_count"], payload["done_count"]) == (shown[0]["应整改问题数"], 1)
    assert payload["items"][1]["settled"] == [
        {
            "treatment": {"code": "adjust", "label": "应调账处理"},
            "money": {"amount": "356000", "unit": "元"},
        }
    ]


def test_a_list_dropped_as_a_report_is_what_the_audited_unit_answers(tmp_path: Path) -> None:
    sample = FOLDER / "reports" / "samples" / "a-report-and-its-findings" / "in.csv"
    (made,) = given("audit.reports", sample)
    ((type_, report),) = data(made)
    with SETTINGS.opened(tmp_path, FOLDER / "rectification") as sink:
        sink.take([event(7, type_, report)])
    file = tmp_path / SETTINGS.path
    book = load_workbook(file)
    done = {"截止日期": date(2026, 10, 10), "整改完成情况": "已完成", "整改措施": "已上缴财政。"}
    for number in (3, 4):
        fill_in(book.worksheets[0], number, done)
    book.save(file)
    (made,) = given("audit.rectification", file)
    assert made.faults == ()
    ((_, answer),) = data(made)
    assert [item["findingid"] for item in answer["items"]] == [
        finding["findingid"] for finding in report["findings"]
    ]
    assert (answer["finding_count"], answer["done_count"]) == (2, 2)


def test_the_ledger_of_reports_shows_how_far_rectification_is(tmp_path: Path) -> None:
    with SETTINGS.opened(tmp_path, FOLDER / "reports") as sink:
        sink.take(
            [arrived(1, "audit.report_shared-1"), arrived(2, "audit.rectification_reported-1")]
        )
    (row,) = told(tmp_path / SETTINGS.path)
    assert (row["项目编号"], row["应整改问题数"], row["已整改问题数"]) == (
        "SJ-510100-2026-011",
        2,
        1,
    )
    assert row["报告日期"] and row["总体评价"]


def test_a_letter_that_arrived_is_answered_in_the_ledger(tmp_path: Path) -> None:
    with SETTINGS.opened(tmp_path, FOLDER / "answers") as sink:
        sink.take([arrived(7, "audit.assistance_requested-1")])
    file = tmp_path / SETTINGS.path
    assert list(given("audit.answers", file)) == [FromRecord()]
    (row,) = told(file)
    assert (row["事项序号"], row["状态"]) == ("1、2", "待答复")
    book = load_workbook(file)
    answer = {"办理结果": "全部办理", "办理情况": "1=已列入清单；2=已约谈"}
    fill_in(book.worksheets[0], 3, {**answer, "答复日期": date(2026, 11, 25), "承办人": "吴示范"})
    book.save(file)
    (made,) = given("audit.answers", file)
    assert made.faults == ()
    ((type_, payload),) = data(made)
    assert made.events[0].event.attributes["causationid"] == f"{7:032x}"
    assert (type_, payload) == (
        "audit.assistance_answered",
        {
            "handlers": [{"name": "吴示范"}],
            "requestid": row["函件编号"],
            "result": "provided",
            "given": [
                {"no": 1, "done": True, "text": "已列入清单"},
                {"no": 2, "done": True, "text": "已约谈"},
            ],
            "answered_on": "2026-11-25",
        },
    )


def test_an_answer_names_the_letter_that_arrived_and_no_other(door: Door, drop: Drop) -> None:
    answer = {
        "函件编号": arrived(7, "audit.assistance_requested-1")["data"]["requestid"],
        "办理结果": "不能协助",
        "不能协助理由": "力量不足",
        "答复日期": "2026-11-25",
    }
    summary = drop("audit.answers", answer, {**answer, "函件编号": "SJH-404"})
    assert [(fault.row, fault.kind) for fault in summary.faults] == [(3, FaultKind.OPENING)]
    assert [each["causationid"] for each in sent(door)] == [f"{7:032x}"]


def test_the_ledger_of_audit_keeps_findings_and_their_rectification(tmp_path: Path) -> None:
    finding = arrived(1, "audit.finding_reported-1")
    report = arrived(2, "audit.rectification_reported-1")
    with SETTINGS.opened(tmp_path, FOLDER / "problems") as sink:
        sink.take([finding, report])
    first, second = told(tmp_path / SETTINGS.path)
    assert {title: first[title] for title in ("审计问题编号", "问题标题", "整改完成情况")} == {
        "审计问题编号": "SJ-510100-2026-011-03",
        "问题标题": "专项资金闲置两年以上未上缴",
        "整改完成情况": "未完成",
    }
    assert "逾期未完成" in first["状态"]
    assert (first["管理不规范金额（元）"], first["违规金额（元）"]) == (582_000, None)
    assert (second["审计问题编号"], second["问题标题"]) == ("SJ-510100-2026-011-05", None)
    assert (second["整改完成情况"], second["已调账处理（元）"]) == ("已完成", 356_000)
    assert second["整改措施"] == "印发政府采购内部控制办法。\n对经办科室负责人批评教育。"


def test_a_plan_is_kept_project_by_project(tmp_path: Path) -> None:
    with SETTINGS.opened(tmp_path, FOLDER / "plans") as sink:
        sink.take([arrived(1, "audit.plan_shared-1")])
    assert [
        (row["项目编号"], row["巡审联动方式"], row["巡视巡察轮次"])
        for row in told(tmp_path / SETTINGS.path)
    ] == [
        ("SJ-510100-2026-011", "巡审同步", "510100-14-11"),
        ("SJ-510100-2026-012", "成果共用", None),
    ]


def test_an_audit_office_sees_how_its_clue_is_handled(tmp_path: Path) -> None:
    replies = ["clue.received-1", "clue.disposition_decided-1", "clue.concluded-1"]
    with SETTINGS.opened(tmp_path, FOLDER / "handovers") as sink:
        for number, example in enumerate(replies, 1):
            sink.take([arrived(number, example, clueid="XS-510100-SJ-2026-004")])
    (row,) = told(tmp_path / SETTINGS.path)
    assert row["状态"] == "已办结"
    assert all(row[title] for title in ("签收时间", "登记号", "处置方式", "办结结果", "反馈内容"))


def test_an_audit_office_sees_the_answers_to_its_letters(tmp_path: Path) -> None:
    with SETTINGS.opened(tmp_path, FOLDER / "letters") as sink:
        sink.take([arrived(1, "audit.assistance_answered-1")])
    (row,) = told(tmp_path / SETTINGS.path)
    assert (row["函件编号"], row["办理结果"], row["状态"]) == (
        "SJH-510100-2026-002",
        "部分办理",
        "已答复",
    )


def test_a_treatment_that_the_installation_added_is_told_with_its_label(tmp_path: Path) -> None:
    own = tmp_path / "codes"
    own.mkdir()
    header = "code,label,label_en,parent,valid_from,valid_until,source"
    (own / "audit_treatment.csv").write_text(f"{header}\nL1,责成追缴,,,,,local\n", encoding="utf-8")
    adapter = load("audit.problems", codes=load_codes(own))
    file = table(tmp_path / "表.csv", {**PROBLEM, "处理方式": "责成追缴、应调账"})
    with opened(file, file.name, adapter.mapping.wanted) as reader:
        (made,) = (make(adapter, record) for record in reader.read())
    assert made.faults == ()
    assert [each["treatment"] for each in data(made)[0][1]["treatments"]] == [
        {"code": "L1", "label": "责成追缴"},
        {"code": "adjust", "label": "应调账处理"},
    ]
