"""Plans: the workbook in which a plan is submitted is the one in which its rounds are assigned."""

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from adapters.kit.adapter import available, load
from adapters.kit.client import HubClient
from adapters.kit.dry import dry_run
from adapters.kit.port import FaultKind
from adapters.kit.runner import Summary, run
from adapters.kit.state import State, open_state
from tests.adapters.door import Door
from tests.adapters.test_issues import arrived, kept
from tests.adapters.test_template import filled, of

PLAN: Mapping[str, Any] = {
    "计划编号": "510100-PLAN-2026",
    "计划种类": "年度计划",
    "计划名称": "示范市委 2026 年度巡察工作计划",
    "计划期间起": date(2026, 1, 1),
    "计划期间止": date(2026, 12, 31),
    "计划文本": "送审稿",
    "报批日期": date(2026, 1, 12),
}
ROUND: Mapping[str, Any] = {
    "轮次编号": "510100-14-11",
    "轮次名称": "第十一轮巡察",
    "巡视巡察类型": "常规",
    "轮次起始日期": date(2026, 3, 2),
    "轮次截止日期": date(2026, 5, 29),
    "监督重点": "三个聚焦（巡察）",
}
ASSIGNED: Mapping[str, Any] = {
    "进驻日期": date(2026, 3, 9),
    "撤离日期": date(2026, 5, 22),
    "部署日期": date(2026, 2, 24),
}


def parties(count: int) -> list[dict[str, Any]]:
    """Rows of one plan with one round, of which only the first says what plan and round are."""
    rows = [
        {
            "计划编号": PLAN["计划编号"],
            "轮次编号": ROUND["轮次编号"],
            "党组织编号": f"510100.inspected-party.p-{n}",
            "党组织名称": f"示范市样例局{n}",
        }
        for n in range(count)
    ]
    return [{**PLAN, **ROUND, **rows[0]}, *rows[1:]]


def test_a_plan_that_is_approved_is_assigned_in_the_workbook_it_was_submitted_in(
    door: Door, tmp_path: Path
) -> None:
    template = of("inspection.plans")
    submitted = parties(2)
    assigned = [{**submitted[0], **ASSIGNED}, submitted[1]]

    def drop(state: State, client: HubClient, rows: list[dict[str, Any]]) -> Summary:
        file = filled(template, tmp_path / "计划.xlsx", *rows)
        agency = "510100.inspection-office"
        adapter = load("inspection.plans")
        return run(adapter, file, agency=agency, hub=client, state=state, now=lambda: 0.0)

    with HubClient(door.url, "t") as client, open_state(tmp_path / "state") as state:
        first = drop(state, client, submitted)
        second = drop(state, client, assigned)
        third = drop(state, client, [{**assigned[0], "撤离日期": date(2026, 5, 15)}, assigned[1]])
    assert [(s.accepted, s.duplicate, s.faults) for s in (first, second, third)] == [
        (1, 0, ()),
        (1, 1, ()),
        (1, 1, ()),
    ]
    plan, round_, corrected = map(json.loads, door.events.values())
    assert (plan["type"], round_["type"]) == ("plan.submitted", "plan.round_assigned")
    assert [len(plan["data"]["rounds"]), len(plan["data"]["rounds"][0]["targets"])] == [1, 2]
    assert corrected["supersedes"] == round_["id"]
    assert corrected["data"]["period"] == {"from": "2026-03-09", "to": "2026-05-15"}


def test_a_template_of_plans_alone_asks_for_no_assignment() -> None:
    names = [column.name for column in of("inspection.plans", "plan.submitted").columns]
    assert {"计划编号", "轮次编号", "党组织名称"} <= set(names)
    assert not {"部署日期", "组长", "联动任务编号"} & set(names)


def test_a_plan_with_every_party_of_a_city_is_one_event(tmp_path: Path) -> None:
    path = filled(of("inspection.plans"), tmp_path / "计划.xlsx", *parties(480))
    done = dry_run(load("inspection.plans"), path, "510100.inspection-office")
    assert (done.types, done.faults) == ({"plan.submitted": 1}, ())
    (event,) = done.document(show=True)["first"]
    assert len(event["event"]["data"]["rounds"][0]["targets"]) == 480


def test_what_a_row_says_otherwise_than_its_round_is_told_in_that_row(tmp_path: Path) -> None:
    rows = parties(3)
    rows[2] |= {"轮次名称": "另一轮"}
    path = filled(of("inspection.plans"), tmp_path / "计划.xlsx", *rows)
    (fault,) = dry_run(load("inspection.plans"), path, "510100.inspection-office").faults
    assert (fault.kind, fault.column, fault.rows) == (
        FaultKind.MISMATCH,
        "轮次名称",
        (("", 6),),
    )


def test_what_became_of_a_plan_stands_in_its_row(tmp_path: Path) -> None:
    folder = available()["inspection.plans"]
    events = [arrived(n, type_) for n, type_ in enumerate(("plan.submitted", "plan.approved"), 1)]
    _, (row,) = kept(folder, tmp_path, *events)
    assert (row["状态"], row["计划种类"]) == ("已批准", "年度计划")
    assert row["轮次"] == "十四届市委第十一轮巡察、十四届市委第十二轮巡察"
