"""Promise 8: batches without surprises, in every binding of the HTTP door."""

import json
from hashlib import sha256
from typing import Any
from urllib.parse import quote

import pytest

from tests.running import BATCH, STRUCTURED, AgencyClient, RunningHub, codes_of, results_of
from tests.sample import AUDIT, DISCIPLINE, PETITION, clue_received, grant, petition, policy

pytestmark = pytest.mark.at_length

Event = dict[str, Any]
BINARY = "application/json"


@pytest.fixture
def bureau(hub: RunningHub) -> AgencyClient:
    return hub.agency(PETITION)


@pytest.fixture
def reader(hub: RunningHub) -> AgencyClient:
    """The discipline office sees everything of a petition."""
    client = hub.agency(DISCIPLINE)
    client.subscribe("batches", start="earliest")
    return client


def wrong(number: str) -> Event:
    return petition(number, data={"people": "三"})


WRONG_PEOPLE = {
    "code": "type",
    "pointer": "/data/people",
    "message": "应为整数",
    "message_en": "must be an integer",
    "retryable": False,
}
BATCH_REFUSED = {
    "code": "batch_refused",
    "pointer": "",
    "message": "同批其他事件有错，按 mode=all 整批未收；请改正后重发",
    "message_en": "another event of this batch was refused, so none was stored (mode=all)",
    "retryable": False,
}


def rejected(event: Event, *errors: Event) -> Event:
    return {
        "source": event["source"],
        "id": event["id"],
        "status": "rejected",
        "receipt": None,
        "errors": list(errors),
    }


def summary(results: list[Event]) -> list[tuple[str, str, list[str]]]:
    return [(r["id"], r["status"], [e["code"] for e in r["errors"]]) for r in results]


def stored(reader: AgencyClient, prefix: str) -> list[str]:
    return [e["id"] for e in reader.drain("batches") if e["id"].startswith(prefix)]


# --- what is answered -----------------------------------------------------------------------------


def test_an_empty_batch_is_answered_with_no_results(bureau: AgencyClient) -> None:
    for mode in ("each", "all"):
        answer = bureau.publish(mode=mode)
        assert (answer.status_code, answer.json()) == (200, {"results": []})


def test_an_accepted_event_is_answered_with_its_whole_receipt(
    bureau: AgencyClient, reader: AgencyClient
) -> None:
    event = petition("whole")
    data = json.dumps(event.pop("data"), indent=2, ensure_ascii=False).encode()
    envelope = json.dumps(event).encode()
    answer = bureau.send(b'[%b , "data" :%b }]' % (envelope[:-1], data))
    (found,) = [e for e in reader.drain("batches") if e["id"] == "XF-whole"]
    receipt = {
        "id": sha256(f"/{PETITION}\nXF-whole".encode()).hexdigest()[:32],
        "state": "registered",
        "source": f"/{PETITION}",
        "event_id": "XF-whole",
        "type": "petition.case_transferred",
        "digest": sha256(data).hexdigest(),
        "position": found["hubposition"],
        "hubtime": found["hubtime"],
    }
    result = {
        "source": f"/{PETITION}",
        "id": "XF-whole",
        "status": "accepted",
        "receipt": receipt,
        "errors": [],
    }
    assert (answer.status_code, answer.json()) == (200, {"results": [result]})
    assert answer.headers["cache-control"] == "no-store"
    assert found["hubreceipt"] == receipt["id"]
    assert bureau.http.get(f"/v1/receipts/{receipt['id']}").json() == receipt


def test_a_batch_of_which_nothing_was_taken_is_a_problem_with_its_results(
    bureau: AgencyClient,
) -> None:
    event = wrong("problem")
    answer = bureau.publish(event)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert body.pop("detail") is not None
    assert body == {
        "type": "urn:guantong:problem:invalid",
        "status": 422,
        "code": "invalid",
        "title": "内容不符合要求",
        "title_en": "the content does not fit",
        "retryable": False,
        "results": [rejected(event, WRONG_PEOPLE)],
    }


MODES = ("each", "all")
# What the events of a batch are → the status and results by mode.
COMBINATIONS: dict[str, dict[str, tuple[int, list[tuple[str, list[str]]]]]] = {
    "good": {
        "each": (200, [("accepted", [])]),
        "all": (200, [("accepted", [])]),
    },
    "known": {
        "each": (200, [("duplicate", [])]),
        "all": (200, [("duplicate", [])]),
    },
    "good known": {
        "each": (200, [("accepted", []), ("duplicate", [])]),
        "all": (200, [("accepted", []), ("duplicate", [])]),
    },
    "wrong": {
        "each": (422, [("rejected", ["type"])]),
        "all": (422, [("rejected", ["type"])]),
    },
    "reused": {
        "each": (422, [("rejected", ["id_reused"])]),
        "all": (422, [("rejected", ["id_reused"])]),
    },
    "good wrong good": {
        "each": (207, [("accepted", []), ("rejected", ["type"]), ("accepted", [])]),
        "all": (
            422,
            [
                ("rejected", ["batch_refused"]),
                ("rejected", ["type"]),
                ("rejected", ["batch_refused"]),
            ],
        ),
    },
    "good reused": {
        "each": (207, [("accepted", []), ("rejected", ["id_reused"])]),
        "all": (422, [("rejected", ["batch_refused"]), ("rejected", ["id_reused"])]),
    },
    "known wrong": {
        "each": (207, [("duplicate", []), ("rejected", ["type"])]),
        "all": (207, [("duplicate", []), ("rejected", ["type"])]),
    },
    "known reused good": {
        "each": (207, [("duplicate", []), ("rejected", ["id_reused"]), ("accepted", [])]),
        "all": (
            207,
            [("duplicate", []), ("rejected", ["id_reused"]), ("rejected", ["batch_refused"])],
        ),
    },
    "wrong reused good": {
        "each": (
            207,
            [("rejected", ["type"]), ("rejected", ["id_reused"]), ("accepted", [])],
        ),
        "all": (
            422,
            [("rejected", ["type"]), ("rejected", ["id_reused"]), ("rejected", ["batch_refused"])],
        ),
    },
    "good again wrong": {
        "each": (207, [("accepted", []), ("duplicate", []), ("rejected", ["type"])]),
        "all": (
            422,
            [
                ("rejected", ["batch_refused"]),
                ("rejected", ["batch_refused"]),
                ("rejected", ["type"]),
            ],
        ),
    },
    "good again": {
        "each": (200, [("accepted", []), ("duplicate", [])]),
        "all": (200, [("accepted", []), ("duplicate", [])]),
    },
    "good unlike": {
        "each": (207, [("accepted", []), ("rejected", ["id_reused"])]),
        "all": (422, [("rejected", ["batch_refused"]), ("rejected", ["id_reused"])]),
    },
    "good unlike wrong": {
        "each": (207, [("accepted", []), ("rejected", ["id_reused"]), ("rejected", ["type"])]),
        "all": (
            422,
            [
                ("rejected", ["batch_refused"]),
                ("rejected", ["id_reused"]),
                ("rejected", ["type"]),
            ],
        ),
    },
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("batch", sorted(COMBINATIONS))
def test_a_batch_of(bureau: AgencyClient, reader: AgencyClient, batch: str, mode: str) -> None:
    """`again` and `unlike` repeat the id of the good event before them."""
    status, expected = COMBINATIONS[batch][mode]
    tag = f"{batch}-{mode}".replace(" ", "-")
    known = petition(f"{tag}-known")
    bureau.accepted(known)
    before = stored(reader, f"XF-{tag}-")
    events: list[Event] = []
    for n, word in enumerate(batch.split()):
        match word:
            case "good":
                events.append(petition(f"{tag}-{n}"))
            case "known":
                events.append(known)
            case "wrong":
                events.append(wrong(f"{tag}-{n}"))
            case "reused":
                events.append({**known, "data": {**known["data"], "people": 9}})
            case "again":
                events.append(events[n - 1])
            case "unlike":
                events.append(petition(f"{tag}-{n - 1}", data={"people": 9}))
    answer = bureau.publish(*events, mode=mode)
    results = results_of(answer)
    assert (answer.status_code, [(s, c) for _, s, c in summary(results)]) == (status, expected)
    assert [(r["source"], r["id"]) for r in results] == [(e["source"], e["id"]) for e in events]
    assert [r["receipt"] is None for r in results] == [r["status"] == "rejected" for r in results]
    new = [r["id"] for r in results if r["status"] == "accepted"]
    assert stored(reader, f"XF-{tag}-") == before + new
    kind = "application/problem+json" if status == 422 else "application/json"
    assert answer.headers["content-type"] == kind
    for result in results:
        if [e["code"] for e in result["errors"]] == ["batch_refused"]:
            assert result["errors"] == [BATCH_REFUSED]


def test_in_a_refused_batch_a_good_event_may_be_sent_again(
    bureau: AgencyClient, reader: AgencyClient
) -> None:
    good = petition("resent")
    assert bureau.publish(good, wrong("resent-2"), mode="all").status_code == 422
    (receipt,) = bureau.accepted(good)
    assert stored(reader, "XF-resent") == ["XF-resent"]
    assert receipt["event_id"] == "XF-resent"


def test_results_come_in_the_order_sent_in_a_large_batch(bureau: AgencyClient) -> None:
    events = [wrong(f"large-{n}") if n % 7 == 3 else petition(f"large-{n}") for n in range(1000)]
    answer = bureau.publish(*events)
    assert answer.status_code == 207
    assert [(id_, status) for id_, status, _ in summary(results_of(answer))] == [
        (f"XF-large-{n}", "rejected" if n % 7 == 3 else "accepted") for n in range(1000)
    ]
    positions = [r["receipt"]["position"] for r in results_of(answer) if r["receipt"]]
    numbers = [int(position.partition("-")[2]) for position in positions]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


# --- every error of every event -------------------------------------------------------------------


def test_every_error_of_a_payload_is_told_with_its_place(bureau: AgencyClient) -> None:
    event = petition(
        "errors",
        data={
            "people": -1,
            "place": "999999",
            "date": "2026-13-01",
            "form": {"code": "none"},
            "summary": " ",
            "petitioner": {"name": "林晓禾", "idno": "510104197001010000"},
            "purpose": None,
        },
    )
    (result,) = results_of(bureau.publish(event))
    assert sorted(codes_of(result)) == [
        ("code_unknown", "/data/form/code"),
        ("format", "/data/summary"),
        ("identifier_invalid", "/data/petitioner/idno"),
        ("out_of_range", "/data/people"),
        ("region_unknown", "/data/place"),
        ("required", "/data/purpose"),
        ("type", "/data/date"),
    ]
    for error in result["errors"]:
        assert error.keys() == {"code", "pointer", "message", "message_en", "retryable"}
        assert any("\u4e00" <= sign <= "\u9fff" for sign in error["message"])
        assert error["message_en"].isascii()
        assert error["retryable"] is False


def test_errors_of_the_envelope_and_of_the_payload_are_told_together(
    bureau: AgencyClient,
) -> None:
    event = wrong("both")
    (result,) = results_of(bureau.publish({**event, "time": "gestern", "to": "everybody"}))
    assert sorted(codes_of(result)) == [
        ("address_format", "/to"),
        ("time_format", "/time"),
        ("type", "/data/people"),
    ]


def test_missing_rights_and_errors_of_the_payload_are_told_together(bureau: AgencyClient) -> None:
    (result,) = results_of(bureau.publish({**wrong("rights"), "source": f"/{AUDIT}"}))
    assert codes_of(result) == [("source_foreign", "/source"), ("type", "/data/people")]


def test_twenty_errors_of_an_event_are_told_and_then_how_many_more(bureau: AgencyClient) -> None:
    def with_errors(count: int) -> Event:
        accused = [{"name": 1} for _ in range(count)]
        return petition(f"many-{count}", data={"accused": accused})

    answer = bureau.publish(*(with_errors(count) for count in (20, 21, 45)))
    at_most, one_more, many = results_of(answer)
    places = [("type", f"/data/accused/{n}/name") for n in range(20)]
    assert codes_of(at_most) == places
    assert codes_of(one_more) == [*places, ("more_errors", "")]
    assert codes_of(many) == [*places, ("more_errors", "")]
    assert many["errors"][-1] == {
        "code": "more_errors",
        "pointer": "",
        "message": "另有 25 处错误",
        "message_en": "25 more errors",
        "retryable": False,
    }


def test_in_a_refused_batch_every_event_tells_its_own_errors(hub: RunningHub) -> None:
    """A reply without its opening is refused for that, not for its neighbour."""
    hub.apply(policy(grants=[grant(DISCIPLINE, "publish", "*"), *policy()["grants"]]))
    reply = clue_received("orphan", opening="0" * 32)
    other = clue_received("orphan-2", opening="0" * 32, data={"register_no": ""})
    answer = hub.agency(DISCIPLINE).publish(reply, other, mode="all")
    first, second = results_of(answer)
    assert answer.status_code == 422
    assert codes_of(first) == [("opening_unknown", "/causationid")]
    assert ("format", "/data/register_no") in codes_of(second)


ODD: dict[str, tuple[str, list[tuple[str, str]]]] = {
    "a number": ("7", [("json_invalid", "")]),
    "a string": ('"x"', [("json_invalid", "")]),
    "null": ("null", [("json_invalid", "")]),
    "a list": ("[]", [("json_invalid", "")]),
    "no JSON at all": ("NaN", [("json_invalid", "")]),
    "an empty object": (
        "{}",
        [
            ("required", "/data"),
            ("required", "/dataschema"),
            ("required", "/id"),
            ("required", "/source"),
            ("required", "/specversion"),
            ("required", "/time"),
            ("required", "/type"),
        ],
    ),
}


@pytest.mark.parametrize("what", sorted(ODD))
def test_what_is_no_event_is_refused_in_its_place(bureau: AgencyClient, what: str) -> None:
    text, expected = ODD[what]
    good = json.dumps(petition(f"beside-{what}".replace(" ", "-")))
    answer = bureau.send(f"[{good},{text},{good}]".encode())
    first, odd, last = results_of(answer)
    assert answer.status_code == 207
    assert (first["status"], last["status"]) == ("accepted", "duplicate")
    assert (odd["source"], odd["id"], odd["status"], odd["receipt"]) == (
        None,
        None,
        "rejected",
        None,
    )
    assert sorted(codes_of(odd)) == expected


BROKEN_TEXT = {
    "no UTF-8": (b"\xff", b"\xc0\x80", b"\xed\xa0\x80"),
    "a lone surrogate": (b"\\ud800", b"\\udc00", b"\\ud800\\ud800"),
}


@pytest.mark.parametrize("place", ["subject", "data"])
@pytest.mark.parametrize("what", sorted(BROKEN_TEXT))
def test_text_that_is_none_harms_no_other_event_of_the_batch(
    bureau: AgencyClient, what: str, place: str
) -> None:
    for n, text in enumerate(BROKEN_TEXT[what]):
        id_ = f"text-{what}-{place}-{n}".replace(" ", "-")
        good = json.dumps(petition(id_)).encode()
        marked = {"subject": "@@"} if place == "subject" else {"data": {"summary": "@@"}}
        broken = json.dumps(petition("broken-text", **marked)).encode().replace(b"@@", text)
        answer = bureau.send(b"[%b,%b,%b]" % (good, broken, good))
        assert answer.status_code == 207, (text, answer.text)
        statuses = [result["status"] for result in results_of(answer)]
        assert statuses == ["accepted", "rejected", "duplicate"]


# --- the request as a whole -----------------------------------------------------------------------

MALFORMED = {
    "nothing": b"",
    "no JSON": b"hello",
    "an object": b"{}",
    "null": b"null",
    "a batch cut short": b'[{"id":"1"}',
    "something behind": b"[] []",
}


@pytest.mark.parametrize("what", sorted(MALFORMED))
def test_a_batch_that_cannot_be_read_is_refused_as_a_whole(bureau: AgencyClient, what: str) -> None:
    answer = bureau.send(MALFORMED[what])
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, answer.json()) == (
        400,
        {
            "type": "urn:guantong:problem:batch_malformed",
            "status": 400,
            "code": "batch_malformed",
            "title": "批次不是合法的 JSON 数组",
            "title_en": "the batch is not a JSON array",
            "detail": "",
            "retryable": False,
        },
    )


def test_only_the_two_modes_are_known(bureau: AgencyClient) -> None:
    answer = bureau.publish(petition("mode"), mode="some")
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")


MEDIA = {
    "text/plain": False,
    "application/xml": False,
    "application/cloudevents+xml": False,
    "application/cloudevents": False,
    "": False,
    f"{BATCH}; charset=GB18030": False,
    f"{BATCH}; charset=utf-16": False,
    f"{BATCH}; charset=": False,
    f"{BATCH}, {STRUCTURED}": False,
    BATCH: True,
    BATCH.upper(): True,
    f"{BATCH};charset=utf-8": True,
    f'{BATCH} ; charset="UTF-8"': True,
}


@pytest.mark.parametrize("media", sorted(MEDIA))
def test_a_request_is_utf_8_in_a_media_type_of_cloudevents(
    bureau: AgencyClient, media: str
) -> None:
    answer = bureau.send(b"[]", media=media)
    if MEDIA[media]:
        assert (answer.status_code, answer.json()) == (200, {"results": []})
    else:
        body = answer.json()
        assert (answer.status_code, body["code"]) == (415, "unsupported_media_type")
        assert (body["status"], body["retryable"]) == (415, False)


# --- bindings -------------------------------------------------------------------------------------


def binary(bureau: AgencyClient, event: Event, **changes: str | bytes | None) -> Any:
    """The answer to an event in binary mode; `changes` to its headers, None leaves one out."""
    attributes = {n: v for n, v in event.items() if n not in ("data", "datacontenttype")}
    headers: dict[str, str | bytes] = {
        f"ce-{name}": quote(str(value), safe=" /:.+-_") for name, value in attributes.items()
    }
    headers["content-type"] = BINARY
    for name, value in changes.items():
        if value is None:
            del headers[name.replace("_", "-")]
        else:
            headers[name.replace("_", "-")] = value
    data = json.dumps(event["data"], ensure_ascii=False).encode()
    raw = [(n.encode(), v if isinstance(v, bytes) else v.encode()) for n, v in headers.items()]
    return bureau.http.post("/v1/events", content=data, headers=raw)


def test_an_event_may_come_in_headers_percent_encoded_once(
    bureau: AgencyClient, reader: AgencyClient
) -> None:
    event = petition("headers", subject='样例 100% "甲"', plain="a b", escaped="%41", sequence="1")
    answer = binary(bureau, event)
    assert (answer.status_code, summary(results_of(answer))) == (
        200,
        [("XF-headers", "accepted", [])],
    )
    (found,) = [e for e in reader.drain("batches") if e["id"] == "XF-headers"]
    assert {n: v for n, v in found.items() if not n.startswith("hub")} == event


BAD_HEADERS: dict[str, str | bytes] = {
    "not percent-encoded": "样例".encode(),
    "in Latin-1": b"caf\xe9",
    "cut short": "abc%E6%A0",
    "not UTF-8": "%FF",
    "not hexadecimal": "100%zz",
    "a lone percent sign": "100%",
}


@pytest.mark.parametrize("what", sorted(BAD_HEADERS))
def test_a_header_is_refused_that_is(bureau: AgencyClient, what: str) -> None:
    answer = binary(bureau, petition("bad-header"), ce_subject=BAD_HEADERS[what])
    assert (answer.status_code, answer.json()["code"]) == (400, "header_malformed")


def test_an_attribute_stands_in_the_headers_once(bureau: AgencyClient) -> None:
    event = petition("doubled-header")
    headers = [(f"ce-{n}", str(v)) for n, v in event.items() if n not in ("data", "region")]
    headers = [*headers, ("ce-id", "XF-other"), ("content-type", BINARY)]
    answer = bureau.http.post("/v1/events", content=b"{}", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "header_malformed")


def test_a_missing_header_is_a_missing_attribute(bureau: AgencyClient) -> None:
    answer = binary(bureau, petition("no-header"), ce_time=None)
    (result,) = results_of(answer)
    assert (answer.status_code, result["id"]) == (422, "XF-no-header")
    assert codes_of(result) == [("required", "/time")]


def test_data_in_another_format_is_refused(bureau: AgencyClient) -> None:
    for media in ("application/xml", "text/plain; charset=utf-8", f"{BINARY}; charset=gbk"):
        answer = binary(bureau, petition("format"), content_type=media)
        assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")
        event = petition("format", datacontenttype=media)
        (result,) = results_of(bureau.publish(event))
        assert codes_of(result) == [("content_type", "/datacontenttype")]


def test_a_structured_event_is_answered_like_a_batch_of_one(bureau: AgencyClient) -> None:
    event = petition("structured")
    one = bureau.send(json.dumps(event).encode(), media=STRUCTURED)
    many = bureau.publish(event)
    assert (one.status_code, many.status_code) == (200, 200)
    first = results_of(one)
    assert summary(first) == [("XF-structured", "accepted", [])]
    assert results_of(many) == [{**first[0], "status": "duplicate"}]
    refused = bureau.send(json.dumps(wrong("structured-2")).encode(), media=STRUCTURED)
    assert refused.status_code == 422
    assert results_of(refused) == [rejected(wrong("structured-2"), WRONG_PEOPLE)]


# --- attributes -----------------------------------------------------------------------------------

REFUSED_ATTRIBUTES: dict[str, tuple[str, list[tuple[str, str]]]] = {
    "data_base64": ('"data_base64": "e30="', [("data_base64", "/data_base64")]),
    "one of the hub's": ('"hubreceipt": "x"', [("attribute_reserved", "")]),
    "one of the hub's to come": ('"hubanything": "x"', [("attribute_reserved", "")]),
    "a capital letter": ('"roundId": "x"', [("attribute_name", "")]),
    "an underscore": ('"round_no": "x"', [("attribute_name", "")]),
    "a long name": (f'"{"a" * 21}": "x"', [("attribute_name", "")]),
    "a fraction": ('"extra": 1.5', [("type", "")]),
    "a large number": ('"extra": 2147483648', [("type", "")]),
    "an object": ('"extra": {}', [("type", "")]),
    "a list": ('"extra": ["a"]', [("type", "")]),
    "a number for text": ('"subject": 1', [("type", "/subject")]),
    "a control character": ('"subject": "a\\u0007"', [("control_character", "/subject")]),
    "a long value": (f'"subject": "{"a" * 2049}"', [("too_long", "/subject")]),
    "another specversion": ('"specversion": "0.3"', [("duplicate_member", "")]),
    "one name twice": ('"extra": "a", "extra": "a"', [("duplicate_member", "")]),
    "data twice": (
        f'"data": {json.dumps(petition("attribute")["data"])}',
        [("duplicate_member", "")],
    ),
}


@pytest.mark.parametrize("what", sorted(REFUSED_ATTRIBUTES))
def test_an_attribute_is_refused_that_is(bureau: AgencyClient, what: str) -> None:
    member, expected = REFUSED_ATTRIBUTES[what]
    event = json.dumps(petition("attribute"))
    answer = bureau.send(f"[{event[:-1]}, {member}}}]".encode())
    (result,) = results_of(answer)
    assert (answer.status_code, codes_of(result)) == (422, expected)


def test_a_member_name_twice_in_an_object_of_the_payload_is_refused(bureau: AgencyClient) -> None:
    event = json.dumps(petition("doubled"))
    for doubled in (
        event.replace('"people": 3', '"people": 3, "people": 3'),
        event.replace('"people": 3', '"people": 3, "\\u0070eople": 4'),
        event.replace('"phone": "19900000001"', '"phone": "1", "phone": "19900000001"'),
    ):
        assert doubled != event
        (result,) = results_of(bureau.send(f"[{doubled}]".encode()))
        assert codes_of(result) == [("duplicate_member", "/data")]


def test_at_most_32_extension_attributes_are_taken(bureau: AgencyClient) -> None:
    def extended(count: int) -> Event:
        return petition(f"extended-{count}", **{f"x{n}": n for n in range(count)})

    taken, refused = results_of(bureau.publish(extended(32), extended(33)))
    assert taken["status"] == "accepted"
    assert codes_of(refused) == [("too_many", "")]


def test_unknown_attributes_come_back_as_they_were_with_their_types(
    bureau: AgencyClient, reader: AgencyClient
) -> None:
    event = petition(
        "unknown",
        subject='引号" 反斜杠\\ 空格 ',
        yes=True,
        no=False,
        small=-(2**31),
        big=2**31 - 1,
        empty="",
        digits="007",
        truth="true",
        emoji="🀄",
    )
    bureau.accepted(event)
    (found,) = [e for e in reader.drain("batches") if e["id"] == "XF-unknown"]
    published = {n: v for n, v in found.items() if not n.startswith("hub")}
    assert json.dumps(published, sort_keys=True) == json.dumps(event, sort_keys=True)
    assert {n for n in found if n.startswith("hub")} == {"hubreceipt", "hubtime", "hubposition"}


PAYLOADS = {
    "spaced": lambda data: json.dumps(
        data, ensure_ascii=False, indent=4, separators=(" , ", " : ")
    ),
    "escaped": lambda data: json.dumps(data, ensure_ascii=True),
    "compact": lambda data: json.dumps(data, ensure_ascii=False, separators=(",", ":")),
    "with a slash escaped": lambda data: json.dumps(data).replace("XF-", "XF\\u002d"),
}


@pytest.mark.parametrize("how", sorted(PAYLOADS))
@pytest.mark.parametrize("binding", ["batch", "structured", "binary"])
def test_the_bytes_of_the_data_come_back_as_they_were(
    bureau: AgencyClient, reader: AgencyClient, how: str, binding: str
) -> None:
    id_ = f"XF-bytes-{how}-{binding}".replace(" ", "-")
    event = petition("bytes", id=id_)
    data = PAYLOADS[how](event.pop("data")).encode()
    envelope = json.dumps(event).encode()
    whole = b'%b, "data": %b\n}' % (envelope[:-1], data)
    if binding == "batch":
        answer = bureau.send(b"[ %b\t]" % whole)
    elif binding == "structured":
        answer = bureau.send(whole, media=STRUCTURED)
    else:
        names = ("specversion", "id", "source", "type", "time", "dataschema")
        headers = {"content-type": BINARY, **{f"ce-{name}": event[name] for name in names}}
        answer = bureau.http.post("/v1/events", content=data, headers=headers)
    (result,) = results_of(answer)
    assert (result["status"], result["receipt"]["digest"]) == (
        "accepted",
        sha256(data).hexdigest(),
    )
    name = id_.replace("XF-", "")
    reader.subscribe(name, start="earliest", filters=[{"exact": {"id": id_}}])
    page = reader.page(name, wait=20)
    assert [e["id"] for e in page.json()] == [id_]
    assert b'"data":%b}]' % data == page.content[page.content.index(b'"data":') :]
