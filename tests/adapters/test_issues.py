"""Issues: what arrives goes into ledgers, what teams, offices and parties fill in goes out."""

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

import contracts
from adapters.kit.adapter import available, load
from adapters.kit.client import HubClient
from adapters.kit.dry import dry_run
from adapters.kit.openings import keep_openings
from adapters.kit.runner import run
from adapters.kit.sinks.columns import described
from adapters.kit.sinks.ledger import LedgerSettings
from adapters.kit.sinks.ledgerform import Ledger
from adapters.kit.state import open_state
from adapters.kit.wanted import canonical
from contracts.catalogue import load_catalogue
from tests.adapters.door import Door
from tests.adapters.sinks.events import Event, event
from tests.adapters.test_template import filled, of

ISSUES = available()["inspection.issues"]
EXAMPLES = Path(str(contracts.__file__)).parent
ORDER = "issue.immediate_rectification_ordered"


def arrived(number: int, type_: str, *, example: int = 1, **attributes: str) -> Event:
    """An example of the contracts, as the hub gives it."""
    folder = EXAMPLES / type_.partition(".")[0] / "examples" / "valid"
    payload = json.loads((folder / f"{type_}-{example}.json").read_text(encoding="utf-8"))
    return event(number, type_, payload, **attributes)


def kept(
    folder: Path, into: Path, *events: Event, description: str = "ledger.toml"
) -> tuple[Path, list[dict[str, Any]]]:
    """The ledger that these events make, and its rows by title."""
    settings = LedgerSettings(type="ledger", path=Path("台账.xlsx"), ledger=Path(description))
    with settings.opened(into, folder) as sink:
        sink.take(events)
    file = into / "台账.xlsx"
    titles, *rows = list(load_workbook(file).worksheets[0].iter_rows(min_row=2, values_only=True))
    return file, [dict(zip(map(str, titles), row, strict=True)) for row in rows]


def fill_in(file: Path, cells: Mapping[str, Any]) -> None:
    book = load_workbook(file)
    sheet = book.worksheets[0]
    titles = [str(head.value).strip("*") for head in sheet[2]]
    for title, value in cells.items():
        sheet.cell(3, titles.index(title) + 1).value = value
    book.save(file)


@pytest.mark.parametrize("description", ["ledger.toml", "party.toml"])
def test_people_fill_in_what_is_read_and_see_nothing_that_is_read_by_mistake(
    description: str,
) -> None:
    adapter = load("inspection.issues")
    columns = described(adapter.folder / description, Ledger).columns
    filled_in = {canonical(column.title) for column in columns if column.editable}
    told = {canonical(column.title) for column in columns if not column.editable}
    read = {rule.column for rule in adapter.mapping.fields.values()}
    assert filled_in <= read
    assert told - read <= adapter.mapping.cells.ignored


def test_a_paper_that_arrived_is_reviewed_in_the_offices_ledger(tmp_path: Path) -> None:
    file, (row,) = kept(ISSUES, tmp_path, arrived(7, "issue.drafted"))
    assert (row["状态"], row["单位意见"], row["底稿承办人"]) == (
        "待审定",
        "有异议",
        "葛示范、邹样例",
    )
    assert dry_run(load("inspection.issues"), file, "510100.inspection-office").types == {}

    review = {
        "审定结果": "审定",
        "底稿编号": "DG-1",
        "问题类别": "财务与资产管理",
        "具体问题": "工程款支付不规范",
        "具体表现": "2 个项目未经验收即支付尾款。",
        "整改专项": "巡察专项",
        "监督重点": "聚焦群众身边不正之风和腐败",
        "审定日期": datetime.fromisoformat("2026-03-28"),
        "审定人": "姜样例",
    }
    fill_in(file, review)
    done = dry_run(load("inspection.issues"), file, "510100.inspection-office")
    assert (done.types, done.faults) == ({"issue.confirmed": 1}, ())
    data = done.document(show=True)["first"][0]["event"]["data"]
    assert data["issueid"] == "WT-510100-14-11-04-007"
    assert data["target"]["uscc"] == "11510104000000115N"
    assert data["line"]["track"] == {"code": "county_inspection", "label": "巡察专项"}


def test_the_party_answers_an_order_in_the_row_that_it_came_in(door: Door, tmp_path: Path) -> None:
    order = arrived(7, ORDER, correlationid="issue:WT-510100-14-11-04-007")
    file, (row,) = kept(ISSUES, tmp_path, order, description="party.toml")
    assert (row["状态"], row["要求序号"]) == ("待整改", "1、2")
    answer = {
        "完成情况": "已完成",
        "整改措施": "1=印发办法。\n2=已补办验收。",
        "措施类型": "1=建章立制",
        "措施完成日期": "1=2026-03-31；2=2026-04-10",
        "处理人数": 1,
        "报告日期": datetime.fromisoformat("2026-04-14"),
    }
    fill_in(file, answer)
    with HubClient(door.url, "t") as client, open_state(tmp_path / "state") as state:
        keep_openings(state, load_catalogue(), [order])
        agency = "510104.inspected-party.donghu-construction"
        adapter = load("inspection.issues")
        done = run(adapter, file, agency=agency, hub=client, state=state, now=lambda: 0.0)
    assert (done.accepted, done.faults) == (1, ())
    (sent,) = map(json.loads, door.events.values())
    assert sent["type"] == "issue.immediate_rectification_reported"
    assert sent["causationid"] == f"{7:032x}"
    assert sent["correlationid"] == "issue:WT-510100-14-11-04-007"
    assert [measure["no"] for measure in sent["data"]["measures"]] == [1, 2]
    assert sent["data"]["people_dealt_with"] == 1


def test_reports_of_teams_and_offices_have_a_row_for_each_period(tmp_path: Path) -> None:
    weekly, monthly = (arrived(n, "progress.reported", example=n) for n in (1, 2))
    later = arrived(3, "progress.reported")
    later["data"]["number"] = 4
    folder = available()["inspection.weekly"]
    _, rows = kept(folder, tmp_path, weekly, monthly, later, {**monthly, "hubreceipt": "f" * 32})
    assert [(row["组别编号"], row["报告周期"], row["期数"]) for row in rows] == [
        ("510100-14-11-04", "周报", "3"),
        (None, "月报", "1"),
        ("510100-14-11-04", "周报", "4"),
    ]
    assert rows[1]["各党组织阶段"] == "起草报告"


def test_a_long_ledger_of_papers_is_read_to_its_last_row(tmp_path: Path) -> None:
    sample = {
        "轮次编号": "510100-14-11",
        "组别编号": "510100-14-11-04",
        "党组织编号": "510100.inspected-party.sample",
        "党组织名称": "东湖区样例建设服务中心",
        "年份": "2026",
        "事实领域": "其他",
        "问题名称": "会议记录不完整",
        "事实概述": "会议记录缺 4 次。",
        "具体事实": "1=缺 3 次。\n2=缺 1 次。",
        "承办人": "葛示范、邹样例",
        "底稿日期": datetime.fromisoformat("2026-03-26"),
    }
    rows = [{**sample, "问题编号": f"WT-{n}", "底稿预编号": f"预-{n}"} for n in range(1_000)]
    path = filled(of("inspection.issues", "issue.drafted"), tmp_path / "底稿.xlsx", *rows)
    done = dry_run(load("inspection.issues"), path, "510100.inspection-team.14-11-04")
    assert (done.read, done.types, done.faults) == (1_000, {"issue.drafted": 1_000}, ())
