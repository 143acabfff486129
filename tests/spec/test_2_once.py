"""Promise 2: an event is registered once, and what is the same is decided by its values."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from tests.running import STRUCTURED, AgencyClient, RunningHub, codes_of, results_of
from tests.sample import (
    AUDIT,
    CITY,
    COMMITTEE,
    DISCIPLINE,
    PETITION,
    agency,
    clue,
    petition,
    policy,
)

pytestmark = [pytest.mark.on_both, pytest.mark.over_kafka]

Event = dict[str, Any]
PUBLISHING = (CITY, "publish")
ID_REUSED = {
    "code": "id_reused",
    "pointer": "/id",
    "message": "该编号已用于内容不同的事件；更正请用新编号并填写 supersedes",
    "message_en": "this id stands for another event: correct under a new id, with supersedes",
    "retryable": False,
}


@pytest.fixture
def bureau(hub: RunningHub) -> AgencyClient:
    return hub.agency(PETITION)


@pytest.fixture
def discipline(hub: RunningHub) -> AgencyClient:
    reader = hub.agency(DISCIPLINE)
    reader.subscribe("once", start="earliest")
    return reader


def delivered(reader: AgencyClient, source: str, id_: str) -> int:
    """How often an event stands in the feed."""
    return sum((e["source"], e["id"]) == (source, id_) for e in reader.drain("once"))


def repeated(first: Event) -> Event:
    return {**first, "status": "duplicate"}


def reused(event: Event) -> Event:
    return {
        "source": event["source"],
        "id": event["id"],
        "status": "rejected",
        "receipt": None,
        "errors": [ID_REUSED],
    }


def test_a_repeated_event_gets_the_first_receipt(
    bureau: AgencyClient, discipline: AgencyClient
) -> None:
    event = petition("again")
    first = results_of(bureau.publish(event))[0]
    assert first["status"] == "accepted"
    answer = bureau.publish(event)
    assert (answer.status_code, answer.json()) == (200, {"results": [repeated(first)]})
    assert delivered(discipline, f"/{PETITION}", "XF-again") == 1


@pytest.mark.parametrize("mode", ["each", "all"])
def test_a_repeated_event_gets_its_receipt_though_no_rule_would_let_it_in_today(
    hub: RunningHub, mode: str
) -> None:
    """Who never got the answer asks again, also when grants and the registry have moved on."""
    document = policy()
    document["agencies"].append(agency(COMMITTEE, "示范市委"))
    hub.apply(document)
    office, audit = hub.agency(CITY), hub.agency(AUDIT)
    known = clue(f"rules-{mode}", to=f"{DISCIPLINE} {COMMITTEE}")
    sealed = clue(f"rules-sealed-{mode}", caveats="sealed")
    first = results_of(office.publish(known, sealed))
    assert [result["status"] for result in first] == ["accepted"] * 2
    moved_on = policy()
    moved_on["grants"] = [g for g in moved_on["grants"] if (g["agency"], g["may"]) != PUBLISHING]
    hub.apply(moved_on)
    answer = office.publish(known, sealed, mode=mode)
    assert (answer.status_code, results_of(answer)) == (200, [repeated(r) for r in first])

    new, changed = clue(f"rules-new-{mode}"), {**known, "subject": "改动"}
    told = results_of(office.publish(known, new, changed, mode=mode))
    assert [codes_of(result) for result in told] == [
        [],
        [("not_granted", "/type")],
        [("not_granted", "/type"), ("address_unknown", "/to")],
    ]
    assert told[0] == repeated(first[0])
    # Whose event it is not learns nothing of it.
    (strange,) = results_of(audit.publish(known, mode=mode))
    (unknown,) = results_of(audit.publish({**known, "id": "never"}, mode=mode))
    assert (strange["receipt"], codes_of(strange)) == (None, codes_of(unknown))
    assert ("source_foreign", "/source") in codes_of(strange)
    hub.apply(policy())


def escaped(event: Event) -> bytes:
    return json.dumps([event], ensure_ascii=True).encode()


def spaced(event: Event) -> bytes:
    return json.dumps([event], ensure_ascii=False, indent=3).encode()


def compact(event: Event) -> bytes:
    return json.dumps([event], ensure_ascii=False, separators=(",", ":")).encode()


def reordered(event: Event) -> bytes:
    def turn(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: turn(value[name]) for name in reversed(value)}
        return [turn(item) for item in value] if isinstance(value, list) else value

    return json.dumps([turn(event)], ensure_ascii=False).encode()


def escaped_ascii(event: Event) -> bytes:
    """`\\u` escapes where no one needs them, in a name too."""
    text = json.dumps([event], ensure_ascii=False)
    return text.replace('"people"', '"\\u0070eople"').replace('"XF-', '"\\u0058F-').encode()


@pytest.mark.parametrize("written", [escaped, spaced, compact, reordered, escaped_ascii])
def test_another_way_to_write_the_same_values_is_the_same_event(
    bureau: AgencyClient, written: Callable[[Event], bytes]
) -> None:
    event = petition(f"written-{written.__name__}", subject="样例", sequence="0007")
    first = results_of(bureau.publish(event))[0]
    body = written(event)
    assert body != json.dumps([event], ensure_ascii=False).encode()
    answer = bureau.send(body)
    assert (answer.status_code, answer.json()) == (200, {"results": [repeated(first)]})


TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
INCIDENTAL = {
    "traceparent": (TRACE, TRACE.replace("4b", "5c")),
    "tracestate": ("a=1", "a=2"),
    "recordedtime": ("2026-10-08T09:30:01+08:00", "2026-10-09T09:30:01+08:00"),
}


@pytest.mark.parametrize("name", sorted(INCIDENTAL))
def test_what_a_resend_may_change_makes_no_other_event(bureau: AgencyClient, name: str) -> None:
    one, other = INCIDENTAL[name]
    event = petition(f"resend-{name}", **{name: one})
    first = results_of(bureau.publish(event))[0]
    assert first["status"] == "accepted"
    changed = {**event, name: other}
    without = {k: v for k, v in event.items() if k != name}
    assert results_of(bureau.publish(changed, without)) == [repeated(first)] * 2


CHANGED: dict[str, tuple[Any, Any]] = {
    "time": ("2026-10-08T09:30:00+08:00", "2026-10-08T01:30:00Z"),
    "subject": ("甲", "乙"),
    "region": ("510104", "510105"),
    "to": (DISCIPLINE, f"{DISCIPLINE} {CITY}"),
    "cc": (CITY, DISCIPLINE),
    "phase": ("pre", "on"),
    "correlationid": ("case-1", "case-2"),
    "causationid": ("0" * 32, "1" * 32),
    "roundid": ("14-11", "14-12"),
    "dataclassification": ("internal", "public"),
    "classperiod": ("1", "2"),
    "replydue": ("2026-11-01", "2026-11-02"),
    "supersedes": ("XF-a", "XF-b"),
    "resendof": ("XF-a", "XF-b"),
    "sequence": ("1", "2"),
    "expirytime": ("2099-01-01T00:00:00Z", "2099-01-02T00:00:00Z"),
    "tracelike": ("a", "b"),
    "count": (1, 2),
    "flag": (True, False),
    "truth": (True, 1),
}


@pytest.mark.parametrize("name", sorted(CHANGED))
def test_the_same_id_with_another_attribute_is_refused(bureau: AgencyClient, name: str) -> None:
    one, other = CHANGED[name]
    event = petition(f"attribute-{name}", **{name: one})
    first = results_of(bureau.publish(event))[0]
    assert first["status"] == "accepted", first
    answer = bureau.publish({**event, name: other})
    assert (answer.status_code, results_of(answer)) == (422, [reused(event)])
    assert results_of(bureau.publish(event)) == [repeated(first)]


@pytest.mark.parametrize("name", sorted(CHANGED.keys() - {"time"}))
def test_the_same_id_with_an_attribute_more_or_less_is_refused(
    bureau: AgencyClient, name: str
) -> None:
    event = petition(f"more-{name}", **{name: CHANGED[name][0]})
    less = {k: v for k, v in event.items() if k != name}
    assert results_of(bureau.publish(event))[0]["status"] == "accepted"
    assert results_of(bureau.publish(less)) == [reused(event)]
    other = petition(f"less-{name}")
    assert results_of(bureau.publish(other))[0]["status"] == "accepted"
    more = {**other, name: CHANGED[name][0]}
    assert results_of(bureau.publish(more)) == [reused(other)]


def test_an_event_without_datacontenttype_is_json_all_the_same(bureau: AgencyClient) -> None:
    event = petition("content-type")
    first = results_of(bureau.publish(event))[0]
    del event["datacontenttype"]
    assert results_of(bureau.publish(event)) == [repeated(first)]


CONTENT: dict[str, dict[str, Any]] = {
    "another-value": {"people": 4},
    "a-space-more": {"summary": "反映小区物业收费不公开，要求公布账目。 "},
    "a-member-more": {"joint": False},
    "a-member-less": {"petitioner": None},
    "a-member-deep-inside": {"petitioner": {"name": "林晓禾", "phone": "19900000002"}},
    "another-order-of-an-array": {"accused": [{"name": "乙某"}, {"name": "甲某"}]},
    "an-array-shorter": {"accused": [{"name": "甲某"}]},
}


@pytest.mark.parametrize("case", sorted(CONTENT))
def test_the_same_id_with_other_content_is_refused(
    bureau: AgencyClient, discipline: AgencyClient, case: str
) -> None:
    event = petition(f"content-{case}", data={"accused": [{"name": "甲某"}, {"name": "乙某"}]})
    first = results_of(bureau.publish(event))[0]
    other = {**event, "data": {**event["data"], **CONTENT[case]}}
    other["data"] = {name: value for name, value in other["data"].items() if value is not None}
    answer = bureau.publish(other)
    assert (answer.status_code, results_of(answer)) == (422, [reused(event)])
    kept = next(e for e in discipline.drain("once") if e["id"] == event["id"])
    assert (kept["data"], kept["hubreceipt"]) == (event["data"], first["receipt"]["id"])


def test_a_member_given_as_null_is_not_one_left_out(bureau: AgencyClient) -> None:
    event = petition("null")
    assert results_of(bureau.publish(event))[0]["status"] == "accepted"
    other = {**event, "data": {**event["data"], "due": None}}
    assert results_of(bureau.publish(other)) == [reused(event)]


def test_a_number_in_a_form_that_the_contract_refuses_is_told_as_that(
    bureau: AgencyClient,
) -> None:
    event = petition("form", data={"people": 3, "joint": True})
    assert results_of(bureau.publish(event))[0]["status"] == "accepted"
    for name, value in (("people", True), ("people", "3"), ("joint", 1)):
        other = {**event, "data": {**event["data"], name: value}}
        errors = results_of(bureau.publish(other))[0]["errors"]
        assert [(e["code"], e["pointer"]) for e in errors] == [("type", f"/data/{name}")]


def test_an_equal_event_twice_in_a_batch_is_a_duplicate(
    bureau: AgencyClient, discipline: AgencyClient
) -> None:
    event = petition("twice")
    turned = json.dumps({**event, "data": dict(reversed(event["data"].items()))}, indent=1)
    body = f"[{json.dumps(event)},{turned},{json.dumps(event)}]".encode()
    answer = bureau.send(body)
    first = results_of(answer)[0]
    assert first["status"] == "accepted"
    assert (answer.status_code, results_of(answer)[1:]) == (200, [repeated(first)] * 2)
    assert results_of(bureau.send(body)) == [repeated(first)] * 3
    assert delivered(discipline, f"/{PETITION}", "XF-twice") == 1


def test_the_same_id_twice_in_a_batch_with_other_content_is_refused(
    bureau: AgencyClient, discipline: AgencyClient
) -> None:
    event = petition("unequal")
    other = petition("unequal", data={"people": 9})
    attribute = petition("unequal", subject="另一")
    answer = bureau.publish(event, other, attribute, event)
    first = results_of(answer)[0]
    assert first["status"] == "accepted"
    expected = [first, reused(event), reused(event), repeated(first)]
    assert (answer.status_code, results_of(answer)) == (207, expected)
    assert delivered(discipline, f"/{PETITION}", "XF-unequal") == 1


def test_one_id_of_two_sources_is_two_events(hub: RunningHub, discipline: AgencyClient) -> None:
    office, audit = hub.agency(CITY), hub.agency(AUDIT)
    events = [
        clue("sources"),
        clue("sources", source=f"/{CITY}/registry"),
        clue("sources", source=f"/{CITY}/registry/a"),
    ]
    receipts = [
        *office.accepted(*events),
        *audit.accepted(clue("sources", publisher=AUDIT)),
    ]
    assert len({receipt["id"] for receipt in receipts}) == 4
    found = [e for e in discipline.drain("once") if e["id"] == "CL-sources"]
    assert [e["source"] for e in found] == [
        f"/{CITY}",
        f"/{CITY}/registry",
        f"/{CITY}/registry/a",
        f"/{AUDIT}",
    ]
    assert [e["hubreceipt"] for e in found] == [receipt["id"] for receipt in receipts]


def test_an_id_with_a_line_feed_cannot_stand_for_another_source(bureau: AgencyClient) -> None:
    errors = results_of(bureau.publish(petition("line", id="a\nb")))[0]["errors"]
    assert [(e["code"], e["pointer"]) for e in errors] == [("control_character", "/id")]


def test_every_binding_of_one_event_is_the_same_event(bureau: AgencyClient) -> None:
    event = petition("bindings", subject="样例 100%", flag=True, count=7)
    first = results_of(bureau.publish(event))[0]
    one = bureau.send(json.dumps(event).encode(), media=STRUCTURED)
    headers = {
        f"ce-{name}": str(event[name])
        for name in ("specversion", "id", "source", "type", "time", "dataschema")
    }
    headers |= {
        "ce-subject": "%E6%A0%B7%E4%BE%8B%20100%25",
        "ce-flag": "true",
        "ce-count": "7",
        "content-type": "application/json",
    }
    data = json.dumps(event["data"], ensure_ascii=True).encode()
    binary = bureau.http.post("/v1/events", content=data, headers=headers)
    for answer in (one, binary):
        assert (answer.status_code, answer.json()) == (200, {"results": [repeated(first)]})


def test_an_id_is_free_until_an_event_was_accepted_under_it(
    bureau: AgencyClient, discipline: AgencyClient
) -> None:
    wrong = petition("corrected", data={"people": -1})
    assert results_of(bureau.publish(wrong))[0]["status"] == "rejected"
    right = petition("corrected")
    assert results_of(bureau.publish(right))[0]["status"] == "accepted"
    assert delivered(discipline, f"/{PETITION}", "XF-corrected") == 1


@pytest.mark.at_the_door
def test_of_many_senders_at_once_exactly_one_is_accepted(
    hub: RunningHub, discipline: AgencyClient
) -> None:
    senders = [hub.agency(PETITION) for _ in range(16)]
    start = Barrier(len(senders))
    event = petition("race")

    def send(sender: AgencyClient) -> dict[str, Any]:
        start.wait()
        return results_of(sender.publish(event))[0]

    with ThreadPoolExecutor(len(senders)) as pool:
        results = list(pool.map(send, senders))
    accepted = [result for result in results if result["status"] == "accepted"]
    others = [result for result in results if result["status"] != "accepted"]
    assert len(accepted) == 1
    assert others == [repeated(accepted[0])] * 15
    assert delivered(discipline, f"/{PETITION}", "XF-race") == 1


@pytest.mark.at_the_door
def test_of_many_different_events_under_one_id_exactly_one_is_accepted(
    hub: RunningHub, discipline: AgencyClient
) -> None:
    senders = [hub.agency(PETITION) for _ in range(16)]
    start = Barrier(len(senders))

    def send(numbered: tuple[int, AgencyClient]) -> dict[str, Any]:
        number, sender = numbered
        start.wait()
        return results_of(sender.publish(petition("clash", data={"people": number})))[0]

    with ThreadPoolExecutor(len(senders)) as pool:
        results = list(pool.map(send, enumerate(senders)))
    winners = [n for n, result in enumerate(results) if result["status"] == "accepted"]
    assert len(winners) == 1
    losers = [result for result in results if result["status"] != "accepted"]
    assert losers == [reused(petition("clash"))] * 15
    kept = [e for e in discipline.drain("once") if e["id"] == "XF-clash"]
    assert [e["data"]["people"] for e in kept] == winners
