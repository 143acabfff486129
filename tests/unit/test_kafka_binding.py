"""A record of Kafka says what the same request would, and whatever a record holds, it is read."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

import pytest
from cloudevents.core.bindings.kafka import to_binary_event, to_structured_event
from cloudevents.core.v1.event import CloudEvent
from cloudevents.v1 import kafka as old_kafka
from cloudevents.v1.http import CloudEvent as OldEvent
from hypothesis import given
from hypothesis import strategies as st

from contracts.envelope import Envelope
from hub.errors import HubError
from hub.intake.http import read_events
from hub.intake.kafka import Headers, Record, read_record
from hub.intake.limits import Limits
from hub.intake.submitted import Flawed, Submitted
from tests.running import BATCH, STRUCTURED
from tests.sample import PETITION, petition

LIMITS = Limits(event=4_000, data=2_000, depth=8, values=60)
JSON = "application/json"
MALFORMED = [("header_malformed", "")]
UNSUPPORTED = [("unsupported_media_type", "")]
EVENT = petition("binding", to="510100.inspection-office", subject="某街道物业")


def record(headers: Headers | None, value: bytes | None) -> Record:
    """A record of the bureau's."""
    return Record(f"intake.{PETITION}", 0, 7, 1_790_000_000_000, b"key", headers, value)


def binary(event: Mapping[str, Any], *, media: str = JSON) -> tuple[list[tuple[str, bytes]], bytes]:
    """The headers and the value of an event in the binary form."""
    attributes = {n: v for n, v in event.items() if n not in ("data", "datacontenttype")}
    headers = [(f"ce_{name}", value.encode()) for name, value in attributes.items()]
    data = json.dumps(event["data"], ensure_ascii=False).encode()
    return [("content-type", media.encode()), *headers], data


def over_kafka(headers: Headers, value: bytes | None) -> Submitted:
    return read_record(record(headers, value), LIMITS)


def over_http(headers: Headers, value: bytes | None) -> Submitted | list[tuple[str, str]]:
    """What the same headers and bytes are over HTTP: an event, or what is wrong with it all."""
    pairs = [
        (name.replace("ce_", "ce-", 1).encode(), written(name, text or b""))
        for name, text in headers
    ]
    try:
        (event,) = read_events(pairs, value or b"", LIMITS)
    except HubError as refused:
        return [(refused.code, "")]
    return event


def written(name: str, value: bytes) -> bytes:
    """A header's value as HTTP has it: attributes are percent-encoded."""
    return quote(value, safe=" ").encode() if name.startswith("ce_") else value


def codes(read: Submitted) -> list[tuple[str, str]]:
    """What is wrong with an event: codes and pointers."""
    assert isinstance(read, Flawed)
    return [(fault.code, fault.pointer) for fault in read.faults]


def test_both_forms_are_read_as_over_http() -> None:
    document = json.dumps(EVENT, ensure_ascii=False).encode()
    structured = [("content-type", STRUCTURED.encode()), ("ce_id", b"of no account")]
    headers, value = binary(EVENT)

    for given_, body in ((structured, document), (headers, value)):
        read = over_kafka(given_, body)
        assert isinstance(read, Envelope)
        assert read == over_http(given_, body)
        assert json.loads(read.data) == EVENT["data"]


TEXTS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(("1.0", "%20", "%", "100％", "2026-10-08T09:30:00+08:00", "x" * 3_000, "")),
)
NAMES = st.one_of(st.sampled_from(sorted(EVENT)), st.sampled_from(("hubtime", "Upper", "a_b", "x")))
MEDIA = st.sampled_from(
    (JSON, STRUCTURED, BATCH, f"{JSON}; charset=utf-8", f"{JSON};charset=gb18030", "text/plain", "")
)


@given(
    changes=st.dictionaries(NAMES, TEXTS | st.none(), max_size=3),
    extra=st.lists(st.tuples(NAMES, TEXTS), max_size=2),
    media=MEDIA,
    value=st.one_of(st.none(), st.binary(max_size=20), st.just(b'{"a":' * 9 + b"1" + b"}" * 9)),
)
def test_whatever_http_says_of_attributes_and_payload_kafka_says_too(
    changes: dict[str, str | None], extra: list[tuple[str, str]], media: str, value: bytes | None
) -> None:
    event = {k: v for k, v in {**EVENT, **changes}.items() if v is not None or k == "data"}
    headers, data = binary({**event, "data": EVENT["data"]}, media=media)
    headers += [(f"ce_{name}", text.encode("utf-8", "replace")) for name, text in extra]
    body = data if value is None else value

    read = over_kafka(headers, body)
    said = UNSUPPORTED if media == BATCH else over_http(headers, body)

    assert read == said or codes(read) == said


@given(
    document=st.one_of(
        st.binary(max_size=60),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=4),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(st.sampled_from([*EVENT, "data_base64", "x"]), inner, max_size=4)
            ),
            max_leaves=8,
        ).map(
            lambda tree: json.dumps({**EVENT, **tree} if isinstance(tree, dict) else tree).encode()
        ),
    )
)
def test_whatever_http_says_of_a_document_kafka_says_too(document: bytes) -> None:
    headers = [("content-type", f"{STRUCTURED}; charset=UTF-8".encode())]
    assert over_kafka(headers, document) == over_http(headers, document)


def test_what_the_cloudevents_sdk_writes_is_read() -> None:
    attributes = {n: v for n, v in EVENT.items() if n != "data"}
    attributes |= {"time": datetime.fromisoformat(EVENT["time"]), "datacontenttype": JSON}
    event = CloudEvent(attributes=attributes, data=EVENT["data"])

    old = OldEvent({**attributes, "time": EVENT["time"]}, EVENT["data"])
    messages = (
        to_binary_event(event),
        to_structured_event(event),
        old_kafka.to_binary(old),
        old_kafka.to_structured(old),
    )
    for message in messages:
        assert isinstance(message.value, bytes)
        read = over_kafka([*message.headers.items()], message.value)
        assert isinstance(read, Envelope)
        assert read.attributes.id == EVENT["id"]
        assert json.loads(read.data) == EVENT["data"]


GOOD, DATA = binary(EVENT)
WITHOUT_MEDIA = [header for header in GOOD if header[0] != "content-type"]


@pytest.mark.parametrize(
    ("headers", "value", "expected"),
    [
        ([*GOOD, ("ce_note", b"\xff\xfe")], DATA, MALFORMED),
        ([*GOOD, ("ce_note", None)], DATA, MALFORMED),
        ([*GOOD, ("ce_id", b"another")], DATA, MALFORMED),
        ([*GOOD, ("ce_datacontenttype", b"application/json")], DATA, MALFORMED),
        ([*GOOD, ("ce_", b"nameless")], DATA, [("attribute_name", "")]),
        ([*GOOD, ("content-type", b"application/json")], DATA, UNSUPPORTED),
        ([("content-type", None), *WITHOUT_MEDIA], DATA, UNSUPPORTED),
        ([("content-type", b"\xff"), *WITHOUT_MEDIA], DATA, UNSUPPORTED),
        (WITHOUT_MEDIA, DATA, UNSUPPORTED),
        ([("content-type", BATCH.encode())], b"[]", UNSUPPORTED),
        ([], None, UNSUPPORTED),
        (GOOD, None, [("required", "/data")]),
        (GOOD, b'"' + b"x" * 2_000 + b'"', [("event_too_large", "/data")]),
        ([("content-type", STRUCTURED.encode())], None, [("json_invalid", "")]),
        ([("content-type", STRUCTURED.encode())], b" " * 4_001, [("event_too_large", "")]),
        (None, None, [("record_unreadable", "")]),
    ],
)
def test_what_no_event_may_be_says_what_is_wrong(
    headers: Headers | None, value: bytes | None, expected: list[tuple[str, str]]
) -> None:
    assert codes(read_record(record(headers, value), LIMITS)) == expected


def test_headers_of_others_are_of_no_account() -> None:
    others = [("traceparent", b"\xff"), ("trace", None), ("CE_ID", b"1"), ("ceid", b"2")]
    assert over_kafka([*others, *GOOD], DATA) == over_kafka(GOOD, DATA)
