"""What a client that means harm may not achieve."""

import json
import socket
import threading
from urllib.parse import urlsplit

import httpx
import pytest

from tests.running import (
    PATIENCE,
    AgencyClient,
    RunningHub,
    codes_of,
    results_of,
    running_hub,
)
from tests.sample import CITY, COUNTY, PETITION, clue, petition, policy
from tests.spec.wire import Wire, head


@pytest.fixture
def bureau(hub: RunningHub) -> AgencyClient:
    return hub.agency(PETITION)


def connection(hub: RunningHub) -> socket.socket:
    address = urlsplit(hub.url)
    assert address.hostname is not None
    return socket.create_connection((address.hostname, address.port or 0), timeout=PATIENCE)


def test_a_text_without_an_end_does_not_stop_the_hub(bureau: AgencyClient) -> None:
    """A quadratic look at a tenth of this body took over half a minute: nobody would wait."""
    answer = bureau.send(b'["' + b'\\"' * 500_000)
    assert (answer.status_code, answer.json()["code"]) == (400, "batch_malformed")


def test_a_header_cannot_bring_a_second_payload(bureau: AgencyClient) -> None:
    event = petition("smuggled")
    data = event.pop("data")
    headers = {f"ce-{name}": str(value) for name, value in event.items()}
    del headers["ce-datacontenttype"]
    headers |= {"ce-data": "EVIL", "Content-Type": "application/json"}
    answer = bureau.http.post("/v1/events", content=json.dumps(data), headers=headers)
    assert answer.status_code == 422
    (result,) = results_of(answer)
    assert codes_of(result) == [("attribute_name", "")]


def test_headers_behind_a_body_are_refused(hub: RunningHub) -> None:
    with connection(hub) as client:
        client.sendall(
            b"POST /v1/events HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"0\r\nX-More: 1\r\nX-Even-More: 2\r\n"
        )
        answer = client.recv(65_536)
    assert b"HTTP/1.1 4" in answer
    assert b"application/problem+json" in answer


def test_requests_that_pile_up_unread_end_their_connection(hub: RunningHub) -> None:
    request = b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n"
    with connection(hub) as client:
        client.sendall(request * 500)
        received = b""
        try:
            while part := client.recv(65_536):
                received += part
        except ConnectionResetError:
            pass
    assert received.count(b"HTTP/1.1 200") < 500
    assert hub.client(None).get("/health/live").status_code == 200


def test_a_poll_whose_token_ends_while_it_waits_gets_nothing(fresh_hub: RunningHub) -> None:
    hub = fresh_hub
    with hub.admin as admin:
        issued = admin.post(f"/v1/agencies/{CITY}/tokens", json={}).json()
    reader = AgencyClient(CITY, hub.client(issued["token"]))
    reader.subscribe()
    answers: list[httpx.Response] = []
    poll = threading.Thread(target=lambda: answers.append(reader.page(wait=20)))
    poll.start()
    with hub.admin as admin:
        assert admin.delete(f"/v1/agencies/{CITY}/tokens/{issued['number']}").status_code == 204
    hub.agency(PETITION).accepted(petition("late"))
    poll.join(PATIENCE)
    assert [answer.status_code for answer in answers] == [401]


def test_an_agency_that_left_the_policy_can_do_nothing_more(fresh_hub: RunningHub) -> None:
    county = fresh_hub.agency(COUNTY)
    county.subscribe()
    cursor = county.page().headers["guantong-cursor"]
    document = policy()
    fresh_hub.apply(
        {
            "agencies": [a for a in document["agencies"] if a["id"] != COUNTY],
            "grants": [g for g in document["grants"] if g["agency"] != COUNTY],
            "recusals": [],
        }
    )
    one = "/v1/subscriptions/all"
    answers = [
        county.page(),
        county.commit(cursor),
        county.http.get("/v1/subscriptions"),
        county.http.get(one),
        county.http.patch(one, json={"types": ["*"]}),
        county.http.delete(one),
        county.http.post("/v1/subscriptions", json={"id": "new"}),
        county.publish(clue("gone", publisher=COUNTY)),
    ]
    assert [a.status_code for a in answers] == [403] * len(answers)


def test_an_agency_has_no_more_subscriptions_than_it_may(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("few")
    with running_hub(folder, settings={"max_subscriptions": "2"}) as hub:
        hub.apply(policy())
        reader = hub.agency(CITY)
        for name in ("a", "b", "a"):
            reader.subscribe(name)
        answer = reader.http.post("/v1/subscriptions", json={"id": "c"})
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")


@pytest.mark.parametrize("case", ["CL-1", "nothing:CL-1", "clue:", "clue:CL-1 "])
def test_a_recusal_that_could_never_hold_is_refused(hub: RunningHub, case: str) -> None:
    recusal = {"id": "r", "agency": CITY, "case": case, "reason": "回避"}
    with hub.admin as admin:
        tag = admin.get("/v1/policy").headers["etag"]
        answer = admin.put(
            "/v1/policy",
            json={**policy(), "recusals": [recusal], "reason": "试验"},
            headers={"If-Match": tag},
        )
    assert answer.status_code == 422
    errors = [(e["code"], e["pointer"]) for e in answer.json()["errors"]]
    assert errors == [("case_format", "/recusals/0/case")]


def test_a_stop_tells_who_has_not_ended_a_request_that_it_is_one(fresh_hub: RunningHub) -> None:
    token = fresh_hub.token(PETITION)
    with Wire(fresh_hub) as wire:
        wire.send(head("/v1/events", token, length=1000, Expect="100-continue"))
        wire.continued()
        wire.send(b"{")
        assert fresh_hub.stop() == 0
        answer = wire.answer()
        assert wire.ended()
    told = answer.json()
    assert (answer.status, told["code"], told["retryable"]) == (503, "stopping", True)
    assert all(json.loads(line) for line in fresh_hub.lines)


NUL_ADDRESSES = (
    "/v1/subscriptions/a%00b/events",
    "/v1/explain?agency=510100.audit&source=/510100.petition&id=a%00b",
    "/v1/reads?agency=%00",
    "/v1/acts?subject=%00",
    "/v1/agencies?after=a%00",
)


@pytest.mark.on_both
def test_an_address_that_holds_a_nul_names_nothing_on_either_database(hub: RunningHub) -> None:
    """PostgreSQL has no text with a NUL in it, and must not be asked for one."""
    with hub.admin as admin:
        answers = [admin.get(address) for address in NUL_ADDRESSES]
    told = [(answer.status_code, answer.json()["code"]) for answer in answers]
    assert told == [(400, "bad_request")] * len(NUL_ADDRESSES)


@pytest.mark.on_both
def test_a_nul_in_an_event_is_refused_and_the_refusal_is_kept(hub: RunningHub) -> None:
    events = [
        petition("nul-1", id="a\0b"),
        petition("nul-2", source=f"/{PETITION}\0"),
        petition("nul-3", type="petition.case\0"),
        petition("nul-4", data={"summary": "a\0b"}),
        petition("nul-5", data={"a\0b": 1}),
    ]
    refused = results_of(hub.agency(PETITION).publish(*events))
    assert [codes_of(result) for result in refused] == [
        [("control_character", "/id")],
        [("source_format", "/source"), ("control_character", "/source")],
        [("control_character", "/type")],
        [("format", "/data/summary")],
        [("undeclared", "/data")],
    ]
    with hub.admin as admin:
        query = {"agency": PETITION, "source": f"/{PETITION}"}
        kept = [
            admin.get("/v1/explain", params={**query, "id": f"XF-nul-{n}"}).json()["errors"]
            for n in (3, 4, 5)
        ]
    assert [[(each["code"], each["pointer"]) for each in of_one] for of_one in kept] == [
        [("control_character", "/type")],
        [("format", "/data/summary")],
        [("undeclared", "/data")],
    ]
