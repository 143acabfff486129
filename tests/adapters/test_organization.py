"""The organization department: what it is asked stands in ledgers, and is answered there."""

import tomllib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from adapters.kit.adapter import available, load
from adapters.kit.config import Settings
from adapters.kit.making import FromRecord
from adapters.kit.sinks.columns import described
from adapters.kit.sinks.ledger import LedgerSettings
from adapters.kit.sinks.ledgerform import Ledger
from adapters.kit.wanted import canonical
from tests.adapters.sinks.formulas import shown
from tests.adapters.test_discipline import arrived, data, fill_in, given

SETTINGS = LedgerSettings(type="ledger", path=Path("台账.xlsx"))


@pytest.mark.parametrize(
    ("name", "written"),
    [
        (
            "briefings",
            {
                "党组织编号",
                "商请轮次",
                "所答复的回执号",
                "关联编号",
                "党组织名称",
                "统一社会信用代码",
            },
        ),
        ("issues", {"干部问题编号", "对象序号", "回执号", "关联编号"}),
        ("results", {"成果编号", "建议序号", "回执号", "关联编号"}),
        ("supervision", {"监督记录编号", "发现序号"}),
    ],
)
def test_people_fill_in_what_is_read_and_no_more(name: str, written: set[str]) -> None:
    adapter = load(f"organization.{name}")
    columns = described(adapter.folder / "ledger.toml", Ledger).columns
    filled_in = {canonical(column.title) for column in columns if column.editable}
    told = {canonical(column.title) for column in columns if not column.editable}
    groups = (group.fields for group in adapter.mapping.groups.values())
    fields = (adapter.mapping.fields, *groups)
    read = {rule.column for rules in fields for rule in rules.values()}
    assert filled_in == read - told
    assert written == read & told
    assert told - read <= adapter.mapping.cells.ignored


@pytest.mark.parametrize(
    ("name", "example", "cells", "answer"),
    [
        (
            "briefings",
            "briefing.requested-1",
            {
                "轮次编号": "510100-14-11",
                "通报日期": date(2026, 2, 20),
                "通报期间起": date(2021, 1, 1),
                "通报期间止": date(2025, 12, 31),
                "零报告": "是",
            },
            (
                "briefing.provided",
                {
                    "roundid": "510100-14-11",
                    "targetid": "510100.inspected-party.donghu-construction",
                    "target": {"name": "东湖区样例建设服务中心", "uscc": "11510104000000115N"},
                    "section": {"code": "organization", "label": "组织"},
                    "period": {"from": "2021-01-01", "to": "2025-12-31"},
                    "nothing_to_report": True,
                },
            ),
        ),
        (
            "issues",
            "cadre.issue_transferred-1",
            {
                "签收时间": "2026-06-12 09:30",
                "签收人": "窦样例；安示范",
                "收文登记号": "示组收〔2026〕88号",
                "承办处室": "干部监督科",
            },
            (
                "cadre.issue_received",
                {
                    "cadreissueid": "GW-510100-14-11-002",
                    "register_no": "示组收〔2026〕88号",
                    "section": "干部监督科",
                    "received_at": "2026-06-12T09:30:00+08:00",
                    "handlers": [{"name": "窦样例"}, {"name": "安示范"}],
                },
            ),
        ),
        (
            "results",
            "result.notified-1",
            {
                "运用方式": "建章立制",
                "运用情况": "印发轮岗办法。",
                "运用日期": date(2026, 11, 10),
                "反馈日期": date(2026, 11, 20),
            },
            (
                "result.applied",
                {
                    "matterid": "510100-14-11",
                    "reported_on": "2026-11-20",
                    "uses": [
                        {
                            "no": 1,
                            "suggestion": 1,
                            "use": {"code": "rules", "label": "建章立制"},
                            "text": "印发轮岗办法。",
                            "on": "2026-11-10",
                        }
                    ],
                },
            ),
        ),
    ],
)
def test_a_letter_is_answered_in_the_row_that_it_made(
    tmp_path: Path,
    name: str,
    example: str,
    cells: Mapping[str, Any],
    answer: tuple[str, dict[str, Any]],
) -> None:
    file = tmp_path / SETTINGS.path
    with SETTINGS.opened(tmp_path, available()[f"organization.{name}"]) as sink:
        sink.take([arrived(7, example)])
    assert [row for row in given(f"organization.{name}", file)] == [FromRecord()]
    book = load_workbook(file)
    fill_in(book.worksheets[0], 3, cells)
    book.save(file)
    (row,) = given(f"organization.{name}", file)
    assert row.faults == ()
    assert data(row) == [answer]
    assert [made.event.attributes["causationid"] for made in row.events] == [f"{7:032x}"]


def test_results_without_suggestions_are_answered_in_a_row_with_a_number_of_its_own(
    tmp_path: Path,
) -> None:
    file = tmp_path / SETTINGS.path
    told = arrived(7, "result.notified-1")
    told["data"] = {name: v for name, v in told["data"].items() if name != "suggestions"}
    with SETTINGS.opened(tmp_path, available()["organization.results"]) as sink:
        sink.take([told])
    book = load_workbook(file)
    cells = {"运用方式": "考核", "运用情况": "列入年度考核。", "运用日期": date(2026, 11, 10)}
    fill_in(book.worksheets[0], 3, {**cells, "运用序号": 1, "反馈日期": date(2026, 11, 20)})
    book.save(file)
    (row,) = given("organization.results", file)
    assert row.faults == ()
    (applied,) = data(row)
    assert applied[1]["uses"] == [
        {
            "no": 1,
            "use": {"code": "assessment", "label": "考核"},
            "text": "列入年度考核。",
            "on": "2026-11-10",
        }
    ]


def test_many_batches_of_persons_are_read_in_their_order(tmp_path: Path) -> None:
    header = "批次编号,人员序号,意见,回复单位,回复时间,核查截止日期,审定人,承办人"
    lines = [
        f"LS-{batch:04d},{person},无记录"
        + (",税务,2026-05-13,2026-05-12,赵试点,魏样例" if person == 1 else ",,,,,")
        for batch in range(300)
        for person in range(1, 21)
    ]
    file = tmp_path / "many.csv"
    file.write_text("\n".join((header, *lines)), encoding="utf-8")
    made = [data(row) for row in given("organization.answers", file)]
    assert [one[0][1]["batchid"] for one in made] == [f"LS-{batch:04d}" for batch in range(300)]
    assert {len(one[0][1]["opinions"]) for one in made} == {20}


def test_what_supervision_found_is_awaited_until_the_party_has_corrected_it(tmp_path: Path) -> None:
    file = tmp_path / SETTINGS.path
    folder = available()["organization.supervision"]
    record: Mapping[str, Any] = {
        "监督记录编号": "JD-510104-2026-018",
        "发现序号": 1,
        "轮次编号": "510100-14-11",
        "党组织编号": "510100.inspected-party.sample",
        "党组织名称": "示范市样例交通局",
        "监督日期": date(2026, 10, 15),
        "监督方式": "查阅资料",
        "发现情况": "轮岗方案未按期实施。",
        "纠正要求": "完成轮岗。",
        "纠正期限": date(2026, 11, 5),
        "监督人": "窦样例",
    }
    further = {k: record[k] for k in ("监督记录编号", "发现情况", "纠正要求")}

    def states(day: date) -> list[Any]:
        sheet = load_workbook(file).worksheets[0]
        return [shown(sheet, f"C{row}", day) for row in (3, 4, 5)]

    with SETTINGS.opened(tmp_path, folder) as sink:
        sink.take([])
        book = load_workbook(file)
        fill_in(book.worksheets[0], 3, record)
        fill_in(book.worksheets[0], 4, {**further, "发现序号": 2})
        fill_in(book.worksheets[0], 5, {**further, "发现序号": 3})
        book.save(file)
        sink.take([])
        assert states(date(2026, 11, 5)) == ["待"] * 3
        assert states(date(2026, 11, 6)) == ["逾期"] * 3
        (row,) = given("organization.supervision", file)
        assert row.faults == ()
        (recorded,) = data(row)
        assert [finding["no"] for finding in recorded[1]["findings"]] == [1, 2, 3]
        assert row.events[0].event.attributes["to"] == "510100.inspected-party.sample"
        sink.take([arrived(9, "rectification.correction_reported-1")])
    assert states(date(2026, 11, 5)) == ["已纠正", "正在纠正", "有异议"]
    assert [data(row) for row in given("organization.supervision", file)] == [[recorded]]


@pytest.mark.parametrize("page", ["README.md", "answers/README.md"])
def test_what_a_page_shows_of_adapters_toml_is_read_as_it_stands(page: str) -> None:
    text = (available()["organization.answers"].parent / page).read_text(encoding="utf-8")
    shown_there = text.split("```toml\n# adapters.toml\n")[1].partition("```")[0]
    hub = 'state = "state"\n[hub]\nurl = "http://127.0.0.1:1"\n'
    settings = Settings.model_validate(tomllib.loads(hub + shown_there))
    assert {str(each.kind) for each in settings.adapter} <= available().keys()
