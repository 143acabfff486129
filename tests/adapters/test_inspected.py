"""Inspected parties, and whoever receives a hand-over: what arrives is answered in its ledger."""

import csv
from collections.abc import Callable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from adapters.kit.adapter import available, load
from adapters.kit.client import HubClient
from adapters.kit.openings import keep_openings
from adapters.kit.port import FaultKind
from adapters.kit.runner import Summary, run
from adapters.kit.sinks.columns import described
from adapters.kit.sinks.ledger import LedgerSettings
from adapters.kit.sinks.ledgerform import Ledger
from adapters.kit.state import open_state
from adapters.kit.wanted import canonical
from contracts.catalogue import load_catalogue
from tests.adapters.door import Door
from tests.adapters.test_discipline import arrived, data, given
from tests.adapters.test_inspection import rows, sent

PARTY = "510100.inspected-party.donghu-construction"
FOLDERS = {name: at for name, at in available().items() if name.startswith("inspected.")}
SETTINGS = LedgerSettings(type="ledger", path=Path("台账.xlsx"))
OPENINGS = {
    "inspected.feedback": "feedback.issued-1",
    "inspected.handovers": "handover.sent-1",
    "inspected.items": "rectification.item_assigned-1",
    "inspected.corrections": "rectification.supervision_recorded-1",
}
LEADER = {
    "name": "周试验",
    "post": "党组书记",
    "kind": {"code": "head", "label": "党组织主要负责人"},
}
ACKNOWLEDGED: Mapping[str, Any] = {
    "签收时间": datetime.fromisoformat("2026-06-10T11:20"),
    "签收人": "吴样例",
    "签收件数": 2,
    "签收差错": "缺页",
    "差错说明": "附件第 9 页缺失，已当场补齐",
    "认领全部问题": "否",
    "异议理由": "已于 2025 年轮岗。",
    "整改第一责任人": "周试验",
}
Ledgers = Callable[..., Path]


@pytest.fixture
def ledger(tmp_path: Path) -> Ledgers:
    """The ledger of an adapter after these events."""

    def ledger(name: str, *events: Mapping[str, Any]) -> Path:
        with SETTINGS.opened(tmp_path, FOLDERS[name]) as sink:
            sink.take(events)
        return tmp_path / SETTINGS.path

    return ledger


def filled_in(file: Path, *cells: Mapping[str, Any]) -> Path:
    """The ledger with these cells in the rows below its header, as people leave it."""
    book = load_workbook(file)
    sheet = book.worksheets[0]
    columns = {canonical(str(head.value)): place for place, head in enumerate(sheet[2], 1)}
    for number, row in enumerate(cells, 3):
        for title, value in row.items():
            sheet.cell(number, columns[title], value)
    book.save(file)
    return file


def dropped(door: Door, tmp_path: Path, name: str, file: Path) -> Summary:
    with HubClient(door.url, "t") as client, open_state(tmp_path / "state") as state:
        keep_openings(state, load_catalogue(), [arrived(7, OPENINGS[name])])
        adapter = load(name)
        return run(adapter, file, agency=PARTY, hub=client, state=state, now=lambda: 0.0)


@pytest.mark.parametrize("name", FOLDERS)
def test_a_party_may_send_what_it_answers(name: str) -> None:
    for contract in load(name).contracts.values():
        assert "inspected-party" in load_catalogue().senders(contract)


@pytest.mark.parametrize("name", FOLDERS)
def test_people_fill_in_what_is_read_and_no_more(name: str) -> None:
    adapter = load(name)
    columns = described(adapter.folder / "ledger.toml", Ledger).columns
    people = {canonical(column.title) for column in columns if column.editable}
    shown = {canonical(column.title) for column in columns if not column.editable}
    fields = (adapter.mapping.fields, *(each.fields for each in adapter.mapping.groups.values()))
    read = {rule.column for each in fields for rule in each.values()}
    assert people == read - shown
    assert {"所答复的回执号", "关联编号"} < read & shown
    assert shown - read <= adapter.mapping.cells.ignored


@pytest.mark.parametrize("name", FOLDERS)
def test_what_arrived_and_nobody_answered_is_not_sent(ledger: Ledgers, name: str) -> None:
    file = ledger(name, arrived(7, OPENINGS[name]))
    assert [data(made) for made in given(name, file)] == [[]]
    assert all(row["状态"].startswith("待") for row in rows(file))


def test_feedback_is_acknowledged_with_an_objection(ledger: Ledgers) -> None:
    issued = arrived(7, "feedback.issued-1", correlationid="510100-14-11")
    file = ledger("inspected.feedback", issued)
    (shown,) = rows(file)
    first = shown["问题编号"].split("、")[0]
    (made,) = given("inspected.feedback", filled_in(file, {**ACKNOWLEDGED, "异议问题编号": first}))
    assert made.faults == ()
    assert [each.event.attributes["causationid"] for each in made.events] == [f"{7:032x}"]
    assert [each.event.attributes["correlationid"] for each in made.events] == ["510100-14-11"]
    assert data(made) == [
        (
            "feedback.acknowledged",
            {
                "roundid": issued["data"]["roundid"],
                "targetid": issued["data"]["targetid"],
                "received_at": "2026-06-10T11:20:00+08:00",
                "received_by": [{"name": "吴样例"}],
                "items_received": 2,
                "discrepancies": [
                    {
                        "kind": {"code": "missing_page", "label": "缺页"},
                        "note": "附件第 9 页缺失，已当场补齐",
                    }
                ],
                "accepted": False,
                "objections": [{"issueid": first, "reason": "已于 2025 年轮岗。"}],
                "led_by": "周试验",
            },
        )
    ]


def test_an_issue_that_was_not_fed_back_is_told(ledger: Ledgers) -> None:
    file = ledger("inspected.feedback", arrived(7, "feedback.issued-1"))
    (made,) = given(
        "inspected.feedback", filled_in(file, {**ACKNOWLEDGED, "异议问题编号": "WT-404"})
    )
    assert [(fault.row, fault.column, fault.kind) for fault in made.faults] == [
        (3, "异议问题编号", FaultKind.MISMATCH)
    ]
    assert made.events == ()


def test_a_hand_over_is_signed_for_item_by_item(ledger: Ledgers) -> None:
    sent_ = arrived(7, "handover.sent-1")
    file = ledger("inspected.handovers", sent_)
    listed = [(row["件号"], row["移交件编号"], row["件数"]) for row in rows(file)]
    count = sent_["data"]["count"]
    assert listed == [(each["item_no"], each["id"], count) for each in sent_["data"]["items"]]
    whole = {"签收时间": datetime.fromisoformat("2026-05-21T10:10"), "接收人": "韩样例；杨示范"}
    gone = {"核对结果": "缺失", "签收差错": "缺件", "情况说明": "袋中没有这一件。"}
    states: list[Mapping[str, Any]] = [{**whole, **gone}, *[{"核对结果": "相符"}] * (count - 1)]
    (made,) = given("inspected.handovers", filled_in(file, *states))
    assert made.faults == ()
    assert data(made) == [
        (
            "handover.signed",
            {
                "handlers": [{"name": "韩样例"}, {"name": "杨示范"}],
                "no": sent_["data"]["no"],
                "items": [
                    {
                        "item_no": listed[0][0],
                        "id": listed[0][1],
                        "state": {"code": "missing", "label": "缺失"},
                        "discrepancies": [{"code": "missing_item", "label": "缺件"}],
                        "note": "袋中没有这一件。",
                    },
                    *(
                        {"item_no": no, "id": id_, "state": {"code": "ok", "label": "相符"}}
                        for no, id_, _ in listed[1:]
                    ),
                ],
                "accepted": count - 1,
                "signed_at": "2026-05-21T10:10:00+08:00",
            },
        )
    ]


def test_an_item_is_taken_on_or_disputed(ledger: Ledgers) -> None:
    assigned = arrived(7, "rectification.item_assigned-1")
    file = ledger("inspected.items", assigned)
    accepted = {
        "认领日期": date(2026, 7, 3),
        "责任领导": "周试验",
        "责任领导职务": "党组书记",
        "责任人类型": "党组织主要负责人",
        "承诺完成时间": date(2026, 8, 20),
        "异议日期": date(2026, 7, 1),
        "异议理由": "事实有出入",
        "异议说明": "其中 1 人已轮岗。",
        "异议批准人": "周试验",
    }
    (made,) = given("inspected.items", filled_in(file, accepted))
    assert made.faults == ()
    assert [each.event.attributes["causationid"] for each in made.events] == [f"{7:032x}"] * 2
    unit = {"name": assigned["data"]["unit"]["name"]}
    whose = {"itemid": assigned["data"]["itemid"], "unit": unit}
    assert data(made) == [
        (
            "rectification.item_disputed",
            {
                **whose,
                "disputed_on": "2026-07-01",
                "reason": {"code": "facts", "label": "事实有出入"},
                "text": "其中 1 人已轮岗。",
                "approved_by": {"name": "周试验"},
            },
        ),
        (
            "rectification.item_accepted",
            {**whose, "accepted_on": "2026-07-03", "owner": LEADER, "due": "2026-08-20"},
        ),
    ]


def test_what_supervision_found_is_reported_corrected(ledger: Ledgers) -> None:
    recorded = arrived(7, "rectification.supervision_recorded-1")
    file = ledger("inspected.corrections", recorded)
    numbers = [finding["no"] for finding in recorded["data"]["findings"]]
    assert [row["发现序号"] for row in rows(file)] == numbers
    whole = {"报告日期": date(2026, 9, 10), "责任领导": "周试验", "责任领导职务": "党组书记"}
    whole |= {"责任人类型": "党组织主要负责人"}
    done = {"纠正情况": "已纠正", "纠正说明": "已全部轮岗。", "纠正日期": date(2026, 9, 5)}
    each: list[Mapping[str, Any]] = [{**whole, **done}, *[done] * (len(numbers) - 1)]
    (made,) = given("inspected.corrections", filled_in(file, *each))
    assert made.faults == ()
    assert data(made) == [
        (
            "rectification.correction_reported",
            {
                "supervisionid": recorded["data"]["supervisionid"],
                "targetid": recorded["data"]["targetid"],
                "reported_on": "2026-09-10",
                "led_by": LEADER,
                "corrections": [
                    {
                        "no": no,
                        "state": "corrected",
                        "text": "已全部轮岗。",
                        "done_on": "2026-09-05",
                    }
                    for no in numbers
                ],
            },
        )
    ]


@pytest.mark.parametrize(
    ("name", "replies", "state"),
    [
        ("inspected.feedback", ["feedback.acknowledged-1"], "已签收"),
        ("inspected.handovers", ["handover.signed-1"], "已签收"),
        ("inspected.items", ["rectification.item_accepted-1"], "已认领"),
        ("inspected.items", ["rectification.item_disputed-1"], "有异议"),
        ("inspected.items", ["rectification.item_accepted-1", "rectification.overdue-1"], "已逾期"),
        ("inspected.items", ["rectification.item_closed-1"], "已销号"),
        ("inspected.corrections", ["rectification.correction_reported-1"], "已报告"),
    ],
)
def test_what_was_answered_is_told_in_its_row(
    ledger: Ledgers, name: str, replies: list[str], state: str
) -> None:
    opening = arrived(1, OPENINGS[name])
    keys = {
        member: opening["data"][member]
        for member in ("roundid", "targetid", "no", "itemid", "supervisionid")
        if member in opening["data"]
    }
    answers = [arrived(number, reply) for number, reply in enumerate(replies, 2)]
    for answer in answers:
        answer["data"] |= {name: keys[name] for name in keys.keys() & answer["data"].keys()}
    file = ledger(name, opening, *answers)
    assert rows(file)[0]["状态"] == state
    assert len(rows(file)) == len(rows(ledger(name, opening)))


WITHOUT_LEDGER: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "inspected.feedback": (
        "党组织编号",
        {
            "轮次编号": "510100-14-11",
            "签收时间": "2026-06-10 11:20",
            "签收人": "吴样例",
            "签收件数": "1",
            "认领全部问题": "是",
            "整改第一责任人": "周试验",
        },
    ),
    "inspected.handovers": (
        "移交批次号",
        {
            "件号": "1",
            "移交件编号": "XS-1",
            "核对结果": "相符",
            "签收时间": "2026-05-21 10:10",
            "接收人": "韩样例；杨示范",
        },
    ),
    "inspected.items": (
        "整改事项编号",
        {
            "责任单位": "东湖区样例建设服务中心",
            "认领日期": "2026-07-03",
            "责任领导": "周试验",
            "责任人类型": "党组织主要负责人",
            "承诺完成时间": "2026-08-20",
            "异议日期": "",
        },
    ),
    "inspected.corrections": (
        "监督记录编号",
        {
            "党组织编号": PARTY,
            "发现序号": "1",
            "纠正情况": "有异议",
            "纠正说明": "该岗位按规定不轮岗。",
            "报告日期": "2026-09-10",
            "责任领导": "周试验",
            "责任人类型": "党组织主要负责人",
        },
    ),
}


@pytest.mark.parametrize("name", FOLDERS)
def test_an_answer_without_the_ledger_names_what_arrived_and_nothing_else(
    door: Door, tmp_path: Path, name: str
) -> None:
    numbered, cells = WITHOUT_LEDGER[name]
    (opening,) = load_catalogue().versions(OPENINGS[name].partition("-")[0])
    known = arrived(7, OPENINGS[name])["data"][opening.key.removeprefix("/")]
    told = [{numbered: number, **cells} for number in (known, "示-404")]
    file = tmp_path / "答复.csv"
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, told[0])
        writer.writeheader()
        writer.writerows(told)
    summary = dropped(door, tmp_path, name, file)
    assert [(fault.row, fault.kind) for fault in summary.faults] == [(3, FaultKind.OPENING)]
    assert [each["causationid"] for each in sent(door)] == [f"{7:032x}"]
