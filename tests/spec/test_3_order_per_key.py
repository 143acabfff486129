"""Promise 3: within a subscription the events of one case keep the order of their registration."""

from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.running import AgencyClient, RunningHub, results_of
from tests.sample import AUDIT, CITY, DISCIPLINE, PETITION, clue, petition

pytestmark = [pytest.mark.on_both, pytest.mark.at_length]

Event = dict[str, Any]


def of_case(case: str, step: int, **attributes: Any) -> Event:
    """The n-th event of a petition case."""
    data = {"petitionid": case, "people": step}
    return petition(case, id=f"{case}/{step}", data=data, **attributes)


def steps_by_case(events: list[Event]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    for event in events:
        found[event["data"]["petitionid"]].append(event["data"]["people"])
    return dict(found)


def read(client: AgencyClient, id_: str, *, limit: int) -> list[Event]:
    """Everything in a feed, page by page."""
    found: list[Event] = []
    query: dict[str, Any] = {"limit": limit}
    while events := (page := client.page(id_, **query)).json():
        found.extend(events)
        query["cursor"] = page.headers["guantong-cursor"]
    return found


def test_the_events_of_a_batch_keep_their_order(hub: RunningHub) -> None:
    reader = hub.agency(DISCIPLINE)
    reader.subscribe("batch")
    order = [7, 3, 9, 1, 8, 2, 6, 4, 5, 0]
    hub.agency(PETITION).accepted(*(of_case("batch", step) for step in order))
    assert steps_by_case(reader.drain("batch")) == {"batch": order}


def test_the_cases_of_many_publishers_at_once_each_keep_their_order(hub: RunningHub) -> None:
    """Whatever else arrives between, on every page size and for every way to subscribe."""
    reader = hub.agency(DISCIPLINE)
    reader.subscribe("now")
    reader.subscribe("filtered", types=["petition.*"], filters=[{"prefix": {"id": "case-1"}}])
    cases = [f"case-{n}" for n in range(12)]

    def publish(case: str) -> None:
        client = hub.agency(PETITION)
        for step in range(0, 20, 2):
            client.accepted(of_case(case, step), of_case(case, step + 1))

    hub.token(PETITION)
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(publish, cases))
    reader.subscribe("late", start="earliest", filters=[{"prefix": {"id": "case-"}}])
    filled = reader.page("late", limit=1000, wait=20)
    expected = {case: list(range(20)) for case in cases}
    for limit in (1, 7, 1000):
        assert steps_by_case(read(reader, "now", limit=limit)) == expected
    assert steps_by_case(filled.json()) == expected
    some = {case: steps for case, steps in expected.items() if case.startswith("case-1")}
    assert steps_by_case(reader.drain("filtered")) == some


def test_a_refused_and_a_repeated_event_do_not_move_the_others(hub: RunningHub) -> None:
    reader = hub.agency(DISCIPLINE)
    reader.subscribe("moved")
    bureau = hub.agency(PETITION)
    bureau.accepted(of_case("moved", 0), of_case("moved", 1))
    wrong = of_case("moved", -1)
    answer = bureau.publish(
        of_case("moved", 1), of_case("moved", 2), wrong, of_case("moved", 0), of_case("moved", 3)
    )
    statuses = [result["status"] for result in results_of(answer)]
    assert statuses == ["duplicate", "accepted", "rejected", "duplicate", "accepted"]
    assert steps_by_case(reader.drain("moved")) == {"moved": [0, 1, 2, 3]}


def test_an_event_that_one_may_not_see_does_not_hold_up_its_case_nor_others(
    hub: RunningHub,
) -> None:
    reader = hub.agency(DISCIPLINE)
    reader.subscribe("held")
    bureau = hub.agency(PETITION)
    bureau.accepted(
        of_case("held-a", 0),
        of_case("held-a", 1, to=CITY),
        of_case("held-b", 0),
        of_case("held-a", 2, expirytime="2020-01-01T00:00:00Z"),
        of_case("held-a", 3),
        of_case("held-b", 1),
    )
    page = reader.page("held", limit=3)
    rest = reader.page("held", cursor=page.headers["guantong-cursor"])
    assert [e["id"] for e in page.json()] == ["held-a/0", "held-b/0", "held-a/3"]
    assert [e["id"] for e in rest.json()] == ["held-b/1"]


def test_one_case_keeps_its_order_across_its_publishers(hub: RunningHub) -> None:
    reader = hub.agency(DISCIPLINE)
    reader.subscribe("across")
    office, audit = hub.agency(CITY), hub.agency(AUDIT)
    sent = []
    for n in range(10):
        client = (office, audit)[n % 2]
        event = clue("across", publisher=client.id, id=f"across-{n}")
        client.accepted(event)
        sent.append(event["id"])
    assert [event["id"] for event in reader.drain("across")] == sent


def test_a_partition_key_equals_the_case(hub: RunningHub) -> None:
    reader = hub.agency(DISCIPLINE)
    reader.subscribe("key")
    event = of_case("key", 0, partitionkey="petition:key")
    hub.agency(PETITION).accepted(event)
    assert [e["partitionkey"] for e in reader.drain("key")] == ["petition:key"]
