"""An exchange about an event passes between the publisher and the readers of that event alone."""

import json
from importlib.resources import files
from typing import Any

from tests.running import RunningHub
from tests.sample import (
    AUDIT,
    CITY,
    DISCIPLINE,
    PETITION,
    PROVINCE,
    clue,
    decision,
    grant,
    policy,
    report,
)

Event = dict[str, Any]


def exchange(type_: str, matter: str, publisher: str, about: Event, **attributes: Any) -> Event:
    """A step of an exchange about an event, its payload a shipped example."""
    name = f"{type_}-1.json"
    path = files("contracts") / "exchange" / "examples" / "valid" / name
    data = json.loads(path.read_text(encoding="utf-8"))
    named = {"source": about["source"], "id": about["id"]}
    return {
        **clue(matter),
        "id": f"{type_}-{matter}",
        "source": f"/{publisher}",
        "type": type_,
        "dataschema": f"urn:guantong:contract:{type_}:1.0",
        "correlationid": f"exchange:{matter}",
        "data": {**data, "matter": matter, "about": named},
        **attributes,
    }


def everybody_exchanges() -> Event:
    document = policy()
    for id_ in (CITY, DISCIPLINE, AUDIT, PETITION):
        document["grants"] += [grant(id_, may, "exchange.*") for may in ("publish", "receive")]
    return document


def refusal(hub: RunningHub, agency: str, event: Event) -> list[tuple[str, str]]:
    (result,) = hub.agency(agency).publish(event).json()["results"]
    assert result["status"] == "rejected"
    return [(error["code"], error["pointer"]) for error in result["errors"]]


def test_who_received_a_document_signs_for_it_to_its_publisher(hub: RunningHub) -> None:
    hub.apply(everybody_exchanges())
    office = hub.agency(CITY)
    office.subscribe("signed", types=["exchange.*"])
    sent = clue("signed-for")
    office.accepted(sent)
    signed = exchange("exchange.signed", "WL-1", DISCIPLINE, sent, to=CITY)
    hub.agency(DISCIPLINE).accepted(signed)
    (seen,) = office.drain("signed")
    assert (seen["id"], seen["data"]) == (signed["id"], signed["data"])


def test_what_was_asked_for_is_supplied_under_the_same_number(hub: RunningHub) -> None:
    hub.apply(everybody_exchanges())
    office, discipline = hub.agency(CITY), hub.agency(DISCIPLINE)
    discipline.subscribe("supplied", types=["exchange.*"])
    sent = clue("to-be-supplemented")
    office.accepted(sent)
    asked = exchange("exchange.supplement_requested", "WL-2", DISCIPLINE, sent, to=CITY)
    receipt = discipline.accepted(asked)[0]["id"]
    answer = exchange(
        "exchange.supplemented", "WL-2", CITY, sent, to=DISCIPLINE, causationid=receipt
    )
    office.accepted(answer)
    (seen,) = discipline.drain("supplied")
    assert (seen["id"], seen["data"]) == (answer["id"], answer["data"])


def test_who_did_not_get_a_document_exchanges_nothing_about_it(hub: RunningHub) -> None:
    hub.apply(everybody_exchanges())
    sent = clue("not-for-audit")
    hub.agency(CITY).accepted(sent)
    stranger = exchange("exchange.signed", "WL-3", AUDIT, sent, to=CITY)
    missing = exchange("exchange.signed", "WL-4", AUDIT, {**sent, "id": "none"}, to=CITY)
    assert refusal(hub, AUDIT, stranger) == [("subject_unknown", "/data/about")]
    assert refusal(hub, AUDIT, missing) == [("subject_unknown", "/data/about")]


def test_a_reader_tells_nobody_else_of_the_document(hub: RunningHub) -> None:
    hub.apply(everybody_exchanges())
    sent = clue("kept-among-two")
    hub.agency(CITY).accepted(sent)
    for n, to in enumerate(({"to": AUDIT}, {"to": f"{CITY} {AUDIT}"}, {"to": CITY, "cc": AUDIT})):
        told = exchange("exchange.signed", f"WL-5-{n}", DISCIPLINE, sent, **to)
        assert refusal(hub, DISCIPLINE, told) == [("not_among_readers", "/to")]


def test_a_reader_tells_no_addressee_of_the_document_who_may_not_read_it(hub: RunningHub) -> None:
    document = everybody_exchanges()
    sent = clue("addressee-recused", to=f"{DISCIPLINE} {AUDIT}")
    recusal = {
        "id": "r",
        "agency": AUDIT,
        "case": f"clue:{sent['data']['clueid']}",
        "reason": "回避",
    }
    hub.apply({**document, "recusals": [recusal]})
    hub.agency(CITY).accepted(sent)
    told = exchange("exchange.supplement_requested", "WL-6", DISCIPLINE, sent, to=AUDIT)
    assert refusal(hub, DISCIPLINE, told) == [("not_among_readers", "/to")]
    hub.apply(document)


def test_an_answer_by_whom_could_not_say_it_unasked_goes_to_those_who_asked(
    hub: RunningHub,
) -> None:
    """A province's office reads a report; only a committee decides on it, and tells others."""
    document = policy()
    document["grants"] += [
        grant(CITY, "publish", "report.*"),
        grant(PROVINCE, "publish", "decision.*", region="510000"),
        grant(DISCIPLINE, "receive", "decision.*"),
    ]
    hub.apply(document)
    readers = [hub.agency(id_) for id_ in (CITY, DISCIPLINE)]
    for reader in readers:
        reader.subscribe("decided", types=["decision.*"])
    sent = report("no-decision", to=PROVINCE)
    opening = hub.agency(CITY).accepted(sent)[0]["id"]
    said = decision("no-decision", opening=opening, to=f"{CITY} {DISCIPLINE}")
    hub.agency(PROVINCE).accepted({**said, "source": f"/{PROVINCE}", "region": "510100"})
    office, discipline = (reader.drain("decided") for reader in readers)
    assert [event["id"] for event in office] == [said["id"]]
    assert discipline == []
