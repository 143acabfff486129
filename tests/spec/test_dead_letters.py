"""Dead letters: what had no form in the pinned version waits, is told of, and comes when asked.

`test_versions.py` says what is converted and what is parked; this chapter, what becomes of it.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.commands import guantong
from tests.examples import FAMILIES
from tests.running import AgencyClient, RunningHub, restart_hub, running_hub
from tests.sample import CITY, DISCIPLINE, clue, policy
from tests.spec.storage import make_older, rows
from tests.spec.test_retention import await_expired

pytestmark = [pytest.mark.on_both, pytest.mark.at_length]

TYPE = "clue.transferred"
EXAMPLE = FAMILIES / f"clue/examples/valid/{TYPE}-1.1-1.json"
NOT_FOUND = {
    "type": "urn:guantong:problem:not_found",
    "status": 404,
    "code": "not_found",
    "title": "没有找到",
    "title_en": "not found",
    "detail": "",
    "retryable": False,
}
LEAD_MISSING = {
    "code": "lead_missing",
    "pointer": "/data/organisations/-/lead",
    "message": "填写主办机关的，须对每一被反映对象填写",
    "message_en": "where one subject has an organ in charge, all of them have",
    "retryable": False,
}
NO_FORM = {
    "code": "inconvertible",
    "pointer": "",
    "message": "该事件在所定的契约版本中没有对应形式",
    "message_en": "the event has no form in the version that was pinned",
    "retryable": False,
}


@pytest.fixture
def reader(hub: RunningHub) -> Iterator[AgencyClient]:
    """The discipline office, whose subscription `new` has pinned 2.0."""
    client = hub.agency(DISCIPLINE)
    client.subscribe("new", types=[TYPE], versions={TYPE: "2.0"})
    yield client
    client.http.delete("/v1/subscriptions/new")


def stuck(number: str, **attributes: Any) -> dict[str, Any]:
    """A clue under 1.1 of which no 2.0 can be made: one of its subjects has no organ in charge."""
    data = json.loads(EXAMPLE.read_bytes())
    del data["subjects"][1]["lead"]
    schema = f"urn:guantong:contract:{TYPE}:1.1"
    event = clue(number, dataschema=schema, **attributes)
    return {**event, "data": {**data, "clueid": f"CL-{number}"}}


def listing(client: AgencyClient, id_: str = "new", **query: Any) -> httpx.Response:
    """The dead letters of a subscription."""
    return client.http.get(f"/v1/subscriptions/{id_}/dead-letters", params=query)


def waiting(client: AgencyClient, id_: str = "new") -> list[dict[str, Any]]:
    """All of them."""
    answer = listing(client, id_)
    assert answer.status_code == 200, answer.text
    assert answer.json()["next"] is None
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


def redrive(client: AgencyClient, n: int | str, id_: str = "new") -> httpx.Response:
    """Ask for one again."""
    return client.http.post(f"/v1/subscriptions/{id_}/dead-letters/{n}/redrive")


def pin(client: AgencyClient, version: str, id_: str = "new") -> None:
    """Have the subscription get another version from now on."""
    answer = client.http.patch(f"/v1/subscriptions/{id_}", json={"versions": {TYPE: version}})
    assert answer.status_code == 200, answer.text


def places(items: list[dict[str, Any]]) -> list[tuple[str, int]]:
    """Which events, and how often each was tried."""
    return [(item["event_id"], item["attempts"]) for item in items]


def test_what_was_parked_is_listed_with_why_and_how_often_it_was_tried(
    hub: RunningHub, reader: AgencyClient
) -> None:
    receipt, _ = hub.agency(CITY).accepted(stuck("told-1"), clue("told-2"))
    assert waiting(reader) == []
    assert reader.page("new").headers["guantong-parked"] == "1"
    (item,) = waiting(reader)
    first = item["first"]
    assert first > receipt["hubtime"]
    n = int(receipt["position"].partition("-")[2])
    assert item == {
        "n": n,
        "position": receipt["position"],
        "type": TYPE,
        "version": "1.1",
        "wanted": "2.0",
        "source": f"/{CITY}",
        "event_id": "CL-told-1",
        "hubtime": receipt["hubtime"],
        "reason": LEAD_MISSING,
        "attempts": 1,
        "first": first,
        "last": first,
    }
    # The same page again is another attempt, and no other row.
    reader.page("new")
    (again,) = waiting(reader)
    assert again == {**item, "attempts": 2, "last": again["last"]}
    assert again["last"] > first
    # What comes after it is not held up, and does not try it again.
    cursor = reader.page("new", limit=1).headers["guantong-cursor"]
    assert reader.page("new", cursor=cursor).json() == []
    assert places(waiting(reader)) == [("CL-told-1", 3)]


def test_a_page_of_nothing_but_parked_events_has_listed_them_before_it_leaves(
    hub: RunningHub, reader: AgencyClient
) -> None:
    hub.agency(CITY).accepted(stuck("alone"))
    page = reader.page("new")
    assert (page.json(), page.headers["guantong-parked"]) == ([], "1")
    assert places(waiting(reader)) == [("CL-alone", 1)]
    assert reader.page("new", cursor=page.headers["guantong-cursor"]).json() == []
    assert places(waiting(reader)) == [("CL-alone", 1)]


def test_the_list_comes_in_parts(hub: RunningHub, reader: AgencyClient) -> None:
    numbers = [f"part-{n}" for n in range(5)]
    hub.agency(CITY).accepted(*(stuck(number) for number in numbers))
    reader.page("new")
    found, after = [], 0
    for left in (3, 1, 0):
        part = listing(reader, limit=2, after=after).json()
        found += part["items"]
        after = part["next"]
        assert (after is None) == (left == 0)
    assert [item["event_id"] for item in found] == [f"CL-{number}" for number in numbers]
    assert [item["n"] for item in found] == sorted(item["n"] for item in found)
    assert listing(reader, after=found[-1]["n"]).json() == {"items": [], "next": None}


def test_with_another_pin_a_dead_letter_comes_when_it_is_asked_for(
    hub: RunningHub, reader: AgencyClient
) -> None:
    sent = stuck("comes")
    hub.agency(CITY).accepted(sent, stuck("stays"))
    page = reader.page("new")
    assert reader.commit(page.headers["guantong-cursor"], "new").status_code == 200
    pin(reader, "1.1")
    n = waiting(reader)[0]["n"]
    answer = redrive(reader, n)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/cloudevents-batch+json"
    # The cursor is the committed one still.
    assert answer.headers["guantong-cursor"] == page.headers["guantong-cursor"]
    (got,) = answer.json()
    assert (got["id"], got["dataschema"], got["data"]) == (
        sent["id"],
        f"urn:guantong:contract:{TYPE}:1.1",
        sent["data"],
    )
    assert places(waiting(reader)) == [("CL-stays", 1)]
    # An answer may be lost on its way.
    assert redrive(reader, n).json() == [got]
    query = {"source": sent["source"], "id": sent["id"]}
    told = hub.admin.get("/v1/explain", params={**query, "agency": DISCIPLINE}).json()
    assert [
        (r["reason"], r["version"]) for r in told["readings"] if r["subscription"] == "new"
    ] == [("inconvertible", "2.0"), (None, "1.1"), (None, "1.1")]
    seen = hub.admin.get("/v1/reads", params=query).json()["items"]
    assert [(s["agency"], s["subscription"], s["channel"]) for s in seen] == [
        (DISCIPLINE, "new", "pull")
    ] * 2


def test_what_has_no_form_still_is_refused_with_the_reason_and_counts_as_tried(
    hub: RunningHub, reader: AgencyClient
) -> None:
    hub.agency(CITY).accepted(stuck("still"))
    reader.page("new")
    (item,) = waiting(reader)
    answer = redrive(reader, item["n"])
    assert (answer.status_code, answer.json()) == (
        409,
        {
            "type": "urn:guantong:problem:inconvertible",
            "status": 409,
            "code": "inconvertible",
            "title": "事件在所定版本中没有对应形式，请改定版本",
            "title_en": "no form in the pinned version: pin another",
            "detail": "",
            "retryable": False,
            "errors": [LEAD_MISSING],
        },
    )
    assert places(waiting(reader)) == [("CL-still", 2)]


def test_what_a_replay_hands_over_waits_no_more_until_it_is_parked_again(
    hub: RunningHub, reader: AgencyClient
) -> None:
    receipts = hub.agency(CITY).accepted(stuck("replayed-1"), stuck("replayed-2"))
    since = {"since": receipts[0]["hubtime"]}
    reader.page("new")
    for version, expected in (
        ("1.1", []),
        ("2.0", [("CL-replayed-1", 2), ("CL-replayed-2", 2)]),
        ("1.0", []),
    ):
        pin(reader, version)
        assert reader.http.post("/v1/subscriptions/new/cursor", json=since).status_code == 200
        reader.page("new")
        assert places(waiting(reader)) == expected


def test_a_page_that_hands_over_some_leaves_the_others_waiting(
    hub: RunningHub, reader: AgencyClient
) -> None:
    hub.agency(CITY).accepted(stuck("some-1"), stuck("some-2"), stuck("some-3"))
    reader.page("new")
    pin(reader, "1.1")
    assert [event["id"] for event in reader.page("new", limit=2).json()] == [
        "CL-some-1",
        "CL-some-2",
    ]
    assert places(waiting(reader)) == [("CL-some-3", 1)]


def test_each_subscription_has_dead_letters_of_its_own(
    hub: RunningHub, reader: AgencyClient
) -> None:
    reader.subscribe("older", types=[TYPE], versions={TYPE: "1.0"})
    hub.agency(CITY).accepted(stuck("own"))
    reader.page("new")
    reader.page("older")
    (item,) = waiting(reader)
    assert waiting(reader, "older") == []
    assert redrive(reader, item["n"], "older").json() == NOT_FOUND
    assert places(waiting(reader)) == [("CL-own", 1)]


def test_another_agencys_and_what_there_is_not_are_one_answer(
    hub: RunningHub, reader: AgencyClient
) -> None:
    receipts = hub.agency(CITY).accepted(stuck("theirs"), clue("no-dead-letter"))
    reader.page("new")
    (item,) = waiting(reader)
    delivered = receipts[1]["position"].partition("-")[2]
    office = hub.agency(CITY)
    answers = [
        listing(office, "new"),
        listing(reader, "unheard-of"),
        redrive(office, item["n"], "new"),
        redrive(reader, item["n"], "unheard-of"),
        *(
            redrive(reader, n)
            for n in (delivered, 0, "0" * 18, 10**18 - 1, 2**63, 2**64, "9" * 400)
        ),
        *(redrive(reader, n) for n in ("-1", "1.0", "0x1", "1e3", "%31%20", "１", "x", "null")),
    ]
    assert [(a.status_code, a.json()) for a in answers] == [(404, NOT_FOUND)] * len(answers)


@pytest.mark.parametrize("query", ["after=-1", "after=x", f"after={2**64}", "after=１", "limit=x"])
def test_a_part_that_is_no_part_is_refused(reader: AgencyClient, query: str) -> None:
    answer = reader.http.get(f"/v1/subscriptions/new/dead-letters?{query}")
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")


def test_what_is_denied_by_now_does_not_show_and_does_not_come(
    hub: RunningHub, reader: AgencyClient
) -> None:
    hub.agency(CITY).accepted(stuck("withdrawn"), stuck("open"))
    reader.page("new")
    pin(reader, "1.1")
    n = next(item["n"] for item in waiting(reader) if item["event_id"] == "CL-withdrawn")
    recusal = {"id": "r", "agency": DISCIPLINE, "case": "clue:CL-withdrawn", "reason": "回避"}
    hub.apply(policy(recusals=[recusal]))
    try:
        assert places(waiting(reader)) == [("CL-open", 1)]
        assert listing(reader, limit=1).json()["next"] is None
        assert redrive(reader, n).json() == NOT_FOUND
    finally:
        hub.apply(policy())
    assert places(waiting(reader)) == [("CL-withdrawn", 1), ("CL-open", 1)]
    assert [event["id"] for event in redrive(reader, n).json()] == ["CL-withdrawn"]


def test_what_the_filters_leave_out_by_now_does_not_show(
    hub: RunningHub, reader: AgencyClient
) -> None:
    hub.agency(CITY).accepted(stuck("left-out"), stuck("kept"))
    reader.page("new")
    n = waiting(reader)[0]["n"]
    filters = [{"exact": {"id": "CL-kept"}}]
    assert reader.http.patch("/v1/subscriptions/new", json={"filters": filters}).is_success
    assert places(waiting(reader)) == [("CL-kept", 1)]
    assert redrive(reader, n).json() == NOT_FOUND


def test_the_reason_says_nothing_of_fields_that_the_subscriber_may_not_see(
    hub: RunningHub, reader: AgencyClient
) -> None:
    hub.agency(CITY).accepted(stuck("reason"))
    reader.page("new")
    assert [item["reason"] for item in waiting(reader)] == [LEAD_MISSING]
    lent = policy()
    for held in lent["grants"]:
        if held["agency"] == DISCIPLINE and held["may"] == "receive":
            held["classes"] = ["F0", "F1"]
    hub.apply(lent)
    try:
        (item,) = waiting(reader)
        assert item["reason"] == NO_FORM
        assert redrive(reader, item["n"]).json()["errors"] == [NO_FORM]
    finally:
        hub.apply(policy())
    # As it was told the last time it was tried.
    assert [item["reason"] for item in waiting(reader)] == [NO_FORM]
    reader.page("new")
    assert [item["reason"] for item in waiting(reader)] == [LEAD_MISSING]


def test_a_subscription_of_the_same_name_begins_without_the_dead_letters_of_the_ended_one(
    hub: RunningHub, reader: AgencyClient
) -> None:
    hub.agency(CITY).accepted(stuck("ended"))
    reader.page("new")
    (item,) = waiting(reader)
    assert reader.http.delete("/v1/subscriptions/new").status_code == 204
    assert listing(reader).json() == NOT_FOUND
    reader.subscribe("new", types=[TYPE], versions={TYPE: "1.1"}, start="earliest")
    assert waiting(reader) == []
    assert redrive(reader, item["n"]).json() == NOT_FOUND


def test_dead_letters_outlive_the_process(fresh_hub: RunningHub) -> None:
    reader = fresh_hub.agency(DISCIPLINE)
    reader.subscribe("new", types=[TYPE], versions={TYPE: "2.0"})
    fresh_hub.agency(CITY).accepted(stuck("kept-1"), stuck("kept-2"))
    assert reader.page("new").headers["guantong-parked"] == "2"
    again = restart_hub(fresh_hub)
    try:
        reader = again.agency(DISCIPLINE)
        items = waiting(reader)
        assert places(items) == [("CL-kept-1", 1), ("CL-kept-2", 1)]
        pin(reader, "1.1")
        assert [event["id"] for event in redrive(reader, items[0]["n"]).json()] == ["CL-kept-1"]
        assert waiting(reader) == items[1:]
    finally:
        again.kill()


def test_dead_letters_go_with_their_events(tmp_path: Path) -> None:
    folder = tmp_path / "hub"
    with running_hub(folder) as hub:
        hub.apply(policy())
        reader = hub.agency(DISCIPLINE)
        reader.subscribe("new", types=[TYPE], versions={TYPE: "2.0"})
        hub.agency(CITY).accepted(stuck("gone-1"), stuck("gone-2"))
        reader.page("new")
        items = waiting(reader)
        assert places(items) == [("CL-gone-1", 1), ("CL-gone-2", 1)]
        assert hub.stop() == 0
    make_older(folder, days=4)
    with running_hub(folder, settings={"retention": '{"clue.*": 3}'}) as later:
        later._tokens.update(hub._tokens)
        reader = later.agency(DISCIPLINE)
        await_expired(reader, 2, "new")
        assert waiting(reader) == []
        assert [redrive(reader, item["n"]).json() for item in items] == [NOT_FOUND] * 2
        assert later.stop() == 0
    assert rows(folder, "SELECT * FROM dead_letters") == []


def test_dead_letters_are_listed_and_asked_for_again_from_the_command_line(
    hub: RunningHub, reader: AgencyClient
) -> None:
    hub.agency(CITY).accepted(stuck("command-1"), stuck("command-2"))

    def command(*words: str) -> tuple[int, Any, str]:
        done = guantong(*words, "--as", DISCIPLINE, "--json", "--data", hub.directory)
        return done.status, done.document, done.complained

    told = "另有 2 件无法转换为所定版本，见 guantong dead-letters list"
    assert command("pull", "new")[1:] == (
        [],
        f"{told} / 2 more have no form in the pinned version\n",
    )
    items = waiting(reader)
    assert command("dead-letters", "list", "new") == (0, items, "")
    first, second = (str(item["n"]) for item in items)
    status, events, complaint = command("dead-letters", "redrive", "new", first)
    assert (status, events) == (1, [])
    assert complaint.startswith(f"{first}  事件在所定版本中没有对应形式，请改定版本 (inconvertible")
    pin(reader, "1.1")
    status, events, complaint = command("dead-letters", "redrive", "new", second, first)
    assert (status, [event["id"] for event in events], complaint) == (
        0,
        ["CL-command-2", "CL-command-1"],
        "",
    )
    pin(reader, "2.0")
    reader.page("new")
    pin(reader, "1.1")
    status, events, _ = command("dead-letters", "redrive", "new")
    assert [event["id"] for event in events] == ["CL-command-1", "CL-command-2"]
    assert command("dead-letters", "list", "new") == (0, [], "")
