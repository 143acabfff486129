"""Discipline inspection and a hub: what its forms say is accepted, and reaches whom it answers."""

import csv
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import contracts.briefing
from adapters.kit.adapter import load
from adapters.kit.client import HubClient
from adapters.kit.openings import keep_openings
from adapters.kit.runner import Summary, run
from adapters.kit.state import open_state
from contracts.catalogue import load_catalogue
from tests.running import RunningHub
from tests.sample import CITY, DISCIPLINE, clue, everybody_exchanges, grant

BRIEFINGS = Path(str(contracts.briefing.__file__)).parent / "examples" / "valid"
CASE = "CL-1"
LEDGER: Mapping[str, str] = {
    "线索编号": CASE,
    "对象序号": "1、2",
    "签收时间": "2026-05-22 10:05",
    "签收人": "韩样例；杨示范",
    "登记号": "示纪线〔2026〕41号",
    "处置方式": "1=初步核实；2=予以了结",
    "处置决定时间": "2026-06-18",
    "审批层级": "委主要领导",
    "处置承办人": "金样例",
    "进展截至日期": "2026-07-31",
    "办理状态": "1=初步核实中",
    "已开展工作": "已谈话三人",
    "进展报告人": "金样例",
    "办结结果": "1=属实；2=不属实",
    "办结时间": "2026-09-11",
    "反馈内容": "反映问题属实，已处理。",
    "办结承办人": "金样例",
}


@pytest.fixture
def arrived(fresh_hub: RunningHub) -> list[dict[str, Any]]:
    """What the office has sent to discipline: a clue, a letter that asks, a duty that is urged."""
    document = everybody_exchanges()
    document["grants"] += [
        grant(id_, may, "briefing.*")
        for id_ in (CITY, DISCIPLINE)
        for may in ("publish", "receive")
    ]
    fresh_hub.apply(document)
    office, discipline = fresh_hub.agency(CITY), fresh_hub.agency(DISCIPLINE)
    discipline.subscribe(types=["*"], start="earliest")
    office.subscribe(types=["*"], start="earliest")
    handed = clue(1)
    asked = json.loads((BRIEFINGS / "briefing.requested-1.json").read_text(encoding="utf-8"))
    urged = {
        "matter": "WL-9",
        "about": {"source": handed["source"], "id": handed["id"]},
        "kind": {"code": "urge"},
        "unit": {"name": "示范市纪委监委"},
        "duty": "反馈线索办理情况",
        "urged_on": "2026-07-20",
        "answer_by": "2026-07-27",
    }
    office.accepted(handed)
    office.accepted(
        opening("briefing.requested", asked, to=DISCIPLINE),
        opening("exchange.urged", urged, to=DISCIPLINE),
    )
    return discipline.drain()


def opening(type_: str, data: Mapping[str, Any], **attributes: str) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": type_,
        "source": f"/{CITY}",
        "type": type_,
        "time": "2026-07-20T09:00:00+08:00",
        "datacontenttype": "application/json",
        "dataschema": f"urn:guantong:contract:{type_}:1.0",
        "data": data,
        **attributes,
    }


def drop(
    hub: RunningHub, name: str, file: Path, arrived: list[dict[str, Any]], *rows: Mapping[str, str]
) -> Summary:
    with file.open("w", encoding="utf-8", newline="") as out:
        table = csv.DictWriter(out, list(dict.fromkeys(title for row in rows for title in row)))
        table.writeheader()
        table.writerows(rows)
    with (
        HubClient(hub.url, hub.token(DISCIPLINE)) as client,
        open_state(file.with_suffix(".state")) as state,
    ):
        keep_openings(state, load_catalogue(), arrived)
        adapter = load(name)
        return run(adapter, file, agency=DISCIPLINE, hub=client, state=state, now=lambda: 0.0)


def test_what_discipline_fills_in_reaches_the_office(
    fresh_hub: RunningHub, arrived: list[dict[str, Any]], tmp_path: Path
) -> None:
    handed, letter, urged = arrived
    about = {"来文来源": handed["source"], "来文编号": handed["id"], "办理时间": "2026-07-21"}
    exchanges = (
        {
            "往来事项编号": "WL-1",
            "事项类型": "签收",
            "经办人": "韩样例；杨示范",
            "件数": "2",
            "清点无误": "是",
        },
        {
            "往来事项编号": "WL-2",
            "事项类型": "补正通知",
            "明细": "1=谈话记录",
            "补正原因": "1=材料不全",
            "期限": "2026-07-30",
            "期限暂停": "否",
        },
        {
            "往来事项编号": "WL-3",
            "事项类型": "延期申请",
            "原定期限": "2026-09-20",
            "期限": "2026-10-20",
            "延期理由": "情况复杂",
            "说明": "需外调取证",
            "批准人": "曹示范",
        },
        {
            "往来事项编号": "WL-9",
            "事项类型": "催办答复",
            "办理状态": "正在办理",
            "延期理由": "情况复杂",
            "期限": "2026-08-30",
            "说明": "已谈话三人",
            "批准人": "曹示范",
        },
    )
    briefing = {
        "轮次编号": letter["data"]["roundid"],
        "党组织编号": letter["data"]["targetid"],
        "通报日期": "2026-02-20",
        "通报期间起": "2021-01-01",
        "通报期间止": "2025-12-31",
        "零报告": "是",
    }
    register = [{**about, **row} for row in exchanges]
    summaries = [
        drop(fresh_hub, "discipline.clues", tmp_path / "台账.csv", arrived, LEDGER),
        drop(fresh_hub, "discipline.exchange", tmp_path / "登记表.csv", arrived, *register),
        drop(fresh_hub, "discipline.briefings", tmp_path / "通报表.csv", arrived, briefing),
    ]
    assert [(it.accepted, it.faults) for it in summaries] == [(4, ()), (4, ()), (1, ())]
    got = fresh_hub.agency(CITY).drain()
    assert [(event["type"], event.get("causationid")) for event in got] == [
        ("clue.received", handed["hubreceipt"]),
        ("clue.disposition_decided", handed["hubreceipt"]),
        ("clue.progress_reported", handed["hubreceipt"]),
        ("clue.concluded", handed["hubreceipt"]),
        ("exchange.signed", None),
        ("exchange.supplement_requested", None),
        ("exchange.extension_requested", None),
        ("exchange.urge_answered", urged["hubreceipt"]),
        ("briefing.provided", letter["hubreceipt"]),
    ]
