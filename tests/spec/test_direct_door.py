"""Small requests for the door of events go a short way; nobody can tell it by an answer."""

import json
from typing import Any

import pytest

from tests.running import STRUCTURED, RunningHub
from tests.sample import CITY, PETITION, petition
from tests.spec.wire import Answer, Wire, head, publishing

GOOD, OTHER = petition("direct-1"), petition("direct-2")
BAD = {**petition("direct-3"), "type": "petition.unknown"}


def body_of(*events: dict[str, Any]) -> bytes:
    return json.dumps(events, ensure_ascii=False).encode()


def without_date(answer: Answer) -> Answer:
    headers = {name: value for name, value in answer.headers.items() if name != "date"}
    return Answer(answer.status, headers, answer.body)


@pytest.mark.parametrize(
    ("status", "body", "more"),
    [
        (200, body_of(GOOD), {}),
        (200, b"[]", {}),
        (207, body_of(GOOD, BAD), {}),
        (422, body_of(BAD), {}),
        (400, b"[", {}),
        (415, body_of(GOOD), {"Content_Type": "text/plain"}),
        (200, json.dumps(GOOD).encode(), {"Content_Type": STRUCTURED}),
    ],
)
def test_the_short_way_answers_what_the_long_way_does(
    hub: RunningHub, status: int, body: bytes, more: dict[str, str]
) -> None:
    token = hub.token(PETITION)
    hub.agency(PETITION).publish(GOOD)
    with Wire(hub) as wire:
        wire.send(head("/v1/events", token, length=len(body), **more) + body)
        short = wire.answer()
        wire.send(head("/v1/events", token, length=len(body), Expect="100-continue", **more))
        wire.continued()
        wire.send(body)
        long = wire.answer()
    assert short.status == status
    assert without_date(short) == without_date(long)


def test_a_body_may_come_in_pieces_and_after_its_head(hub: RunningHub) -> None:
    body = body_of(OTHER)
    token = hub.token(PETITION)
    hub.agency(PETITION).publish(OTHER)
    with Wire(hub) as wire:
        for piece in (head("/v1/events", token, length=len(body)), body[:100], body[100:]):
            wire.send(piece)
        pieces = wire.answer()
        wire.send(publishing(token, body))
        assert without_date(wire.answer()) == without_date(pieces)
    assert pieces.json()["results"][0]["status"] == "duplicate"


def test_requests_that_come_together_are_answered_in_their_order(hub: RunningHub) -> None:
    token = hub.token(PETITION)
    ids = [f"direct-row-{n}" for n in range(10)]
    with Wire(hub) as wire:
        wire.send(b"".join(publishing(token, body_of(petition(id_))) for id_ in ids))
        answers = [wire.answer() for _ in ids]
    assert [[r["id"] for r in answer.json()["results"]] for answer in answers] == [
        [f"XF-{id_}"] for id_ in ids
    ]


def test_a_connection_is_kept_unless_its_client_wants_it_closed(hub: RunningHub) -> None:
    token, body = hub.token(PETITION), body_of(GOOD)
    with Wire(hub) as wire:
        wire.send(publishing(token, body))
        assert "connection" not in wire.answer().headers
        wire.send(head("/v1/events", token, length=len(body), Connection="close") + body)
        assert wire.answer().headers["connection"] == "close"
        assert wire.ended()


def test_a_gateway_speaks_for_an_address_at_the_door_of_events(fresh_hub: RunningHub) -> None:
    fresh_hub.token(CITY)
    with Wire(fresh_hub) as wire:
        wire.send(head("/v1/events", "gt_unknown", length=2, X_Forwarded_For="192.0.2.7") + b"[]")
        assert wire.answer().status == 401
    assert fresh_hub.stop() == 0
    refused = [json.loads(line) for line in fresh_hub.lines if '"token.refused"' in line]
    assert [line["address"] for line in refused] == ["192.0.2.7"]
