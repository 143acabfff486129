"""Admitted events as records of Kafka, and back."""

import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary
from cloudevents.core.formats.json import JSONFormat
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from hub.backbone.parcels import FORMAT, Newer, Unreadable, packed_events
from hub.backbone.records import ADMITTED, Header, Record, event_of, outgoing, partition_of
from hub.event import Event
from tests.sample import admitted

WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


def fetched(event: Event, *headers: Header) -> Record:
    """The record of an event as it comes back, with more headers."""
    sent = outgoing(event, partitions=4)
    return Record(7, sent.key, sent.value, [*sent.headers, *headers])


def of(headers: list[Header]) -> Record:
    return Record(7, b"k", b"{}", headers)


@given(WORDS, WORDS, st.binary(max_size=40), st.one_of(st.none(), st.integers(0, 2**53)))
def test_an_event_comes_back_as_it_was_admitted(
    id_: str, addressed: str, data: bytes, expires: int | None
) -> None:
    event = structs.replace(admitted(id_, to=addressed, data=data), expires=expires)
    assert event_of(fetched(event)) == event


def test_a_record_is_what_cloudevents_says_it_is() -> None:
    event = admitted(
        "n-1",
        data='{"值":1}'.encode(),
        specversion="1.0",
        time="2026-11-01T08:00:00+08:00",
        roundid="14-11",
        urgent=True,
        sequence=3,
    )
    sent = outgoing(event, partitions=4)
    assert (sent.topic, sent.key, sent.value) == ("share.petition", b"petition:n-1", event.data)
    headers = {name: value for name, value in sent.headers if name != ADMITTED}
    assert headers["ce_urgent"] == b"true"
    read = from_binary(KafkaMessage(headers, None, sent.value), JSONFormat())
    assert read.get_data() == {"值": 1}
    assert {
        "id": read.get_id(),
        "type": read.get_type(),
        "source": read.get_source(),
        "contenttype": read.get_datacontenttype(),
        "sequence": read.get_extension("sequence"),
        "roundid": read.get_extension("roundid"),
        "time": str(read.get_time()),
    } == {
        "id": "n-1",
        "type": "petition.case_transferred",
        "source": "/510100.petition",
        "contenttype": "application/json",
        "sequence": "3",
        "roundid": "14-11",
        "time": "2026-11-01 08:00:00+08:00",
    }


def test_what_others_write_into_headers_hinders_nobody() -> None:
    event = admitted("n-1")
    assert event_of(fetched(event, ("ce_note", b"\xff\xfe"), ("trace", b""))) == event


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ([], "0 headers hub_admitted"),
        ([(ADMITTED, b"")], "checksum"),
        ([(ADMITTED, packed_events([admitted("a")])[:-1])], "checksum"),
        ([(ADMITTED, packed_events([admitted("a")]))] * 2, "2 headers hub_admitted"),
        ([(ADMITTED, packed_events([]))], "0 events"),
        ([(ADMITTED, packed_events([admitted("a"), admitted("b")]))], "2 events"),
    ],
)
def test_a_record_of_no_event_says_why(headers: list[Header], reason: str) -> None:
    with pytest.raises(Unreadable) as unreadable:
        event_of(of(headers))
    assert (type(unreadable.value), str(unreadable.value)) == (Unreadable, reason)


def test_a_record_of_a_newer_program_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as newer:
        newer.setattr("hub.backbone.parcels.FORMAT", FORMAT + 1)
        packed = packed_events([admitted("a")])
    with pytest.raises(Newer, match=f"format {FORMAT + 1}"):
        event_of(of([(ADMITTED, packed)]))


def test_a_key_keeps_its_partition_for_good() -> None:
    """What was written down when the first events went through."""
    keys = ["petition:p-1", "petition:p-2", "clue:c-1", "线索:甲", ""]
    assert [partition_of(key.encode(), 4) for key in keys] == [3, 1, 2, 0, 0]
    spread = {partition_of(b"clue:%d" % n, 4) for n in range(40)}
    assert spread == {0, 1, 2, 3}
