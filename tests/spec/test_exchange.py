"""An exchange about an event passes between the publisher and the readers of that event alone."""

from typing import Any

import pytest

from hub.event import receipt_of
from tests.running import RunningHub
from tests.sample import (
    AUDIT,
    CITY,
    DISCIPLINE,
    PROVINCE,
    clue,
    clue_received,
    decision,
    everybody_exchanges,
    exchange,
    grant,
    policy,
    report,
)

# Over Kafka an event may be on its way still when another is about it.
pytestmark = [pytest.mark.on_both, pytest.mark.over_kafka]

Event = dict[str, Any]


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


def recusal(agency: str, case: str) -> Event:
    return {"id": f"r-{agency}", "agency": agency, "case": case, "reason": "回避"}


def test_who_withdraws_from_a_document_later_sees_no_exchange_about_it(hub: RunningHub) -> None:
    document = everybody_exchanges()
    hub.apply(document)
    office, discipline = hub.agency(CITY), hub.agency(DISCIPLINE)
    for reader in (office, discipline):
        reader.subscribe("withdrawn", types=["exchange.*"])
    sent = clue("withdrawn-from")
    office.accepted(sent)
    asked = exchange("exchange.supplement_requested", "WL-7", DISCIPLINE, sent, to=CITY)
    receipt = discipline.accepted(asked)[0]["id"]
    answer = exchange(
        "exchange.supplemented", "WL-7", CITY, sent, to=DISCIPLINE, causationid=receipt
    )
    office.accepted(answer)
    # About the exchange itself: it comes from the document all the same.
    signed = exchange("exchange.signed", "WL-7-1", CITY, asked, to=DISCIPLINE)
    office.accepted(signed)
    withdrawn = [recusal(id_, f"clue:{sent['data']['clueid']}") for id_ in (CITY, DISCIPLINE)]
    hub.apply({**document, "recusals": withdrawn})
    seen_then = [reader.drain("withdrawn") for reader in (office, discipline)]
    query = {"source": answer["source"], "id": answer["id"], "agency": DISCIPLINE}
    told = hub.admin.get("/v1/explain", params=query)
    assert told.status_code == 200, told.text
    reading, *_ = told.json()["readings"]
    hub.apply(document)
    assert seen_then == [[], []]
    assert (reading["allowed"], reading["reason"]) == (False, "recused")
    seen_again = [[e["id"] for e in reader.drain("withdrawn")] for reader in (office, discipline)]
    assert seen_again == [[asked["id"]], [answer["id"], signed["id"]]]


def test_who_withdraws_from_a_matter_sees_no_answer_of_another_family(hub: RunningHub) -> None:
    """A decision on a report has a key of its own family: who left the report leaves it too."""
    document = policy()
    document["grants"] += [
        grant(CITY, "publish", "report.*"),
        grant(PROVINCE, "publish", "decision.*", region="510000"),
    ]
    hub.apply(document)
    office = hub.agency(CITY)
    office.subscribe("left", types=["decision.*"])
    sent = report("left", to=PROVINCE)
    opening = office.accepted(sent)[0]["id"]
    said = {**decision("left", opening=opening, to=CITY), "source": f"/{PROVINCE}"}
    hub.agency(PROVINCE).accepted(said)
    hub.apply({**document, "recusals": [recusal(CITY, f"report:{sent['data']['reportid']}")]})
    assert office.drain("left") == []
    hub.apply(document)


def test_an_exchange_about_an_event_that_stands_earlier_in_its_batch_is_taken(
    hub: RunningHub,
) -> None:
    hub.apply(everybody_exchanges())
    discipline = hub.agency(DISCIPLINE)
    discipline.subscribe("one-batch", types=["clue.*", "exchange.*"])
    expected = []
    for mode in ("each", "all"):
        sent = clue(f"batched-{mode}", to=DISCIPLINE)
        urged = exchange("exchange.urged", f"WL-8-{mode}", CITY, sent, to=DISCIPLINE)
        office = hub.agency(CITY)
        results = office.publish(sent, urged, mode=mode).json()["results"]
        assert [result["status"] for result in results] == ["accepted", "accepted"]
        again = office.publish(sent, urged, mode=mode).json()["results"]
        assert [result["status"] for result in again] == ["duplicate", "duplicate"]
        expected += [sent["id"], urged["id"]]
    assert [event["id"] for event in discipline.drain("one-batch")] == expected


def test_an_exchange_before_its_event_in_the_batch_is_about_nothing_yet(hub: RunningHub) -> None:
    hub.apply(everybody_exchanges())
    sent = clue("too-late", to=DISCIPLINE)
    urged = exchange("exchange.urged", "WL-9", CITY, sent, to=DISCIPLINE)
    results = hub.agency(CITY).publish(urged, sent).json()["results"]
    assert [
        (result["status"], [(e["code"], e["pointer"]) for e in result["errors"]])
        for result in results
    ] == [("rejected", [("subject_unknown", "/data/about")]), ("accepted", [])]


def test_a_reply_finds_its_opening_earlier_in_its_batch(hub: RunningHub) -> None:
    """Whoever files and receives clues itself hands over both at once."""
    hub.apply(policy())
    for mode in ("each", "all"):
        opened = {**clue(f"own-{mode}"), "source": f"/{DISCIPLINE}"}
        receipt = receipt_of(opened["source"], opened["id"]).hex()
        reply = clue_received(f"own-{mode}", opening=receipt)
        results = hub.agency(DISCIPLINE).publish(opened, reply, mode=mode).json()["results"]
        assert [(r["status"], r["errors"]) for r in results] == [("accepted", [])] * 2


def test_an_answer_is_about_what_its_opening_is_about(hub: RunningHub) -> None:
    hub.apply(everybody_exchanges())
    office, discipline = hub.agency(CITY), hub.agency(DISCIPLINE)
    sent, other = clue("asked-about"), clue("not-asked-about")
    office.accepted(sent, other)
    for n, caveats in enumerate(({}, {"caveats": "sealed"})):
        asked = exchange(
            "exchange.supplement_requested", f"WL-10-{n}", DISCIPLINE, sent, to=CITY, **caveats
        )
        opening = discipline.accepted(asked)[0]["id"]
        answers = [
            exchange(
                "exchange.supplemented",
                f"WL-10-{n}",
                CITY,
                about,
                to=DISCIPLINE,
                causationid=opening,
                **caveats,
            )
            for about in (other, {**sent, "id": "none"}, sent)
        ]
        for wrong in answers[:2]:
            (result,) = office.publish(wrong).json()["results"]
            assert result["errors"] == [
                {
                    "code": "about_differs",
                    "pointer": "/data/about",
                    "message": "答复所指的事件与所答复的事件不一致：照填其 about 的 source 和 id",
                    "message_en": "the reply is about another event than its opening: give the"
                    " source and id of its `about`",
                    "retryable": False,
                }
            ]
        office.accepted(answers[2])


def test_an_exchange_about_exchanges_without_end_is_told_to_name_the_document(
    hub: RunningHub,
) -> None:
    hub.apply(everybody_exchanges())
    about = clue("chained")
    hub.agency(CITY).accepted(about)
    sides = [DISCIPLINE, CITY]
    for n in range(20):
        said = exchange("exchange.signed", f"WL-11-{n}", sides[0], about, to=sides[1])
        hub.agency(sides[0]).accepted(said)
        about = said
        sides.reverse()
    last = exchange("exchange.signed", "WL-11-20", sides[0], about, to=sides[1])
    assert refusal(hub, sides[0], last) == [("too_far_back", "/data/about")]


def test_who_did_not_get_a_document_exchanges_nothing_about_it(hub: RunningHub) -> None:
    hub.apply(everybody_exchanges())
    sent = clue("not-for-audit")
    hub.agency(CITY).accepted(sent)
    stranger = exchange("exchange.signed", "WL-3", AUDIT, sent, to=CITY)
    missing = exchange("exchange.signed", "WL-4", AUDIT, {**sent, "id": "none"}, to=CITY)
    assert refusal(hub, AUDIT, stranger) == [("subject_unknown", "/data/about")]
    assert refusal(hub, AUDIT, missing) == [("subject_unknown", "/data/about")]


def test_who_is_to_be_succeeded_one_day_still_gets_what_is_written_to_it(hub: RunningHub) -> None:
    """Only whoever stands for an address now has to have the document."""
    document = everybody_exchanges()
    for record in document["agencies"]:
        if record["id"] == DISCIPLINE:
            record |= {"successor": AUDIT, "valid_until": "2099-12-31"}
    hub.apply(document)
    office, discipline = hub.agency(CITY), hub.agency(DISCIPLINE)
    sent = clue("before-a-merger")
    office.accepted(sent)
    discipline.subscribe("before-a-merger", types=["exchange.*"])
    urged = exchange("exchange.urged", "WL-12", CITY, sent, to=DISCIPLINE)
    office.accepted(urged)
    assert [event["id"] for event in discipline.drain("before-a-merger")] == [urged["id"]]
    hub.apply(everybody_exchanges())


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
