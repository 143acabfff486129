"""Admitted events as records of the topics `share.<family>`, which the hub alone writes and reads.

CloudEvents' binding for Kafka in binary mode: an attribute a header `ce_…`, the payload's bytes the
value. A header of the hub's own holds what admission has found, packed as in `parcels`.
"""

import zlib
from collections.abc import Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct, structs

from hub.backbone.parcels import Unreadable, packed_events, unpacked_events
from hub.event import Event

TOPICS: Final = "share."
ADMITTED: Final = "hub_admitted"
_PREFIX: Final = "ce_"
_TYPE: Final = "datacontenttype"
_members = msgspec.json.Decoder(dict[str, str | bool | int]).decode

Header = tuple[str, bytes]


class Outgoing(Struct, frozen=True, gc=False):
    """A record that is to be produced."""

    topic: str
    partition: int
    key: bytes
    value: bytes
    headers: Sequence[Header]


class Record(Struct, frozen=True, gc=False):
    """A record at its offset, as it was fetched.

    `headers` is None where not even its parts can be told.
    """

    offset: int
    key: bytes
    value: bytes
    headers: Sequence[Header] | None


def outgoing(event: Event, *, partitions: int) -> Outgoing:
    """The record of an event."""
    admitted = packed_events([structs.replace(event, data=b"")])
    headers = headers_of(_members(event.attributes))
    headers.append((ADMITTED, admitted))
    topic, key = topic_of(event.type.partition(".")[0]), event.key.encode()
    return Outgoing(topic, partition_of(key, partitions), key, event.data, headers)


def event_of(record: Record) -> Event:
    """The event of a record. Raises Unreadable, or Newer if a newer program packed it."""
    if record.headers is None:
        raise Unreadable("unparsable")
    packed = [value for name, value in record.headers if name == ADMITTED]
    if len(packed) != 1:
        raise Unreadable(f"{len(packed)} headers {ADMITTED}")
    events = unpacked_events(packed[0])
    if len(events) != 1:
        raise Unreadable(f"{len(events)} events")
    return structs.replace(events[0], data=record.value)


def topic_of(family: str) -> str:
    """The topic of a family's events."""
    return TOPICS + family


def family_of(topic: str) -> str:
    """The family whose events a topic carries."""
    return topic.removeprefix(TOPICS)


def partition_of(key: bytes, partitions: int) -> int:
    """Which of so many partitions a key's events go through, of every topic."""
    return zlib.crc32(key) % partitions


def headers_of(members: dict[str, Any]) -> list[Header]:
    """The headers that attributes are; takes the content type out of them."""
    # In CloudEvents' JSON format, in which it may have come, this is what goes without saying.
    type_ = members.pop(_TYPE, "application/json")
    return [
        ("content-type", _text(type_)),
        *[
            (_PREFIX + name, value.encode() if type(value) is str else _text(value))
            for name, value in members.items()
        ],
    ]


def _text(value: Any) -> bytes:
    """As CloudEvents' types are written as strings."""
    if isinstance(value, bool):
        return b"true" if value else b"false"
    return str(value).encode()
