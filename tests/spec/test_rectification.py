"""An item of rectification through a hub: assigned, reported on, and who sees how much of it."""

import json
from importlib.resources import files
from typing import Any

import pytest

from tests.running import AgencyClient, RunningHub
from tests.sample import CITY, DISCIPLINE, agency, grant, policy

UNIT = "510100.inspected-party.sample"
TEAM = "510100.inspection-team.14-11-04"
TYPES = ["rectification.*"]
Event = dict[str, Any]


@pytest.fixture
def rectifying(hub: RunningHub) -> RunningHub:
    """A hub where an office, a unit, discipline and a team take part in rectification."""
    document = policy()
    document["agencies"] += [agency(UNIT, "东湖区样例建设服务中心"), agency(TEAM, "样例巡察组")]
    document["grants"] += [
        *(grant(id_, "publish", "rectification.*") for id_ in (CITY, UNIT, DISCIPLINE)),
        *(grant(id_, "receive", "rectification.*") for id_ in (CITY, UNIT, DISCIPLINE, TEAM)),
    ]
    hub.apply(document)
    return hub


def step(type_: str, item: str, publisher: str, **attributes: Any) -> Event:
    """A step of an item, its payload a shipped example."""
    name = f"rectification/examples/valid/rectification.{type_}-1.json"
    data = json.loads((files("contracts") / name).read_text(encoding="utf-8"))
    return {
        "specversion": "1.0",
        "id": f"{type_}-{item}",
        "source": f"/{publisher}",
        "type": f"rectification.{type_}",
        "time": "2026-10-08T09:30:00+08:00",
        "dataschema": f"urn:guantong:contract:rectification.{type_}:1.0",
        "datacontenttype": "application/json",
        "correlationid": f"rectification:{item}",
        "data": {**data, "itemid": item},
        **attributes,
    }


def reader(hub: RunningHub, id_: str, feed: str) -> AgencyClient:
    client = hub.agency(id_)
    client.subscribe(feed, types=TYPES)
    return client


def test_an_item_is_assigned_and_reported_on_and_closed(rectifying: RunningHub) -> None:
    office, unit = (reader(rectifying, id_, "chain") for id_ in (CITY, UNIT))
    assigned = step("item_assigned", "ZG-chain", CITY, to=UNIT)
    receipt = office.accepted(assigned)[0]["id"]
    answering = {"to": CITY, "causationid": receipt}
    replies = [
        step(type_, "ZG-chain", UNIT, **answering)
        for type_ in ("item_accepted", "progress_reported")
    ]
    for reply in replies:
        unit.accepted(reply)
    closed = step("item_closed", "ZG-chain", CITY, to=UNIT)
    office.accepted(closed)
    told = [assigned, closed]
    assert [event["data"] for event in unit.drain("chain")] == [event["data"] for event in told]
    assert [event["data"] for event in office.drain("chain")] == [r["data"] for r in replies]


def test_progress_also_comes_by_itself_and_a_team_gets_a_summary(rectifying: RunningHub) -> None:
    watching = {id_: reader(rectifying, id_, "alone") for id_ in (DISCIPLINE, TEAM)}
    reported = step("progress_reported", "ZG-alone", UNIT)
    rectifying.agency(UNIT).accepted(reported)
    (whole,) = watching[DISCIPLINE].drain("alone")
    (summary,) = watching[TEAM].drain("alone")
    assert whole["data"] == reported["data"]
    assert summary["data"]["completion"] == reported["data"]["completion"]
    assert "obstacle" not in summary["data"]
    assert all("text" not in measure for measure in summary["data"]["measures"])
