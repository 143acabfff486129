"""The CloudEvents HTTP binding: a request's headers and body → the events it carries.

Knows no web framework: headers come as lower-case byte pairs.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import unquote_to_bytes

import msgspec
from msgspec import Raw

from contracts.agency import SourceError, publisher_of
from contracts.envelope import (
    DOUBLED,
    LONGEST_ID,
    TOO_DEEP,
    Envelope,
    read_members,
    read_structured,
)
from contracts.faults import Fault
from hub.errors import BatchMalformed, HeaderMalformed, TooDeep, TooLarge, UnsupportedMediaType
from hub.intake.limits import Limits, has_more_values, is_deeper, items_of
from hub.intake.submitted import Flawed, Submitted

Headers = Iterable[tuple[bytes, bytes]]

STRUCTURED: Final = "application/cloudevents+json"
BATCH: Final = "application/cloudevents-batch+json"
_MEDIA: Final = re.compile(
    r"\s*([\w.+-]+/[\w.+-]+)\s*(?:;\s*charset\s*=\s*\"?([\w-]+)\"?\s*)?", re.ASCII
)
_BAD_PERCENT: Final = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_split = msgspec.json.Decoder(list[Raw]).decode


def read_events(headers: Headers, body: bytes, limits: Limits) -> Sequence[Submitted]:
    """The events of a request, in order; those that cannot be read as flawed.

    Raises UnsupportedMediaType, BatchMalformed, HeaderMalformed, TooLarge or TooDeep for the
    request as a whole.
    """
    pairs = [(name, value) for name, value in headers]
    stated = [value for name, value in pairs if name == b"content-type"]
    media = _media_type(stated)
    if media == BATCH:
        return _read_batch(body, limits)
    if media == STRUCTURED:
        return [_read_one(body, limits)]
    if media == "application/json":
        return [_read_binary(pairs, body, limits)]
    raise UnsupportedMediaType(f"{BATCH}, {STRUCTURED}, application/json + ce-*")


def _media_type(stated: list[bytes]) -> str:
    match = _MEDIA.fullmatch(stated[0].decode("latin-1")) if len(stated) == 1 else None
    if match is None or (match[2] or "utf-8").lower() not in ("utf-8", "utf8"):
        raise UnsupportedMediaType("UTF-8")
    return match[1].lower()


def _read_batch(body: bytes, limits: Limits) -> Sequence[Submitted]:
    try:
        events = [bytes(event) for event in _split(body)]
    except RecursionError as deep:
        raise TooDeep from deep
    except (msgspec.MsgspecError, UnicodeDecodeError) as malformed:
        # One event that is no JSON must not take the others with it.
        found = items_of(body)
        if found is None:
            raise BatchMalformed from malformed
        events = found
    if len(events) > limits.batch:
        raise TooLarge(f"{limits.batch} events")
    return [_read_one(event, limits) for event in events]


def _read_one(document: bytes, limits: Limits) -> Submitted:
    if len(document) > limits.event:
        return Flawed(None, None, (_too_large("", limits.event),))
    if is_deeper(document, limits.depth):
        return Flawed(None, None, (TOO_DEEP,))
    read = read_structured(document)
    if not isinstance(read, Envelope):
        members = _members_in(document)
        # Of a member written twice nobody can say which one was meant.
        data = None if DOUBLED in read else members.get("data")
        return _flawed(members, data, read, limits)
    return _with_data_checked(read, limits)


def _read_binary(pairs: list[tuple[bytes, bytes]], body: bytes, limits: Limits) -> Submitted:
    members: dict[str, Any] = {}
    for name, value in pairs:
        if name.startswith(b"ce-"):
            attribute = name[3:].decode("latin-1")
            if attribute in members or attribute == "datacontenttype":
                raise HeaderMalformed
            members[attribute] = _decoded(value)
        elif name == b"content-type":
            members["datacontenttype"] = value.decode("latin-1")
    if len(body) > limits.data:
        return _flawed(members, None, (_too_large("/data", limits.data),), limits)
    if is_deeper(body, limits.depth):
        return _flawed(members, None, (TOO_DEEP,), limits)
    read = read_members(members, body)
    if not isinstance(read, Envelope):
        return _flawed(members, body, read, limits)
    return _with_data_checked(read, limits)


def _decoded(value: bytes) -> str:
    """One percent-decoding of UTF-8, and nothing else."""
    if not value.isascii() or _BAD_PERCENT.search(value):
        raise HeaderMalformed
    try:
        return unquote_to_bytes(value).decode("utf-8")
    except UnicodeDecodeError as malformed:
        raise HeaderMalformed from malformed


def _with_data_checked(envelope: Envelope, limits: Limits) -> Submitted:
    fault = _fault_of_size(envelope.data, limits)
    if fault is None:
        return envelope
    return Flawed(envelope.attributes.source, envelope.attributes.id, (fault,))


def _fault_of_size(data: bytes, limits: Limits) -> Fault | None:
    if len(data) > limits.data:
        return _too_large("/data", limits.data)
    if has_more_values(data, limits.values):
        return Fault(
            "too_many",
            "/data",
            f"数据项过多（最多 {limits.values} 项）；大件请以 DocRef 引用",
            f"more than {limits.values} values: refer to large things by DocRef",
        )
    return None


def _flawed(
    members: Mapping[str, Any], data: object, faults: tuple[Fault, ...], limits: Limits
) -> Flawed:
    """What can be told of an event with these members, whatever their types."""
    source, event_id, dataschema = (members.get(n) for n in ("source", "id", "dataschema"))
    try:
        publisher_of(source if isinstance(source, str) else "")
    except SourceError:
        source = None
    tellable = isinstance(event_id, str) and len(event_id) <= LONGEST_ID and event_id.isprintable()
    return Flawed(
        source=source,
        id=event_id if tellable else None,
        faults=faults,
        dataschema=dataschema if isinstance(dataschema, str) else None,
        data=data if isinstance(data, bytes) and not _fault_of_size(data, limits) else None,
    )


def _members_in(document: bytes) -> dict[str, Any]:
    """The members of an event that has faults: texts, and `data` as bytes."""
    try:
        members = msgspec.json.decode(document, type=dict[str, Raw])
        values = {name: msgspec.json.decode(raw) for name, raw in members.items() if name != "data"}
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return {}
    return values | ({"data": bytes(members["data"])} if "data" in members else {})


def _too_large(pointer: str, limit: int) -> Fault:
    return Fault(
        "event_too_large",
        pointer,
        f"超过上限 {limit} 字节；大件请以 DocRef 引用",
        f"larger than {limit} bytes: refer to large things by DocRef",
    )
